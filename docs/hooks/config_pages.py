"""The pages of the configuration: one a group, with every key in the class that declares it."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from inspect import getdoc
from typing import Any

from config_keys import Key, Member, keys_of, members_of, shown
from omegaconf import MISSING

from trafficrl.config.controllers import standard_controllers
from trafficrl.config.execution import EvaluationConfig, ExecutionConfig
from trafficrl.config.experiment import CollectConfig, EvaluateConfig, ExperimentConfig
from trafficrl.config.render import RenderConfig
from trafficrl.config.simulation import SimulationConfig
from trafficrl.config.store import GROUPS, SCHEMAS

__all__ = ["all_keys", "configuration_pages"]

TITLES = {
    "network": "The city: generated, or given, and the clearance of its signals.",
    "scenarios": "Who drives. Each scenario has a name of its own, which stands for `NAME` below: "
    "`scenarios.morning.num_vehicles=300`. `scenarios=[light,heavy_load]` mixes members.",
    "algorithm": "The learner, what it sees and what it decides.",
    "reward": "Named terms times weights; what each term is, says [Seen and paid](../features.md).",
    "simulation": "How SUMO simulates, beside network and demand.",
    "execution": "How long, how many environments, what is kept.",
    "controller": "Classical control. Each entry has a name, which stands for `NAME` below and is "
    "what `controllers=[...]` names; `'+controller.mp5={kind: max_pressure, interval_s: 5}'` adds "
    "one.",
}
SINGLE = {"simulation": ("sumo", SimulationConfig), "execution": ("run", ExecutionConfig)}
NAMED = ("scenarios", "controller")
COMMANDS: dict[str, type] = {
    "trafficrl-evaluate": EvaluateConfig,
    "trafficrl-collect": CollectConfig,
    "trafficrl-render": RenderConfig,
}


def configuration_pages() -> dict[str, str]:
    """File name -> Markdown."""
    pages = {group: "\n".join(_group_page(group)) for group in (*GROUPS, "controller")}
    pages["experiment"] = "\n".join(_experiment_page())
    return pages


def all_keys() -> dict[str, Key]:
    """Every key by its whole name, where it is written first."""
    found: dict[str, Key] = {}
    for group in (*GROUPS, "controller"):
        for schema in _kinds(group).values():
            for key in keys_of(schema):
                found.setdefault(f"{group}{'.NAME' * (group in NAMED)}.{key.name}", key)
    for key in _experiment_keys():
        found[key.name] = key
    return found


def _kinds(group: str) -> dict[str, type]:
    return SCHEMAS[group] if group in SCHEMAS else dict([SINGLE[group]])


def _group_page(group: str) -> Iterator[str]:
    kinds = _kinds(group)
    members = members_of(group) if group in GROUPS else _standard()
    yield f"# {group}\n\n{TITLES[group]}\n"
    if group != "controller":
        yield from _member_table(group, members, several=len(kinds) > 1)
    heading = ""
    for owner, used_by in _owners(kinds):
        title = "Every kind" if len(used_by) == len(kinds) else ", ".join(used_by)
        if len(kinds) > 1 and title != heading:
            yield f"\n## {title}\n"
        heading = title
        yield f"{getdoc(owner)}\n"
        yield from _section(group, owner, used_by, kinds, members)


def _owners(kinds: dict[str, type]) -> list[tuple[type, list[str]]]:
    """Each dataclass that declares keys, the most general first, with the kinds that have them."""
    found: dict[type, list[str]] = {}
    for schema in kinds.values():
        for owner in reversed(schema.__mro__):
            if is_dataclass(owner) and list(_own_keys(owner)):
                found[owner] = [name for name, one in kinds.items() if issubclass(one, owner)]
    return sorted(found.items(), key=lambda item: -len(item[1]))


def _own_keys(owner: Any) -> Iterator[Key]:
    first = not any(is_dataclass(base) for base in owner.__mro__[1:])
    for key in keys_of(owner, declared_in=owner):
        if first or key.name != "kind":
            yield key


def _section(
    group: str, owner: type, used_by: list[str], kinds: dict[str, type], members: Sequence[Member]
) -> Iterator[str]:
    where = f"{group}.NAME" if group in NAMED else group
    mine = [one for one in members if len(kinds) == 1 or one.kind in used_by]
    for key in _own_keys(owner):
        choices = f"one of {', '.join(f'`{name}`' for name in kinds)}"
        one = replace(key, type=choices) if key.name == "kind" else key
        yield from _key(where, one, mine, of="" if len(used_by) == len(kinds) else used_by[0])


def _key(where: str, key: Key, members: Sequence[Member], *, of: str = "") -> Iterator[str]:
    """One key; kinds may have keys of one name, so the first of them stands in its anchor."""
    name = f"{where}.{key.name}" if where else key.name
    facts = [key.type]
    if key.name == "kind" or key.default == MISSING:
        facts.append("no default")
    else:
        facts.append(f"default `{shown(key.default)}`")
    named = where.endswith("NAME")
    facts += [f"{label} `{shown(value)}`" for label, value in _said(key, members, named=named)]
    yield f"\n#### {name} {{ #{name}{'-' * bool(of)}{of} }}\n"
    yield f"{key.meaning}\n"
    yield f"{' · '.join(facts)}\n{{ .facts }}\n"
    for choice, meaning in key.choices.items():
        yield f"- `{choice}`{': ' if meaning else ''}{meaning}"


def _said(key: Key, members: Sequence[Member], *, named: bool) -> Iterator[tuple[str, Any]]:
    """What members say of it, each with the name that it goes by."""
    for member in members:
        if key.name in member.values:
            yield member.name, member.values[key.name]
        for path, value in member.values.items():
            entry, _, name = path.partition(".")
            if named and name == key.name and isinstance(member.values.get(entry), dict):
                yield entry, value


def _member_table(group: str, members: Sequence[Member], *, several: bool) -> Iterator[str]:
    yield f"| `{group}=` | {'kind | ' if several else ''}|\n|---|{'---|' if several else ''}---|"
    for member in members:
        kind = f"`{member.kind}` | " if several else ""
        yield f"| `{member.name}` | {kind}{member.title} |"
    if group in ("network", "scenarios"):
        kind = f"`{'net_file' if group == 'network' else 'route_file'}` | " if several else ""
        yield f"| `resco/NAME` | {kind}A published scenario, with `trafficrl[resco]`. |"
    yield ""


def _standard() -> list[Member]:
    """The controllers that can be named without further ado; of presets, what they change."""
    found = []
    for name, config in standard_controllers().items():
        usual = type(config)()
        items = {item.name: getattr(config, item.name) for item in fields(config)}
        values = {key: value for key, value in items.items() if value != getattr(usual, key)}
        found.append(Member(name, "", config.kind, values))
    return found


def _experiment_page() -> Iterator[str]:
    yield "# Beside the groups\n\nKeys of every command that reads a configuration.\n"
    for key in keys_of(ExperimentConfig):
        if _beside(key):
            yield from _key("", key, ())
    yield "\n## evaluation\n"
    yield f"{getdoc(EvaluationConfig)}\n"
    for key in keys_of(EvaluationConfig):
        yield from _key("evaluation", key, ())
    for command, schema in COMMANDS.items():
        yield f"\n## {command}\n"
        yield f"{getdoc(schema)}\n"
        for key in keys_of(schema, declared_in=schema):
            yield from _key("", key, ())


def _experiment_keys() -> Iterator[Key]:
    yield from filter(_beside, keys_of(ExperimentConfig))
    yield from keys_of(EvaluationConfig, prefix="evaluation.")
    for schema in COMMANDS.values():
        yield from keys_of(schema, declared_in=schema)


def _beside(key: Key) -> bool:
    group = key.name.partition(".")[0]
    return group not in (*GROUPS, "controller", "evaluation")
