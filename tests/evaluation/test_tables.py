from typing import Any

import pytest
from result_cases import results

from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.tables import print_comparison

LONG = "outputs/2026-11-21/09-14-03-123456/checkpoints/step_0000500000.zip"
LARGE: dict[str, Any] = {
    "throughput_vph": 12345.6,
    "arrived": 21876,
    "scheduled": 22000,
    "travel_time_s": 1512.0,
    "depart_delay_s": 1007.0,
    "waiting_time_s": 1302.0,
    "queue_veh": 1234.5,
    "stops_per_veh": 12.3,
    "co2_g": 2345.0,
    "teleports": 312,
    "emergency_brakings": 1310,
}


def comparison(*names: str, better_by_s: float = 340.0, scenario: str = "morning") -> Comparison:
    """The first is the baseline; the others have less and less delay."""
    found = results(names[0], 1100.0, 1200.0, 1300.0, scenario=scenario, **LARGE)
    for place, name in enumerate(names[1:]):
        delays = (1100.0 + seed * 110 - better_by_s - 7 * place for seed in range(3))
        found += results(name, *delays, scenario=scenario, **LARGE)
    return Comparison(found, confidence=0.95)


def printed(found: Comparison, capsys: pytest.CaptureFixture[str]) -> str:
    print_comparison(found, "Unseen demand: 3 test seeds a scenario")
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _a_file_or_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


CLASSICAL = "fixed uniform webster actuated delay_based max_pressure longest_queue sotl random"
TWELVE = (*CLASSICAL.split(), "tree_method_original", "tree_method_predecessor", "best_model")


@pytest.mark.parametrize(
    "names",
    [("fixed",), ("fixed", "policy"), TWELVE, ("fixed", LONG), (LONG, LONG.replace("5", "6"))],
    ids=["one", "two", "twelve", "a path", "two paths"],
)
def test_the_table_fits_100_columns_and_cuts_no_number_and_no_name(
    names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    found = comparison(*names)
    text = printed(found, capsys)
    table = [line for line in text.splitlines() if "delay than" not in line]
    assert max(map(len, table)) <= 100
    assert "…" not in text
    for name in names:
        assert f" {found.mean(name, 'delay_s'):.0f} " in text
    for name in names[1:]:
        delay = found.difference(name, "delay_s")
        assert f" {delay.mean:+.0f} " in text
        assert f" {delay.low:+.0f}..{delay.high:+.0f} " in text
    for value in ("1512", "1302", "1234", "12.3", "21876", "of 22000", "2345", "312", "1310"):
        assert value in text
    assert ("1007" in text) == (LONG not in names), "depart delay, unless names are long"
    first_column = "".join(line[:16].strip() for line in table)
    assert all(name in first_column for name in names)


def test_rows_are_sorted_by_delay(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(comparison("fixed", "good", "better"), capsys)
    assert text.index("\nbetter") < text.index("\ngood") < text.index("\nfixed")
    assert "baseline" in text[text.index("\nfixed") :]


def test_several_scenarios_have_a_table_each_and_one_together(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = [comparison("fixed", "policy", scenario=name) for name in ("morning", "evening")]
    whole = Comparison([one for part in parts for one in part.results], confidence=0.95)
    text = printed(whole, capsys)
    titles = ("a scenario, morning", "a scenario, evening", "a scenario, all scenarios")
    assert [text.index(title) for title in titles] == sorted(map(text.index, titles))
    assert text.count("\npolicy") == 3 + 1
    assert "all scenarios" not in printed(parts[0], capsys)


def test_two_controllers_get_a_sentence_and_more_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert "policy has less delay than fixed" in printed(comparison("fixed", "policy"), capsys)
    assert "delay than" not in printed(comparison("fixed", "policy", "other"), capsys)


def test_travel_time_is_marked_where_completion_differs(capsys: pytest.CaptureFixture[str]) -> None:
    same = results("fixed", 5.0, 6.0, arrived=90, scheduled=100)
    close = results("policy", 3.0, 4.0, arrived=90, scheduled=100)
    fewer = results("policy", 3.0, 4.0, arrived=80, scheduled=100)
    text = printed(Comparison(same + close, confidence=0.95), capsys)
    assert "*" not in text
    text = printed(Comparison(same + fewer, confidence=0.95), capsys)
    assert "[s]*" in text
    assert "\n* ranks nothing here: " in text


def test_a_controller_that_ended_in_gridlock_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    found = results("fixed", 5.0, 6.0, arrived=90, scheduled=100)
    found += results("policy", 3.0, arrived=89, scheduled=100)
    stood: dict[str, Any] = {"waiting_time_s": 90.0, "travel_time_s": 100.0}
    found += results("policy", 3.0, 4.0, arrived=50, scheduled=100, **stood)[1:]
    text = printed(Comparison(found, confidence=0.95), capsys)
    assert "\npolicy ! " in text
    assert "\n! policy: gridlock in 1 of 2 episodes\n" in text
    assert "fixed !" not in text
    assert "and over 75% of the time since due spent standing" in " ".join(text.split())


def test_without_emissions_there_is_no_column_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    nothing: dict[str, Any] = {"co2_g": None, "fuel_g": None}
    assert "CO2" in printed(Comparison(results("fixed", 5.0), confidence=0.95), capsys)
    text = printed(Comparison(results("fixed", 5.0, **nothing), confidence=0.95), capsys)
    assert "CO2" not in text


def test_one_seed_gives_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    found = Comparison(results("fixed", 50.0) + results("policy", 10.0), confidence=0.95)
    text = printed(found, capsys)
    assert "interval\n" not in text.split("─")[0]
    (fixed,) = (line for line in text.splitlines() if line.startswith("fixed "))
    assert "baseline" in fixed
    assert "\nOne test seed of a scenario tells nothing of chance: there are no intervals\n" in text
    assert "seed" not in printed(Comparison(results("fixed", 50.0), confidence=0.95), capsys)[100:]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("tree_method_predecessor", ["tree_method_", "predecessor"]),
        ("tree_method_original !", ["tree_method_", "original !"]),
        ("multirun/2026-11-21/3", ["multirun/", "2026-11-21/3"]),
        ("grid-of-six-signals-v1", ["grid-of-six-", "signals-v1"]),
        ("abcdefghijklmnopqrstuvwxyz", ["abcdefghijklmnop", "qrstuvwxyz"]),
    ],
)
def test_a_long_name_is_broken_between_its_words(
    name: str, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = printed(comparison("fixed", name), capsys).splitlines()
    first = next(number for number, row in enumerate(rows) if row.startswith(lines[0]))
    assert all(row.startswith(f"{line} ") for row, line in zip(rows[first:], lines, strict=False))


@pytest.mark.parametrize("name", ["[bold]", "[/]", "a[/red]b", ":smile:", r"back\[slash]"])
def test_a_name_is_printed_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(comparison("fixed", name), capsys)
    assert f"{name} has less delay than fixed" in text
    assert text.count(name) >= 2
