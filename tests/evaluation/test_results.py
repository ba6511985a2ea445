import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from result_cases import results

from trafficrl.evaluation.metrics import METRICS, EpisodeMetrics
from trafficrl.evaluation.results import Comparison

LONG = "outputs/2026-11-21/09-14-03-123456/checkpoints/step_0000500000.zip"


def comparison(*names: str, better_by_s: float = 30.0) -> Comparison:
    """The first is the baseline; the others have as much less delay, give or take a second."""
    large: dict[str, Any] = {
        "throughput_vph": 12345.6,
        "arrived": 21876,
        "scheduled": 22000,
        "queue_veh": 1234.5,
    }
    found = results(names[0], 1100.0, 1200.0, 1300.0, **large)
    for name in names[1:]:
        delays = (seed * 100 + 1099.0 + seed - better_by_s for seed in range(3))
        found += results(name, *delays, **large)
    return Comparison(found, confidence=0.95)


def printed(found: Comparison, capsys: pytest.CaptureFixture[str]) -> str:
    found.print("Unseen demand: 3 test seeds a scenario")
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_every_metric_of_an_episode_has_a_title() -> None:
    assert list(METRICS) == list(EpisodeMetrics.__dataclass_fields__)


def test_means_are_over_all_episodes_of_a_controller() -> None:
    assert comparison("fixed", "policy").mean("fixed", "delay_s") == 1200.0
    assert comparison("fixed", "policy").mean("policy", "delay_s") == 1170.0


def test_the_file_holds_everything_and_loads(tmp_path: Path) -> None:
    found = comparison("fixed", "policy", "other")
    found.save(tmp_path / "evaluation" / "results.json", sumo="1.28.0")
    loaded = json.loads((tmp_path / "evaluation" / "results.json").read_text(), parse_constant=str)
    assert loaded["sumo"] == "1.28.0"
    assert loaded["baseline"] == "fixed"
    assert loaded["confidence"] == 0.95
    assert list(loaded["means"]) == ["fixed", "policy", "other"]
    assert loaded["means"]["policy"]["delay_s"] == 1170.0
    delay = loaded["paired_differences"]["policy"]["delay_s"]
    assert delay == asdict(found.difference("policy", "delay_s"))
    assert delay["low"] < delay["mean"] == -30.0 < delay["high"] < 0
    assert len(loaded["episodes"]) == 9
    first = loaded["episodes"][0]
    assert (first["controller"], first["scenario"], first["seed"]) == ("fixed", "morning", 0)
    assert (first["sumo_seed"], first["reward"]) == (1000, -1100.0)
    assert list(first["metrics"]) == list(METRICS)
    assert [file.name for file in (tmp_path / "evaluation").iterdir()] == ["results.json"]


def test_an_interval_that_nobody_knows_is_null(tmp_path: Path) -> None:
    found = Comparison(results("fixed", 5.0) + results("policy", 3.0), confidence=0.95)
    found.save(tmp_path / "results.json")
    delay = json.loads((tmp_path / "results.json").read_text())["paired_differences"]["policy"]
    assert delay["delay_s"] == {"mean": -2.0, "low": None, "high": None, "pairs": 1}


@pytest.mark.parametrize(
    "names",
    [
        ("fixed",),
        ("fixed", "policy"),
        ("fixed", "policy", "max_pressure", "actuated"),
        ("fixed", LONG),
        (LONG, LONG.replace("5", "6"), "policy"),
    ],
    ids=["one", "two", "four", "a path", "two paths"],
)
def test_the_table_fits_and_cuts_no_number_and_no_name(
    names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    found = comparison(*names)
    text = printed(found, capsys)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for metric in METRICS:
        for name in names:
            assert f"{found.mean(name, metric):.1f}" in text
    for name in names[1:]:
        delay = found.difference(name, "delay_s")
        assert f"{delay.mean:+.1f}" in text
        assert f"{delay.low:+.1f} .. {delay.high:+.1f}" in text
    cells = "".join(text.replace("│", " ").replace("┃", " ").split())
    assert all(name in cells for name in names[1:])


@pytest.mark.parametrize("name", ["[bold]", "[/]", "a[/red]b", ":smile:", r"back\[slash]"])
def test_a_name_is_printed_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(comparison("fixed", name), capsys)
    assert f"{name} has less delay than fixed" in text
    assert text.count(name) >= 2
    assert "delay [s]" in text


def test_the_verdict_says_what_the_interval_allows() -> None:
    assert (
        comparison("fixed", "policy")
        .verdict("policy")
        .startswith("policy has less delay than fixed: -30.0 s, -32.")
    )
    worse = comparison("fixed", "policy", better_by_s=-30.0).verdict("policy")
    assert worse.startswith("policy has more delay than fixed: +30.0 s, +27.")
    assert worse.endswith("(95% interval)")
    same = comparison("fixed", "policy", better_by_s=0.0).verdict("policy")
    assert same.startswith("policy cannot be told apart in delay from fixed: +0.0 s, -2.")


def test_a_verdict_is_not_given_from_one_pair(capsys: pytest.CaptureFixture[str]) -> None:
    found = Comparison(results("fixed", 50.0) + results("policy", 10.0), confidence=0.95)
    assert found.verdict("policy") == (
        "policy cannot be told apart in delay from fixed: -40.0 s, no interval from one seed a "
        "scenario"
    )
    assert "unknown" in printed(found, capsys)
