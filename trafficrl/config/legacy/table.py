"""Every legacy key that is known, and what the earlier program did without a key for it."""

from dataclasses import dataclass
from typing import Any

from trafficrl.config.legacy.city_keys import NETWORK_KEYS, TRAFFIC_KEYS
from trafficrl.config.legacy.keys import UNSAID, LegacyKey
from trafficrl.config.legacy.learning_keys import ACTION_KEYS, LEARNER_KEYS
from trafficrl.config.legacy.observation_keys import FEATURES, OBSERVATION_KEYS, SCOPES
from trafficrl.config.legacy.run_keys import EXECUTION_KEYS, FILE_KEYS, REWARD_KEYS
from trafficrl.config.legacy.values import shown

__all__ = ["KEYS", "NAMES", "PARTS", "SECTIONS", "UNSPOKEN", "Unspoken", "find_key", "key_tables"]

GROUPS = {
    "The file": FILE_KEYS,
    "Network": NETWORK_KEYS,
    "Traffic": TRAFFIC_KEYS,
    "Learner": LEARNER_KEYS,
    "Action": ACTION_KEYS,
    "Observation": OBSERVATION_KEYS,
    "Reward": REWARD_KEYS,
    "Execution": EXECUTION_KEYS,
}
KEYS: tuple[LegacyKey, ...] = tuple(key for keys in GROUPS.values() for key in keys)
NAMES: dict[str, LegacyKey] = {name: key for key in KEYS for name in (key.name, *key.also)}
"""Every spelling of every key."""

PARTS = ("network", "scenarios", "algorithm", "reward", "execution")
"""The five folders of the modular format; of two that say the same key the later one counts."""
SECTIONS = ("network", "traffic", "algorithm", "reward", "reward_params", "execution")
"""Mappings inside a file whose keys count as the file's own."""
IN_SECTION = {("reward", "function"): "reward_function", ("network", "seed"): "network_seed"}
"""Keys that have another meaning within a section: only a `seed` outside of it stands for all."""


@dataclass(frozen=True, slots=True)
class Unspoken:
    """What the earlier program did and no key said."""

    key: str
    """The key here that says it."""
    then: str
    why: str


UNSPOKEN = (
    Unspoken("network.signals.yellow_s", "0", "signals had no clearance"),
    Unspoken("network.signals.all_red_s", "0", "signals had no clearance"),
    Unspoken(
        "network.signals.min_green_s",
        "10",
        "a phase lasts at least as long as it did, its clearance counted",
    ),
    Unspoken("scenarios.*.depart_lane", "first", "vehicles could only enter on lane 0"),
    Unspoken("scenarios.*.depart_speed", "0", "vehicles entered standing"),
    Unspoken("execution.validation_seeds", "20", "on the demand that was trained on; unseen now"),
)
"""Left at the values of this program, since they are what is wrong with the old results."""


def find_key(section: str, name: str) -> LegacyKey | None:
    """The key of that spelling, hyphens being underscores; None where there is none."""
    plain = name.replace("-", "_")
    return NAMES.get(IN_SECTION.get((section, plain), plain))


def key_tables() -> str:
    """What becomes of each key, as Markdown."""
    parts = [_table(title, keys) for title, keys in GROUPS.items()]
    return "\n".join([*parts, _features(), _unspoken()])


def _table(title: str, keys: tuple[LegacyKey, ...]) -> str:
    lines = [f"### {title}", "", "| legacy key | here | without it | |", "|---|---|---|---|"]
    for key in keys:
        names = ", ".join(f"`{name}`" for name in (key.name, *key.also))
        default = "" if key.default is UNSAID else _default(key.default)
        lines.append(f"| {names} | {_place(key.to)} | {default} | {key.why} |")
    return "\n".join([*lines, ""])


def _default(value: Any) -> str:
    """What the earlier program had where nobody said anything."""
    return "below" if isinstance(value, list) and str in map(type, value) else shown(value)


def _place(to: str) -> str:
    if not to:
        return "dropped"
    return f"`{to}`" if " " not in to else to


def _features() -> str:
    heads = ("scope", "legacy feature", "here", "without the list", "")
    lines = ["### Features", "", f"| {' | '.join(heads)} |", "|---|---|---|---|---|"]
    usual = [name for key in OBSERVATION_KEYS for name in key.default]
    for scope, known in FEATURES.items():
        for name, (feature, why) in known.items():
            place = f"`{SCOPES[scope]}_features: {feature}`" if feature else "dropped"
            seen = "seen" if name in usual else ""
            lines.append(f"| {scope} | `{name}` | {place} | {seen} | {why} |")
    return "\n".join([*lines, ""])


def _unspoken() -> str:
    lines = ["### Said by no key", "", "| here | then | |", "|---|---|---|"]
    lines += [f"| `{one.key}` | {one.then} | {one.why} |" for one in UNSPOKEN]
    return "\n".join([*lines, ""])
