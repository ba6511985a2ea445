"""A legacy experiment as values of ours, and for each of its keys what became of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import Enum
from math import ceil
from pathlib import Path
from typing import Any

from trafficrl.config.legacy.city_keys import SEEDS
from trafficrl.config.legacy.given import Given, in_scenario, read, slug
from trafficrl.config.legacy.keys import UNSAID, LegacyKey, Moved, Run
from trafficrl.config.legacy.reading import Entry, Legacy
from trafficrl.config.legacy.run_keys import FILE_KEYS, REWARD_FUNCTIONS
from trafficrl.config.legacy.table import KEYS, NAMES, SECTIONS
from trafficrl.config.legacy.values import shown
from trafficrl.config.network import ClearanceConfig
from trafficrl.config.reward import RewardConfig
from trafficrl.errors import ConfigError

__all__ = ["Fate", "Migration", "Outcome", "Setting", "migrate"]

MOST_ENVS = 16
BASES = {"network": "grid6_realistic", "algorithm": "ppo_default", "execution": "long_run"}
"""Group -> the member whose values count where neither the file nor the earlier program has any."""


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


def migrate(legacy: Legacy) -> Migration:
    """What the experiment is here.

    Raises:
        ConfigError: a value that is of another kind or asks for what there is not, or keys that
            contradict each other.
    """
    given = Given(legacy)
    mover = _Mover(given)
    for key in KEYS:
        mover.move(key)
    settings = {group: Setting(member) for group, member in BASES.items()} | mover.settings
    settings |= _unsaid(given, settings)
    return Migration(
        name=slug(given.name),
        description=str(given.value("description", "")),
        legacy=legacy,
        settings=settings,
        scenarios=tuple(given.scenarios),
        outcomes=(*mover.outcomes, *_rest(legacy)),
    )


class _Mover:
    """Moves one key after the other."""

    def __init__(self, given: Given) -> None:
        self.settings: dict[str, Setting] = {}
        self.outcomes: list[Outcome] = []
        self._given = given
        self._seeded = given.value("seed") is not None
        self._run = Run(
            envs=environments(given),
            reward=given.value("reward_function", REWARD_FUNCTIONS[0]),
            folder=Path(),
        )

    def move(self, key: LegacyKey) -> None:
        """All that is said of the key has its outcome."""
        if in_scenario(key):
            for entry, scenarios in self._given.by_scenario(key):
                self._settle(key, entry, scenarios)
        elif key in FILE_KEYS:  # each file its own, and each scenario
            for entry in self._given.wherever(key):
                self._settle(key, entry, [])
        else:
            said: Sequence[Entry | None] = self._given.everywhere(key) or [None]
            for entry in said:
                self._settle(key, entry, self._given.scenarios)

    def _settle(self, key: LegacyKey, entry: Entry | None, scenarios: list[str]) -> None:
        if entry is not None and key.name in SEEDS and self._seeded:
            self._note(entry, Fate.dropped, why="seed overrules it, as it did")
            return
        if entry is None or entry.value is None:
            if entry is not None:
                self._note(entry, Fate.dropped, why="it says nothing")
            if key.default is not UNSAID:
                moved = key.moved(key.default, self._run)
                why = moved.why or ("" if key.moves else key.remark(key.default))
                self._set(spread(moved, scenarios), None, why)
            return
        if in_scenario(key) and not scenarios:
            self._note(entry, Fate.overlaid, why="each scenario says it itself")
            return
        value = read(key, entry)
        try:
            moved = key.moved(value, replace(self._run, folder=entry.folder))
        except ValueError as error:
            raise ConfigError(f"{entry.place}: {entry.path}: {error}") from error
        settings = spread(moved, scenarios)
        self._set(settings, entry)
        changed = any(shown(one) != shown(value) for one in settings.values()) or moved.why
        fate = Fate.dropped if not key.to else Fate.changed if changed else Fate.kept
        # What a key of its own way tells is how its value changes.
        told = key.remark(value) if fate is not Fate.kept or key.moves is None else ""
        self._note(entry, fate, settings, moved.why or told)

    def _set(self, settings: Mapping[str, Any], entry: Entry | None, why: str = "") -> None:
        for name, value in settings.items():
            self.settings[name] = Setting(value, entry, why)

    def _note(
        self, entry: Entry, fate: Fate, settings: Mapping[str, Any] | None = None, why: str = ""
    ) -> None:
        self.outcomes.append(Outcome(entry, fate, settings or {}, why))


def spread(moved: Moved, scenarios: Iterable[str]) -> dict[str, Any]:
    """The settings, those of a scenario under the name of each of these."""
    return {
        name.replace("*", scenario): value
        for name, value in moved.settings.items()
        for scenario in (scenarios if "*" in name else [""])
    }


def environments(given: Given) -> int:
    """How many the earlier program would have had side by side."""
    if given.value("single_env", False):
        return 1
    return int(given.value("parallel_envs", min(len(given.scenarios), MOST_ENVS)))


def _unsaid(given: Given, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """What no file says and the earlier program decided as it went."""
    drawn = "drawn anew then; one to have a run again by"
    found = {
        "network.network_seed": Setting(1, why=drawn),
        "execution.parallel_envs": Setting(
            environments(given), why=f"one for each scenario, {MOST_ENVS} at most"
        ),
        "execution.eval_freq": replace(
            settings["execution.checkpoint_freq"], why="with every checkpoint"
        ),
        "execution.score": Setting("reward", why="the best model was chosen by its reward"),
    }
    for name in given.scenarios:
        where = f"scenarios.{name}"
        seeded = f"{where}.private_traffic_seed" in settings
        demand, why = ("fixed", "its seeds are given") if seeded else ("fresh", "it has no seeds")
        found |= {
            f"{where}.private_traffic_seed": Setting(1, why=drawn),
            f"{where}.public_traffic_seed": Setting(2, why=drawn),
            f"{where}.demand": Setting(demand, why=why),
            f"{where}.public_stop_spacing_m": Setting(0, why="public transport did not stop"),
        }
    found |= _whole_steps(settings["network.step_length"].value)
    return {name: setting for name, setting in found.items() if name not in settings}


def _whole_steps(step_s: float) -> dict[str, Setting]:
    """Times of ours that do not fit a longer simulation step, rounded up."""
    signals = ClearanceConfig()
    times = {
        **{f"network.signals.{name}": value for name, value in vars(signals).items()},
        "reward.sample_s": RewardConfig.sample_s,
    }
    rounded = {key: ceil(time_s / step_s - 1e-9) * step_s for key, time_s in times.items()}
    why = f"in whole steps of {step_s:g} s"
    return {key: Setting(new, why=why) for key, new in rounded.items() if new != times[key]}


def _rest(legacy: Legacy) -> Iterator[Outcome]:
    """What is overlaid, says nothing, or is no known key."""
    for entry, over in legacy.overlaid:
        yield Outcome(entry, Fate.overlaid, why=f"{over.place} says {shown(over.value)}")
    for entry in (*legacy.entries, *(one for own in legacy.scenarios for one in own)):
        if entry.known is not None:
            continue
        name = entry.path.rpartition(".")[2]
        if name in SECTIONS and not entry.value:
            yield Outcome(entry, Fate.dropped, why="it says nothing")
            continue
        if name in SECTIONS:
            raise ConfigError(
                f"{entry.place}: {entry.path} must be a mapping, got {shown(entry.value)}"
            )
        near = get_close_matches(name.replace("-", "_"), NAMES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield Outcome(entry, Fate.unknown, why=f"no key of the earlier program{hint}")
