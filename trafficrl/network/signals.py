"""Signals as plans: green phases, and the clearance from one green to the next."""

from dataclasses import dataclass

__all__ = ["GREEN", "Phase", "Signal"]

GREEN = "Gg"


@dataclass(frozen=True, slots=True)
class Phase:
    """One green state of a signal: a letter a link (G protected, g yields, s right after a stop,
    r red)."""

    name: str
    state: str
    duration_s: float
    """Green in the fixed-time plan [s], clearance not included."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One traffic signal: its greens in their planned order, and its clearance."""

    id: str
    phases: tuple[Phase, ...]
    yellow_s: float
    all_red_s: float
    min_green_s: float
    incoming_lanes: tuple[tuple[str, ...], ...]
    """For each link index, the lanes that it releases."""
    outgoing_lanes: tuple[tuple[str, ...], ...]
    """For each link index, the lanes that it leads to."""
    inner_edges: tuple[tuple[str, ...], ...] = ()
    """For each link index, the edges inside the junction on which it begins: up to where it
    would wait for others."""
    all_red_hold_s: float = 0.0
    """How much longer all-red lasts at most while vehicles stand on those that it closes [s]."""

    @property
    def cycle_s(self) -> float:
        """Cycle of the fixed-time plan [s]: greens and clearances."""
        return sum(phase.duration_s for phase in self.phases) + len(self.phases) * self.clearance_s

    @property
    def clearance_s(self) -> float:
        """Lost between two different greens [s]."""
        return self.yellow_s + self.all_red_s

    def yellow_state(self, now: int, following: int) -> str:
        """The state while links that lose their green between two phases are cleared."""
        pairs = zip(self.phases[now].state, self.phases[following].state, strict=True)
        return "".join("y" if a in GREEN and b not in GREEN else a for a, b in pairs)

    def all_red_state(self, now: int, following: int) -> str:
        """The state after yellow: only links that both phases release stay released."""
        pairs = zip(self.phases[now].state, self.phases[following].state, strict=True)
        return "".join(a if a == b or (a in GREEN and b in GREEN) else "r" for a, b in pairs)
