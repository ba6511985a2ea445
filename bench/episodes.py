"""One episode under the fixed plan: by the bare program, and by our environment."""

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

import libsumo

from bench.cases import DECISION_S
from bench.cost import SUMO, Cost, Meter, in_child, run_together
from bench.plan import plan_action, save_plan
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv

__all__ = [
    "SEED",
    "Counts",
    "Episode",
    "bare_command",
    "bare_episode",
    "costs_of",
    "counts_in",
    "counts_of",
    "our_episode",
]

SEED = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """What tells two simulations apart [veh]."""

    inserted: int
    running: int
    waiting: int
    teleports: int

    @property
    def arrived(self) -> int:
        """At their goals."""
        return self.inserted - self.running


@dataclass(frozen=True, slots=True)
class Episode:
    """One that has ended."""

    cost: Cost
    counts: Counts


def costs_of(episodes: Mapping[str, Sequence[Episode]]) -> dict[str, list[Cost]]:
    """The costs alone."""
    return {name: [one.cost for one in runs] for name, runs in episodes.items()}


def counts_of(episodes: Mapping[str, Sequence[Episode]]) -> dict[str, dict[str, int]]:
    """What came of the last episode of each."""
    return {name: asdict(runs[-1].counts) for name, runs in episodes.items()}


def begin_s(task: Task) -> float:
    """When the task's episodes begin [s]."""
    (scenario,) = task.scenarios.values()
    assert isinstance(scenario, RouteFileScenarioConfig)
    return scenario.begin_s


def bare_command(task: Task, folder: Path, *, slot: int = 0, slots: int = 1) -> list[str]:
    """The bare program with the options of our own session, and the plan beside them."""
    plan = folder / "plan.add.xml"
    save_plan(task.network, plan, begin_s=begin_s(task))
    _, *options = shlex.split(in_child(_session_command, task, slot, slots))
    return [str(SUMO), *options, "--additional-files", str(plan)]


def _session_command(task: Task, slot: int, slots: int) -> str:
    env = TrafficSignalEnv(task, seed=SEED, slot=slot, slots=slots)
    command = str(env.reset()[1]["sumo_command"])
    env.close()
    return command


def bare_episode(command: list[str]) -> Episode:
    """What it costs to load and to run, and what came of it.

    That a program starts at all is taken off: our own process runs already when an episode begins.
    """
    start = run_together([[str(SUMO), "--version"]])
    with tempfile.TemporaryDirectory() as folder:
        statistics = Path(folder) / "statistics.xml"
        cost = run_together([[*command, "--statistic-output", str(statistics)]])
        return Episode(cost.without(start), counts_in(statistics))


def counts_in(statistics: Path) -> Counts:
    """What SUMO's statistics say."""
    root = ElementTree.parse(statistics).getroot()  # noqa: S314 - SUMO has just written it
    vehicles, teleports = root.find("vehicles"), root.find("teleports")
    assert vehicles is not None
    assert teleports is not None
    names = ("inserted", "running", "waiting")
    inserted, running, waiting = (int(vehicles.attrib[name]) for name in names)
    return Counts(inserted, running, waiting, int(teleports.attrib["total"]))


def our_episode(task: Task) -> Episode:
    """The same by the environment, from its reset until it is closed; to be run in a child.

    It is not the first of its process: what SUMO reads once a process is not an episode's.
    """
    first = TrafficSignalEnv(task, seed=SEED)
    first.reset()
    first.close()
    env = TrafficSignalEnv(task, seed=SEED)
    actions = [plan_action(task.network, i) for i in range(round(task.end_s / DECISION_S))]
    meter = Meter()
    env.reset()
    for action in actions:
        *_, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            break
    counts = _counts()
    env.close()
    return Episode(meter.read(), counts)


def _counts() -> Counts:
    names = ("vehicles.inserted", "vehicles.running", "vehicles.waiting", "teleports.total")
    values = [libsumo.simulation.getParameter("", f"stats.{name}") for name in names]
    inserted, running, waiting, teleports = (int(float(value)) for value in values)
    return Counts(inserted, running, waiting, teleports)
