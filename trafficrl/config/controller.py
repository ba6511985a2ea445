"""What the parameters of every kind of controller have in common."""

from dataclasses import dataclass

from omegaconf import MISSING

__all__ = ["ControllerConfig"]


@dataclass(kw_only=True)
class ControllerConfig:
    """A controller with its parameters; `kind` names the dataclass of the entry."""

    kind: str = MISSING
    """What decides, and so which other keys there are."""
