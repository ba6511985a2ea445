"""Controllers of the user's own: they drive an episode, and what goes wrong in them is one line."""

import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases
from composing import experiment

from trafficrl.config.controllers import OwnConfig, RandomConfig
from trafficrl.config.inputs import locate
from trafficrl.control.commands import NextPhase
from trafficrl.control.controller import Controller
from trafficrl.control.driver import SignalDriver
from trafficrl.env.classical import build_classical
from trafficrl.env.episodes import Episode
from trafficrl.env.extensions import Extension
from trafficrl.env.task import Task
from trafficrl.env.teacher import Teacher
from trafficrl.errors import ConfigError
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.identity import decider
from trafficrl.evaluation.outcome import Measure
from trafficrl.runs.seeding import Split
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.state import TrafficState

ROTATION = """
import numpy as np
from trafficrl.config.inputs import locate
from trafficrl.control.commands import FollowPlan, NextPhase, PhaseDurations


class Rotation:
    def __init__(self, network, *, step_s, interval_s=20.0):
        self.num_phases = np.array([len(signal.phases) for signal in network.signals])
        self.interval_s = interval_s

    def begin(self, scenario, seed):
        return ()

    def decide(self, state):
        return NextPhase((state.phase + 1) % self.num_phases, self.interval_s)


CONTROLLERS = {"rotation": Rotation}
"""
DECIDES = "        return NextPhase((state.phase + 1) % self.num_phases, self.interval_s)"
MINE = "+controller.mine={kind: own, function: rotation, parameters: {interval_s: 30}}"


def own_task(source: str = ROTATION, **parameters: Any) -> Task:
    mine = OwnConfig(function="rotation", parameters=parameters)
    whole = cases.task(controllers={"mine": mine}, extensions=(Extension("mine.py", source),))
    travelled: Task = pickle.loads(pickle.dumps(whole))  # noqa: S301 - as it comes to a worker
    return travelled


def built(source: str = ROTATION, **parameters: Any) -> Controller:
    return build_classical("mine", own_task(source, **parameters))


def test_it_decides_an_episode(tmp_path: Path) -> None:
    task = own_task(interval_s=15)
    controller = build_classical("mine", task)
    episode = Episode.of_split(next(iter(task.scenarios)), Split.test, 0)
    outcome = run_episode(task, episode, controller, tmp_path, Measure())
    assert outcome.metrics.scheduled > 0
    state = first_state()
    command = controller.decide(state)
    assert isinstance(command, NextPhase)
    assert command.interval_s == 15
    counts = [len(signal.phases) for signal in task.network.signals]
    assert (command.phase == (state.phase + 1) % counts).all()


@cache
def first_state() -> TrafficState:
    with cases.session(cases.scenario()) as session:
        reader = StateReader(session, cases.city(), sample_s=5.0)
        return SignalDriver(session, cases.city().signals, reader).start()


def test_its_episodes_count_as_others_once_its_file_says_something_else() -> None:
    before, after = own_task(), own_task(ROTATION + "# mended")
    assert decider("mine", before) != decider("mine", after)
    usual = {"random": RandomConfig()}
    assert decider("random", replace(before, controllers=usual)) == decider(
        "random", replace(after, controllers=usual)
    )


def test_a_configuration_names_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(ROTATION, encoding="utf-8")
    config = locate(experiment(f"extensions=[{file}]", MINE), [tmp_path])
    assert config.controller["mine"] == OwnConfig(
        function="rotation", parameters={"interval_s": 30}
    )
    wrong = MINE.replace("function: rotation", "function: rotaton")
    with pytest.raises(
        ConfigError, match=r"controller\.mine\.function: unknown 'rotaton'.*rotation"
    ):
        locate(experiment(f"extensions=[{file}]", wrong), [tmp_path])
    with pytest.raises(
        ConfigError, match=r"'rotation' needs extensions=\[FILE\.py\] with a table CONTR"
    ):
        experiment(MINE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("return NextPhase", "return 7 #"), r"rotation\.decide has to answer NextPhase, .*got 7"),
        (("(state.phase + 1) %", "0 *"), ""),
        (("(state.phase + 1) %", "9 + 0 *"), r"wants phase 9 of signal A0, which has 3"),
        (("(state.phase + 1) %", "0.5 *"), r"has to name 9 phases, one whole number a signal"),
        (
            ("self.interval_s)", "0.3)"),
            r"needs interval_s as a multiple of the step 1 \[s\], got 0.3",
        ),
        (("self.interval_s)", "0)"), r"needs interval_s as a multiple of the step 1 \[s\], got 0"),
        (("self.interval_s)", "'soon')"), r"needs interval_s as a multiple .* got 'soon'"),
        (
            (DECIDES, "        return PhaseDurations(np.full((9, 4), 10.0), 50.0)"),
            r"has greens and clearances of 45 \[s\] in a cycle of 50 \[s\]",
        ),
        (
            (DECIDES, "        return PhaseDurations(np.full((9, 4), 1.0), 24.0)"),
            r"has a green below 5 \[s\] at",
        ),
        (
            (DECIDES, "        return PhaseDurations(np.full((9, 2), 10.0), 60.0)"),
            r"shape \(9, 4\)",
        ),
        ((DECIDES, "        return 1 / 0"), r"mine\.py:\d+: rotation\.decide failed: ZeroDivision"),
    ],
)
def test_what_no_signal_can_do_is_told(change: tuple[str, str], message: str) -> None:
    controller = built(ROTATION.replace(*change))
    state = first_state()
    if not message:
        assert np.all(controller.decide(state).phase == 0)  # type: ignore[union-attr]
        return
    with pytest.raises(ConfigError, match=message):
        controller.decide(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("def decide", "def choose"),
            r"mine\.py: rotation has to make something with a function d",
        ),
        (
            ("return ()", "return 1"),
            r"rotation\.begin has to answer a list of programs, or \(\), got 1",
        ),
        (("return ()", "return [1]"), r"rotation\.begin has to answer a list of programs"),
    ],
)
def test_what_is_no_controller_is_told(change: tuple[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        built(ROTATION.replace(*change)).begin(cases.scenario(), 1)


def test_a_parameter_that_it_does_not_take_is_told() -> None:
    with pytest.raises(ConfigError, match=r"rotation failed: TypeError: .*'intervall_s'"):
        built(intervall_s=3)


def test_as_a_teacher_it_decides_when_the_learner_does() -> None:
    task = own_task()
    teacher = Teacher("mine", build_classical("mine", task), task)
    teacher.begin(cases.scenario(), 1)
    with pytest.raises(
        ConfigError, match=r"every 20 s, .*controller\.mine\.parameters\.interval_s="
    ):
        teacher.decide(first_state())


def test_the_plan_cannot_be_taken_up_again() -> None:
    source = ROTATION.replace(
        DECIDES,
        "        self.asked = getattr(self, 'asked', 0) + 1\n"
        "        return FollowPlan(10) if self.asked != 2 else NextPhase(state.phase, 10)",
    )
    controller = built(source)
    state = first_state()
    controller.begin(cases.scenario(), 1)
    controller.decide(state)
    controller.decide(state)
    with pytest.raises(ConfigError, match="cannot go back to the plan after another command"):
        controller.decide(state)
