"""A command's configuration without the command: for notebooks, scripts and other libraries."""

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from trafficrl.app.build import task_on
from trafficrl.app.consent import allow_named
from trafficrl.app.hydra_errors import explain_composition
from trafficrl.app.stand_ins import spelled_out
from trafficrl.app.teaching import with_teacher_files
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.inputs import locate
from trafficrl.config.load import to_experiment
from trafficrl.config.store import conf_dir, register_configs
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, RunError
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.runs.paths import RunPaths

__all__ = ["cached_network", "compose_experiment", "compose_task"]

COMMAND = "trafficrl-train"


def compose_experiment(
    overrides: Sequence[str] = (), *, run: Path | None = None
) -> ExperimentConfig:
    """The checked configuration of `trafficrl-train` for these overrides.

    Files are looked for in the run's folder, then in the current one. An override that names
    `extensions` lets their code run.

    Args:
        overrides: as on the command line, `sumocfg=FILE` included; flags are none.
        run: folder of a run whose configuration is the one to begin with.

    Raises:
        ConfigError: an override that is unknown, malformed or fails a check.
        RunError: the folder holds no run.
    """
    words = spelled_out(list(overrides), COMMAND)
    folders = [Path.cwd()] if run is None else [run, Path.cwd()]
    composed = _composed(words) if run is None else _composed_again(words, run)
    config = locate(with_teacher_files(to_experiment(composed)), folders)
    allow_named(config, words)
    return config


def compose_task(config: ExperimentConfig) -> Task:
    """The decision problem of the experiment; its network lies in `execution.cache_dir`.

    Raises:
        NetworkError: the network cannot be built.
        DemandError: a given demand cannot be driven on it.
        ConfigError: code of the user's own that nobody has named.
    """
    return task_on(config, cached_network(config))


def cached_network(config: ExperimentConfig) -> Network:
    """The network of the experiment, from `execution.cache_dir` or built now.

    Raises:
        NetworkError: it cannot be built.
    """
    return build_network(config.network, Path(config.execution.cache_dir))


def _composed_again(overrides: list[str], run: Path) -> DictConfig:
    file = RunPaths(run).resolved_config
    if not file.is_file():
        raise RunError(f"{run} is no run folder: there is no {file.name}")
    place = f"hydra.searchpath=[file://{conf_dir()}]"
    return _composed([place, *overrides], folder=run.resolve(), name=file.stem)


def _composed(
    overrides: list[str], *, folder: Path | None = None, name: str = "train"
) -> DictConfig:
    """Hydra is left as it was; its own exceptions are ours now."""
    register_configs()
    callers, GlobalHydra.instance().hydra = GlobalHydra.instance().hydra, None
    try:
        with initialize_config_dir(str(folder or conf_dir()), version_base="1.3"):
            return compose(name, overrides)
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(explain_composition(error)) from error
    except ValueError as error:  # Hydra's own, which does not name its place
        raise ConfigError(f"{error}; got {' '.join(overrides)}") from error
    finally:
        GlobalHydra.instance().hydra = callers
