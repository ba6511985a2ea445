"""Watches real signals and drivers: what is shown each step, and who must brake for it.

Right of way is read with sumolib here and the states from SUMO, so that nothing is checked against
the code that made it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, groupby, pairwise, permutations
from pathlib import Path
from typing import Any

import libsumo
import numpy as np
import sumolib
import traffic_cases as cases

from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.control.driver import SignalDriver
from trafficrl.demand.scenario import Scenario
from trafficrl.network.model import Network
from trafficrl.network.signals import GREEN, Signal
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession

PLAN_CONFLICT = "plan conflict"
"""Two protected links cross in a green of the plan itself: who made the plan answers for it."""
DRIVER_CONFLICT = "driver-made conflict"
"""They are never protected together in the plan."""
NOT_CLEARED = "not cleared"
YELLOW = "yellow"
ALL_RED = "all-red"
SHORT_GREEN = "short green"
NEAR_M = 100.0
"""Who brakes farther from a signal does not brake for it: from 50 km/h that takes 22 m."""
RELEASED = GREEN + "y"
RECENT_S = 10.0
"""How long after a change of a signal an emergency beside it may be its fault."""

Fault = tuple[str, int, str]
"""Kind, step and detail of a violation, before it has a signal."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What a signal did wrong, and in which step first."""

    kind: str
    signal: str
    step: int
    detail: str


@dataclass(frozen=True, slots=True)
class Emergency:
    """A vehicle that stopped or braked harder than it should ever have to."""

    step: int
    vehicle: str
    cause: str
    """`red`: its own link lost its green a moment ago; `junction`: it is in or before a junction
    whose signal changed a moment ago; `turn on red`: the same, but others may turn there after a
    stop, and SUMO lets them pull out before those who have green; `other`: nothing changed near."""
    signal: str
    """Whose junction it is in or before; empty far from all."""
    where: str


@cache
def conflicts(net_file: Path) -> dict[str, frozenset[tuple[int, int]]]:
    """Signal -> pairs of its links that are foes by the requests of their junction."""
    net = sumolib.net.readNet(str(net_file), withInternal=True, withPrograms=True)
    pairs: dict[str, frozenset[tuple[int, int]]] = {}
    for signal in net.getTrafficLights():
        links = [
            (index, connection)
            for start, end, index in signal.getConnections()
            for connection in start.getOutgoing()
            if connection.getToLane() == end
        ]
        foes = set()
        for (one, a), (other, b) in combinations(links, 2):
            node = a.getFrom().getToNode()
            if one == other or node is not b.getFrom().getToNode():
                continue
            if node.areFoes(node.getLinkIndex(a), node.getLinkIndex(b)):
                foes.add((min(one, other), max(one, other)))
        pairs[signal.getID()] = frozenset(foes)
    return pairs


class Witness(StateReader):
    """A reader that also notes each step what every signal shows, and every emergency."""

    def __init__(self, session: SumoSession, network: Network) -> None:
        super().__init__(session, network, sample_s=5.0)
        self._watched = session
        self._network = network
        self.shown: dict[str, list[str]] = {signal.id: [] for signal in network.signals}
        self.emergencies: list[Emergency] = []
        self.arrived_veh = 0
        self._brakings = 0
        self._signal_of = {
            via.rsplit("_", 2)[0]: signal.id
            for signal in network.signals
            for link in libsumo.trafficlight.getControlledLinks(signal.id)
            for _, _, via in link
        }

    def tick(self) -> None:
        super().tick()
        self.arrived_veh += self._watched.read_arrived()
        for name, states in self.shown.items():
            states.append(self._watched.read_shown(name))
        who = set(libsumo.simulation.getEmergencyStoppingVehiclesIDList())
        brakings = int(libsumo.simulation.getParameter("", "stats.safety.emergencyBraking"))
        if brakings > self._brakings:
            who |= {name for name in libsumo.vehicle.getIDList() if _brakes_hard(name)}
        self._brakings = brakings
        self.emergencies += [self._emergency(name) for name in sorted(who)]

    def violations(self, signals: Sequence[Signal] | None = None) -> list[Violation]:
        """Everything that was shown and should not have been.

        Args:
            signals: what is to be kept, if not the network's own signals.
        """
        step_s = self._watched.step_s
        foes = conflicts(self._network.net_file)
        return [
            violation
            for signal in signals or self._network.signals
            for violation in check_signal(
                signal, self.shown[signal.id], foes=foes[signal.id], step_s=step_s
            )
        ]

    def _emergency(self, vehicle: str) -> Emergency:
        lane = libsumo.vehicle.getLaneID(vehicle)
        step = len(next(iter(self.shown.values()))) - 1
        inside = self._signal_of.get(lane.rsplit("_", 2)[0]) if lane.startswith(":") else None
        ahead = libsumo.vehicle.getNextTLS(vehicle)
        if not inside and ahead and ahead[0][0] in self.shown and ahead[0][2] <= NEAR_M:
            signal, link, *_ = ahead[0]
            letters = [state[link] for state in self._recent(signal)]
            if letters[-1] not in GREEN and set(letters) & set(GREEN):
                return Emergency(step, vehicle, "red", signal, lane)
            inside = signal
        if not inside or len(set(self._recent(inside))) == 1:
            return Emergency(step, vehicle, "other", inside or "", lane)
        turning = any("s" in state for state in self._recent(inside))
        return Emergency(step, vehicle, "turn on red" if turning else "junction", inside, lane)

    def _recent(self, signal: str) -> list[str]:
        return self.shown[signal][-1 - round(RECENT_S / self._watched.step_s) :]


