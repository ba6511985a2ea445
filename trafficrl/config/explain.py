"""What OmegaConf found wrong, as the one line that a user needs to mend it."""

from dataclasses import fields
from difflib import get_close_matches

from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from trafficrl.config.algorithm import AlgorithmConfig
from trafficrl.config.network import NetworkConfig
from trafficrl.config.scenarios import ScenarioConfig
from trafficrl.config.store import GROUPS, SCHEMAS, members

__all__ = ["ADD_ENTRY", "explain"]

ADD_ENTRY = {
    "reward.terms": "to add a term write +reward.terms={NAME:{weight:W}}",
    "scenarios": "to add a scenario write +schema/scenarios@scenarios.NAME=generated",
    "controller": "to add a controller write +controller.NAME={kind: KIND}",
    "simulation.options": "to add an option write +simulation.options.NAME=VALUE",
}
"""Where entries have names of the user's own -> how the command line adds one."""

_BASES = (AlgorithmConfig, NetworkConfig, ScenarioConfig)


def explain(error: OmegaConfBaseException) -> str:
    """One line with the key, what is wrong with it, and the choices where there are any."""
    if isinstance(error, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(error)
    where = error.full_key or "the configuration"
    if isinstance(error, MissingMandatoryValue):
        return _missing_value(where)
    return f"{where}: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    """What comes before the indented details of OmegaConf's and Hydra's messages."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    plain_word = line.split(" ", maxsplit=1)[0][1:].islower()
    return line[0].lower() + line[1:] if plain_word else line


def _unknown_key(error: OmegaConfBaseException) -> str:
    where, key = str(error.full_key), str(error.key)
    shared = _shared_key(where, key)
    if shared:
        return shared
    if error.object_type in _BASES:
        entry, group = where.removesuffix(f".{key}"), where.split(".", maxsplit=1)[0]
        place = "_here_" if entry == group else entry.split(".")[-1]
        kinds = " or ".join(f"/schema/{group}/{kind}@{place}" for kind in SCHEMAS[group])
        return f"{where}: {entry} has no kind; begin the defaults of its file with {kinds}"
    choices = _keys(error.parent_node)
    near = get_close_matches(key, choices, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    known = f"; choices: {', '.join(choices)}" if choices else ""
    add = ADD_ENTRY.get(where.removesuffix(f".{key}"))
    return f"{where}: unknown key{hint}{known}{f'; {add}' if add else ''}"


def _shared_key(where: str, key: str) -> str:
    """Why a scenario may not hold this key, when it is one that all scenarios of a run share."""
    if not where.startswith("scenarios."):
        return ""
    network = {item.name for kind in SCHEMAS["network"].values() for item in fields(kind)}
    if key in network - {"kind"}:
        return f"{where}: all scenarios of a run share the network; set network.{key}"
    if key == "end_time":
        return f"{where}: all scenarios of a run share the end time; set execution.end_time"
    return ""


def _missing_value(where: str) -> str:
    group = where.split(".", maxsplit=1)[0]
    if group not in GROUPS:
        return f"{where}: a value is mandatory; set {where}=VALUE"
    choose = f"choose {group}=MEMBER; choices: {', '.join(members(group))}"
    if where == group:
        return f"{where}: a member is mandatory; {choose}"
    return f"{where}: a value is mandatory; set {where}=VALUE or {choose}"


def _keys(node: object) -> list[str]:
    keys = [str(key) for key in node] if isinstance(node, DictConfig) else []
    return sorted(key for key in keys if key != "hydra")
