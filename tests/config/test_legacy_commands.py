"""Command lines of the earlier program."""

from pathlib import Path

import pytest
from legacy_cases import COMMAND

from trafficrl.config.legacy.commands import read_command, read_commands
from trafficrl.config.legacy.migration import migrate
from trafficrl.config.legacy.outcomes import Fate
from trafficrl.errors import ConfigError


def test_a_command_says_what_a_file_would() -> None:
    found = migrate(read_command(COMMAND))
    settings = {key: one.value for key, one in found.settings.items() if one.entry}
    assert settings == {
        "network.network_seed": 24208,
        "network.grid_dimension": 6,
        "network.junctions_to_remove": 2,
        "network.block_size_m": 280.0,
        "scenarios.command.num_vehicles": 22000,
        "scenarios.command.routing_strategy": "realtime 100",
        "scenarios.command.vehicle_types": "passenger 100",
        "scenarios.command.passenger_routes": "in 0 out 0 inner 100 pass 0",
        "scenarios.command.private_traffic_seed": 72632,
        "scenarios.command.public_traffic_seed": 27031,
        "scenarios.command.start_time_hour": 8.0,
        "execution.end_time": 7300.0,
    }
    assert {one.fate for one in found.outcomes} == {Fate.kept}


def test_options_may_have_no_value_several_words_or_a_negative_one() -> None:
    entries = read_command(
        "--gui --vehicle_types passenger 60 public 40 --log-std-init -1.5"
    ).entries
    assert [(one.path, one.value) for one in entries] == [
        ("gui", True),
        ("vehicle_types", "passenger 60 public 40"),
        ("log-std-init", "-1.5"),
    ]


@pytest.mark.parametrize(
    ("command", "skipped"),
    [
        ("python x.py num-vehicles 5 --seed 1", ["num-vehicles 5"]),
        ("simulate --seed 1", ["simulate"]),
        ("env A=1 python -u x.py --seed 1", []),
        ("python -m simulate --seed 1", []),
        ("python -m simulate 6 --seed 1", ["6"]),
        ("--seed 1", []),
    ],
)
def test_words_of_no_option_are_told(command: str, skipped: list[str]) -> None:
    found = migrate(read_command(command))
    dropped = found.fates(Fate.dropped)
    assert [one.entry.value for one in dropped] == skipped
    assert {one.entry.path for one in dropped} <= {"words before --seed"}
    assert found.settings["network.network_seed"].value == 1


def test_a_file_of_commands_has_a_line_for_each(tmp_path: Path) -> None:
    file = tmp_path / "runs.txt"
    file.write_text(
        "# two runs\n\npython x.py --seed 1 \\\n  --num-vehicles 5\n--seed 2 --num-vehicles 6\n"
    )
    found = read_commands(file)
    assert [one.name for one in found] == ["runs_1", "runs_2"]
    assert [[entry.value for entry in one.entries] for one in found] == [["1", "5"], ["2", "6"]]
    assert [one.entries[0].place for one in found] == [f"{file}:3", f"{file}:5"]
    file.write_text("--seed 1")
    assert [one.name for one in read_commands(file)] == ["runs"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("--seed 1 -n 100", "command: -n is no option of the earlier program: write --KEY"),
        ("python -u x.py -n 100 --seed 1", "command: -n is no option"),
        ("python x.py", "has no options: write --KEY VALUE"),
        ("--seed 'a", "cannot read"),
        ("--network-seed 1 --network_seed 2", "--network_seed is given twice, also as --network-s"),
        ("--num-vehicles many", "command: num-vehicles must be a whole number, got many"),
    ],
)
def test_a_bad_command_is_told_in_one_line(command: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        migrate(read_command(command))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_file_holds_no_command(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("# nothing\n")
    with pytest.raises(ConfigError, match="holds no command"):
        read_commands(tmp_path / "x.txt")
