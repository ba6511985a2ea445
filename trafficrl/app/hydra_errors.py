"""What Hydra found wrong with a command line or a YAML file, as one line."""

import re

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException, ValidationError
from yaml import MarkedYAMLError

from trafficrl.config.explain import ADD_ENTRY, explain
from trafficrl.config.resco import INSTALL_RESCO
from trafficrl.config.store import GROUPS, members
from trafficrl.errors import unknown_name

__all__ = ["explain_composition"]


def explain_composition(error: Exception) -> str:
    """One line that names the override, key or file, what is wrong with it, and the choices."""
    if isinstance(error, OverrideParseException):
        return _malformed_override(error)
    if isinstance(error, MissingConfigException):
        return _missing_config(error)
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{mark.name}:{mark.line + 1}:{mark.column + 1}: {error.problem}"
    # Hydra raises some of its own errors with, some without `from`.
    fault = error.__cause__ or error.__context__
    if isinstance(error, OmegaConfBaseException):
        return explain(error)
    if isinstance(fault, OmegaConfBaseException):
        return _new_entry(error, fault) or explain(fault)
    return _no_such_choice(str(error)) or " ".join(str(error).split())


def _malformed_override(error: OverrideParseException) -> str:
    lines = error.message.splitlines()
    reason = lines[1] if len(lines) > 1 else lines[0]
    return f"cannot read the override {error.override!r} ({reason}); write key=value"


def _missing_config(error: MissingConfigException) -> str:
    group, _, name = str(error.missing_cfg_file or "").rpartition("/")
    choices = list(error.options or [])
    if name and group.endswith("/resco"):
        group, name = group.removesuffix("/resco"), f"resco/{name}"
        choices = members(group)
        if not any(choice.startswith("resco/") for choice in choices):
            return f"{group}={name}: {INSTALL_RESCO}"
    if not choices and group in GROUPS:
        choices = members(group)
    if group and choices:
        return unknown_name(group, name, choices)
    if group:
        return f"{group}: unknown {name!r}; there are none to choose from"
    return " ".join(str(error).split("\n\n")[0].split())


def _no_such_choice(message: str) -> str:
    """Why a member cannot replace values that stand in the primary config itself."""
    found = re.match(r"Could not override '(\w+)'\.\s+No match in the defaults list", message)
    if not found:
        return ""
    group = found[1]
    return f"{group}: this config holds the values of its {group}; set {group}.KEY=VALUE instead"


def _new_entry(error: Exception, fault: OmegaConfBaseException) -> str:
    """How to add to a mapping of dataclasses, which OmegaConf refuses with half a key."""
    if not isinstance(fault, ValidationError) or fault.object_type is not None:
        return ""
    override = str(error).rpartition(" ")[2]
    for where, how in ADD_ENTRY.items():
        if override.lstrip("+").startswith(where):
            return f"cannot add {override!r}; {how}"
    return ""
