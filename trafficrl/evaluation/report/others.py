"""Controllers that met the same episodes in other runs, from the database."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from trafficrl.evaluation.database import EvaluationDatabase, RecordedEpisode
from trafficrl.evaluation.outcome import EpisodeResult, SliceQueues
from trafficrl.evaluation.queues import mean_queues, mean_slice_queues
from trafficrl.evaluation.report.run_folder import JudgedRun
from trafficrl.evaluation.report.sections import Judged
from trafficrl.evaluation.slices import SliceMetrics, pool_slices

__all__ = ["find_others"]

Decider = tuple[str, str]
"""Kind and parameters."""


def find_others(
    runs: Sequence[JudgedRun], database: EvaluationDatabase
) -> tuple[list[Judged], list[str]]:
    """Controllers that none of the runs judged, on exactly the first one's episodes; and notes.

    The run's own rows, known by their configuration, tell which setting it met (network, demand,
    options, code): only rows of the same setting, SUMO version and options count. A controller
    that lacks one of the episodes is left out, and a note says so. One that gave the same as a
    controller of the run is another one all the same.

    Raises:
        RunError: the database cannot be read.
    """
    run = runs[0]
    recorded = database.groups().get(run.build, [])
    wanted = {(result.scenario, result.sumo_seed): result.seed for result in run.results}
    settings = {scenario: _setting(run, scenario, recorded) for scenario in run.settings}
    own = {result.configuration for other in runs for result in other.results}
    judged = {_decider(one) for one in recorded if one.identity.configuration in own}
    if None in settings.values():
        return [], [f"{database.folder} does not hold all episodes of {run.name}"]
    found: dict[Decider, list[RecordedEpisode]] = defaultdict(list)
    for one in recorded:
        identity = one.identity
        known = (identity.scenario, identity.sumo_seed) in wanted
        if not known or identity.setting != settings[identity.scenario]:
            continue
        if _decider(one) not in judged:
            found[_decider(one)].append(one)
    whole = {key: rows for key, rows in found.items() if len(rows) == len(wanted)}
    notes = [
        f"{_label(rows[0])} is left out: the database has {len(rows)} of the {len(wanted)} episodes"
        for key, rows in found.items()
        if key not in whole
    ]
    return [_judged(rows, wanted, database) for rows in whole.values()], notes


def _setting(run: JudgedRun, scenario: str, recorded: Sequence[RecordedEpisode]) -> str | None:
    """The setting in which the run met the scenario; None where the database lacks some of it."""
    reported = {
        (one.configuration, one.sumo_seed) for one in run.results if one.scenario == scenario
    }
    held = {
        (one.identity.configuration, one.identity.sumo_seed): one.identity.setting
        for one in recorded
    }
    return held[min(reported)] if reported <= held.keys() else None


def _decider(one: RecordedEpisode) -> Decider:
    return one.identity.kind, one.identity.parameters


def _label(one: RecordedEpisode) -> str:
    return f"{one.identity.controller} of {Path(one.identity.run).name}"


def _judged(
    rows: Sequence[RecordedEpisode],
    wanted: dict[tuple[str, int], int],
    database: EvaluationDatabase,
) -> Judged:
    by_id = database.slices(rows)
    queues_by_id = database.queues(rows)
    slices: dict[str, list[SliceMetrics]] = defaultdict(list)
    queues: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    over_time: dict[str, list[SliceQueues | None]] = defaultdict(list)
    for one in rows:
        slices[one.identity.scenario] += by_id.get(one.id, ())
        if one.id in queues_by_id:
            mean_veh, slices_veh = queues_by_id[one.id]
            queues[one.identity.scenario].append(mean_veh)
            over_time[one.identity.scenario].append(slices_veh)
    results = tuple(
        EpisodeResult(
            controller=one.identity.controller,
            scenario=one.identity.scenario,
            seed=wanted[one.identity.scenario, one.identity.sumo_seed],
            sumo_seed=one.identity.sumo_seed,
            metrics=one.metrics,
            reward=one.reward,
        )
        for one in rows
    )
    means = {scenario: mean_slice_queues(found) for scenario, found in over_time.items()}
    return Judged(
        label=rows[0].identity.controller,
        run=Path(rows[0].identity.run).name,
        classical=False,
        results=results,
        slices={scenario: pool_slices(found) for scenario, found in slices.items()},
        queues={scenario: mean_queues(found) for scenario, found in queues.items()},
        slice_queues={scenario: found for scenario, found in means.items() if found is not None},
    )
