"""A migrated experiment as a file of `conf/experiment/`, or as overrides that say the same."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from trafficrl.config.legacy.outcomes import Fate, Migration, Setting
from trafficrl.config.legacy.values import shown

__all__ = ["experiment_file", "origins", "overrides"]

GROUPS = ("network", "scenarios", "algorithm", "reward", "execution")
SCHEMA = "schema/scenarios"


def overrides(migration: Migration, beside: Sequence[str] = ()) -> list[str]:
    """The command line that says the same, to stand before the words beside it.

    Whoever writes such a word means it: what the old file says of the same key is left out, and
    with a member of a group all that it says of that group.
    """
    return [word for _, word in _words(migration, beside)]


def origins(migration: Migration, beside: Sequence[str] = ()) -> dict[str, str]:
    """Where each of those overrides comes from, by what stands before its first `=`."""
    return {
        word.partition("=")[0]: _origin_of(migration, key)
        for key, word in _words(migration, beside)
    }


def _origin_of(migration: Migration, key: str) -> str:
    setting = migration.settings.get(key, Setting([]))
    if setting.entry is not None:
        return f"{setting.entry.place} {setting.entry.path}"
    if key in GROUPS or key not in migration.settings:
        return sources(migration)
    return setting.why or "the earlier program's default"


def _words(migration: Migration, beside: Sequence[str]) -> list[tuple[str, str]]:
    """Full key and override."""
    said = {  # what a word takes away must be there first
        re.split("[=@]", word.lstrip("+"), maxsplit=1)[0]
        for word in beside
        if not word.startswith("~")
    }
    words: list[tuple[str, str]] = []
    for group in GROUPS:
        if group == "scenarios":
            words.append(("scenarios", "scenarios=[]"))
            words += [
                (f"scenarios.{name}", f"+{SCHEMA}@scenarios.{name}=generated")
                for name in migration.scenarios
            ]
        else:
            words.append((group, f"{group}={migration.settings[group].value}"))
    words += [
        (key, f"{key}={_quoted(setting.value)}")
        for key, setting in migration.settings.items()
        if key not in GROUPS
    ]
    return [
        (key, word) for key, word in words if key not in said and key.partition(".")[0] not in said
    ]


def experiment_file(migration: Migration) -> str:
    """The text of the file; each value has the line beside it that it comes from."""
    lines = ["# @package _global_", *_head(migration), "defaults:"]
    lines += [f"  - /{SCHEMA}/generated@scenarios.{name}" for name in migration.scenarios]
    for group in GROUPS:
        setting = migration.settings.get(group, Setting([]))
        lines.append(f"  - override /{group}: {_scalar(setting.value)}{_origin(setting)}")
    lines += ["  - _self_", ""]
    tree: dict[str, Any] = {}
    for key, setting in migration.settings.items():
        if key not in GROUPS:
            _put(tree, key.split("."), setting)
    return "\n".join([*lines, *_body(tree, ""), ""])


def _head(migration: Migration) -> Iterator[str]:
    """What the file is, and which keys have left nothing in it."""
    if migration.description:
        yield f"#{_comment(migration.description)}"
    yield f"#{_comment(f'Migrated from {sources(migration)}.')}"
    yield "# Where no line of a file is named, the value is the one that the earlier program had."
    for one in migration.fates(Fate.dropped, Fate.unknown, Fate.overlaid):
        what = f"{one.entry.path} {shown(one.entry.value)}"
        line = f"{one.fate.value}: {what} ({Path(one.entry.place).name}): {one.why}"
        yield f"#{_comment(line)}"


def sources(migration: Migration) -> str:
    """The files, or the command, that it comes from."""
    places = [one.entry.place for one in migration.outcomes]
    return ", ".join(dict.fromkeys(re.sub(r":\d+\Z", "", place) for place in places))


def _put(tree: dict[str, Any], parts: Sequence[str], setting: Setting) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    tree[parts[-1]] = setting


def _body(tree: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name in sorted(tree, key=_order) if not indent else tree:
        value = tree[name]
        if isinstance(value, Setting):
            yield f"{indent}{_scalar(name)}: {_scalar(value.value)}{_origin(value)}"
        else:
            yield f"{indent}{_scalar(name)}:"
            yield from _body(value, f"{indent}  ")


def _order(group: str) -> int:
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)


def _origin(setting: Setting) -> str:
    name = Path(setting.entry.place).name if setting.entry else ""
    told = ", ".join(part for part in (name, setting.why) if part)
    return f"  #{_comment(told)}" if told else ""


def _comment(text: str) -> str:
    """The text in one line, whatever somebody wrote: a second one would be read."""
    return f" {''.join(letter if letter.isprintable() else '?' for letter in text)}"


def _scalar(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _quoted(value: Any) -> str:
    """A value that Hydra reads as it is."""
    if isinstance(value, list):
        return f"[{','.join(_quoted(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
