"""A group of trainings as one controller: the mean of its models on each test episode."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.outcome import EpisodeResult
from trafficrl.evaluation.queues import mean_queues, mean_slice_queues
from trafficrl.evaluation.report.agreement import POLICY
from trafficrl.evaluation.report.groups import Group
from trafficrl.evaluation.report.hyperparameters import over_seeds
from trafficrl.evaluation.report.sections import Judged, Section
from trafficrl.evaluation.report.table import Row, TableText
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.slices import pool_slices
from trafficrl.evaluation.tables import number
from trafficrl.runs.run_models import model_hashes

__all__ = ["pool_groups", "seed_table"]

DELAY = "delay_s"


def pool_groups(section: Section, groups: Sequence[Group]) -> Section:
    """The section with the policies of each group as one; whatever else was judged stays."""
    pooled: dict[str, Judged] = {}
    taken: set[str] = set()
    for group in groups:
        members = _members(section, group)
        if members:
            taken |= members.keys()
            pooled[group.label] = _pool(group.label, list(members.values()))
    baseline = section.comparison.baseline
    rest = {label: one for label, one in section.judged.items() if label not in taken}
    first = [baseline] if baseline in rest else []
    every = {**rest, **pooled}
    ordered = {label: every[label] for label in dict.fromkeys([*first, *every])}
    results = [
        replace(result, controller=label)
        for label, one in ordered.items()
        for result in one.results
    ]
    comparison = Comparison(results, confidence=section.comparison.confidence)
    # As in the learning curves: the groups have the first styles.
    drawn = (*(group.label for group in groups), *rest)
    return replace(section, comparison=comparison, judged=ordered, drawn=drawn)


def seed_table(section: Section, groups: Sequence[Group]) -> TableText:
    """Test delay by training seed: what one may expect of a configuration, not of one model.

    Args:
        section: with each policy by itself.
        groups: of the study.
    """
    comparison = section.comparison
    confidence, baseline = comparison.confidence, comparison.baseline
    level = f"{confidence:.0%} interval"
    rows = []
    for group in groups:
        members = _members(section, group)
        delays = {label: comparison.mean(label, DELAY) for label in members}
        found = over_seeds(list(delays.values()), DELAY, confidence)
        if found is None:
            continue
        beside = [comparison.difference(label, DELAY).mean for label in members]
        difference = over_seeds(beside, DELAY, confidence)
        seeds = ", ".join(
            f"{number(delay_s)} ({members[label].run})" for label, delay_s in delays.items()
        )
        cells = (str(len(members)), found.text(), difference.text(sign="+") if difference else "")
        rows.append(Row(group.label, (*cells, seeds)))
    columns = (
        "training seeds",
        f"test delay [s] ({level})",
        f"difference to {baseline} [s] ({level})",
        "test delay of each [s] (run)",
    )
    notes = (
        "Each training seed counts as one value, the mean over its test episodes; the intervals "
        "are over training seeds. Those of the tables below are over test episodes, for the very "
        "models that were trained.",
    )
    return TableText(columns, tuple(rows), notes)


def _members(section: Section, group: Group) -> Mapping[str, Judged]:
    """The policies of the group's runs, by their labels in the section, each with its run's name.

    A run's policy is the one that it judged itself. Where it judged none, as on a city that it
    never saw, it is what an evaluation judged of its models, if that is one.
    """
    own = {one.run: label for label, one in section.judged.items() if one.label == POLICY}
    elsewhere = {label: one.model for label, one in section.judged.items() if one.model}
    found: dict[str, Judged] = {}
    for run in group.runs:
        labels = [own[run.name]] if run.name in own else []
        if not labels and elsewhere:
            models = model_hashes(run.state.folder)
            labels = [label for label, model in elsewhere.items() if model in models]
        # Of two models of one training neither stands for it.
        if len(labels) == 1 and labels[0] not in found:
            found[labels[0]] = replace(section.judged[labels[0]], run=run.name)
    return found


def _pool(label: str, members: Sequence[Judged]) -> Judged:
    first = members[0]
    scenarios = [scene for scene in first.slices if all(scene in one.slices for one in members)]
    queued = [scene for scene in first.queues if all(scene in one.queues for one in members)]
    over_time = {
        scene: mean_slice_queues([one.slice_queues.get(scene) for one in members])
        for scene in queued
    }
    return Judged(
        label=label,
        run=first.run,
        classical=False,
        results=tuple(_mean_result(list(same)) for same in _by_episode(members)),
        slices={
            scene: pool_slices(part for one in members for part in one.slices[scene])
            for scene in scenarios
        },
        queues={scene: mean_queues([one.queues[scene] for one in members]) for scene in queued},
        slice_queues={scene: found for scene, found in over_time.items() if found is not None},
    )


def _by_episode(members: Sequence[Judged]) -> Sequence[Sequence[EpisodeResult]]:
    """The results of the same episode together; a section's controllers all have the same."""
    return list(zip(*(one.results for one in members), strict=True))


def _mean_result(results: Sequence[EpisodeResult]) -> EpisodeResult:
    rows = [asdict(result.metrics) for result in results]
    means: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        means[name] = None if None in values else float(np.mean(values))
    return replace(results[0], metrics=EpisodeMetrics(**means))
