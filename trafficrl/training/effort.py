"""What a training will take, reckoned from a few of its own steps: time, and memory.

A step becomes slower while the roads of an episode fill. Where no end of an episode was seen, what
is left of it is taken to be as slow as the last steps that were seen.
"""

from dataclasses import dataclass
from math import ceil

__all__ = ["Effort"]

LATE_SHARE = 0.25
"""Of the steps that were made, those at the end that the rest of an episode is like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Measured on this machine as it was busy then."""

    parameters: int
    """Numbers that are learned."""
    steps_s: tuple[float, ...]
    """A step of all environments side by side each [s]."""
    begin_s: float
    """Until all environments have begun an episode [s]."""
    whole_episode: bool
    """Every environment came to the end of one."""
    gradient_s: float
    """A gradient step [s]."""
    update_steps: int
    """Decisions of all environments between two updates."""
    update_gradients: int
    """Gradient steps of an update."""
    idle_updates: int
    """At the beginning, in which nothing is learned yet."""
    num_envs: int
    learner_bytes: int
    """The learner's process at its highest; one environment is in it where it is the only one."""
    experience_bytes: int
    """That it will hold beside that when what it learns from is full."""
    environment_bytes: int
    """The process of an environment at its highest."""
    together_bytes: int
    """Of the learner and all environments; what they share counts once."""
    simulation_bytes: int
    """What an environment needs for its episode; part of the others."""

    def episode_s(self, decisions: int) -> float:
        """One episode of so many decisions in all environments side by side [s]."""
        if self.whole_episode:  # its last step begins the next one
            return sum(self.steps_s)
        late = self.steps_s[-ceil(LATE_SHARE * len(self.steps_s)) :]
        left = max(decisions - len(self.steps_s), 0)
        return self.begin_s + sum(self.steps_s) + left * sum(late) / len(late)

    def rollout_s(self, timesteps: int, decisions: int) -> float:
        """That many environment steps of a training, without what is learned from them [s]."""
        # One that ends before its time, since all have arrived, is as long as it was.
        length = len(self.steps_s) if self.whole_episode else decisions
        steps = self.whole_updates(timesteps) * self.update_steps / self.num_envs
        return steps / length * self.episode_s(decisions)

    def update_s(self, timesteps: int) -> float:
        """All updates that belong to that many environment steps [s]."""
        updates = max(self.whole_updates(timesteps) - self.idle_updates, 0)
        return updates * self.update_gradients * self.gradient_s

    def whole_updates(self, timesteps: int) -> int:
        """Until that many environment steps are done: a training ends with an update."""
        return ceil(timesteps / self.update_steps)
