"""execution.dry_run=true: a training is built, makes a few steps, and says what it would take.

All that it writes lies in a folder of its own that is gone afterwards, but for the network, which
stays in `execution.cache_dir` for the training itself. The run folder is only read, so that what
the training would find there is told, and nothing in it looks like a run that was never made.
"""

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from trafficrl.app.build import open_run
from trafficrl.app.dry_run_report import report_lines
from trafficrl.app.imitating import driven_before, to_imitate, with_files
from trafficrl.app.origin import known_lineage, origin_of
from trafficrl.app.reopen import check_origin, is_finished, reopened
from trafficrl.app.trial import Trial
from trafficrl.config.algorithm import CommonPPOConfig, LearnerConfig
from trafficrl.config.curriculum import CurriculumConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.identity import config_hash
from trafficrl.env.task import Task
from trafficrl.evaluation.worker_memory import worker_memory
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import read_record
from trafficrl.training.checkpoints import Checkpoints, Scores
from trafficrl.training.cloning_rows import load_rows
from trafficrl.training.learner import build_learner
from trafficrl.training.parts import Learner
from trafficrl.training.probe import probe_training

__all__ = ["dry_run"]

log = logging.getLogger(__name__)
_tried_jobs: dict[str, str] = {}


def dry_run(config: ExperimentConfig, folder: Path, overrides: Iterable[str]) -> None:
    """What the training would take is printed; of it only the cached network stays.

    Args:
        config: the experiment.
        folder: of the run, which Hydra has made if it was not there.
        overrides: of the command line.

    Raises:
        ConfigError: the training would be refused: its configuration cannot be, or the folder holds
            a run of another one.
        TrafficRLError: what else the training could not do.
    """
    _log_to_no_file()
    paths = RunPaths(folder)
    try:
        real = replace(config, execution=replace(config.execution, dry_run=False))
        real = reopened(real, paths, overrides)
        if is_finished(real, paths):
            print(f"dry run: {folder}: this run is finished: nothing is left to do")
            return
        if like := _tried_before(real):
            print(f"dry run: takes as much as {like}: only its seed or first model is another")
            return
        with TemporaryDirectory(prefix="trafficrl-dry-run-") as place:
            trial = _tried(real, paths, RunPaths(Path(place)))
        print("\n".join(report_lines(trial)))
    finally:
        _leave_no_folder(folder)


def _tried_before(config: ExperimentConfig) -> str:
    """The job of this sweep that takes as much, told before; empty if there is none.

    Seeds are what is swept most, and a chain goes on with what this one does not make.
    """
    if not HydraConfig.initialized() or HydraConfig.get().mode is not RunMode.MULTIRUN:
        return ""
    if _coming_model(config) is not None:
        config = replace(config, resume_from=None)
    hydra = HydraConfig.get()
    key = f"{hydra.sweep.dir}: {config_hash(replace(config, seed=0))}"
    name = f"job {hydra.job.num}"
    before = _tried_jobs.setdefault(key, name)
    return "" if before == name else before


def _tried(config: ExperimentConfig, paths: RunPaths, work: RunPaths) -> Trial:
    """What was measured.

    Args:
        config: as the training has it.
        paths: of the run, whose checkpoints it would go on from.
        work: where everything is built.
    """
    goes_on = any(paths.checkpoints.glob("step_*.zip"))
    coming = None if goes_on else _coming_model(config)
    if coming is None:
        check_origin(config, paths)
    else:
        config = replace(config, resume_from=None)
    begin = time.perf_counter()
    built, task = open_run(_at_full_demand(config), work)
    assert isinstance(built.algorithm, LearnerConfig)
    origin = origin_of(built, task, paths)
    model = build_learner(built, task, work.work, again=goes_on)
    start_s = time.perf_counter() - begin
    assert model.env is not None
    try:
        begins = not goes_on and coming is None
        rows, driven = _imitated(model, config, task) if begins else (0, 0)
        Checkpoints(work, origin, keep=1).save_model(model, work.best_model, Scores(None, None))
        first, done = _done_in(paths) if goes_on else (int(model.num_timesteps), 0)
        log.info("dry run: steps until episodes end, 10 s at most")
        effort = probe_training(
            model, built.algorithm, total_timesteps=built.execution.total_timesteps
        )
        begin = time.perf_counter()
        worker_bytes, worker_share = worker_memory(task, str(work.best_model), work.work)
        start_s += time.perf_counter() - begin
    finally:
        model.env.close()
    return Trial(
        config=built,
        task=task,
        effort=effort,
        device=str(model.device),
        first=first,
        done=done,
        coming=coming,
        demonstrations=rows,
        episodes_to_drive=driven,
        start_s=start_s,
        worker_bytes=worker_bytes,
        worker_share_bytes=worker_share,
        goes_on=paths.root if goes_on else None,
    )


def _done_in(paths: RunPaths) -> tuple[int, int]:
    """Environment steps before that run, and those that it has saved."""
    before = known_lineage(paths) or ()
    first = before[-1].timesteps if before else 0
    return first, int(read_record(paths.run).get("checkpoint_timesteps", first)) - first


def _imitated(model: Learner, config: ExperimentConfig, task: Task) -> tuple[int, int]:
    """Rows of given files that would be imitated first, or episodes that a teacher would drive.

    Raises:
        ConfigError: demonstrations that are damaged, or do not fit the experiment.
    """
    cloning = to_imitate(config)
    if cloning is None:
        return 0, 0
    if cloning.teacher is not None:
        taught = replace(task, curriculum=config.algorithm.curriculum)
        file = driven_before(config, cloning, taught)
        if file is None:
            return 0, cloning.episodes * len(task.scenarios)
        config = with_files(config, [file])
    assert isinstance(config.algorithm, CommonPPOConfig)
    return len(load_rows(config.algorithm, task, model.get_vec_normalize_env())), 0


def _at_full_demand(config: ExperimentConfig) -> ExperimentConfig:
    """First episodes of a curriculum would say nothing of the last ones."""
    share = config.algorithm.curriculum.last_share
    whole = CurriculumConfig(first_share=share, last_share=share)
    return replace(config, algorithm=replace(config.algorithm, curriculum=whole))


def _coming_model(config: ExperimentConfig) -> Path | None:
    """The model of an earlier job of the same chain, which a dry run does not make."""
    if config.resume_from is None or not HydraConfig.initialized():
        return None
    hydra, path = HydraConfig.get(), Path(config.resume_from)
    chained = hydra.mode is RunMode.MULTIRUN and Path(hydra.sweep.dir) in path.parents
    return path if chained and not path.exists() else None


def _log_to_no_file() -> None:
    """The log of a run tells of that run alone."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, logging.FileHandler)]:
        root.removeHandler(handler)
        handler.close()


def _leave_no_folder(folder: Path) -> None:
    """What Hydra has made for the run is gone again where it is empty."""
    for place in (folder, *_made_with(folder)):
        with suppress(OSError):  # there is something in it
            place.rmdir()


def _made_with(folder: Path) -> list[Path]:
    """The folders around it that have been made with it: none outside of one that was named."""
    if not HydraConfig.initialized():
        return []
    hydra = HydraConfig.get()
    around = [folder.parent]  # of the sweep, or of the day
    if hydra.mode is RunMode.MULTIRUN:
        around = [Path(hydra.sweep.dir), Path(hydra.sweep.dir).parent]
    named = any(word.startswith(("hydra.run.", "hydra.sweep.")) for word in hydra.overrides.hydra)
    return around[: hydra.mode is RunMode.MULTIRUN] if named else around
