"""What of SUMO's options is the user's to set."""

from pathlib import Path
from subprocess import run
from typing import Any
from xml.etree import ElementTree

import pytest
import sumo
import traffic_cases as cases
from composing import experiment

from trafficrl.config.simulation import DEPART_LANES, DEPART_SPEEDS, SimulationConfig
from trafficrl.config.sumo_options import OURS, is_ours, long_name
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
        ({"summary": "a.xml"}, "options that name files or ports cannot be given"),
        ({"vehroutes": "a.xml"}, "options that name files or ports cannot be given"),
        ({"device.ssm.probability": 1}, "options that name files or ports cannot be given"),
        ({"srand": 7}, "simulation.options.srand is not yours to set: use seed"),
        ({"suppress-warnings": True}, "every run sets what SUMO tells"),
        ({"no-step-log": True}, "every run sets what SUMO tells"),
        ({"precision": 0}, "every run sets what SUMO tells"),
        ({"max-depart-delay": 60}, "takes waiting vehicles out of the demand"),
        ({"time-to-teleport.remove": True}, "takes vehicles out of their jam"),
        ({"mesosim": True}, "mesosim cannot be given: use execution.simulator=meso"),
        ({"meso-junction-control": True}, "use execution.simulator=meso"),
        ({"meso-ignore-lanes-by-vclass": "bus"}, "use execution.simulator=meso"),
        ({"meso.ignore-lanes.by-vclass": "bus"}, "use execution.simulator=meso"),
        ({"tls": {"all-off": True}}, "it switches the signals off"),
        ({"device.tripinfo.probability": 0.5}, "it leaves vehicles out of what is measured"),
        ({"--threads": 2}, "without dashes before"),
        ({"treads": 2}, r"SUMO 1\.\d+\.\d has no such option \(did you mean 'threads'\?\)$"),
        ({"carfollow.model": "IDM", "default.carfollowmodel": "IDM"}, "is given twice"),
        ({"scale": [1, 2]}, "must be a word, a number or true/false"),
    ],
)
def test_other_options_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SimulationConfig(options=options)


def test_a_teleport_time_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"time_to_teleport_s must be in 1.*\[s, or -1\], got 0"):
        SimulationConfig(time_to_teleport_s=0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("+simulation.options.lanechange.overtake-right=true", "options.lanechange.overtake-right"),
        ("+simulation.options.lateral-resolution=0.8", "options.lateral-resolution"),
        ("+simulation.options.step-method.ballistic=true", "options.step-method.ballistic"),
        ("+simulation.options.default.action-step-length=1", "options.default.action-step-length"),
        ("simulation=resco_compat", "depart_speed"),
        ("simulation.depart_lane=first", "depart_lane"),
    ],
)
def test_what_the_mesoscopic_model_would_leave_out_in_silence_is_refused(
    given: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=rf"simulation\.{told} does not go with .*=meso"):
        experiment(given, "execution.simulator=meso")
    experiment(given)


def test_the_mesoscopic_model_knows_no_places_on_a_lane() -> None:
    with pytest.raises(ConfigError, match=r"phase_near and phase_next do not go with .*=meso"):
        experiment("algorithm=ppo_shared", "reward=local_queue", "execution.simulator=meso")
    experiment("algorithm=ppo_shared_meso", "execution.simulator=meso")


def test_classical_controllers_need_none_of_what_a_learner_would_see() -> None:
    experiment("execution.simulator=meso", config_name="evaluate")


def test_nobody_stands_inside_a_junction_in_the_mesoscopic_model() -> None:
    held = "network.signals.all_red_hold_s=5"
    with pytest.raises(ConfigError, match=r"all_red_hold_s=5 \[s\] does not go with .*=meso"):
        experiment(held, "execution.simulator=meso", "algorithm=ppo_shared_meso")
    experiment(held)


@pytest.mark.parametrize("given", ["eager-insert=true", "device.rerouting.probability=0.5"])
def test_what_the_mesoscopic_model_minds_is_taken(given: str) -> None:
    words = "execution.simulator=meso", "algorithm=ppo_shared_meso"
    experiment(f"+simulation.options.{given}", *words)


def test_generated_demand_is_not_scaled_by_sumo() -> None:
    with pytest.raises(ConfigError, match=r"set scenarios\.morning\.num_vehicles"):
        experiment("+simulation.options.scale=2")
    assert experiment("+simulation.options.scale=2", *GIVEN).simulation.options == {"scale": 2}


