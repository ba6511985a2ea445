"""Starts an episode: demand, SUMO, reader and driver, for the environment and the evaluator."""

from dataclasses import dataclass
from pathlib import Path

from trafficrl.control.driver import SignalDriver
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import Scenario
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.simulation.options import SimulationOptions
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession

__all__ = ["RunningEpisode", "start_episode"]


@dataclass(frozen=True, slots=True)
class RunningEpisode:
    """An episode that has begun; close it to end SUMO."""

    scenario: Scenario
    session: SumoSession
    driver: SignalDriver

    def close(self) -> None:
        """SUMO has ended and its outputs are complete; its route file, of use no more, is gone."""
        try:
            self.session.close()
        finally:
            self.scenario.route_file.unlink(missing_ok=True)


def start_episode(
    task: Task, episode: Episode, folder: Path, *, output_dir: Path | None = None
) -> RunningEpisode:
    """The episode at its first second, its demand in `folder`.

    Raises:
        DemandError: the demand cannot be generated on this network.
        SimulationError: SUMO would not start.
    """
    scenario = build_scenario(
        episode.scenario,
        task.scenarios[episode.scenario],
        task.network,
        seeds=episode.demand,
        end_s=task.end_s,
        folder=folder,
    )
    options = SimulationOptions(
        step_s=task.step_s,
        seed=episode.sumo_seed,
        backend=task.backend,
        gui=task.gui,
        output_dir=output_dir,
    )
    session = SumoSession(scenario, options)
    reader = StateReader(session, task.network, sample_s=task.reward.sample_s)
    return RunningEpisode(scenario, session, SignalDriver(session, task.network.signals, reader))
