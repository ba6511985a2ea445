"""What drives: the vehicle types that SUMO is told about."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

__all__ = ["REROUTING_OPTIONS", "VEHICLES", "Vehicle", "type_id", "type_xml"]

REROUTING_OPTIONS = (
    "--device.rerouting.period",
    "30",
    "--device.rerouting.adaptation-steps",
    "180",
)
"""Way sought anew every 30 s by edge speeds averaged over 180 steps; SUMO has these globally."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Size and car-following parameters, as in the published grid study."""

    length_m: float
    max_speed_mps: float
    accel_mps2: float
    decel_mps2: float
    sigma: float
    """Driver imperfection, 0..1."""
    lc_strategic: float
    """Eagerness to change lanes for the route."""


VEHICLES = {
    "passenger": Vehicle(5.0, 13.9, 2.6, 4.5, 0.5, 1.0),
    # No vClass bus: it would need lanes that let buses pass.
    "public": Vehicle(10.0, 11.1, 1.8, 4.0, 0.5, 1.0),
}


def type_id(vehicle: str, rerouted: bool) -> str:
    """Name of the type in SUMO: each vehicle has a variant that carries the rerouting device."""
    return f"{vehicle}_realtime" if rerouted else vehicle


def type_xml(vehicle: str, rerouted: bool) -> Iterable[str]:
    """The lines of one vType; the device is given or denied by name, never left to chance."""
    what = VEHICLES[vehicle]
    yield (
        f"    <vType id={quoteattr(type_id(vehicle, rerouted))} length={_number(what.length_m)}"
        f" maxSpeed={_number(what.max_speed_mps)} accel={_number(what.accel_mps2)}"
        f" decel={_number(what.decel_mps2)} sigma={_number(what.sigma)}"
        f" lcStrategic={_number(what.lc_strategic)}>"
    )
    device = "true" if rerouted else "false"
    yield f'        <param key="has.rerouting.device" value="{device}"/>'
    yield "    </vType>"


def _number(value: float) -> str:
    return f'"{value:g}"'
