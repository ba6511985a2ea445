"""A whole study for one page: where its runs stand, what they learned, and what came of it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from trafficrl.evaluation.report.groups import Group, group_runs, natural
from trafficrl.evaluation.report.hyperparameters import hyperparameter_table
from trafficrl.evaluation.report.learning import draw_learning
from trafficrl.evaluation.report.picture import Picture
from trafficrl.evaluation.report.pooled import pool_groups, seed_table
from trafficrl.evaluation.report.report import (
    Chapter,
    Sources,
    build_chapter,
    separation,
    sources_of,
)
from trafficrl.evaluation.report.run_folder import JudgedRun
from trafficrl.evaluation.report.sections import Section, build_sections
from trafficrl.evaluation.report.study_runs import (
    find_judgements,
    read_judgement,
    read_study_run,
)
from trafficrl.evaluation.report.table import TableText, table_text
from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.paths import JOB_LOGS, RunPaths
from trafficrl.runs.provenance import package_versions

__all__ = ["Link", "Progress", "Study", "StudyChapter", "StudyReader"]

CONFIDENCE = 0.95
MARKS = {
    Condition.running: "▶",
    Condition.elsewhere: "▶",
    Condition.finished: "✔",
    Condition.pending: "…",
    Condition.submitted: "…",
    Condition.stopped: "■",
    Condition.silent: "?",
    Condition.unknown: "?",
}
FAILED = "✖"
Roots = Sequence[tuple[Path, str]]


@dataclass(frozen=True, slots=True)
class Link:
    """A file of a run, as one follows it from the page."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A row of the table of runs."""

    state: RunState
    percent: float | None
    """Of the steps."""
    steps: str
    """`500/2000  25%`."""
    cells: Mapping[str, str]
    """Heading -> what `trafficrl-status` shows there."""
    group: str = ""
    links: tuple[Link, ...] = ()
    folder: str = ""
    """As a link."""

    @property
    def mark(self) -> str:
        """Tells the state beside its word."""
        return MARKS.get(self.state.condition, FAILED)


@dataclass(frozen=True, slots=True)
class StudyChapter:
    """A comparison with groups in it, over training seeds, and run by run."""

    chapter: Chapter
    seeds: TableText | None
    each: TableText


@dataclass(frozen=True, slots=True)
class Study:
    """All that the page of a study shows."""

    title: str
    command: str
    made: str
    """ISO 8601."""
    version: str
    refresh_s: float
    """The page loads itself anew so often [s]; 0 for never."""
    summary: str
    warnings: tuple[str, ...]
    headings: tuple[str, ...]
    runs: tuple[Progress, ...]
    learning: Picture | None
    groups: TableText | None
    chapters: tuple[StudyChapter, ...]
    sources: Sources


class StudyReader:
    """Reads a study time and again; what has not changed since is not drawn again.

    Args:
        roots: folders, and what stands before the names of their runs.
        page: file of the page, from which its links lead.
        baseline: controller that the others are compared with; None for each first run's own.
        command: that makes the page.
    """

    def __init__(self, roots: Roots, page: Path, *, baseline: str | None, command: str) -> None:
        self._roots = roots
        self._page = page
        self._baseline = baseline
        self._command = command
        self._compared: tuple[object, tuple[StudyChapter, ...], tuple[str, ...]] | None = None

    def read(self, rows: Sequence[Progress], *, summary: str, refresh_s: float) -> Study:
        """The study as it stands.

        Args:
            rows: its runs as `trafficrl-status` has them.
            summary: how many there are of each kind.
            refresh_s: see `Study`.

        Raises:
            ConfigError: nobody judged the baseline.
        """
        runs = [read_study_run(row.state) for row in in_order(rows)]
        groups = group_runs(runs)
        lines = {group.label: [run.training for run in group.runs] for group in groups}
        warnings = [f"{run.name}: {line}" for run in runs for line in run.troubles]
        judged = [run.judged for run in runs if run.judged is not None]
        for folder, name in find_judgements(self._roots):
            found = read_judgement(folder, name, warnings)
            judged += [] if found is None else [found]
        chapters, notes = self._compare(judged, groups)
        of_run = {run.name: group.label for group in groups for run in group.runs}
        return Study(
            title=", ".join(str(root) for root, _ in self._roots),
            command=self._command,
            made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            version=package_versions()["trafficrl"],
            refresh_s=refresh_s,
            summary=summary,
            warnings=(*warnings, *notes),
            headings=tuple(rows[0].cells) if rows else (),
            runs=tuple(
                self._with_links(row, of_run.get(row.state.name, "")) for row in in_order(rows)
            ),
            learning=draw_learning(lines, confidence=CONFIDENCE),
            groups=hyperparameter_table(groups, CONFIDENCE) if groups else None,
            chapters=chapters,
            sources=sources_of(judged),
        )

    def _compare(
        self, judged: Sequence[JudgedRun], groups: Sequence[Group]
    ) -> tuple[tuple[StudyChapter, ...], tuple[str, ...]]:
        """The chapters, and why there are several or none; drawn anew when a run was judged."""
        if not judged:
            return (), ()
        members = [(group.label, [run.name for run in group.runs]) for group in groups]
        key = ([(run.name, _stamp(run.folder)) for run in judged], members)
        if self._compared is None or self._compared[0] != key:
            sections = build_sections(judged, baseline=self._baseline)
            notes = separation(judged, sections)
            chapters = tuple(
                _chapter(section, groups, str(index), several=len(sections) > 1)
                for index, section in enumerate(sections)
            )
            self._compared = key, chapters, tuple(notes)
        return self._compared[1], self._compared[2]

    def _with_links(self, row: Progress, group: str) -> Progress:
        paths = RunPaths(row.state.folder)
        files = {
            **{file.name: file for file in sorted(paths.root.glob("*.log"))},
            **{name: paths.root / name for name in JOB_LOGS},
            "config": paths.resolved_config,
            "record": paths.run,
            "metrics": paths.metrics,
            "results": paths.evaluation / "results.json",
        }
        links = tuple(
            Link(name, self._link(file)) for name, file in files.items() if file.is_file()
        )
        return Progress(
            row.state,
            row.percent,
            row.steps,
            row.cells,
            group=group.partition(":")[0],
            links=links,
            folder=self._link(paths.root) + "/",
        )

    def _link(self, file: Path) -> str:
        """Relative, so that a study may be moved with its page."""
        return quote(os.path.relpath(file.absolute(), self._page.absolute().parent))


def in_order(rows: Sequence[Progress]) -> list[Progress]:
    """Those that matter first, then by name."""
    order = list(Condition)
    return sorted(rows, key=lambda row: (order.index(row.state.condition), natural(row.state.name)))


def _stamp(folder: Path) -> float:
    """When the run was judged."""
    return (RunPaths(folder).evaluation / "results.json").stat().st_mtime


def _chapter(
    section: Section, groups: Sequence[Group], name: str, *, several: bool
) -> StudyChapter:
    seeds = seed_table(section, groups)
    return StudyChapter(
        chapter=build_chapter(pool_groups(section, groups), name, several=several),
        seeds=seeds if seeds.rows else None,
        each=table_text(section.comparison),
    )
