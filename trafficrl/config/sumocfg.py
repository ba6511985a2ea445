"""A .sumocfg, SUMO's own way to say network, demand and times, as ours."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.config.sumo_options import OURS, check_option, is_idle, is_ours, long_name
from trafficrl.errors import ConfigError
from trafficrl.xmlfiles import XMLFileError, parse_xml

__all__ = ["SumoConfiguration", "load_sumocfg", "parse_time_s"]

CARRIED = ("time-to-teleport", "default.departspeed", "default.departlane")
"""Options of SUMO that have keys under `simulation`."""

MEMBERS = {"network": "net_file", "scenarios": "route_file", "simulation": ""}
"""Groups -> the member that a .sumocfg is about."""


@dataclass(frozen=True)
class SumoConfiguration:
    """What a .sumocfg says, its files relative to where it lies."""

    file: Path
    net_file: Path
    route_files: tuple[Path, ...]
    additional_files: tuple[Path, ...]
    begin_s: float
    end_s: float | None
    step_length_s: float | None
    options: dict[str, str]
    """By SUMO's long names: what goes to SUMO as it is, and what `CARRIED` has keys for."""
    left_out: tuple[str, ...]
    """Options that are ours to decide: outputs, messages, seeds, ports."""

    @property
    def length_s(self) -> float | None:
        """How long a simulation is to last [s]; None where the file does not say."""
        return None if self.end_s is None else self.end_s - self.begin_s

    def scenario(self) -> RouteFileScenarioConfig:
        """The demand as a scenario."""
        return RouteFileScenarioConfig(
            file=[str(file) for file in self.route_files],
            additional=[str(file) for file in self.additional_files],
            begin_s=self.begin_s,
            length_s=self.length_s,
        )

    def overrides(self, beside: Sequence[str] = ()) -> list[str]:
        """The command line that says the same, to stand before the words beside it.

        Whoever writes such a word means it: what the file says of the same key is left out, and
        with another member of a group also what it says of the keys of its own member.

        Raises:
            ConfigError: an option that no run may have.
            RunError: SUMO could not be asked for its options.
        """
        said = dict(map(_key_and_value, beside))
        others = [
            f"{group}."
            for group, member in MEMBERS.items()
            if group in said and member not in re.findall(r"\w+", said[group])
        ]
        own = ((_key_and_value(word)[0], word) for word in self._words())
        return [word for key, word in own if key not in said and not key.startswith(tuple(others))]

    def _words(self) -> Iterator[str]:
        scenario = "scenarios.route_file"
        yield "network=net_file"
        yield f"network.file={_quoted(str(self.net_file))}"
        yield "scenarios=route_file"
        yield f"{scenario}.file=[{','.join(_quoted(str(file)) for file in self.route_files)}]"
        yield f"{scenario}.begin_s={self.begin_s!r}"
        if self.additional_files:
            files = ",".join(_quoted(str(file)) for file in self.additional_files)
            yield f"{scenario}.additional=[{files}]"
        if self.length_s is not None:
            yield f"execution.end_time={self.length_s!r}"
        if self.step_length_s is not None:
            yield f"network.step_length={self.step_length_s!r}"
        for name, value in self.options.items():
            if not is_idle(name, value):
                yield self._override(name, value)

    def _override(self, name: str, value: str) -> str:
        if name in CARRIED:
            return f"{OURS[name]}={_quoted(_carried(self.file, name, value))}"
        check_option(f"sumocfg {self.file}: {name}", name)
        return f"+simulation.options.{name}={_quoted(value)}"


def load_sumocfg(file: Path) -> SumoConfiguration:
    """What the file says; whether the files that it names are there is not looked at.

    Raises:
        ConfigError: it is missing, damaged, no configuration, lacks network or routes, or ends
            before it begins.
        RunError: SUMO could not be asked for its options.
    """
    try:
        root = parse_xml(file)
    except XMLFileError as error:
        raise ConfigError(f"sumocfg {error}") from error
    if root.tag not in ("configuration", "sumoConfiguration"):
        raise ConfigError(f"sumocfg {file} is no SUMO configuration: its root is <{root.tag}>")
    values = {
        long_name(element.tag): element.get("value", element.get("v", ""))
        for element in root.iter()
        if "value" in element.attrib or "v" in element.attrib
    }
    files = {
        name: _files(file, values.pop(name, ""))
        for name in ("net-file", "route-files", "additional-files")
    }
    for name in ("net-file", "route-files"):
        if not files[name]:
            raise ConfigError(f"sumocfg {file} names no {name}")
    times = {
        name: _time(file, name, values.pop(name, "")) for name in ("begin", "end", "step-length")
    }
    begin_s, end_s = times["begin"] or 0.0, times["end"]
    if end_s is not None and end_s < 0:  # SUMO's way to say that there is none
        end_s = None
    if end_s is not None and end_s <= begin_s:
        raise ConfigError(f"sumocfg {file}: end must be > begin {begin_s:g} [s], got {end_s:g}")
    left_out = [name for name in values if is_ours(name) and name not in CARRIED]
    return SumoConfiguration(
        file=file,
        net_file=files["net-file"][0],
        route_files=files["route-files"],
        additional_files=files["additional-files"],
        begin_s=begin_s,
        end_s=end_s,
        step_length_s=times["step-length"],
        options={name: value for name, value in values.items() if name not in left_out},
        left_out=tuple(left_out),
    )


def parse_time_s(text: str) -> float:
    """Seconds of a time as SUMO writes it: `25200`, `7:00:00` or `1:7:00:00` (days first).

    Raises:
        ValueError: it is none of them.
    """
    parts = [float(part) for part in text.split(":")]
    if len(parts) not in (1, 3, 4) or not all(map(isfinite, parts)):
        raise ValueError(f"{text!r} is no time")
    units = (86400.0, 3600.0, 60.0, 1.0)
    sign = -1.0 if text.strip().startswith("-") else 1.0
    return sign * sum(
        abs(part) * unit for part, unit in zip(parts, units[-len(parts) :], strict=True)
    )


def _files(sumocfg: Path, value: str) -> tuple[Path, ...]:
    names = [name.strip() for name in value.replace(";", ",").split(",")]
    return tuple((sumocfg.parent / name).resolve() for name in names if name)


def _time(sumocfg: Path, name: str, value: str) -> float | None:
    try:
        return parse_time_s(value) if value else None
    except ValueError as error:
        raise ConfigError(f"sumocfg {sumocfg}: {name} must be a time [s], got {value!r}") from error


def _carried(sumocfg: Path, name: str, value: str) -> str:
    """The value as our key has it."""
    if name == "time-to-teleport":
        time_s = _time(sumocfg, name, value)
        # SUMO takes all that is not positive for never.
        return "-1" if time_s is not None and time_s <= 0 else str(time_s)
    # Where each street has a lane 0 that vehicles may use, the first such lane is the same.
    return "first" if (name, value) == ("default.departlane", "0") else value


def _key_and_value(word: str) -> tuple[str, str]:
    """Of an override of Hydra's; an option of SUMO by its long name."""
    key, _, value = word.lstrip("+").partition("=")
    where, found, option = key.partition("simulation.options.")
    return (f"{found}{long_name(option)}" if found and not where else key), value


def _quoted(text: str) -> str:
    """A value that Hydra reads as this very string."""
    return json.dumps(text, ensure_ascii=False)
