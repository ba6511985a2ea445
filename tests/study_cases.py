"""A study of two learning rates and two seeds, made of copies of one small training."""

import csv
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache, partial
from pathlib import Path
from typing import Any

from report_cases import altered
from run_cases import trained
from traffic_cases import scratch

from trafficrl.evaluation.report.study_runs import StudyRun, read_study_run
from trafficrl.runs.states import read_states

__all__ = ["DELAY", "RATES", "study", "study_runs"]

DELAY = "validation/delay_s"
RATES = (0.003, 0.001)
RUNS = {"0": (0.003, 1, 1.0), "1": (0.003, 2, 1.2), "2": (0.001, 1, 2.0), "10": (0.001, 2, 1.8)}
"""Name -> learning rate, seed, and how many times the delay of the training it has."""


@cache
def study() -> Path:
    """The folder; nobody may change what is in it."""
    return made(scratch() / "multirun" / "a study")


def made(folder: Path) -> Path:
    """A study in a folder of one's own."""
    folder.mkdir(parents=True)
    for name, (rate, seed, factor) in RUNS.items():
        run = altered(
            trained(),
            folder / name,
            config=configured(rate, seed),
            results=partial(slower, factor=factor),
        )
        scale(run / "metrics.csv", factor)
    return folder


def study_runs(folder: Path) -> list[StudyRun]:
    """As the page has them."""
    states = read_states([(folder, "")], datetime.now(timezone.utc))
    return [read_study_run(state) for state in states]


def configured(rate: float, seed: int) -> Callable[[Any], None]:
    def change(config: Any) -> None:
        config["algorithm"]["learning_rate"] = rate
        config["seed"] = seed

    return change


def slower(results: Any, *, factor: float) -> None:
    for episode in results["episodes"]:
        if episode["controller"] == "policy":
            episode["metrics"]["delay_s"] *= factor


def scale(file: Path, factor: float) -> None:
    """The validation found so many times the delay."""
    with file.open(newline="") as stream:
        header, *rows = csv.reader(stream)
    for row in rows:
        for column in map(header.index, (DELAY, "validation/score")):
            if row[column]:
                row[column] = str(float(row[column]) * factor)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
