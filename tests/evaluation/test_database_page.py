"""The page about the database: its query mixes nothing, and it names every column."""

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from result_cases import NOTHING

from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.outcome import EpisodeIdentity, Outcome
from trafficrl.evaluation.schema import IDENTITY, QUEUES, SLICE_QUEUES, SLICES_OF_EPISODE

PAGE = (Path(__file__).parents[2] / "docs" / "database.md").read_text(encoding="utf-8")


def identity(setting: str, controller: str, seed: int, sumo: str) -> EpisodeIdentity:
    return EpisodeIdentity(
        run="run",
        checkpoint="",
        controller=controller,
        kind="any",
        parameters=controller,
        scenario="light",
        split="test",
        seed=seed,
        sumo_seed=seed,
        setting=setting,
        configuration=setting + controller,
        reward_terms="",
        sumo=sumo,
        options="",
        emissions=False,
        slice_s=900.0,
    )


def test_the_query_mixes_nothing_and_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    held = EvaluationDatabase(Path("outputs/evaluations"))

    def record(setting: str, controller: str, *delays_s: float, sumo: str = "1.28.0") -> None:
        for seed, delay_s in enumerate(delays_s):
            outcome = Outcome(replace(NOTHING, delay_s=delay_s), (), 0.0)
            held.record(identity(setting, controller, seed, sumo), outcome)

    record("old code", "fixed", 1.0, 2.0)
    record("new code", "fixed", 500.0, sumo="1.27.0")
    record("new code", "fixed", 70.0, 90.0)
    record("new code", "fixed", 70.0)  # by another process at once
    record("new code", "actuated", 30.0, 40.0)
    assert duckdb.sql(query).fetchall() == [
        ("light", "actuated", "run", 2, 35.0),
        ("light", "fixed", "run", 2, 80.0),
    ]


def test_the_page_names_every_column() -> None:
    columns = {"id", "recorded", "reward", *IDENTITY, *QUEUES, *SLICE_QUEUES}
    columns |= SLICES_OF_EPISODE.keys() - METRICS.keys()
    assert [name for name in sorted(columns) if f"`{name}`" not in PAGE] == []
