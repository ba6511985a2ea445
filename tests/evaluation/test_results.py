import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from result_cases import results

from trafficrl.errors import ConfigError
from trafficrl.evaluation.metrics import METRICS, EpisodeMetrics
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.slices import SliceMetrics


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


def test_every_metric_of_an_episode_has_a_title() -> None:
    assert list(METRICS) == list(EpisodeMetrics.__dataclass_fields__)


def test_means_are_over_all_episodes_of_a_controller() -> None:
    assert comparison("fixed", "policy").mean("fixed", "delay_s") == 1200.0
    assert comparison("fixed", "policy").mean("policy", "delay_s") == 1170.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda found: found.mean("plicy", "delay_s"), "controller: unknown 'plicy' .*choices: f"),
        (lambda found: found.mean("policy", "delay"), "metric: unknown 'delay' .*'delay_s'"),
        (lambda found: found.interquartile_mean("policy", "delay"), "metric: unknown"),
        (lambda found: found.difference("nobody", "delay_s"), "controller: unknown"),
        (lambda found: found.difference("policy", "delay"), "metric: unknown"),
        (lambda found: found.verdict("nobody"), "controller: unknown"),
        (lambda found: found.num_episodes("nobody"), "controller: unknown"),
        (lambda found: found.num_diverged("nobody"), "controller: unknown"),
        (lambda found: found.of_scenario("noon"), "scenario: unknown 'noon'.*choices: morning"),
    ],
)
def test_an_unknown_name_is_told_with_the_choices(
    call: Callable[[Comparison], Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        call(comparison("fixed", "policy"))


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
    assert "slices" not in first
    assert loaded["interquartile_means"]["policy"]["delay_s"] == pytest.approx(1170.0)
    assert loaded["diverged"] == {"fixed": 0, "policy": 0, "other": 0}
    assert loaded["not_to_be_ranked"] == []
    assert [file.name for file in (tmp_path / "evaluation").iterdir()] == ["results.json"]


def test_an_interval_that_nobody_knows_is_null(tmp_path: Path) -> None:
    found = Comparison(results("fixed", 5.0) + results("policy", 3.0), confidence=0.95)
    found.save(tmp_path / "results.json")
    delay = json.loads((tmp_path / "results.json").read_text())["paired_differences"]["policy"]
    assert delay["delay_s"] == {"mean": -2.0, "low": None, "high": None, "pairs": 1}


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


def test_a_verdict_is_not_given_from_one_pair() -> None:
    found = Comparison(results("fixed", 50.0) + results("policy", 10.0), confidence=0.95)
    assert found.verdict("policy") == (
        "policy cannot be told apart in delay from fixed: -40.0 s, no interval from one seed a "
        "scenario"
    )


def test_what_was_not_measured_is_left_out_of_means_and_null_in_episodes(tmp_path: Path) -> None:
    nothing: dict[str, Any] = {"co2_g": None}
    found = Comparison(
        results("fixed", 5.0, 6.0) + results("policy", 3.0, 4.0, **nothing), confidence=0.95
    )
    found.save(tmp_path / "results.json")
    loaded = json.loads((tmp_path / "results.json").read_text())
    for part in ("means", "interquartile_means", "paired_differences"):
        assert "co2_g" not in loaded[part]["policy"]
        assert "fuel_g" in loaded[part]["policy"]
    assert [one["metrics"]["co2_g"] for one in loaded["episodes"]] == [0.0, 0.0, None, None]


def test_slices_of_all_episodes_of_a_scenario_are_taken_together() -> None:
    part = SliceMetrics(
        vehicle_type="all",
        slice_begin_s=None,
        scheduled=10,
        arrived=5,
        delay_s=8.0,
        travel_time_s=0.0,
        waiting_time_s=0.0,
        depart_delay_s=0.0,
        stops_per_veh=0.0,
        distance_m=0.0,
        co2_g=None,
        fuel_g=1.0,
    )
    few, many = replace(part, scheduled=10), replace(part, scheduled=30, delay_s=4.0)
    episodes = [
        replace(one, slices=(slices,))
        for one, slices in zip(results("fixed", 5.0, 6.0), (few, many), strict=True)
    ]
    ((pooled,),) = Comparison(episodes, confidence=0.95).as_dict()["slices"]["fixed"].values()
    assert (pooled["delay_s"], pooled["scheduled"], pooled["arrived"]) == (5.0, 40, 10)
    assert (pooled["co2_g"], pooled["fuel_g"]) == (None, 1.0)


def test_the_interquartile_mean_is_taken_within_each_scenario() -> None:
    found = Comparison(
        results("fixed", 1.0, 2.0, 3.0, 100.0)
        + results("fixed", 1000.0, 2000.0, 3000.0, 90000.0, scenario="evening"),
        confidence=0.95,
    )
    assert found.interquartile_mean("fixed", "delay_s") == (2.5 + 2500.0) / 2


def test_one_that_ended_in_gridlock_is_counted() -> None:
    found = Comparison(
        results("fixed", 5.0, 6.0, arrived=90, scheduled=100)
        + results(
            "policy", 3.0, 4.0, arrived=50, scheduled=100, waiting_time_s=90.0, travel_time_s=100.0
        ),
        confidence=0.95,
    )
    assert found.as_dict()["diverged"] == {"fixed": 0, "policy": 2}
    ranks = set(METRICS) - set(found.as_dict()["not_to_be_ranked"])
    assert {"delay_s", "arrived", "throughput_vph", "queue_veh"} <= ranks
    assert not {"travel_time_s", "arrived_duration_s", "co2_g", "stops_per_veh"} & ranks
