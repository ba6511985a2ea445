"""The runs of a study as far as they have come: nothing is missed while they go on."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from trafficrl.errors import RunError
from trafficrl.evaluation.report.documents import read_table, read_yaml
from trafficrl.evaluation.report.learning import Training
from trafficrl.evaluation.report.run_folder import JudgedRun, read_run
from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.facts import one_line
from trafficrl.runs.paths import RunPaths

__all__ = ["StudyRun", "find_judgements", "read_judgement", "read_study_run"]

T = TypeVar("T")
RESULTS = RunPaths(Path()).evaluation / "results.json"


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A training of a study, and what there is of it."""

    state: RunState
    config: Mapping[str, Any]
    """Plain; empty where nothing was written yet."""
    training: Training
    """Empty until there is a first row."""
    judged: JudgedRun | None
    """None until it has ended and was judged."""
    troubles: tuple[str, ...]
    """What could not be read, a line each."""

    @property
    def name(self) -> str:
        """As everywhere on the page."""
        return self.state.name


def read_study_run(state: RunState) -> StudyRun:
    """What is in the folder of a run that may be at any point of its life."""
    paths = RunPaths(state.folder)
    troubles: list[str] = []
    config: dict[str, Any] = {}
    for file in (paths.submitted_config, paths.resolved_config):
        if file.exists():
            document = attempt(partial(read_yaml, file), troubles)
            if document is not None and isinstance(document.value, dict):
                config = document.value
    training: Training = {}
    if paths.metrics.exists():
        training = attempt(partial(read_table, paths.metrics), troubles) or {}
    judged = None
    # A finished run that learns on keeps the results of its first end until its next.
    if state.condition is Condition.finished and (paths.root / RESULTS).exists():
        judged = attempt(partial(read_run, state.folder, state.name), troubles)
    return StudyRun(state, config, training, judged, tuple(troubles))


def find_judgements(roots: Iterable[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Folders of `trafficrl-evaluate` below some folders, which are no trainings, and their names.

    Args:
        roots: folders, and what stands before the names of what is in them.
    """
    found = []
    for root, prefix in roots:
        for place, folders, _ in os.walk(root):
            folder = Path(place)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            paths = RunPaths(folder)
            if paths.run.exists() or paths.job.exists():
                folders.clear()
            elif paths.resolved_config.exists() and (folder / RESULTS).exists():
                folders.clear()
                name = str(Path(prefix, folder.relative_to(root)))
                found.append((folder, one_line(folder.resolve().name if name == "." else name)))
    return found


def read_judgement(folder: Path, name: str, troubles: list[str]) -> JudgedRun | None:
    """The evaluation in a folder; None and a line more where it cannot be read."""
    return attempt(partial(read_run, folder, name), troubles)


def attempt(work: Callable[[], T], troubles: list[str]) -> T | None:
    """What the work gives; None and a line more where a file is damaged, or just being written."""
    try:
        return work()
    except RunError as error:
        troubles.append(one_line(str(error)))
        return None
