"""Every key of the configuration, read from the dataclasses and from the members in conf/."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING as NONE
from dataclasses import Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from omegaconf import OmegaConf

from trafficrl.config.store import conf_dir

__all__ = ["Key", "Member", "keys_of", "meanings", "members_of", "shown"]

WORDS = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Any: "text, list or mapping",
}


@dataclass(frozen=True)
class Key:
    """One key as a page shows it."""

    name: str
    """Without the group: `signals.yellow_s`."""
    type: str
    default: Any
    """As the dataclass has it; MISSING where a member or the user has to say it."""
    meaning: str
    """Its docstring, or that of its enum."""
    choices: Mapping[str, str]
    """Of an enum: name -> what it means."""


@dataclass(frozen=True)
class Member:
    """A file of conf/."""

    name: str
    title: str
    """Its first comment."""
    kind: str
    values: Mapping[str, Any]
    """Key -> what it says."""


def keys_of(schema: type, declared_in: type | None = None, prefix: str = "") -> Iterator[Key]:
    """The keys of a dataclass in their order, those of nested ones in their place.

    Args:
        schema: the dataclass.
        declared_in: only those that this one of its bases declares; None for all.
        prefix: before each name.
    """
    hints = get_type_hints(schema)
    own = inspect.get_annotations(declared_in or schema)
    for field in fields(schema):
        if declared_in is not None and field.name not in own:
            continue
        hint = hints[field.name]
        if is_dataclass(hint):
            assert isinstance(hint, type)
            yield from keys_of(hint, prefix=f"{prefix}{field.name}.")
        else:
            yield _key(schema, field, hint, prefix)
            values = get_args(hint)[1:] if get_origin(hint) is dict else ()
            for value in values:
                if isinstance(value, type) and is_dataclass(value):
                    yield from keys_of(value, prefix=f"{prefix}{field.name}.NAME.")


@cache
def meanings(owner: type) -> Mapping[str, str]:
    """Name -> the docstring under it, of a dataclass's fields or an enum's members."""
    found: dict[str, str] = {}
    for part in reversed(owner.__mro__):
        if part.__module__.startswith("trafficrl."):
            found.update(_declared(part))
    return found


def members_of(group: str) -> list[Member]:
    """The files of a group in conf/, by name."""
    return [_member(group, file.stem) for file in sorted((conf_dir() / group).glob("*.yaml"))]


def shown(value: Any) -> str:
    """A value as YAML has it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {shown(part)}' for name, part in value.items())}}}"
    return str(value) if value != "" else '""'


def _key(schema: type, field: "Field[Any]", hint: Any, prefix: str) -> Key:
    default = field.default
    if default is NONE and field.default_factory is not NONE:
        default = field.default_factory()
    enum = hint if isinstance(hint, type) and issubclass(hint, Enum) else None
    meaning = meanings(schema).get(field.name, "")
    if enum is not None:
        meaning = meaning or _one_line(enum.__doc__ or "")
    choices = {item.name: meanings(enum).get(item.name, "") for item in enum or ()}
    return Key(f"{prefix}{field.name}", _type(hint), default, meaning, choices)


def _type(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of these"
    if origin in (Union, UnionType):
        parts = [_type(part) for part in arguments if part is not NoneType]
        return " or ".join([*parts, *(["null"] if NoneType in arguments else [])])
    if origin is list:
        return f"list of {_type(arguments[0])}s"
    if origin is dict:
        return "mapping"
    return WORDS[hint]


def _declared(owner: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    assert isinstance(body, ast.ClassDef)
    for node, following in zip(body.body, body.body[1:], strict=False):
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign):
            target = node.targets[0]  # type: ignore[assignment]
        said = following.value if isinstance(following, ast.Expr) else None
        if isinstance(target, ast.Name) and isinstance(said, ast.Constant):
            yield target.id, _one_line(str(said.value))


def _one_line(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split())


def _member(group: str, name: str) -> Member:
    lines = (conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    remarks = [line.removeprefix("#").strip() for line in lines if not line.startswith("# @")]
    said = [line.startswith("#") for line in lines if not line.startswith("# @")]
    title = " ".join(remarks[: said.index(False)])
    values = OmegaConf.to_container(OmegaConf.create("\n".join(lines)), resolve=False)
    assert isinstance(values, dict)
    bases = [str(item) for item in values.pop("defaults", [])]
    kinds = [base.split("/")[-1].split("@")[0] for base in bases if "schema/" in base]
    flat = dict(_flat("", values))
    return Member(name, title, kinds[0] if kinds else "", flat)


def _flat(prefix: str, values: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{prefix}{name}", value
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value
