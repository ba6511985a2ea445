"""Which of SUMO's options are the user's to set, by the list that the installed SUMO has of them.

An option has one long name and some older or shorter ones; they are told apart by the long name.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import sumo

from trafficrl.errors import ConfigError, RunError
from trafficrl.xmlfiles import XMLFileError, parse_xml

__all__ = ["OURS", "check_option", "is_idle", "is_microscopic", "is_ours", "long_name"]

OURS = {
    "net-file": "network",
    "route-files": "scenarios",
    "additional-files": "scenarios.NAME.additional",
    "begin": "scenarios.NAME.begin_s",
    "end": "execution.end_time",
    "step-length": "network.step_length",
    "seed": "seed",
    "random": "seed",
    "time-to-teleport": "simulation.time_to_teleport_s",
    "default.departspeed": "simulation.depart_speed",
    "default.departlane": "simulation.depart_lane",
    "device.emissions.probability": "evaluation.emissions",
    "start": "execution.gui",
    "quit-on-end": "execution.gui",
}
"""SUMO's option -> our key for it."""
FILES = re.compile(
    r"file|output|dump|prefix|path|save|load|template|schema|jupedsim|replay|astar|weight|"
    r"^configuration|^remote-port|^num-clients|(^|-)log(\.|$)|breakpoints|^language|^device\.ssm"
)
"""Options that name files or ports, or make SUMO write files whose names nobody gave: runs write
what they are told to, into their own folder."""
TOLD = re.compile(
    r"^(no-step-log|no-warnings|duration-log\..*|verbose|print-options|help|version|"
    r"precision|human-readable-time|demo|game)$"
)
"""Options of what SUMO tells and how: runs read it, so they say it themselves."""
REFUSED = {
    r"max-depart-delay": "it takes waiting vehicles out of the demand and of its delay",
    r"time-to-teleport\.remove": "it takes vehicles out of their jam as if they had arrived",
    r"mesosim|meso-.*": "use execution.simulator=meso, which has SUMO's own parameters",
    r"tls\.all-off": "it switches the signals off",
    r"device\.tripinfo\..*": "it leaves vehicles out of what is measured",
}
"""Options under which a result would not mean what it says -> why."""
MICROSCOPIC = re.compile(
    r"lateral-resolution|lanechange\..*|step-method\.ballistic|(intermodal-)?collision\..*|"
    r"default\.(action-step-length|emergencydecel|carfollowmodel)|emergencydecel\..*|"
    r"ignore-junction-blocker|startup-wait-threshold|tls\.yellow\.min-decel|"
    r"device\.(driverstate|toc|bluelight|glosa)\..*"
)
"""Options about lanes, following and braking, which the mesoscopic model does not have. It refuses
two of them and takes the others without a word; trips are the same with and without."""
LONGEST_S = 60


@dataclass(frozen=True, slots=True)
class _Option:
    long_name: str
    default: str


def check_option(where: str, name: str) -> None:
    """Return when the user may give the option.

    Args:
        where: what the message begins with, such as the key.
        name: the option as the user wrote it, without dashes before.

    Raises:
        ConfigError: SUMO has no such option, it follows from another key, or no run has it.
        RunError: SUMO could not be asked.
    """
    if not re.fullmatch(r"[a-z][a-zA-Z0-9._-]*", name):
        raise ConfigError(f"{where}: write SUMO's long name of the option without dashes before")
    known = long_name(name)
    if known in OURS:
        raise ConfigError(f"{where} is not yours to set: use {OURS[known]}")
    if TOLD.search(known):
        raise ConfigError(f"{where} is not yours to set: every run sets what SUMO tells")
    if FILES.search(known):
        raise ConfigError(f"{where}: options that name files or ports cannot be given")
    if reason := _refusal(known):
        raise ConfigError(f"{where} cannot be given: {reason}")
    if known not in _options():
        near = get_close_matches(name, _options(), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else "; see sumo --help"
        raise ConfigError(f"{where}: SUMO {version('eclipse-sumo')} has no such option{hint}")


def is_ours(name: str) -> bool:
    """The option follows from other keys, or would read, write or tell what a run decides."""
    known = long_name(name)
    return known in OURS or any(kind.search(known) is not None for kind in (TOLD, FILES))


def is_microscopic(name: str) -> bool:
    """SUMO's mesoscopic model knows nothing of what the option is about."""
    return MICROSCOPIC.fullmatch(long_name(name)) is not None


def long_name(name: str) -> str:
    """The one name of an option that may have several; what SUMO does not know stays as it is.

    Raises:
        RunError: SUMO could not be asked.
    """
    if name in OURS:  # the usual ones cost no start of SUMO
        return name
    return _options()[name].long_name if name in _options() else name


def is_idle(name: str, value: str) -> bool:
    """The option is refused, but has the value that it would have anyway.

    Raises:
        RunError: SUMO could not be asked.
    """
    known = long_name(name)
    return bool(_refusal(known)) and _options()[known].default.lower() == value.strip().lower()


def _refusal(known: str) -> str:
    for pattern, reason in REFUSED.items():
        if re.fullmatch(pattern, known) and known in _options():
            return reason
    return ""


@cache
def _options() -> Mapping[str, _Option]:
    """Every name of every option of the installed SUMO."""
    program = Path(sumo.SUMO_HOME) / "bin" / ("sumo.exe" if os.name == "nt" else "sumo")
    with TemporaryDirectory() as folder:
        template = Path(folder) / "options.xml"
        try:
            subprocess.run(
                [str(program), "--save-template", str(template)],
                capture_output=True,
                timeout=LONGEST_S,
                check=True,
                env={**os.environ, "SUMO_HOME": sumo.SUMO_HOME},
            )
            elements = [item for item in parse_xml(template).iter() if "value" in item.attrib]
        except (OSError, subprocess.SubprocessError, XMLFileError) as error:
            raise RunError(
                f"sumo ({program}) could not be asked for its options: {error}"
            ) from error
    found = {}
    for element in elements:
        option = _Option(element.tag, element.get("value", ""))
        # SUMO's own spelling of the attribute.
        for name in (element.tag, *element.get("synonymes", "").split()):
            found[name] = option
    return found
