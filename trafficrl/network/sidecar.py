"""What a network knows beyond its net file - streets, land use, greens - as JSON beside it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trafficrl.config.network import ClearanceConfig
from trafficrl.errors import NetworkError
from trafficrl.network.model import LandUse, Street
from trafficrl.network.signals import Phase

__all__ = ["Clearance", "Extras", "load_sidecar", "save_sidecar"]

FORMAT = 3


@dataclass(frozen=True, slots=True)
class Clearance:
    """Times that all signals of a network share and that their tlLogic does not tell apart."""

    yellow_s: float
    all_red_s: float
    min_green_s: float
    all_red_hold_s: float = 0.0
    """Sidecars of before lack it."""

    @classmethod
    def of(cls, config: ClearanceConfig) -> "Clearance":
        """The times that the configuration gives to all signals."""
        return cls(
            float(config.yellow_s),
            float(config.all_red_s),
            float(config.min_green_s),
            float(config.all_red_hold_s),
        )


@dataclass(frozen=True, slots=True)
class Extras:
    """Everything of a network that its net file does not hold."""

    clearance: Clearance
    streets: tuple[Street, ...]
    land_use: tuple[LandUse, ...]
    phases: Mapping[str, tuple[Phase, ...]]
    """Signal id -> its greens. Signals that are not here follow their own plan for ever."""


def save_sidecar(extras: Extras, file: Path, *, net_hash: str) -> None:
    """Write the sidecar of the net file of that SHA-256; the same values give the same bytes."""
    rows = {
        "format": FORMAT,
        "net_hash": net_hash,
        "clearance": asdict(extras.clearance),
        "streets": [asdict(street) for street in extras.streets],
        "land_use": [_cell(cell) for cell in extras.land_use],
        "phases": {
            name: [[p.name, p.state, p.duration_s] for p in phases]
            for name, phases in extras.phases.items()
        },
    }
    file.write_text(json.dumps(rows, separators=(",", ":")) + "\n", encoding="utf-8")


def load_sidecar(file: Path) -> tuple[Extras, str]:
    """What `save_sidecar` wrote, and the SHA-256 of the net file that it belongs to.

    Raises:
        NetworkError: the file is missing, damaged, or of another format.
    """
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        if rows["format"] != FORMAT:
            raise NetworkError(f"network file {file} has format {rows['format']!r}, not {FORMAT}")
        extras = Extras(
            Clearance(**rows["clearance"]),
            tuple(_street(row) for row in rows["streets"]),
            tuple(LandUse(*row) for row in rows["land_use"]),
            {name: tuple(Phase(*row) for row in part) for name, part in rows["phases"].items()},
        )
        return extras, str(rows["net_hash"])
    except OSError as error:
        raise NetworkError(f"network file {file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NetworkError(f"network file {file} is damaged: {error}") from error


def _cell(cell: LandUse) -> list[float | str]:
    # dataclasses.astuple copies deeply: seconds in a large city.
    size = [cell.x_m, cell.y_m, cell.width_m, cell.height_m]
    return [*size, cell.kind, cell.attractiveness]


def _street(row: dict[str, Any]) -> Street:
    lists = ("heads", "depart_weight", "arrive_weight")
    return Street(**{**row, **{name: tuple(row[name]) for name in lists}})
