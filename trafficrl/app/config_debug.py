"""TRAFFICRL_CONFIG_DEBUG=1: a command tells where each value of its configuration comes from."""

import os
import sys
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig

from trafficrl.app.failures import job_name
from trafficrl.app.stand_ins import ORIGINS
from trafficrl.app.value_sources import ConfigSources, Sourced
from trafficrl.config.store import conf_dir

__all__ = ["tell_sources"]

ASKED = "TRAFFICRL_CONFIG_DEBUG"
MISSING = "???"
COLUMN = 56
"""Where sources stand; behind a longer value they stand behind it."""


def tell_sources() -> None:
    """What was composed last is told with its sources, if it was asked for.

    On stderr, so that programs can still read what a command prints.
    """
    if os.environ.get(ASKED) == "1":
        print("\n".join(source_lines()), file=sys.stderr)


def source_lines() -> list[str]:
    """A line for each choice and each value that somebody set, then the defaults by what has them.

    Of a few hundred values most are defaults: those of one dataclass share a line.
    """
    hydra = HydraConfig.get()
    sources, conf = ConfigSources(hydra), conf_dir()
    head = f"trafficrl-{hydra.job.name}: {job_name()}where each value comes from"
    lines = [f"{head} ({ASKED}); conf/ is {conf}"]
    lines += [_line(f"{group}={one.value}", one, conf) for group, one in sources.choices.items()]
    defaults: dict[str, list[str]] = {}
    for key, one in sources.values.items():
        if one.is_default:
            place = f"{'.'.join(key[:-1]) or 'the rest'}: {one.where}"
            defaults.setdefault(place, []).append(f"{key[-1]} {_text(one.value)}")
        else:
            lines.append(_line(f"{'.'.join(key)}: {_text(one.value)}", one, conf))
    lines += [f"  {place}: {', '.join(named)}" for place, named in defaults.items()]
    return lines


def _line(what: str, one: Sourced, conf: Path) -> str:
    where = _short(one.where, conf)
    before = one.before
    # That a file fills in what a dataclass has is what files are for.
    if before is not None and before.value != MISSING and not before.is_default:
        where += f" (before: {_text(before.value)}, {_short(before.where, conf)})"
    return f"  {what:<{COLUMN}}  # {where}"


def _short(where: str, conf: Path) -> str:
    """Files below `conf/`, or as they are seen from here; nobody wrote what a legacy file says."""
    if where.startswith("override "):
        origin = ORIGINS.get(where.removeprefix("override ").partition("=")[0])
        return f"legacy: {origin}" if origin else where
    for folder, name in ((conf, "conf/"), (Path.cwd(), "")):
        if where.startswith(f"{folder}/"):
            return name + where.removeprefix(f"{folder}/")
    return where


def _text(value: Any) -> str:
    """One line of YAML."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=float("inf"))
    return dumped.removesuffix("\n").removesuffix("\n...")
