"""SUMO's own account of the trips of an episode, as arrays.

Shapes: N vehicles that were due.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from trafficrl.errors import SimulationError
from trafficrl.simulation.state import FloatArray, IntArray
from trafficrl.xmlfiles import XMLFileError, iter_xml

__all__ = ["Trips", "read_trips"]

NUMBERS = (
    *("depart", "departDelay", "arrival", "duration", "timeLoss"),
    *("waitingTime", "waitingCount", "routeLength"),
)
"""SUMO's names of what we take as it is."""
ARRIVAL = NUMBERS.index("arrival")
TIME_LOSS = NUMBERS.index("timeLoss")
CLOCKS = tuple(NUMBERS.index(name) for name in ("duration", "timeLoss", "waitingTime"))
"""What grows while one stands."""
NOT_REMOVED = ("", "end", "teleport")
"""SUMO's reasons why a trip ended that took nobody out of the traffic: the end of the trip, of the
simulation, and a teleport beyond the jam in which the trip ended."""
EMISSIONS = ("CO2_abs", "fuel_abs")
"""In mg, like all of its emissions."""


@dataclass(frozen=True, slots=True)
class Trips:
    """Every vehicle that was due, whether it arrived, was still on its way, or never departed."""

    type_names: tuple[str, ...]
    """SUMO's vehicle types, sorted."""
    vehicle_type: IntArray  # (N,) index into type_names
    due_s: FloatArray  # (N,) scheduled departure, in simulation time [s]
    arrived: NDArray[np.bool_]  # (N,) as SUMO counts: some by a teleport beyond their jam
    depart_delay_s: FloatArray  # (N,) until it departed, or until the end [s]
    duration_s: FloatArray  # (N,) in the network [s]
    time_loss_s: FloatArray  # (N,) by driving slower than it would alone [s]
    standing_s: FloatArray  # (N,) slower than 0.1 m/s in the network [s]
    stops: FloatArray  # (N,) how often it came to stand
    distance_m: FloatArray  # (N,) driven [m]
    co2_g: FloatArray | None  # (N,) by SUMO's emission model; None where that was not asked [g]
    fuel_g: FloatArray | None  # (N,) likewise [g]

    def __len__(self) -> int:
        return len(self.due_s)

    @property
    def delay_s(self) -> FloatArray:
        """(N,) time loss + depart delay: one that never departed lost all its time since due."""
        return self.time_loss_s + self.depart_delay_s

    @property
    def waiting_s(self) -> FloatArray:
        """(N,) standing + depart delay: one that is due and not let in waits as one at a red."""
        return self.standing_s + self.depart_delay_s

    @property
    def travel_time_s(self) -> FloatArray:
        """(N,) from the scheduled departure to the arrival, or to the end of the episode."""
        return self.duration_s + self.depart_delay_s

    def chosen(self, which: NDArray[np.bool_]) -> "Trips":
        """The trips at which (N,) is true."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                values[name] = value[which]
        return Trips(**values)


def read_trips(
    tripinfo: Path,
    *,
    emissions: bool,
    closed_s: float,
    end_s: float,
    free_s: Mapping[str, float] | None = None,
) -> Trips:
    """The trips that SUMO wrote when it was closed.

    Args:
        tripinfo: SUMO's trips, unfinished and undeparted ones included.
        emissions: SUMO was asked for them.
        closed_s: simulation time at which it was closed.
        end_s: vehicles that are due from then on are left out.
        free_s: of the mesoscopic model: vehicle on its way -> what its way so far takes at the
            limit [s]. There vehicles drive or are held, and SUMO counts what one lost when it is
            let go: one that is held to the end would have lost nothing. What it took longer is its
            time loss then. And SUMO has only the first of a queue stand: here all stand that lose.

    Whoever SUMO takes out of the traffic (after a collision, by a calibrator) has not arrived, and
    stands where that happened to the end of the episode.

    Raises:
        SimulationError: the file is missing or damaged.
    """
    names: list[str] = []
    rows: list[list[float]] = []
    try:
        for trip in iter_xml(tripinfo):
            if trip.tag == "tripinfo":
                names.append(trip.attrib["vType"])
                rows.append(_numbers(trip, emissions, free_s or {}, max(closed_s, end_s)))
    except (XMLFileError, KeyError, ValueError) as error:
        raise SimulationError(f"{tripinfo}: no whole list of trips: {error}") from error
    columns = (*NUMBERS, *(EMISSIONS if emissions else ()))
    table = np.array(rows, dtype=np.float64).reshape(-1, len(columns)).T
    found = dict(zip(columns, table, strict=True))
    if free_s is not None:
        found["waitingTime"] = found["timeLoss"]
    return _trips(names, found, closed_s, end_s)


def _numbers(
    trip: Element, emissions: bool, free_s: Mapping[str, float], last_s: float
) -> list[float]:
    row = [float(trip.attrib[name]) for name in NUMBERS]
    if trip.get("vaporized", "") not in NOT_REMOVED:
        for place in CLOCKS:
            row[place] += last_s - row[ARRIVAL]
        row[ARRIVAL] = -1.0
    least_s = free_s.get(trip.attrib["id"])
    if least_s is not None:
        there_s = float(trip.attrib["duration"]) - float(trip.attrib["stopTime"])
        row[TIME_LOSS] = max(row[TIME_LOSS], there_s - least_s)
    if emissions:
        found = trip.find("emissions")
        if found is None:
            raise ValueError(
                f"no emissions of vehicle {trip.get('id')!r}, which its demand denies; "
                "set evaluation.emissions=false"
            )
        row += [float(found.attrib[name]) / 1000.0 for name in EMISSIONS]
    return row


def _trips(
    names: list[str], columns: dict[str, FloatArray], closed_s: float, end_s: float
) -> Trips:
    type_names, index = np.unique(np.array(names, dtype=np.str_), return_inverse=True)
    depart_s, depart_delay_s = columns["depart"], columns["departDelay"]
    due_s = np.where(depart_s < 0, closed_s, depart_s) - depart_delay_s
    trips = Trips(
        type_names=tuple(type_names.tolist()),
        vehicle_type=index.astype(np.int64),
        due_s=due_s,
        arrived=columns["arrival"] >= 0,
        depart_delay_s=depart_delay_s,
        duration_s=columns["duration"],
        time_loss_s=columns["timeLoss"],
        standing_s=columns["waitingTime"],
        stops=columns["waitingCount"],
        # Of some that never departed SUMO tells where on their first edge they would have.
        distance_m=np.where(depart_s < 0, 0.0, columns["routeLength"]),
        co2_g=columns.get("CO2_abs"),
        fuel_g=columns.get("fuel_abs"),
    )
    # SUMO reads ahead: some of those that it lists as undeparted are due only after the end.
    return trips.chosen(due_s < end_s)
