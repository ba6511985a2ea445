"""What is shown between two greens, and who stands where the next one would lock him in."""

from collections.abc import Sequence

from trafficrl.network.signals import GREEN, Signal
from trafficrl.simulation.session import SumoSession

__all__ = ["Clearances"]


class Clearances:
    """Of all signals of one session; what is asked for again is remembered.

    Args:
        session: that shows them.
        signals: all of its network.
    """

    def __init__(self, session: SumoSession, signals: Sequence[Signal]) -> None:
        self._session = session
        self._signals = signals
        self._states: dict[tuple[int, int, int], tuple[str, str]] = {}
        self._closed_edges: dict[tuple[int, int], list[str]] = {}

    def between(self, index: int, now: int, following: int) -> tuple[str, str]:
        """Yellow and all-red of a signal between two phases."""
        states = self._states.get((index, now, following))
        if states is None:
            signal = self._signals[index]
            states = signal.yellow_state(now, following), signal.all_red_state(now, following)
            self._states[index, now, following] = states
        return states

    def are_blocked(self, index: int, phase: int) -> bool:
        """Vehicles stand inside the junction, and that phase of the signal has no green for them.

        A left turn waits there for a gap. Crossing vehicles that are let in before it has gone
        stand in its way and it in theirs, for ever: SUMO's junctions lock as real ones do.
        """
        return self._session.count_standing(self._closed_by(index, phase)) > 0

    def _closed_by(self, index: int, phase: int) -> list[str]:
        """Edges inside the junction that belong only to links which are red in that phase."""
        edges = self._closed_edges.get((index, phase))
        if edges is None:
            signal = self._signals[index]
            links = list(zip(signal.inner_edges, signal.phases[phase].state, strict=True))
            open_edges = {edge for inner, letter in links if letter in GREEN for edge in inner}
            all_edges = {edge for inner, _ in links for edge in inner}
            edges = self._closed_edges[index, phase] = sorted(all_edges - open_edges)
        return edges
