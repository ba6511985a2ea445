"""What became of a legacy experiment: its values here, and the fate of each of its keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from trafficrl.config.legacy.reading import Entry, Legacy
from trafficrl.errors import ConfigError

__all__ = ["Fate", "Migration", "Outcome", "Setting"]


class Fate(Enum):
    """What became of a key."""

    kept = "kept"
    """Its value stands under a key here."""
    changed = "changed"
    """So it does, in another unit or form."""
    dropped = "dropped"
    """There is nothing here for it to say."""
    overlaid = "overlaid"
    """A file that inherits from its own says otherwise."""
    unknown = "unknown"
    """It was no key of the earlier program either."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One key that somebody wrote, and what became of it."""

    entry: Entry
    fate: Fate
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Full key here -> value."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value here, and where it comes from."""

    value: Any
    entry: Entry | None = None
    """None where no file says it."""
    why: str = ""
    """Where it is neither a file's nor what the earlier program had without one."""


@dataclass(frozen=True, slots=True)
class Migration:
    """The experiment as it is here."""

    name: str
    description: str
    legacy: Legacy
    settings: Mapping[str, Setting]
    """Full key -> value; that of a group is a member of it."""
    scenarios: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    """Of every key of every file."""

    def fates(self, *fates: Fate) -> list[Outcome]:
        """The outcomes of these kinds."""
        return [one for one in self.outcomes if one.fate in fates]

    def refuse_unknown(self) -> None:
        """Return when every key is known.

        Raises:
            ConfigError: naming all that are not.
        """
        unknown = self.fates(Fate.unknown)
        if unknown:
            raise ConfigError(
                "; ".join(f"{one.entry.place}: {one.entry.path}: {one.why}" for one in unknown)
            )
