"""Controllers as the evaluation drives them."""

import numpy as np
import traffic_cases as cases
from signal_cases import SIGNALS, Drive

from trafficrl.control.commands import FollowPlan, NextPhase
from trafficrl.control.learned import LearnedController
from trafficrl.control.plans import PlanFollower
from trafficrl.env.actions import build_action


def test_fixed_time_follows_the_plan_blindly() -> None:
    state = Drive([]).states[0]
    controller = PlanFollower(interval_s=30.0)
    assert controller.begin(cases.scenario(), 1) == ()
    assert controller.decide(state) == FollowPlan(30.0)


def test_a_learned_controller_encodes_acts_and_decodes() -> None:
    state = Drive([]).states[0]
    seen = []

    def encode(given: object) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        seen.append(given)
        return np.array([len(SIGNALS)], dtype=np.float32)

    decoder = build_action(cases.NEXT_PHASE, cases.city(), 1.0)
    controller = LearnedController(
        encode, lambda vector: np.full(int(vector[0]), 2), decoder.decode
    )
    assert controller.begin(cases.scenario(), 1) == ()
    command = controller.decide(state)
    assert seen == [state]
    assert isinstance(command, NextPhase)
    assert command.phase.tolist() == [2] * len(SIGNALS)
    assert command.interval_s == cases.NEXT_PHASE.interval_s
