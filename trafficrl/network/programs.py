"""Programs that signals run instead of those of their network, as SUMO's additional file.

A program is made of a signal's own greens and its clearance, so that whoever times it, nothing is
shown that the driver would not show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from trafficrl.network.netxml import ProgramPhase
from trafficrl.network.phase_plans import build_program
from trafficrl.network.signals import Signal

__all__ = ["SignalProgram", "fixed_program", "responsive_program", "save_signal_programs"]

PROGRAM_ID = "trafficrl"
"""No network has one of that name, and SUMO runs the program that it read last."""
STATIC = "static"


@dataclass(frozen=True, slots=True)
class SignalProgram:
    """What a signal runs."""

    signal_id: str
    kind: str
    """SUMO's type of tlLogic."""
    phases: tuple[ProgramPhase, ...]
    """Greens and clearances in their order."""
    offset_s: float = 0.0
    """When a cycle begins, after the episode has [s]."""
    green_range_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """State of a green -> how long it lasts at least and at most [s]; others last as planned."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    """SUMO's own names and values."""


def fixed_program(
    signal: Signal, greens_s: Sequence[float], *, offset_s: float = 0.0
) -> SignalProgram:
    """All greens of a signal, each as long as given, with the signal's clearance between them."""
    phases = zip(signal.phases, greens_s, strict=True)
    timed = tuple(replace(phase, duration_s=green_s) for phase, green_s in phases)
    plan = build_program(replace(signal, phases=timed))
    return SignalProgram(signal.id, STATIC, plan, offset_s)


def responsive_program(
    signal: Signal, kind: str, *, max_green_s: float, parameters: Mapping[str, float]
) -> SignalProgram:
    """All greens of a signal, whose length SUMO decides from traffic; clearances stay."""
    low_s = signal.min_green_s
    high_s = max(low_s, max_green_s)
    states = [phase.state for phase in signal.phases]
    plan = tuple(
        replace(part, duration_s=min(max(part.duration_s, low_s), high_s))
        if part.state in states
        else part
        for part in build_program(signal)
    )
    ranges = dict.fromkeys(states, (low_s, high_s))
    return SignalProgram(signal.id, kind, plan, green_range_s=ranges, parameters=parameters)


def save_signal_programs(programs: Sequence[SignalProgram], file: Path, *, begin_s: float) -> None:
    """The file is an additional file of SUMO with all the programs.

    Args:
        programs: one for each signal that is not to run its own.
        file: to be written.
        begin_s: simulation time at which the episode begins [s].
    """
    root = ET.Element("additional")
    for program in programs:
        values = {"id": program.signal_id, "type": program.kind, "programID": PROGRAM_ID}
        logic = ET.SubElement(
            root, "tlLogic", {**values, "offset": _number(begin_s + program.offset_s)}
        )
        for name, value in program.parameters.items():
            ET.SubElement(logic, "param", {"key": name, "value": _number(value)})
        for part in program.phases:
            ET.SubElement(logic, "phase", _phase(part, program))
    ET.indent(root, "    ")
    file.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _phase(part: ProgramPhase, program: SignalProgram) -> dict[str, str]:
    values = {"duration": _number(part.duration_s), "state": part.state}
    if part.name:  # SUMO refuses an empty one
        values["name"] = part.name
    if part.state in program.green_range_s:
        low_s, high_s = program.green_range_s[part.state]
        values |= {"minDur": _number(low_s), "maxDur": _number(high_s)}
    return values


def _number(value: float) -> str:
    return f"{value:.12g}"
