"""The experiment that repeats the study of the tree method, as the command line composes it."""

from pathlib import Path

from composing import experiment

from trafficrl.config.network import NetFileConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig


def test_the_study_is_simulated_as_it_was(tmp_path: Path) -> None:
    given = tmp_path / "given.xml"
    given.touch()
    files = (f"network.file={given}", f"scenarios.route_file.file={given}")
    for command in ("evaluate", "train"):
        config = experiment("experiment=tree_method_study", *files, config_name=command)
        assert isinstance(config.network, NetFileConfig)
        signals = config.network.signals
        assert (signals.yellow_s, signals.all_red_s, signals.min_green_s) == (0, 0, 1)
        (scenario,) = config.scenarios.values()
        assert isinstance(scenario, RouteFileScenarioConfig)
        assert (config.execution.end_time, config.reward.sample_s) == (7205, 1)
        assert (config.simulation.depart_speed, config.simulation.time_to_teleport_s) == ("0", 300)
        assert config.simulation.options == {
            "ignore-route-errors": True,
            "device.rerouting.adaptation-steps": 18,
            "device.rerouting.adaptation-interval": 10,
        }
