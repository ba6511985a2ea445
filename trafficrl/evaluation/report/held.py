"""What a database holds, as tables: one for each build of SUMO, never mixed."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from trafficrl.evaluation.database import EvaluationDatabase, RecordedEpisode
from trafficrl.evaluation.identity import CIRCUMSTANCES_LETTERS
from trafficrl.evaluation.shard_names import EPISODES_TABLE
from trafficrl.evaluation.shards import list_shards
from trafficrl.evaluation.tables import number

__all__ = ["holds_episodes", "print_held"]

SETTING_LETTERS = 4
"""Of the circumstances, and as many of the code."""
LEAST_WIDTH = 100
NOTE = """\
Only rows of one scenario and setting met the same network and demand under the same code (whose
name stands behind the dot). trafficrl-compare RUN --database FOLDER compares them in pairs."""


def holds_episodes(folder: Path) -> bool:
    """Whether the folder is a database with at least one episode.

    Raises:
        RunError: it cannot be read.
    """
    return bool(list_shards(folder / EPISODES_TABLE))


def print_held(database: EvaluationDatabase) -> None:
    """Each controller on each scenario, the setting that was recorded last before the others.

    Raises:
        RunError: the database cannot be read.
    """
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = max(LEAST_WIDTH, console.width)
    for build, episodes in database.groups().items():
        console.print(_table(f"{build.name} {build.options}", episodes))
    print(NOTE)


def _table(title: str, episodes: Sequence[RecordedEpisode]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("scenario", "setting", "controller", "run"):
        table.add_column(heading, overflow="fold")
    for heading in ("episodes", "delay [s]", "recorded"):
        table.add_column(heading, justify="right", no_wrap=True)
    for rows in _sorted(episodes):
        last = max(rows, key=lambda one: one.recorded)
        table.add_row(
            last.identity.scenario,
            _short(last.identity.setting),
            last.identity.controller,
            Path(last.identity.run).name,
            str(len(rows)),
            number(_delay_s(rows)),
            last.recorded[:10],
        )
    return table


def _sorted(episodes: Sequence[RecordedEpisode]) -> list[list[RecordedEpisode]]:
    """What one controller did in one setting of one scenario: by scenario, age and delay."""
    alike: dict[tuple[str, str, str, str], list[RecordedEpisode]] = defaultdict(list)
    newest: dict[tuple[str, str], str] = {}
    for one in episodes:
        met = one.identity.scenario, one.identity.setting
        alike[(*met, one.identity.kind, one.identity.parameters)].append(one)
        newest[met] = max(newest.get(met, ""), one.recorded)
    by_delay = sorted(alike.items(), key=lambda item: _delay_s(item[1]))
    by_delay.sort(key=lambda item: newest[item[0][:2]], reverse=True)
    by_delay.sort(key=lambda item: item[0][0])
    return [rows for _, rows in by_delay]


def _short(setting: str) -> str:
    halves = setting[:CIRCUMSTANCES_LETTERS], setting[CIRCUMSTANCES_LETTERS:]
    return ".".join(half[:SETTING_LETTERS] for half in halves)


def _delay_s(rows: Sequence[RecordedEpisode]) -> float:
    return float(np.mean([one.metrics.delay_s for one in rows]))
