"""What of SUMO's options is the user's to set."""

from pathlib import Path
from subprocess import run
from xml.etree import ElementTree

import pytest
import sumo
from composing import experiment

from trafficrl.config.simulation import SimulationConfig, is_ours
from trafficrl.errors import ConfigError


def test_options_reach_the_configuration_by_their_long_names() -> None:
    config = experiment(
        "+simulation.options.lateral-resolution=0.8",
        "+simulation.options.device.rerouting.probability=0.5",
        "simulation.time_to_teleport_s=-1",
    ).simulation
    assert config.options == {"lateral-resolution": 0.8, "device.rerouting.probability": 0.5}
    assert config.time_to_teleport_s == -1


def test_the_profile_of_the_published_results_differs_in_three_values() -> None:
    default, compat = experiment().simulation, experiment("simulation=resco_compat").simulation
    assert default == SimulationConfig()
    expected = SimulationConfig(depart_speed="0", depart_lane="first", time_to_teleport_s=-1)
    assert compat == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 7}, "simulation.options.seed is not yours to set: use seed"),
        ({"begin": 7}, "use scenarios.NAME.begin_s"),
        ({"time-to-teleport": 7}, "use simulation.time_to_teleport_s"),
        ({"tripinfo-output": "a.xml"}, "options that name files or ports cannot be given"),
        ({"remote-port": 8813}, "options that name files or ports cannot be given"),
        ({"--threads": 2}, "without dashes before"),
        ({"scale": [1, 2]}, "must be a word, a number or true/false"),
    ],
)
def test_other_options_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SimulationConfig(options=options)


def test_a_teleport_time_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"time_to_teleport_s must be in 1.*\[s, or -1\], got 0"):
        SimulationConfig(time_to_teleport_s=0)


def test_generated_demand_is_not_scaled_by_sumo() -> None:
    with pytest.raises(ConfigError, match=r"set scenarios\.morning\.num_vehicles"):
        experiment("+simulation.options.scale=2")
    given = ("scenarios=route_file", "scenarios.route_file.file=a.rou.xml")
    assert experiment("+simulation.options.scale=2", *given).simulation.options == {"scale": 2}


def test_every_option_of_sumo_that_takes_a_file_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "template.xml"
    binary = str(Path(sumo.SUMO_HOME) / "bin" / "sumo")
    run([binary, "--save-template", str(template)], check=True, capture_output=True)
    # SUMO wrote the file a moment ago.
    options = list(ElementTree.parse(template).getroot().iter())  # noqa: S314
    files = [option.tag for option in options if "FILE" in option.get("type", "")]
    assert len(files) > 30
    assert [name for name in files if not is_ours(name)] == []
    open_ones = [option.tag for option in options if "value" in option.attrib]
    assert {"lateral-resolution", "scale", "device.rerouting.probability", "threads"} <= {
        name for name in open_ones if not is_ours(name)
    }
