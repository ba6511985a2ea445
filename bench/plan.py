"""One fixed plan, twice: as the actions of a policy, and as programs that SUMO runs by itself.

Each signal shows its phases in turn, three decisions each. Both show every link the same in every
second, so that the vehicles drive the same ways, and only what commands and looks on differs.
"""

from pathlib import Path

import numpy as np

from bench.cases import DECISION_S
from trafficrl.network.model import Network
from trafficrl.network.programs import fixed_program, save_signal_programs
from trafficrl.simulation.state import IntArray

__all__ = ["plan_action", "save_plan"]

HELD = 3
"""Decisions that a phase is held for, its clearance included."""


def plan_action(network: Network, decision: int) -> IntArray:
    """(S,) the phase of each signal at that decision; before the first, the last one is green."""
    turn = (decision - 1) // HELD
    return np.array([turn % len(signal.phases) for signal in network.signals])


def save_plan(network: Network, file: Path, *, begin_s: float) -> None:
    """The same plan as an additional file of SUMO.

    Args:
        network: whose signals have it.
        file: to be written.
        begin_s: simulation time at which the episode begins [s].
    """
    programs = []
    for signal in network.signals:
        green_s = HELD * DECISION_S - signal.clearance_s
        greens_s = [green_s] * len(signal.phases)
        # At the first change, after one decision, the last phase's clearance begins.
        offset_s = DECISION_S + signal.clearance_s
        programs.append(fixed_program(signal, greens_s, offset_s=offset_s))
    save_signal_programs(programs, file, begin_s=begin_s)
