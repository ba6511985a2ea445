"""SUMO's own configuration files, as our keys."""

from pathlib import Path

import pytest
from composing import experiment

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.network import NetFileConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig
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


@pytest.mark.parametrize("text", ["noon", "7:00", "", "1:2:3:4:5"])
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|could not convert"):
        parse_time_s(text)
