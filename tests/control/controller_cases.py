"""A crossing by hand, states of it, and controllers on networks in real SUMO."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import traffic_cases as cases
from safety_cases import Witness
from tree_cases import edge, network

from trafficrl.control.controller import Controller
from trafficrl.control.driver import SignalDriver
from trafficrl.demand.scenario import Scenario
from trafficrl.network.model import Network
from trafficrl.network.programs import save_signal_programs
from trafficrl.simulation.state import Lanes, Totals, TrafficState


def with_lanes(of: Network) -> Network:
    """The network whose signals know their lanes."""
    signals = []
    for signal in of.signals:
        links = [
            [c for c in of.connections if (c.signal_id, c.link_index) == (signal.id, index)]
            for index in range(len(signal.phases[0].state))
        ]
        signals.append(
            replace(
                signal,
                incoming_lanes=tuple(tuple(c.from_lane for c in same) for same in links),
                outgoing_lanes=tuple(tuple(c.to_lane for c in same) for same in links),
            )
        )
    return replace(of, signals=tuple(signals))


# From the west straight on, or left from a lane of its own that yields in the first phase; from the
# south straight on. The last phase is for people on foot.
CROSSING = with_lanes(
    network(
        [
            edge("west", "A", "S", 100.0, 2),
            edge("south", "B", "S", 50.0),
            edge("east", "S", "C", 200.0, 2),
            edge("north", "S", "D", 200.0),
        ],
        [
            ("west_0", "east_0", "S", 0),
            ("west_0", "east_1", "S", 0),
            ("west_1", "north_0", "S", 1),
            ("south_0", "north_0", "S", 2),
        ],
        {"S": ("Ggr", "rGr", "rrG", "rrr")},
    )
)


def state(
    of: Network = CROSSING,
    vehicles: Mapping[str, float] | None = None,
    queue: Mapping[str, float] | None = None,
    *,
    phase: int = 0,
    age_s: float = 10.0,
    interval_s: float = 5.0,
) -> TrafficState:
    """One moment of a network with one signal; the interval before was like it."""
    counts = np.array([(vehicles or {}).get(lane.id, 0.0) for lane in of.lanes])
    halted = np.array([(queue or {}).get(lane.id, 0.0) for lane in of.lanes])
    nothing = np.zeros(len(of.lanes))
    lanes = Lanes(counts, halted, nothing, nothing, nothing)
    return TrafficState(
        time_s=0.0,
        elapsed_s=0.0,
        interval_s=interval_s,
        now=lanes,
        mean=lanes,
        edge_speeds_mps=lambda: np.zeros((2, len(of.edges))),
        totals=Totals(0, 0, 0, 0, 0, 0, 0),
        arrived_veh=0,
        mean_backlog_veh=0.0,
        phase=np.array([phase]),
        phase_age_s=np.array([age_s]),
    )


def drive(controller: Controller, of: Network, scenario: Scenario, folder: Path) -> Witness:
    """An episode as it is begun for every controller, and what its signals showed."""
    programs = controller.begin(scenario, 1)
    if programs:
        save_signal_programs(programs, folder / "programs.add.xml", begin_s=scenario.begin_s)
        files = (*scenario.additional_files, folder / "programs.add.xml")
        scenario = replace(scenario, additional_files=files)
    with cases.session(scenario) as session:
        witness = Witness(session, of)
        driver = SignalDriver(session, of.signals, witness)
        now = driver.start()
        while not driver.finished:
            now = driver.advance(controller.decide(now))
    return witness
