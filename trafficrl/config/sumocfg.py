"""A .sumocfg, SUMO's own way to say network, demand and times, as ours."""

import json
from dataclasses import dataclass
from pathlib import Path

from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.config.simulation import OURS, is_ours
from trafficrl.errors import ConfigError
from trafficrl.xmlfiles import XMLFileError, parse_xml

__all__ = ["SumoConfiguration", "load_sumocfg", "parse_time_s"]

SYNONYMS = {
    "n": "net-file",
    "net": "net-file",
    "r": "route-files",
    "routes": "route-files",
    "a": "additional-files",
    "additional": "additional-files",
    "b": "begin",
    "e": "end",
}
CARRIED = ("time-to-teleport", "default.departspeed", "default.departlane")


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
    """What goes to SUMO as it is, and what `CARRIED` has keys for."""
    left_out: tuple[str, ...]
    """Options that are ours to decide: outputs, seeds, ports."""

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

    def overrides(self) -> list[str]:
        """The command line that says the same."""
        scenario = "scenarios.route_file"
        found = [
            "network=net_file",
            f"network.file={_quoted(str(self.net_file))}",
            "scenarios=route_file",
            f"{scenario}.file=[{','.join(_quoted(str(file)) for file in self.route_files)}]",
            f"{scenario}.begin_s={self.begin_s:g}",
        ]
        if self.additional_files:
            files = ",".join(_quoted(str(file)) for file in self.additional_files)
            found.append(f"{scenario}.additional=[{files}]")
        if self.length_s is not None:
            found.append(f"execution.end_time={self.length_s:g}")
        if self.step_length_s is not None:
            found.append(f"network.step_length={self.step_length_s:g}")
        for name, value in self.options.items():
            key = OURS.get(name, f"simulation.options.{name}")
            found.append(f"{'' if name in OURS else '+'}{key}={_quoted(value)}")
        return found


def load_sumocfg(file: Path) -> SumoConfiguration:
    """What the file says; whether the files that it names are there is not looked at.

    Raises:
        ConfigError: it is missing, damaged, no configuration, or lacks network or routes.
    """
    try:
        root = parse_xml(file)
    except XMLFileError as error:
        raise ConfigError(f"sumocfg {error}") from error
    if root.tag not in ("configuration", "sumoConfiguration"):
        raise ConfigError(f"sumocfg {file} is no SUMO configuration: its root is <{root.tag}>")
    values = {
        SYNONYMS.get(element.tag, element.tag): element.get("value", element.get("v", ""))
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
    end_s = times["end"]
    left_out = [name for name in values if is_ours(name) and name not in CARRIED]
    return SumoConfiguration(
        file=file,
        net_file=files["net-file"][0],
        route_files=files["route-files"],
        additional_files=files["additional-files"],
        begin_s=times["begin"] or 0.0,
        end_s=None if end_s is None or end_s < 0 else end_s,
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
    if len(parts) not in (1, 3, 4):
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


def _quoted(text: str) -> str:
    """A value that Hydra reads as this very string."""
    return json.dumps(text, ensure_ascii=False)
