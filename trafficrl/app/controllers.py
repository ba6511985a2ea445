"""What is to be judged, from the names that a user gave to it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.classical import check_simulator
from trafficrl.errors import CheckpointError, ConfigError, unknown_name
from trafficrl.evaluation.controllers import check_controller, model_file
from trafficrl.network.model import Network
from trafficrl.runs.registry import ModelRegistry
from trafficrl.runs.run_models import best_model
from trafficrl.runs.sidecars import file_sha256, load_sidecar, sidecar_file

__all__ = ["find_controllers", "models_of", "tell_strangers"]

log = logging.getLogger(__name__)


def find_controllers(names: Sequence[str], config: ExperimentConfig) -> dict[str, str]:
    """Label in tables -> name of a classical controller, or path of its model; all are there.

    A model goes by the name that it was given, or by its file's or run folder's where that is
    enough. Of a run its best model is meant, and the log says which that is.

    Raises:
        ConfigError: an unknown controller, one that does not work in SUMO's model, a model that is
            not there, or one that is named twice.
        CheckpointError: a named model that is damaged.
        RunError: the named models cannot be read.
    """
    registry = ModelRegistry(Path(config.execution.models_dir))
    found = [find_controller(name, config, registry) for name in names]
    short = [label for label, _ in found]
    labels: dict[str, str] = {}
    for name, (label, controller) in zip(names, found, strict=True):
        # A model is never called as a classical controller is.
        taken = short.count(label) > 1 or (label in config.controller and label != name)
        chosen = name if taken else label
        if chosen in labels or controller in labels.values():
            raise ConfigError(f"controllers: {name} is named twice in {list(names)}")
        labels[chosen] = controller
    return labels


def find_controller(
    name: str, config: ExperimentConfig, registry: ModelRegistry
) -> tuple[str, str]:
    """A short label, and what an evaluation knows the controller by."""
    if name in config.controller or model_file(name) is not None:
        check_controller(name, config.controller)
        if name in config.controller:
            check_simulator(name, config.controller[name], config.execution.simulator)
        return Path(name).stem, name
    if Path(name).is_dir():
        try:
            return Path(name).resolve().name, str(best_model(Path(name)))
        except CheckpointError as error:
            raise ConfigError(f"controllers: {error}") from error
    entry = registry.find(name)
    if entry is None:
        choices = [*config.controller, *registry.labels(), "PATH/model.zip", "RUN_FOLDER"]
        raise ConfigError(unknown_name("controllers", name, choices))
    entry.verify()
    return entry.label, str(entry.file)


def models_of(controllers: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Label -> file and SHA-256 of the controllers that are models: what was judged, wherever it
    came from and whatever becomes of that.

    Args:
        controllers: as `find_controllers` finds them.
    """
    files = {label: model_file(controller) for label, controller in controllers.items()}
    return {
        label: {"file": str(file), "sha256": file_sha256(file)}
        for label, file in files.items()
        if file is not None
    }


def tell_strangers(controllers: Mapping[str, str], network: Network) -> None:
    """The log says which models learned on another network than the one that they are judged on.

    Args:
        controllers: as `find_controllers` finds them.
        network: that they are judged on.
    """
    for label, controller in controllers.items():
        file = model_file(controller)
        if file is None or not sidecar_file(file).is_file():
            continue
        learned = load_sidecar(file)
        if learned.network_hash != network.hash:
            scenarios = ", ".join(learned.scenarios)
            log.info("%s learned on another network than this one, on %s", label, scenarios)