@pytest.mark.parametrize(
    "written",
    [
        "simulation.options={lateral-resolution: 0.8, device.rerouting.probability: 1}",
        "+simulation.options={lateral-resolution: 0.8, device: {rerouting: {probability: 1}}}",
    ],
)
def test_options_are_given_with_and_without_a_plus(written: str) -> None:
    options = {"lateral-resolution": 0.8, "device.rerouting.probability": 1}
    assert experiment(written).simulation.options == options
    more = experiment(written, "simulation.options.scale=1", *GIVEN).simulation.options
    assert more == options | {"scale": 1}


def test_an_option_is_kept_by_its_one_long_name() -> None:
    options = SimulationConfig(options={"carfollow.model": "IDM"}).options
    assert options == {"default.carfollowmodel": "IDM"}


@pytest.mark.parametrize("key", ["depart_lane", "depart_speed"])
def test_our_words_are_those_of_sumo(key: str, tmp_path: Path) -> None:
    option = key.replace("depart_", "--default.depart")
    words = DEPART_LANES if key == "depart_lane" else (*DEPART_SPEEDS, "0", "7.5")
    for word in words:
        values: dict[str, Any] = {key: word}
        assert getattr(SimulationConfig(**values), key) == word
        assert (entered(tmp_path, option, word), word) == (2, word)
    with pytest.raises(AssertionError, match="Invalid depart"):
        entered(tmp_path, option, "frist")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            {"depart_speed": "fast"},
            r"depart_speed: unknown 'fast' .*avg.*, or a speed >= 0 \[m/s\]",
        ),
        ({"depart_speed": "-1"}, "depart_speed: unknown '-1'"),
        ({"depart_speed": "101"}, r"depart_speed must be in 0..100 \[m/s\], got 101"),
        ({"depart_lane": "7"}, "depart_lane: unknown '7'; choices: allowed, best"),
        ({"depart_lane": "frist"}, r"unknown 'frist' \(did you mean 'first'\?\)"),
    ],
)
def test_what_would_keep_vehicles_out_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SimulationConfig(**values)


def test_every_option_of_sumo_that_takes_a_file_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "template.xml"
    run_sumo(f"--save-template={template}")
    # SUMO wrote the file a moment ago.
    options = list(ElementTree.parse(template).getroot().iter())  # noqa: S314
    names = {
        name: option
        for option in options
        if "value" in option.attrib
        for name in (option.tag, *option.get("synonymes", "").split())
    }
    assert all(long_name(name) == option.tag for name, option in names.items())
    assert set(OURS) <= set(names)
    files = [name for name, option in names.items() if "FILE" in option.get("type", "")]
    assert len(files) > 50
    assert [name for name in files if not is_ours(name)] == []
    # Of some others a shorter name is all that tells: they are one option for us, too.
    assert {"summary", "tripinfo", "vehroutes", "srand", "suppress-warnings", "g", "l"} <= {
        name for name in names if is_ours(name)
    }
    assert {"lateral-resolution", "scale", "device.rerouting.probability", "threads"} <= {
        name for name in names if not is_ours(name)
    }


GIVEN = ("scenarios=route_file", "scenarios.route_file.file=a.rou.xml")
EDGES = cases.city().streets[0].tail, cases.city().streets[-1].tail
TRIPS = "<routes>{}</routes>".format(
    "".join(f'<trip id="{i}" depart="{i}" from="{EDGES[0]}" to="{EDGES[1]}"/>' for i in (0, 9))
)


def entered(folder: Path, *options: str) -> int:
    """How many of two vehicles SUMO lets in when it has these options."""
    (folder / "trips.rou.xml").write_text(TRIPS, encoding="utf-8")
    out = folder / "out.xml"
    run_sumo(
        f"--net-file={cases.city().net_file}",
        f"--route-files={folder / 'trips.rou.xml'}",
        f"--tripinfo-output={out}",
        *("--end", "20", "--tripinfo-output.write-unfinished", *options),
    )
    return out.read_text(encoding="utf-8").count("<tripinfo ")


def run_sumo(*arguments: str) -> None:
    binary = Path(sumo.SUMO_HOME) / "bin" / "sumo"
    done = run([binary, *arguments], check=True, capture_output=True, text=True, timeout=60)
    assert "Error" not in done.stderr, done.stderr
