"""Where the models of a run come from: what their sidecars say beside steps and scores."""

from contextlib import suppress
from pathlib import Path

from trafficrl.config.algorithm import LearnerConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.identity import config_hash
from trafficrl.env.task import Task
from trafficrl.errors import CheckpointError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import Ancestor, file_sha256, load_sidecar
from trafficrl.training.checkpoints import Origin
from trafficrl.training.models import load_model
from trafficrl.training.ppo import find_model

__all__ = ["known_lineage", "origin_of"]


def origin_of(config: ExperimentConfig, task: Task, paths: RunPaths) -> Origin:
    """Of all models of the run.

    Raises:
        CheckpointError: `resume_from` is missing or damaged.
    """
    assert isinstance(config.algorithm, LearnerConfig)
    facts = {
        "config_hash": config_hash(config),
        "run": str(paths.root.resolve()),
        "scenarios": tuple(config.scenarios),
        "simulator": config.execution.simulator.value,
        "lineage": lineage(config, paths),
        "versions": {
            **config.provenance["packages"],
            "sumo": config.provenance["sumo"],
            **{f"extension {Path(own.file).name}": own.sha256 for own in task.extensions},
        },
    }
    return Origin(config.algorithm, task.network, facts)


def lineage(config: ExperimentConfig, paths: RunPaths) -> tuple[Ancestor, ...]:
    """The models that the run goes back to; of one without a sidecar only itself is known."""
    if config.resume_from is None:
        return ()
    known = known_lineage(paths)
    if known is not None:
        return known
    model = find_model(config.resume_from, Path(config.execution.models_dir))
    if model.with_suffix(".yaml").is_file():
        sidecar = load_sidecar(model)
        parent = Ancestor(
            sidecar.run,
            sidecar.timesteps,
            sidecar.scenarios,
            sidecar.sha256,
            sidecar.simulator,
        )
        return (*sidecar.lineage, parent)
    return (Ancestor(str(model), load_model(model).timesteps, (), file_sha256(model)),)


def known_lineage(paths: RunPaths) -> tuple[Ancestor, ...] | None:
    """As a checkpoint of this run has it: what it was resumed from may be gone by now."""
    for file in sorted(paths.checkpoints.glob("step_*.yaml"), reverse=True):
        with suppress(CheckpointError):  # the trainer tells of damaged ones
            return load_sidecar(file.with_suffix(".zip")).lineage
    return None
