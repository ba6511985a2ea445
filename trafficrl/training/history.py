"""Where an environment stands, told so that it can be brought there again."""

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

__all__ = ["SlotHistory"]


@dataclass(slots=True)
class SlotHistory:
    """The episode of a slot and all that was done in it."""

    seed: int | None = None
    """Of the slot's sequence of episodes; None for the one that its environment was made with."""
    episode: int = -1
    """Index in that sequence; -1 before the first."""
    actions: list[NDArray[Any]] = field(default_factory=list)
    """Since the episode's reset."""

    def next(self, seed: int | None = None) -> "SlotHistory":
        """Where a reset leads: the next episode, or with a seed the first one of its sequence."""
        if seed is not None:
            return SlotHistory(seed, 0)
        return SlotHistory(self.seed, self.episode + 1)

    def copy(self) -> "SlotHistory":
        """One that goes on by itself."""
        return SlotHistory(self.seed, self.episode, list(self.actions))

    def __str__(self) -> str:
        if self.episode < 0:
            return "at its start"
        seed = "" if self.seed is None else f" of seed {self.seed}"
        return f"episode {self.episode}{seed}, decision {len(self.actions)}"
