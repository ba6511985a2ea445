"""One episode of any controller: the same driver for all, and SUMO's own account of the trips."""

import tempfile
from pathlib import Path

from trafficrl.control.controller import Controller
from trafficrl.env.episodes import Episode
from trafficrl.env.rewards import WeightedReward
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.evaluation.metrics import EpisodeMetrics, episode_metrics

__all__ = ["run_episode"]


def run_episode(
    task: Task, episode: Episode, controller: Controller, folder: Path
) -> tuple[EpisodeMetrics, float]:
    """The metrics of the episode under that controller, and its sum of rewards.

    All files of the episode lie in a folder of their own below `folder`, which is gone afterwards.

    Raises:
        ConfigError: the controller's parameters do not fit the network.
        DemandError: the demand cannot be generated on this network.
        SimulationError: SUMO would not start, or died.
    """
    reward = WeightedReward(task.reward, task.network)
    with tempfile.TemporaryDirectory(prefix="episode-", dir=folder) as name:
        running = start_episode(
            task, episode, Path(name), controller=controller, output_dir=Path(name)
        )
        try:
            driver = running.driver
            state = driver.start()
            states = []
            while not driver.finished and state.totals.expected_veh:
                state = driver.advance(controller.decide(state))
                states.append(state)
        finally:
            running.close()
        metrics = episode_metrics(
            Path(name) / "tripinfo.xml",
            states,
            scheduled=running.scenario.num_scheduled,
            begin_s=running.scenario.begin_s,
            end_s=running.scenario.end_s,
        )
    return metrics, sum(reward.pay(state)[0] for state in states)
