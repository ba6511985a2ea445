"""Demand that somebody else wrote is held to what SUMO will take, before anything runs on it."""

import logging
from pathlib import Path

from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import read_departures
from trafficrl.env.task import Task
from trafficrl.errors import DemandError
from trafficrl.simulation.rehearsal import rehearse

__all__ = ["check_given_demand"]

log = logging.getLogger(__name__)


def check_given_demand(name: str, scenario: RouteFileScenarioConfig, task: Task) -> None:
    """Return when SUMO will take the files to their end; say what they hold.

    Raises:
        DemandError: a file that SUMO would quit on in the middle of an episode.
    """
    given = build_scenario(
        name, scenario, task.network, seeds=None, end_s=task.end_s, folder=Path()
    )
    try:
        departures = read_departures(given, task.network, step_s=task.step_s)
        rehearse(given, task.simulation, step_s=task.step_s)
    except DemandError as error:
        raise DemandError(f"scenarios.{name}: {error}") from error
    about = "" if departures.exact else "about "
    others = f"; {departures.num_others} persons or containers are not counted"
    others = others if departures.num_others else ""
    log.info("demand %s: %s%d vehicles are due%s", name, about, len(departures), others)
    if scenario.length_s not in (None, task.end_s):
        # A published scenario that is cut short gives numbers that stand beside no published ones.
        log.warning(
            "scenario %s is made for %g s, execution.end_time is %g: results are not comparable",
            name,
            scenario.length_s,
            task.end_s,
        )
