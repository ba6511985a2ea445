"""The Gymnasium environment: conducts reset, step and close, and decides nothing itself."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from trafficrl.config.algorithm import PhaseOrder
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.control.controller import cells_seen
from trafficrl.env.actions import build_action
from trafficrl.env.encoding import task_encoder
from trafficrl.env.episodes import Episode, TrainingEpisodes
from trafficrl.env.phase_places import PhasePlaces
from trafficrl.env.rewards import build_reward
from trafficrl.env.simulate import RunningEpisode, draw_demand, start_episode
from trafficrl.env.task import Task
from trafficrl.env.teacher import Teacher
from trafficrl.errors import SimulationError
from trafficrl.simulation.state import TrafficState

__all__ = ["TrafficSignalEnv"]

Observation = NDArray[np.float32]


class TrafficSignalEnv(gymnasium.Env[Observation, NDArray[Any]]):
    """All signals of a network, for one agent or for one policy that each of them asks.

    Observation: Box, the named features of the task's configuration: (features,) of the network, or
        (signals, features) of each signal.
    Action: greens of the next cycle (Box) or the next phase of each signal (MultiDiscrete); where
        one may not be chosen now, its signal keeps what it shows.
    Reward: the weighted terms, integrated over the decision; `info["reward_terms"]` has each. Where
        each signal is seen by itself, the mean of what `info["signal_rewards"]` (signals,) pays it.
    Episode end: truncated at the scenario's end, terminated when all have arrived.
    Teacher: with one, `info["teacher_action"]` of a step is what it would have done instead.
    Replay: `info` of a reset has SUMO's command line, that of every call the time in SUMO [s].
    Repeatable: seed, index and actions decide an episode, whatever ran before in the process; so it
        is on Linux with GNU's C library, and in the main thread. For that the memory which SUMO had
        is not used again as a whole: a process that runs many episodes grows, on small networks by
        0.3 to 0.4 MB each. The processes of a training run each episode in a fork, and do not grow.

    Example:
        env = TrafficSignalEnv(task, seed=1)
        observation, info = env.reset()
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own attribute

    def __init__(
        self,
        task: Task,
        *,
        seed: int,
        slot: int = 0,
        slots: int = 1,
        folder: Path | None = None,
        teacher: Callable[[Task], Teacher] | None = None,
    ) -> None:
        self._task = task
        self._slot = slot
        self._slots = slots
        self._seed = seed
        self._episode, self._share = 0, 1.0
        self._running: RunningEpisode | None = None
        self._parent_folder = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._encoder = task_encoder(task)
        self._by_signal = isinstance(task.observation, SignalObservationConfig)
        self._action = build_action(task.action, task.network, task.step_s)
        self._places: PhasePlaces | None = None  # the driver keeps greens, and knows of no order
        if task.action.order is PhaseOrder.cycle:
            most = max(len(signal.phases) for signal in task.network.signals)
            self._places = PhasePlaces(task.network, most, task.action, step_s=task.step_s)
        self._state: TrafficState | None = None
        self._reward = build_reward(task.reward, task.network, task.extensions)
        self._teacher = None if teacher is None else teacher(task)
        self._cells_m = cells_seen(self._encoder, self._teacher)
        self._taught: NDArray[Any] | None = None
        self.observation_space = self._encoder.space
        self.action_space = self._action.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """The first observation of the next episode; a seed begins a new sequence of episodes.

        Args:
            seed: of the sequence; None for the one that runs.
            options: `episode`, an index in the sequence to begin with instead.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._seed, self._episode = seed, 0
        if options and "episode" in options:
            self._episode = options["episode"]
        self._end_episode()
        episode = self._of_sequence(self._seed, self._episode)
        self._episode, self._share = self._episode + 1, episode.share
        if self._folder is None:
            prefix = f"slot-{self._slot}-"
            self._folder = tempfile.TemporaryDirectory(prefix=prefix, dir=self._parent_folder)
        self._running = start_episode(
            self._task, episode, Path(self._folder.name), cells_m=self._cells_m
        )
        state = self._state = self._running.driver.start()
        if self._teacher is not None:
            self._teacher.begin(self._running.scenario, episode.sumo_seed)
            self._taught = self._teacher.label(state).action
        return self._encoder.encode(state), {
            "scenario": episode.scenario,
            "sumo_command": self._running.session.command,
            "time_s": state.time_s,
        }

    def prepare(self, seed: int | None, episode: int) -> None:
        """The demand of that episode is drawn, so that its reset, here or in a fork, need not.

        Raises:
            DemandError: it cannot be generated on this network.
        """
        draw_demand(self._task, self._of_sequence(seed, episode))

    def replay(
        self, episode: int, actions: Sequence[NDArray[Any]], *, seed: int | None = None
    ) -> Observation:
        """The environment stands where these actions lead in that episode; what it observes there.

        From here on it is bit for bit the one that took them first. SUMO's own saved states do not
        go on identically, the same seed and actions do.

        Args:
            episode: its index in the sequence of the slot.
            actions: all since its reset.
            seed: of the sequence; None for the one that runs.
        """
        observation, _ = self.reset(seed=seed, options={"episode": episode})
        for action in actions:
            observation, *_ = self.step(action)
        return observation

    def step(self, action: NDArray[Any]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """The next decision's observation, what this one was paid, and whether it was the last.

        Raises:
            SimulationError: SUMO died, or no episode runs.
        """
        if self._running is None:
            raise SimulationError("no episode runs: reset() comes before step()")
        driver = self._running.driver
        if self._places is not None and self._state is not None:
            action = self._places.in_order(np.asarray(action), self._state)
        state = self._state = driver.advance(self._action.decode(action))
        info: dict[str, Any] = {
            "scenario": self._running.scenario.name,
            "time_s": state.time_s,
        }
        if self._by_signal:
            rewards, info["reward_terms"] = self._reward.pay_signals(state)
            reward, info["signal_rewards"] = float(rewards.mean()), rewards
        else:
            reward, info["reward_terms"] = self._reward.pay(state)
        terminated = state.totals.expected_veh == 0
        if terminated or driver.finished:
            info["traffic"] = traffic_totals(state)
            if self._task.curriculum.is_used:
                info["traffic"]["demand_share"] = self._share
        if self._teacher is not None:
            info["teacher_action"] = self._taught
            self._taught = self._teacher.label(state).action
        return self._encoder.encode(state), reward, terminated, driver.finished, info

    def close(self) -> None:
        """SUMO has ended and the demand files are gone."""
        self._end_episode()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _of_sequence(self, seed: int | None, index: int) -> Episode:
        """The index-th episode of that seed, or of the one that runs."""
        return TrainingEpisodes(
            self._task.scenarios,
            seed=self._seed if seed is None else seed,
            slot=self._slot,
            slots=self._slots,
            curriculum=self._task.curriculum,
        ).episode(index)

    def _end_episode(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.close()


def traffic_totals(state: TrafficState) -> dict[str, float]:
    """What an episode came to, for the training's log."""
    return {
        "arrived_share": state.totals.arrived_veh / max(state.totals.scheduled_veh, 1),
        "running_veh": state.totals.running_veh,
        "backlog_veh": state.totals.backlog_veh,
        "teleports": state.totals.teleports,
        "emergency_brakings": state.totals.emergency_brakings,
    }