def _brakes_hard(vehicle: str) -> bool:
    """SUMO counts an emergency braking from the vehicle's emergency deceleration on."""
    limit_mps2 = libsumo.vehicle.getEmergencyDecel(vehicle)
    return bool(libsumo.vehicle.getAcceleration(vehicle) <= 0.01 - limit_mps2)


def check_signal(
    signal: Signal, shown: Sequence[str], *, foes: frozenset[tuple[int, int]], step_s: float
) -> Iterator[Violation]:
    """What a signal did wrong while it was commanded, from the state that it showed each step.

    The letters are SUMO's: besides red, yellow and two greens also `s`, right after a stop. What
    the end of the episode cuts short is not held against it.
    """
    steps = (signal.yellow_s, signal.all_red_s, signal.min_green_s)
    yellow, all_red, min_green = (round(duration_s / step_s) for duration_s in steps)
    faults = [*_conflicts(signal, shown, foes), *_all_reds(shown, all_red)]
    faults += _short_phases(signal, shown, min_green)
    for link in range(len(shown[0])):
        letters = "".join(state[link] for state in shown)
        for kind, step, detail in _letters(letters, yellow, min_green):
            faults.append((kind, step, f"link {link}: {detail}"))
    return (Violation(kind, signal.id, step, detail) for kind, step, detail in faults)


def _conflicts(
    signal: Signal, shown: Sequence[str], foes: frozenset[tuple[int, int]]
) -> Iterator[Fault]:
    planned = [phase.state for phase in signal.phases]
    for state in dict.fromkeys(shown):
        for one, other in sorted(foes):
            if state[one] == "G" == state[other]:
                in_plan = any(part[one] == "G" == part[other] for part in planned)
                kind = PLAN_CONFLICT if in_plan else DRIVER_CONFLICT
                yield kind, shown.index(state), f"links {one} and {other} in {state}"


def _all_reds(shown: Sequence[str], all_red: int) -> Iterator[Fault]:
    """No link gains green before those that lost theirs have been red for the all-red."""
    red_since = -all_red
    for step, (before, after) in enumerate(pairwise(shown), start=1):
        pairs = list(zip(before, after, strict=True))
        if any(a in RELEASED and b not in RELEASED for a, b in pairs):
            red_since = step
        if any(a not in GREEN and b in GREEN for a, b in pairs) and step - red_since < all_red:
            yield ALL_RED, step, f"{step - red_since} of {all_red} steps before {after}"


def _letters(letters: str, yellow: int, min_green: int) -> Iterator[Fault]:
    """One link: green long enough, then yellow as long as it must, then no green at once."""
    runs = runs_of("G" if letter in GREEN else letter for letter in letters)
    for (a, _, _), (b, begin, length) in pairwise(runs):
        cut = begin + length == len(letters)
        if a == "G" and (b == "y") != (yellow > 0):
            yield NOT_CLEARED, begin, f"green, then {b}"
        if b == "y" and (a != "G" or length > yellow or (length < yellow and not cut)):
            yield YELLOW, begin, f"{a}, then yellow for {length} of {yellow} steps"
        if a == "y" and b == "G":
            yield YELLOW, begin, "yellow, then green"
    for letter, begin, length in runs:
        if letter == "G" and length < min_green and begin + length < len(letters):
            yield SHORT_GREEN, begin, f"green for {length} of {min_green} steps"


def _short_phases(signal: Signal, shown: Sequence[str], min_green: int) -> Iterator[Fault]:
    """A phase may be short though each of its links has green in the phase before or after too."""
    greens = {phase.state for phase in signal.phases}
    # Between two phases the state of a third may come up: then it is no phase but a clearance.
    passing = {
        state
        for one, other in permutations(greens, 2)
        for state in clearance_states(one, other)
        if state not in (one, other)
    }
    for state, begin, length in runs_of(shown):
        if state in greens - passing and length < min_green and begin + length < len(shown):
            yield SHORT_GREEN, begin, f"phase {state} for {length} of {min_green} steps"


