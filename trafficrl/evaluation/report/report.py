"""A report on runs: what was found, the plots, and what it was made from."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from trafficrl.evaluation.report.differences import differing
from trafficrl.evaluation.report.learning import draw_learning
from trafficrl.evaluation.report.picture import Picture
from trafficrl.evaluation.report.plots import draw_delays
from trafficrl.evaluation.report.queue_map import draw_queues
from trafficrl.evaluation.report.run_folder import JudgedRun
from trafficrl.evaluation.report.sections import Section
from trafficrl.evaluation.report.slider_map import SliderMap, build_maps
from trafficrl.evaluation.report.table import TableText, more_text, table_text
from trafficrl.evaluation.report.timelines import draw_delay_by_departure, draw_queues_over_time
from trafficrl.evaluation.report.types_table import types_text
from trafficrl.network.build import load_network
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.provenance import package_versions

__all__ = [
    "Chapter",
    "Report",
    "Sources",
    "build_chapter",
    "build_report",
    "separation",
    "sources_of",
]

ALL_SCENARIOS = "all scenarios"
Sources = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Run -> what it was, name and value."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section as it is shown."""

    title: str
    build: str
    """SUMO's version and options."""
    finding: str
    notes: tuple[str, ...]
    tables: tuple[tuple[str, TableText], ...]
    """Over all scenarios first, then each."""
    pictures: tuple[Picture, ...]
    maps: tuple[SliderMap, ...]
    """Where queues were kept over time; the others have their map among the pictures."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a page shows."""

    command: str
    made: str
    version: str
    warnings: tuple[str, ...]
    chapters: tuple[Chapter, ...]
    learning: Picture | None
    sources: Sources


def build_report(
    runs: Sequence[JudgedRun], sections: Sequence[Section], *, command: str, notes: Sequence[str]
) -> Report:
    """The report on the sections of these runs.

    Args:
        runs: what it is made from.
        sections: what can be compared among them.
        command: that made it.
        notes: what else is to be known.

    Raises:
        NetworkError: a run's network is missing or damaged.
    """
    return Report(
        command=command,
        made=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        version=package_versions()["trafficrl"],
        warnings=(*separation(runs, sections), *notes),
        chapters=tuple(
            build_chapter(section, str(index), several=len(sections) > 1)
            for index, section in enumerate(sections)
        ),
        learning=draw_learning({run.name: [run.training] for run in runs}),
        sources=sources_of(runs),
    )


def separation(runs: Sequence[JudgedRun], sections: Sequence[Section]) -> list[str]:
    """Why there are several tables, for a reader who would compare across them."""
    lines = differing(runs)
    builds = {section.build for section in sections}
    if len(builds) > 1:
        lines.insert(
            0,
            "results of different SUMO versions or option sets are in different tables and cannot "
            "be compared: "
            + "; ".join(sorted(f"{build.name} {build.options}" for build in builds)),
        )
    elif len(sections) > 1:
        lines.insert(0, "runs that met different episodes are in different tables")
    commits = {str(run.provenance.get("git_commit", "unknown")) for run in runs}
    if len(commits) > 1:
        lines.append("the runs were made by different commits of trafficrl; see Sources")
    return lines


def build_chapter(section: Section, name: str, *, several: bool) -> Chapter:
    """A section as it is shown.

    Args:
        section: what was found.
        name: that tells it from the others of a page.
        several: there are others.

    Raises:
        NetworkError: the network of its runs is missing or damaged.
    """
    comparison = section.comparison
    tables = [(ALL_SCENARIOS, table_text(comparison))]
    if len(section.scenarios) > 1:
        tables += [(name, table_text(comparison.of_scenario(name))) for name in section.scenarios]
    else:
        tables = [(section.name, tables[0][1])]
    tables.append((f"Also measured, {tables[0][0]}", more_text(comparison)))
    by_type = types_text(section)
    if by_type is not None:
        tables.append((f"By type of vehicle, {tables[0][0]}: over all vehicles", by_type))
    whose = section.whose if several else ""
    stills, maps = _queues(section, name)
    live = {one.title for one in maps}
    plots = (
        draw_delays(section),
        draw_delay_by_departure(section),
        draw_queues_over_time(section),
        *(still for still in stills.values() if still.title not in live),
    )
    return Chapter(
        title=section.name + whose,
        build=f"{section.build.name} {section.build.options}",
        finding=_finding(section),
        notes=section.notes,
        tables=tuple(tables),
        pictures=tuple(plot for plot in plots if plot is not None),
        maps=tuple(maps),
    )


def _queues(section: Section, name: str) -> tuple[dict[str, Picture], list[SliderMap]]:
    """Scenario -> its map of the mean queues, and the maps over time."""
    if not any(judged.queues for judged in section.judged.values()):
        return {}, []
    network = load_network(RunPaths(section.runs[0].folder).network)
    drawn = {scene: draw_queues(section, scene, network) for scene in section.scenarios}
    stills = {scene: picture for scene, picture in drawn.items() if picture is not None}
    return stills, build_maps(section, network, stills, name)


def _finding(section: Section) -> str:
    comparison = section.comparison
    best = comparison.by_delay[0]
    if len(comparison.controllers) == 1:
        return f"{best}: mean delay {comparison.mean(best, 'delay_s'):.1f} s."
    if best == comparison.baseline:
        return f"No controller has less mean delay than the baseline, {best}."
    return f"Least mean delay: {best}. {comparison.verdict(best)}."


def sources_of(runs: Sequence[JudgedRun]) -> Sources:
    """What each run was made with."""
    return tuple((run.name, tuple(_source(run))) for run in runs)


def _source(run: JudgedRun) -> list[tuple[str, str]]:
    facts = run.provenance
    packages = facts.get("packages")
    versions = packages if isinstance(packages, dict) else {}
    seeds = len({result.sumo_seed for result in run.results})
    return [
        ("folder", str(run.folder)),
        ("SUMO", run.build.sumo),
        ("SUMO options", run.build.options),
        ("network", str(facts.get("network_hash", "unknown"))[:12]),
        ("scenarios", ", ".join(run.settings)),
        ("test seeds", str(seeds)),
        ("episode [s]", f"{run.config['execution']['end_time']:g}"),
        ("commit", str(facts.get("git_commit", "unknown"))),
        ("packages", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("again", shlex.join(_again(run))),
    ]


def _again(run: JudgedRun) -> list[str]:
    """The command that carries out the run once more."""
    command = "evaluate" if "controllers" in run.config else "train"
    folder = str(run.folder)
    return [f"trafficrl-{command}", "--config-dir", folder, "--config-name", "resolved_config"]
