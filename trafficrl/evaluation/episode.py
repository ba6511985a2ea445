"""One episode of any controller: the same driver for all, and SUMO's own account of the trips."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from trafficrl.config.execution import Simulator
from trafficrl.control.controller import Controller
from trafficrl.control.driver import SignalDriver
from trafficrl.env.episodes import Episode
from trafficrl.env.rewards import build_reward
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.evaluation.metrics import episode_metrics
from trafficrl.evaluation.outcome import Measure, Outcome
from trafficrl.evaluation.queues import edge_queues, slice_queues
from trafficrl.evaluation.slices import build_slices
from trafficrl.evaluation.trips import read_trips
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import TrafficState

__all__ = ["run_episode"]

MESO = Simulator.meso


def run_episode(
    task: Task,
    episode: Episode,
    controller: Controller,
    folder: Path,
    measure: Measure,
    *,
    beat: Callable[[], None] = lambda: None,
) -> Outcome:
    """What the episode gives under that controller.

    Its files lie in a folder below `folder` that is gone afterwards. Each decision calls `beat`.

    Raises:
        ConfigError: the controller's parameters do not fit the network.
        DemandError: the demand cannot be generated on this network.
        SimulationError: SUMO would not start, or died.
    """
    reward = build_reward(task.reward, task.network, task.extensions)
    with tempfile.TemporaryDirectory(prefix="episode-", dir=folder) as name:
        running = start_episode(
            task,
            episode,
            Path(name),
            controller=controller,
            output_dir=Path(name),
            emissions=measure.emissions,
        )
        try:
            states = drive(running.driver, controller, beat)
            free_s = free_times(running.session, task) if task.simulator is MESO else None
        finally:
            running.close()
        scenario = running.scenario
        trips = read_trips(
            Path(name) / "tripinfo.xml",
            emissions=measure.emissions,
            closed_s=states[-1].time_s,
            end_s=scenario.end_s,
            free_s=free_s,
        )
    span = {"begin_s": scenario.begin_s, "end_s": scenario.end_s}
    length_s = scenario.end_s - scenario.begin_s
    return Outcome(
        episode_metrics(trips, states, scheduled=scenario.num_scheduled, **span),
        build_slices(trips, begin_s=scenario.begin_s, slice_s=measure.slice_s),
        sum(reward.pay(state)[0] for state in states),
        edge_queues(states, task.network, length_s=length_s),
        slice_queues(states, task.network, length_s=length_s, slice_s=measure.slice_s),
    )


def drive(
    driver: SignalDriver, controller: Controller, beat: Callable[[], None]
) -> list[TrafficState]:
    """The state after each decision, until the episode is over or nobody is left."""
    state, states = driver.start(), []
    while not driver.finished and state.totals.expected_veh:
        state = driver.advance(controller.decide(state))
        states.append(state)
        beat()
    return states


def free_times(session: SumoSession, task: Task) -> dict[str, float]:
    """Vehicle on its way -> what the edges that it has been on take at their limits [s].

    Left out are vehicles on edges that the network does not know, such as those of trams.
    """
    edge_s = {edge.id: edge.length_m / edge.speed_mps for edge in task.network.edges}
    return {
        name: sum(edge_s[edge] for edge in edges)
        for name, edges in session.read_driven().items()
        if edge_s.keys() >= set(edges)
    }