def clearance_states(before: str, after: str) -> tuple[str, str]:
    """Yellow and all-red between two greens, letter by letter."""
    pairs = list(zip(before, after, strict=True))
    yellow = "".join("y" if a in GREEN and b not in GREEN else a for a, b in pairs)
    stays = (a == b or (a in GREEN and b in GREEN) for a, b in pairs)
    red = "".join(a if stay else "r" for stay, a in zip(stays, before, strict=True))
    return yellow, red


def runs_of(values: Iterable[str]) -> list[tuple[str, int, int]]:
    """Each value, the step at which it began, and for how many steps it stayed."""
    runs, begin = [], 0
    for value, same in groupby(values):
        length = len(list(same))
        runs.append((value, begin, length))
        begin += length
    return runs


def watch(
    network: Network,
    scenario: Scenario,
    commands: Iterable[Command],
    *,
    signals: Sequence[Signal] | None = None,
    **options: Any,
) -> Witness:
    """What came of the commands, up to the scenario's end.

    Args:
        signals: what the driver is told, if not the network's own signals.
        options: of the simulation.
    """
    with cases.session(scenario, **options) as session:
        witness = Witness(session, network)
        driver = SignalDriver(session, signals or network.signals, witness)
        driver.start()
        for command in commands:
            driver.advance(command)
            if driver.finished:
                break
    return witness


def random_phases(
    signals: Sequence[Signal], rng: np.random.Generator, interval_s: float
) -> NextPhase:
    """Each signal to one of its phases."""
    return NextPhase(rng.integers(0, [len(signal.phases) for signal in signals]), interval_s)


def random_durations(
    signals: Sequence[Signal], rng: np.random.Generator, *, step_s: float = 1.0
) -> PhaseDurations:
    """A cycle of at least 90 s with greens of whole steps, none below its minimum."""
    most = max(len(signal.phases) for signal in signals)
    least_s = [len(s.phases) * (s.clearance_s + s.min_green_s) for s in signals]
    cycle_s = max(90.0, *(shortest_s + 20.0 for shortest_s in least_s))
    green_s = np.zeros((len(signals), most))
    for row, signal, shortest_s in zip(green_s, signals, least_s, strict=True):
        count = len(signal.phases)
        free = round((cycle_s - shortest_s) / step_s)
        extra = rng.multinomial(free, rng.dirichlet(np.ones(count)))
        row[:count] = signal.min_green_s + extra * step_s
    return PhaseDurations(green_s, cycle_s)


def random_commands(
    signals: Sequence[Signal], kind: type[Command], *, seed: int, interval_s: float = 10.0
) -> Iterator[Command]:
    """Commands of one kind without end."""
    rng = np.random.default_rng(seed)
    while True:
        if kind is NextPhase:
            yield random_phases(signals, rng, interval_s)
        else:
            yield random_durations(signals, rng)


def every_change(signals: Sequence[Signal]) -> Iterator[NextPhase]:
    """Each signal from each of its phases to each other one, as fast as it may."""
    most = max(len(signal.phases) for signal in signals)
    interval_s = max(signal.clearance_s + signal.min_green_s for signal in signals)
    for pair in permutations(range(most), 2):
        for wanted in pair:
            phases = [wanted % len(signal.phases) for signal in signals]
            yield NextPhase(np.array(phases), interval_s)


def nobody(network: Network, folder: Path, *, end_s: float, begin_s: float = 0.0) -> Scenario:
    """The network without any vehicle, for so long."""
    return replace(
        cases.without_vehicles(folder),
        net_file=network.net_file,
        begin_s=begin_s,
        end_s=begin_s + end_s,
    )


def check_every_change(network: Network, folder: Path, *, begin_s: float = 0.0) -> None:
    """A command takes each signal from each of its phases to each other one."""
    asked = list(every_change(network.signals))
    end_s = sum(command.interval_s for command in asked)
    witness = watch(network, nobody(network, folder, end_s=end_s, begin_s=begin_s), asked)
    for signal in network.signals:
        states = [phase.state for phase in signal.phases]
        shown = witness.shown[signal.id]
        steps = len(shown) // len(asked)
        ends = [shown[steps * (index + 1) - 1] for index in range(len(asked))]
        reached = set(pairwise(ends))
        assert set(permutations(states, 2)) <= reached, signal.id
    assert [v for v in witness.violations() if v.kind != PLAN_CONFLICT] == []
