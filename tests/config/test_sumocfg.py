"""SUMO's own configuration files, as our keys."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from composing import experiment

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.network import NetFileConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.config.simulation import SimulationConfig
from trafficrl.config.sumocfg import load_sumocfg, parse_time_s
from trafficrl.errors import ConfigError

WHOLE = """<configuration>
  <input>
    <net-file value="the city.net.xml"/>
    <route-files value="types.rou.xml, cars.rou.xml.gz"/>
    <additional-files value="sub/stops.add.xml"/>
  </input>
  <time><begin value="07:00:00"/><end value="28800"/><step-length value="0.5"/></time>
  <processing>
    <time-to-teleport value="-1"/><lateral-resolution value="0.8"/>
    <device.rerouting.probability value="0.3"/>
  </processing>
  <output><tripinfo-output value="trips.xml"/></output>
  <random_number><seed value="42"/></random_number>
</configuration>"""


def written(folder: Path, text: str) -> Path:
    file = folder / "my.sumocfg"
    file.write_text(text, encoding="utf-8")
    return file


def composed(file: Path) -> ExperimentConfig:
    return experiment(*load_sumocfg(file).overrides())


def test_one_file_says_what_five_groups_say(tmp_path: Path) -> None:
    config = composed(written(tmp_path, WHOLE))
    scenario = config.scenarios["route_file"]
    assert isinstance(config.network, NetFileConfig)
    assert isinstance(scenario, RouteFileScenarioConfig)
    assert config.network.file == str(tmp_path / "the city.net.xml")
    assert scenario.file == [str(tmp_path / "types.rou.xml"), str(tmp_path / "cars.rou.xml.gz")]
    assert scenario.additional == [str(tmp_path / "sub" / "stops.add.xml")]
    assert (scenario.begin_s, config.execution.end_time) == (25200.0, 3600.0)
    assert config.network.step_length == 0.5
    assert config.simulation.time_to_teleport_s == -1
    assert config.simulation.options == {
        "lateral-resolution": "0.8",
        "device.rerouting.probability": "0.3",
    }
    assert list(config.scenarios) == ["route_file"]


def test_what_a_run_decides_is_left_out_and_told(tmp_path: Path) -> None:
    assert load_sumocfg(written(tmp_path, WHOLE)).left_out == ("tripinfo-output", "seed")


def test_what_every_run_sets_itself_is_left_out(tmp_path: Path) -> None:
    more = (
        '<no-warnings value="true"/><no-step-log value="true"/><verbose value="true"/>'
        '<duration-log.disable value="true"/><tripinfo value="trips.xml"/><srand v="7"/>'
        '<gui_only><start value="true"/><quit-on-end value="1"/></gui_only>'
    )
    file = written(tmp_path, WHOLE.replace("<time>", f"{more}<time>"))
    left_out = load_sumocfg(file).left_out
    assert set(left_out) == {
        *("no-warnings", "no-step-log", "verbose", "duration-log.disable"),
        *("tripinfo-output", "seed", "start", "quit-on-end"),
    }
    assert composed(file).simulation == composed(written(tmp_path, WHOLE)).simulation


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", -1), ("-1.5", -1), ("0:05:00", 300), ("-1", -1), ("120.5", 120.5)],
)
def test_a_teleport_time_means_what_it_means_to_sumo(
    value: str, seconds: float, tmp_path: Path
) -> None:
    text = WHOLE.replace('<time-to-teleport value="-1"/>', f'<time-to-teleport value="{value}"/>')
    assert composed(written(tmp_path, text)).simulation.time_to_teleport_s == seconds


def test_how_vehicles_depart_is_carried(tmp_path: Path) -> None:
    more = '<default.departlane value="0"/><default.departspeed value="max"/>'
    simulation = composed(written(tmp_path, WHOLE.replace("<time>", f"{more}<time>"))).simulation
    # SUMO would end at a vehicle that may not use lane 0; else the first that it may use is 0.
    assert (simulation.depart_lane, simulation.depart_speed) == ("first", "max")


def test_times_are_kept_to_the_last_digit(tmp_path: Path) -> None:
    text = WHOLE.replace("07:00:00", "1234567.5").replace("28800", "1358024.0")
    config = composed(written(tmp_path, text))
    scenario = config.scenarios["route_file"]
    assert isinstance(scenario, RouteFileScenarioConfig)
    assert (scenario.begin_s, config.execution.end_time) == (1234567.5, 123456.5)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ('<max-depart-delay value="60"/>', "max-depart-delay cannot be given: it takes waiting"),
        ('<mesosim value="true"/>', "mesosim cannot be given: use execution.simulator=meso"),
        ('<lateral-resolutions value="1"/>', "has no such option (did you mean 'lateral-resol"),
    ],
)
def test_options_that_no_run_has_are_refused(option: str, told: str, tmp_path: Path) -> None:
    file = written(tmp_path, WHOLE.replace("<time>", f"{option}<time>"))
    with pytest.raises(ConfigError) as caught:
        load_sumocfg(file).overrides()
    assert told in str(caught.value)
    assert str(file) in str(caught.value)


def test_refused_options_may_say_what_is_so_anyway(tmp_path: Path) -> None:
    more = '<max-depart-delay value="-1"/><mesosim value="False"/>'
    file = written(tmp_path, WHOLE.replace("<time>", f"{more}<time>"))
    assert composed(file).simulation == composed(written(tmp_path, WHOLE)).simulation


def test_an_episode_begins_at_a_step(tmp_path: Path) -> None:
    text = WHOLE.replace("07:00:00", "25200.5").replace("28800", "28800.5")
    composed(written(tmp_path, text))
    told = r"scenarios\.route_file\.begin_s must be a whole multiple of network\.step_length 1 "
    with pytest.raises(ConfigError, match=told):
        composed(written(tmp_path, text.replace('<step-length value="0.5"/>', "")))


@pytest.mark.parametrize(
    ("words", "is_so"),
    [
        (["execution.end_time=50"], lambda config: config.execution.end_time == 50),
        (
            ["simulation.options.lateral-resolution=0.4"],
            lambda config: config.simulation.options["lateral-resolution"] == 0.4,
        ),
        (
            ["+simulation.options.lateral-resolution=0.4"],
            lambda config: config.simulation.options["lateral-resolution"] == 0.4,
        ),
        (
            ["simulation.options={lateral-resolution: 0.4, device.rerouting.probability: 1}"],
            lambda config: (
                config.simulation.options
                == {"lateral-resolution": 0.4, "device.rerouting.probability": 1}
            ),
        ),
        (
            ["+simulation.options.device.routing.period=7"],
            lambda config: config.simulation.options["device.rerouting.period"] == 7,
        ),
        (
            ["~simulation.options.lateral-resolution"],
            lambda config: "lateral-resolution" not in config.simulation.options,
        ),
        (
            ["scenarios.route_file.begin_s=25300"],
            lambda config: config.scenarios["route_file"].begin_s == 25300,
        ),
        (["simulation=resco_compat"], lambda config: config.simulation.depart_lane == "first"),
        (["simulation=sumo_defaults"], lambda config: config.simulation == SimulationConfig()),
        (["network=grid3"], lambda config: config.network.kind == "grid"),
        (
            ["network=net_file", "network.file=other.net.xml"],
            lambda config: config.network.file == "other.net.xml",
        ),
        (["scenarios=light"], lambda config: sorted(config.scenarios) == ["evening", "morning"]),
        (
            ["scenarios=[light,route_file]"],
            lambda config: len(config.scenarios["route_file"].file) == 2,
        ),
    ],
)
def test_the_words_beside_it_win(
    words: list[str], is_so: Callable[[Any], bool], tmp_path: Path
) -> None:
    more = '<default.departlane value="best"/><device.rerouting.period value="30"/>'
    text = WHOLE.replace("<time>", f"{more}<time>") if "period" in str(words) else WHOLE
    said = load_sumocfg(written(tmp_path, text)).overrides(words)
    assert is_so(experiment(*said, *words))
    if not words[0].startswith("network="):
        network = experiment(*said, *words).network
        assert isinstance(network, NetFileConfig)
        assert network.file == str(tmp_path / "the city.net.xml")
    assert experiment(*said, *words).execution.end_time == (50 if "end_time" in words[0] else 3600)


def test_old_spellings_and_a_file_without_times(tmp_path: Path) -> None:
    text = '<sumoConfiguration><n v="a.net.xml"/><r v="b.rou.xml"/></sumoConfiguration>'
    found = load_sumocfg(written(tmp_path, text))
    assert (found.net_file, found.route_files) == (
        tmp_path / "a.net.xml",
        (tmp_path / "b.rou.xml",),
    )
    assert (found.begin_s, found.end_s, found.length_s) == (0.0, None, None)
    before = experiment().execution.end_time
    assert composed(found.file).execution.end_time == before


@pytest.mark.parametrize("name", ['a"b', "a=b", "a,b{c}", "$a", "ü [1]"])
def test_odd_names_of_files_come_through_the_command_line(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    network = composed(written(folder, WHOLE)).network
    assert isinstance(network, NetFileConfig)
    assert network.file == str(folder / "the city.net.xml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<configuration>", "is damaged"),
        ("<routes/>", "is no SUMO configuration: its root is <routes>"),
        ("<configuration/>", "names no net-file"),
        ('<configuration><net-file value="a"/></configuration>', "names no route-files"),
        (WHOLE.replace("07:00:00", "dawn"), "begin must be a time [s], got 'dawn'"),
        (WHOLE.replace("28800", "25150"), "end must be > begin 25200 [s], got 25150"),
        (WHOLE.replace("28800", "25200"), "end must be > begin 25200 [s], got 25200"),
        (WHOLE.replace("28800", "nan"), "end must be a time [s], got 'nan'"),
        (f'<!DOCTYPE a [<!ENTITY b "c">]>{WHOLE}', "a document type (a) is not allowed"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_sumocfg(file)
    assert told in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("25200", 25200.0),
        ("07:00:00", 25200.0),
        ("1:01:00:30", 90030.0),
        ("12.5", 12.5),
        ("-1", -1),
    ],
)
def test_times_as_sumo_writes_them(text: str, seconds: float) -> None:
    assert parse_time_s(text) == seconds


@pytest.mark.parametrize("text", ["noon", "7:00", "", "1:2:3:4:5", "nan", "inf"])
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|could not convert"):
        parse_time_s(text)
