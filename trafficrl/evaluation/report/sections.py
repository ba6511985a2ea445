"""What may stand in one table: controllers that met the same episodes on the same SUMO.

Runs share a section as far as their scenarios are the same in all that decides an episode: network,
clearance, demand, SUMO's version and options. Whatever is left apart, and why, is said in a note.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from trafficrl.errors import ConfigError, RunError, unknown_name
from trafficrl.evaluation.database import SumoBuild
from trafficrl.evaluation.outcome import EpisodeResult, SliceQueues
from trafficrl.evaluation.report.run_folder import JudgedRun, flat
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.slices import SliceMetrics

__all__ = ["Judged", "Section", "build_sections"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judged:
    """A controller and what it gave."""

    label: str
    run: str
    """Where it was judged."""
    classical: bool
    """A configured controller, which is the same in every run that configured it alike."""
    results: tuple[EpisodeResult, ...]
    slices: Mapping[str, Sequence[SliceMetrics]]
    """By scenario."""
    queues: Mapping[str, Mapping[str, float]]
    """Scenario -> edge -> mean queue [veh]."""
    slice_queues: Mapping[str, SliceQueues]
    """Scenario -> the same over time; empty where it was not kept."""
    model: str = ""
    """SHA-256 of the model that was judged as such."""


@dataclass(frozen=True, slots=True)
class Section:
    """One table and its plots."""

    runs: tuple[JudgedRun, ...]
    build: SumoBuild
    comparison: Comparison
    judged: Mapping[str, Judged]
    """By label."""
    notes: tuple[str, ...]
    """What to know before comparing."""
    every_seed: bool = True
    """Nobody was judged on seeds that others lack."""
    drawn: tuple[str, ...] = ()
    """Labels in the order in which plots give them their styles; else by delay."""

    @property
    def scenarios(self) -> list[str]:
        """In the order of the first run."""
        return self.comparison.scenarios

    @property
    def labels(self) -> list[str]:
        """The controllers, the one with the least delay first."""
        return self.comparison.by_delay

    def place(self, label: str) -> int:
        """Which style a controller has in plots."""
        order = self.drawn or tuple(self.labels)
        return order.index(label)

    @property
    def name(self) -> str:
        """Which scenarios."""
        return ", ".join(self.scenarios)

    @property
    def whose(self) -> str:
        """Which runs, as it stands in a title beside other sections."""
        return f" ({', '.join(run.name for run in self.runs)})"


def build_sections(
    runs: Sequence[JudgedRun], *, baseline: str | None = None, others: Sequence[Judged] = ()
) -> list[Section]:
    """The sections of the runs, each run's scenarios in the order in which they first come.

    Args:
        runs: at least one.
        baseline: controller that the others are compared with; None for each first run's own.
        others: controllers from elsewhere that met the same episodes as the first run.

    Raises:
        ConfigError: no section has the baseline.
        RunError: runs of the same scenario share no seed.
    """
    sharing: dict[tuple[int, ...], list[str]] = {}
    for scenario, members in _scenarios(runs):
        sharing.setdefault(members, []).append(scenario)
    sections = [
        _section([runs[i] for i in members], scenarios, baseline, others if 0 in members else ())
        for members, scenarios in sharing.items()
    ]
    known = list(dict.fromkeys(label for section in sections for label in section.judged))
    if baseline is not None and all(s.comparison.baseline != baseline for s in sections):
        raise ConfigError(unknown_name("--baseline", baseline, known))
    return sections


def _scenarios(runs: Sequence[JudgedRun]) -> list[tuple[str, tuple[int, ...]]]:
    """Each different scenario with the runs (by index) that judged on it."""
    found: dict[tuple[str, str], list[int]] = {}
    for index, run in enumerate(runs):
        for scenario, setting in run.settings.items():
            key = scenario, json.dumps(flat(setting), sort_keys=True, default=str)
            found.setdefault(key, []).append(index)
    return [(scenario, tuple(members)) for (scenario, _), members in found.items()]


def _section(
    runs: Sequence[JudgedRun],
    scenarios: Sequence[str],
    baseline: str | None,
    others: Sequence[Judged],
) -> Section:
    candidates = [*(one for run in runs for one in _judged(run)), *others]
    keys, notes = _shared_episodes(candidates, scenarios)
    every_seed = not notes
    judged = _labelled([replace(one, results=_chosen(one.results, keys)) for one in candidates])
    first = baseline if baseline in judged else _own_baseline(runs[0], judged)
    if baseline not in (None, first):
        notes.append(f"no {baseline} was judged here: differences are to {first}")
    ordered = {first: judged[first], **judged}
    results = [
        replace(result, controller=label)
        for label, one in ordered.items()
        for result in one.results
    ]
    comparison = Comparison(results, confidence=runs[0].confidence)
    notes += _left_out(runs, comparison)
    return Section(tuple(runs), runs[0].build, comparison, ordered, tuple(notes), every_seed)


def _left_out(runs: Sequence[JudgedRun], comparison: Comparison) -> list[str]:
    """What some runs have and the comparison has not."""
    notes = []
    if {"co2_g", "fuel_g"} - set(comparison.metrics):
        without = [
            run.name for run in runs if any(one.metrics.co2_g is None for one in run.results)
        ]
        if without and len(without) < len(runs):
            notes.append(f"no CO2 and fuel: they were not measured in {', '.join(without)}")
    if len({run.confidence for run in runs}) > 1:
        levels = ", ".join(f"{run.confidence:.0%} in {run.name}" for run in runs)
        notes.append(f"intervals are those of {runs[0].name}: their level is {levels}")
    return notes


def _judged(run: JudgedRun) -> Iterable[Judged]:
    for label in dict.fromkeys(result.controller for result in run.results):
        yield Judged(
            label=label,
            run=run.name,
            classical=label in run.classical,
            results=tuple(result for result in run.results if result.controller == label),
            slices=_of(label, run.slices),
            queues=_of(label, run.queues),
            slice_queues=_of(label, run.slice_queues),
            model=run.models.get(label, ""),
        )


def _of(label: str, rows: Mapping[tuple[str, str], T]) -> dict[str, T]:
    """One controller's values by scenario."""
    return {scenario: found for (name, scenario), found in rows.items() if name == label}


