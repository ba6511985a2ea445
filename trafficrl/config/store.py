"""The only file that knows Hydra's ConfigStore: which dataclass stands behind which `kind`.

Schemas are stored under `schema/`, so that the five groups list real members of `conf/` only.
"""

from pathlib import Path

from hydra.core.config_store import ConfigStore

from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.experiment import EvaluateConfig, ExperimentConfig
from trafficrl.config.network import GridConfig
from trafficrl.config.reward import RewardConfig
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.errors import ConfigError

__all__ = ["GROUPS", "SCHEMAS", "conf_dir", "members", "register_configs"]

GROUPS = ("network", "scenarios", "algorithm", "reward", "execution")

SCHEMAS: dict[str, dict[str, type]] = {
    "network": {"grid": GridConfig},
    "scenarios": {"generated": GeneratedScenarioConfig},
    "algorithm": {"ppo": PPOConfig},
    "reward": {"weighted_terms": RewardConfig},
}
"""Group -> kind -> dataclass. A new kind is one line here, its dataclass, and a member."""


def register_configs() -> None:
    """Hydra knows every schema; calling it twice changes nothing."""
    store = ConfigStore.instance()
    for group, kinds in SCHEMAS.items():
        for kind, schema in kinds.items():
            store.store(group=f"schema/{group}", name=kind, node=schema)
    store.store(group="schema/execution", name="run", node=ExecutionConfig)
    store.store(group="schema", name="experiment", node=ExperimentConfig, package="_global_")
    store.store(group="schema", name="evaluate", node=EvaluateConfig, package="_global_")


def conf_dir() -> Path:
    """The folder of the YAML values: inside an installed wheel, beside the code in a checkout.

    Raises:
        ConfigError: neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "train.yaml").is_file():
            return folder
    raise ConfigError(f"no conf/train.yaml in {package} or beside it: install trafficrl again")


def members(group: str) -> list[str]:
    """The members of a group that come with trafficrl, sorted."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
