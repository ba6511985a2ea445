"""The same rules on published networks, whose plans and demand somebody else made."""

from pathlib import Path

import pytest
import traffic_cases as cases
from safety_cases import PLAN_CONFLICT, Witness, check_every_change, random_commands, watch

from trafficrl.config.network import ClearanceConfig, NetFileConfig
from trafficrl.config.resco import INSTALL_RESCO, resco_scenarios
from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.demand.build import build_scenario
from trafficrl.network.build import build_network
from trafficrl.network.model import Network

NAMES = sorted(resco_scenarios())
pytestmark = [
    pytest.mark.skipif(not NAMES, reason=INSTALL_RESCO),
    pytest.mark.parametrize("name", NAMES or ["none"]),
]
UNSOUND_PLANS = {"ingolstadt7": {"gneJ210"}, "ingolstadt21": {"gneJ210"}}
"""Signals whose own plan protects two links that meet: who drives there brakes hard anyway."""
YELLOW_S = {"ingolstadt21": 5.0}
"""Where roads allow 80 km/h, 3 s are too short to stop; these are those of the plan there."""


def network_of(name: str) -> Network:
    file = resco_scenarios()[name].net_file
    signals = ClearanceConfig(yellow_s=YELLOW_S.get(name, 3.0))
    return build_network(NetFileConfig(file=str(file), signals=signals), cases.scratch())


def driven(name: str, kind: type[Command], *, end_s: float) -> Witness:
    network = network_of(name)
    demand = resco_scenarios()[name].scenario()
    scenario = build_scenario(
        name, demand, network, seeds=None, end_s=end_s, folder=cases.scratch()
    )
    return watch(network, scenario, random_commands(network.signals, kind, seed=1))


def check_driven(name: str, *, end_s: float) -> None:
    for kind in (NextPhase, PhaseDurations):
        witness = driven(name, kind, end_s=end_s)
        by_driver = [v for v in witness.violations() if v.kind != PLAN_CONFLICT]
        assert by_driver == []
        by_plan = {v.signal for v in witness.violations() if v.kind == PLAN_CONFLICT}
        assert by_plan == UNSOUND_PLANS.get(name, set())
        blamed = [e for e in witness.emergencies if e.cause in ("red", "junction")]
        assert [e for e in blamed if e.signal not in by_plan] == []


def test_no_published_network_is_driven_unsafely(name: str) -> None:
    check_driven(name, end_s=300.0)


@pytest.mark.slow
def test_no_published_network_is_driven_unsafely_for_an_hour(name: str) -> None:
    check_driven(name, end_s=3600.0)


def test_every_published_phase_leads_to_every_other(name: str, tmp_path: Path) -> None:
    check_every_change(network_of(name), tmp_path, begin_s=resco_scenarios()[name].begin_s)
