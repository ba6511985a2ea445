"""What drives: the vehicle types that SUMO is told about, and how often they look for a new way."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

__all__ = ["REROUTING", "VEHICLES", "Rerouting", "Vehicle", "type_id", "type_xml"]


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


@dataclass(frozen=True, slots=True)
class Rerouting:
    """How SUMO's rerouting device looks for a better way, by the present speeds on the edges."""

    period_s: int
    """A vehicle on the road is rerouted so often, counted from its departure [s]."""
    before_departure: bool
    """It is also rerouted when it departs; otherwise it sets out on the way that it was given."""
    factor: float
    """The way that it has must take this many times as long as the new one, or it is kept."""


REROUTING = {
    "realtime": Rerouting(30, before_departure=True, factor=1.0),
    "fastest": Rerouting(45, before_departure=False, factor=1.15),
    "attractiveness": Rerouting(60, before_departure=False, factor=1.12),
}
"""Routing strategy -> its device; a strategy that is not named keeps its way.

Periods and least improvements are those that the published grid study meant to use. Its realtime
drivers took any improvement, and so do ours: its results stand on it. Speeds are averaged over
180 s, SUMO's default (`--device.rerouting.adaptation-steps`)."""


def type_id(vehicle: str, strategy: str) -> str:
    """Name of the type in SUMO: each vehicle has a variant for every strategy that reroutes."""
    return f"{vehicle}_{strategy}" if strategy in REROUTING else vehicle


def type_xml(vehicle: str, strategy: str) -> Iterable[str]:
    """The lines of one vType; the device is given or denied by name, never left to chance."""
    what = VEHICLES[vehicle]
    yield (
        f"    <vType id={quoteattr(type_id(vehicle, strategy))} length={_number(what.length_m)}"
        f" maxSpeed={_number(what.max_speed_mps)} accel={_number(what.accel_mps2)}"
        f" decel={_number(what.decel_mps2)} sigma={_number(what.sigma)}"
        f" lcStrategic={_number(what.lc_strategic)}>"
    )
    for key, value in _device(strategy).items():
        yield f'        <param key="{key}" value="{value}"/>'
    yield "    </vType>"


def _device(strategy: str) -> dict[str, str]:
    if strategy not in REROUTING:
        return {"has.rerouting.device": "false"}
    device = REROUTING[strategy]
    # SUMO seeks a way before departure whenever this period is not 0, once by default.
    before = {} if device.before_departure else {"device.rerouting.pre-period": "0"}
    return {
        "has.rerouting.device": "true",
        "device.rerouting.period": f"{device.period_s}",
        "device.rerouting.threshold.factor": f"{device.factor:g}",
        **before,
    }


def _number(value: float) -> str:
    return f'"{value:g}"'
