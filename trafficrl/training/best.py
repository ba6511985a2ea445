"""Which model is best so far on the validation demand, and when waiting for a better one ends."""

from dataclasses import dataclass
from math import isfinite

__all__ = ["BestSoFar", "Validation"]


@dataclass(frozen=True, slots=True)
class Validation:
    """A model's worth on the validation demand."""

    score: float
    """Higher is better."""
    metrics: dict[str, float]
    """For the log."""


@dataclass
class BestSoFar:
    """The best score, and how many validations in a row have not risen above it by min_delta."""

    patience: int
    min_delta: float
    score: float | None = None
    waited: int = 0
    reference: float | None = None
    """The score that a later one has to rise above by min_delta."""

    def judge(self, score: float) -> bool:
        """Whether this score is the best so far.

        Any rise makes a new best model; only one of min_delta or more starts the patience anew.
        A score that is no finite number is never the best: it is waited over.
        """
        usable = isfinite(score)
        reference = self.reference
        # A difference, because adding a small min_delta to a large score would change nothing.
        if usable and (reference is None or 0 < score - reference >= self.min_delta):
            self.reference, self.waited = score, 0
        else:
            self.waited += 1
        best = usable and (self.score is None or score > self.score)
        if best:
            self.score = score
        return best

    @property
    def exhausted(self) -> bool:
        """Training should stop: the patience is spent."""
        return self.patience > 0 and self.waited >= self.patience
