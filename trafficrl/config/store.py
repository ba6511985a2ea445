"""The only file that knows Hydra's ConfigStore: which dataclass stands behind which `kind`.

Schemas are stored under `schema/`, so that the groups list real members only: those of `conf/`,
and the published scenarios where the optional package that holds them is installed.
"""

import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.controllers import OwnConfig, standard_controllers
from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.experiment import CollectConfig, EvaluateConfig, ExperimentConfig
from trafficrl.config.network import GridConfig, NetFileConfig, OsmConfig
from trafficrl.config.off_policy import DQNConfig, SACConfig, TD3Config
from trafficrl.config.render import RenderConfig
from trafficrl.config.resco import resco_scenarios
from trafficrl.config.reward import LocalRewardConfig, RewardConfig
from trafficrl.config.scenarios import GeneratedScenarioConfig, RouteFileScenarioConfig
from trafficrl.config.shared_policy import SharedPPOConfig
from trafficrl.config.simulation import SimulationConfig
from trafficrl.config.sumocfg import SumoConfiguration
from trafficrl.errors import ConfigError

__all__ = ["GROUPS", "SCHEMAS", "conf_dir", "members", "register_configs"]

GROUPS = ("network", "scenarios", "algorithm", "reward", "simulation", "execution")

SCHEMAS: dict[str, dict[str, type]] = {
    "network": {"grid": GridConfig, "net_file": NetFileConfig, "osm": OsmConfig},
    "scenarios": {"generated": GeneratedScenarioConfig, "route_file": RouteFileScenarioConfig},
    "algorithm": {
        "ppo": PPOConfig,
        "ppo_shared": SharedPPOConfig,
        "td3": TD3Config,
        "sac": SACConfig,
        "dqn": DQNConfig,
    },
    "reward": {"weighted_terms": RewardConfig, "local_terms": LocalRewardConfig},
    "controller": {
        **{config.kind: type(config) for config in standard_controllers().values()},
        "own": OwnConfig,
    },
}
"""Group -> kind -> dataclass. A new kind is one line here, its dataclass, and a member."""


def register_configs() -> None:
    """Hydra knows every schema; calling it twice changes nothing."""
    OmegaConf.register_new_resolver("command_id", _command_id, use_cache=True, replace=True)
    ConfigStore.__deepcopy__ = _same  # type: ignore[attr-defined]
    _register_schemas(ConfigStore.instance())


def _same(store: ConfigStore, copied: dict[int, Any]) -> ConfigStore:
    """Hydra copies its sources at each question: with all that is stored, `--help` took 6 s."""
    return store


@cache
def _register_schemas(store: ConfigStore) -> None:
    """Once in each store, which takes a third as long as composing an experiment."""
    for group, kinds in SCHEMAS.items():
        for kind, schema in kinds.items():
            store.store(group=f"schema/{group}", name=kind, node=schema)
    store.store(group="schema/execution", name="run", node=ExecutionConfig)
    simulation = OmegaConf.structured(SimulationConfig)
    OmegaConf.set_struct(simulation.options, False)  # SUMO says which names there are, not Hydra
    store.store(group="schema/simulation", name="sumo", node=simulation)
    store.store(group="schema", name="experiment", node=ExperimentConfig, package="_global_")
    store.store(group="schema", name="evaluate", node=EvaluateConfig, package="_global_")
    store.store(group="schema", name="collect", node=CollectConfig, package="_global_")
    store.store(group="schema", name="render", node=RenderConfig, package="_global_")
    for name, published in resco_scenarios().items():
        _register_published(store, name, published)


def _command_id() -> str:
    """Eight digits that stand for what the command line asks for, not for how it is sent away."""
    how = ("-m", "--multirun", "hydra/launcher=", "hydra.launcher.", "hydra.sweep.")
    words = [word for word in sys.argv[1:] if not word.startswith(how)]
    return sha256("\0".join(words).encode()).hexdigest()[:8]


def _register_published(store: ConfigStore, name: str, published: SumoConfiguration) -> None:
    """Network, scenario, and both with the length that they were made for."""
    network = NetFileConfig(file=str(published.net_file))
    store.store(group="network/resco", name=name, node=network, package="network")
    scenario = {name: published.scenario()}
    store.store(group="scenarios/resco", name=name, node=scenario, package="scenarios")
    member = f"resco/{name}"
    experiment: dict[str, Any] = {
        "defaults": [{"override /network": member}, {"override /scenarios": member}, "_self_"],
        "execution": {"end_time": published.length_s},
    }
    store.store(group="experiment/resco", name=name, node=experiment, package="_global_")


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
    """The members of a group that come with trafficrl or its extras, sorted."""
    own = sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
    published = resco_scenarios() if group in ("network", "scenarios", "experiment") else ()
    return own + [f"resco/{name}" for name in published]