def _shared_episodes(
    candidates: Sequence[Judged], scenarios: Sequence[str]
) -> tuple[list[tuple[str, int]], list[str]]:
    """Scenario and SUMO seed of the episodes that all have, and what is said of the others."""
    per = [{(r.scenario, r.sumo_seed) for r in one.results} for one in candidates]
    shared = set.intersection(*per)
    notes = []
    for scenario in scenarios:
        counts = [sum(name == scenario for name, _ in keys) for keys in per]
        common = sum(name == scenario for name, _ in shared)
        if not common:
            raise RunError(f"{scenario}: the runs share no seed of it")
        if max(counts) > common:
            notes.append(
                f"{scenario}: only the {common} seeds that all have are compared; the delay by "
                "departure and the queues are over each one's own, types are not shown"
            )
    order = {name: place for place, name in enumerate(scenarios)}
    found = [key for key in shared if key[0] in order]
    return sorted(found, key=lambda key: (order[key[0]], key[1])), notes


def _chosen(
    results: Sequence[EpisodeResult], keys: Sequence[tuple[str, int]]
) -> tuple[EpisodeResult, ...]:
    """The results of those episodes, in their order."""
    by_key = {(result.scenario, result.sumo_seed): result for result in results}
    return tuple(by_key[key] for key in keys)


def _labelled(candidates: Sequence[Judged]) -> dict[str, Judged]:
    """Each controller once, under a name of its own.

    A classical controller that gave the same in two runs is one controller; any other that shares
    its name with somebody is told apart by its run.
    """
    kept: list[Judged] = []
    for one in candidates:
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    labels = [one.label for one in kept]
    named: dict[str, Judged] = {}
    for one in kept:
        label = one.label if labels.count(one.label) == 1 else f"{one.label} ({one.run})"
        while label in named:
            label += "'"
        named[label] = one
    return named


def _same(one: Judged, other: Judged) -> bool:
    return (
        one.classical
        and other.classical
        and one.label == other.label
        and [_traffic(result) for result in one.results]
        == [_traffic(result) for result in other.results]
    )


def _traffic(result: EpisodeResult) -> Any:
    """What the episode gave; emissions may have been measured in one run and not in another."""
    return replace(result.metrics, co2_g=None, fuel_g=None)


def _own_baseline(run: JudgedRun, judged: Mapping[str, Judged]) -> str:
    """The run's own baseline under its new name."""
    names = [label for label, one in judged.items() if one.label == run.baseline]
    own = [label for label in names if judged[label].run == run.name]
    return (own or names or list(judged))[0]
