"""Which model a run folder stands for: its newest, or its best by the scores that are stored."""

import logging
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from trafficrl.errors import CheckpointError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import Sidecar, load_sidecar, sidecar_file, verify_model

__all__ = ["best_model", "model_hashes", "newest_model"]

log = logging.getLogger(__name__)


def best_model(run: Path) -> Path:
    """The whole model of a run with the best stored score, and the log says which it is.

    A run keeps its best model as `best_model.zip`. Where that is missing or damaged, a checkpoint
    or the final model takes its place, each with the score of the last validation before it; where
    no model has a score, since none was validated, the newest one.

    Raises:
        CheckpointError: the run has no whole model.
    """
    best = RunPaths(run).best_model
    if best.is_file() and not sidecar_file(best).is_file():  # as while a training replaces it
        log.info("%s: %s, which has no stored score", run, best.name)
        return best
    scored = {file: sidecar for file, sidecar in _sidecars(run) if _score(sidecar) is not None}
    for file in sorted(scored, key=lambda file: _score(scored[file]) or 0.0, reverse=True):
        if is_whole(file):
            found = scored[file]
            log.info(
                "%s: %s has the best stored score, %.3f, at %d steps",
                run,
                file.relative_to(run),
                found.score,
                found.timesteps,
            )
            return file
    newest = newest_model(run) or (best if best.is_file() and is_whole(best) else None)
    if newest is None:
        raise CheckpointError(
            f"{run} holds no whole model: no best_model.zip, final_model.zip or checkpoint"
        )
    log.info("%s: no model has a stored score; %s is the newest", run, newest.relative_to(run))
    return newest


def model_hashes(run: Path) -> frozenset[str]:
    """SHA-256 of every model in the run's folder, as their sidecars have them."""
    return frozenset(sidecar.sha256 for _, sidecar in _sidecars(run))


def _sidecars(run: Path) -> Iterator[tuple[Path, Sidecar]]:
    """Of equally good ones the earlier counts: the best, the final, the newest checkpoint."""
    paths = RunPaths(run)
    checkpoints = sorted(paths.checkpoints.glob("step_*.zip"), reverse=True)
    for file in (paths.best_model, paths.final_model, *checkpoints):
        if not file.is_file():
            continue
        try:
            yield file, load_sidecar(file)
        except CheckpointError as error:
            log.warning("model left out: %s", error)


def _score(sidecar: Sidecar) -> float | None:
    score = sidecar.score
    return score if score is not None and isfinite(score) else None


def newest_model(run: Path) -> Path | None:
    """The final model of a run, or the newest whole checkpoint if it has learned on since; None
    where it has neither.

    A warning names newer ones that are damaged.
    """
    paths = RunPaths(run)
    files = sorted(paths.checkpoints.glob("step_*.zip"), reverse=True)
    ended = paths.final_model.is_file()
    if ended:  # a finished run that learns longer has newer ones until it ends again
        last = last_step(paths.final_model)
        files = [file for file in files if last is not None and file > paths.checkpoint(last)]
    return next(filter(is_whole, files), paths.final_model if ended else None)


def last_step(model: Path) -> int | None:
    """Environment steps of a model as its sidecar tells; None where that is missing or damaged."""
    try:
        return load_sidecar(model).timesteps
    except CheckpointError:
        return None


def is_whole(model: Path) -> bool:
    """Whether that model is what its sidecar says; a warning tells why not."""
    try:
        verify_model(model)
    except CheckpointError as error:
        log.warning("model left out: %s", error)
        return False
    return True
