"""Starts an episode: demand, SUMO, reader and driver, for the environment and the evaluator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from trafficrl.config.observation import check_places
from trafficrl.config.scenarios import (
    GeneratedScenarioConfig,
    RouteFileScenarioConfig,
    ScenarioConfig,
)
from trafficrl.config.simulation import SimulationConfig
from trafficrl.control.controller import Controller, cells_seen
from trafficrl.control.driver import SignalDriver
from trafficrl.demand.build import build_scenario, keep_demand
from trafficrl.demand.scenario import Scenario
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.network.detectors import Detector, place_detectors, save_detectors
from trafficrl.network.programs import SignalProgram, save_signal_programs
from trafficrl.simulation.options import SimulationOptions
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession

__all__ = ["RunningEpisode", "draw_demand", "start_episode"]

PROGRAMS_FILE = "programs.add.xml"
DETECTORS_FILE = "detectors.add.xml"


@dataclass(frozen=True, slots=True)
class RunningEpisode:
    """An episode that has begun; close it to end SUMO."""

    scenario: Scenario
    session: SumoSession
    driver: SignalDriver
    demand: TemporaryDirectory[str]

    def close(self) -> None:
        """SUMO has ended and its outputs are complete; generated demand is gone."""
        try:
            self.session.close()
        finally:
            self.demand.cleanup()


def draw_demand(task: Task, episode: Episode) -> None:
    """What `start_episode` would draw for that episode is drawn; it has only to write it.

    Raises:
        DemandError: the demand cannot be generated on this network.
    """
    keep_demand(
        episode.scenario,
        _demand(task, episode),
        task.network,
        seeds=episode.demand,
        end_s=task.end_s,
    )


def start_episode(
    task: Task,
    episode: Episode,
    folder: Path,
    *,
    controller: Controller | None = None,
    output_dir: Path | None = None,
    emissions: bool = False,
    cells_m: frozenset[float] = frozenset(),
    after_step: Callable[[SumoSession], None] | None = None,
) -> RunningEpisode:
    """The episode at its first second, its generated demand below `folder`.

    Args:
        task: what is simulated.
        episode: which one it is.
        folder: where its files go while it runs.
        controller: begins its episode with it, and its programs replace those of the network.
        output_dir: where SUMO writes trips and statistics, if anywhere.
        emissions: trips hold what SUMO's emission model gives for each vehicle.
        cells_m: lengths of the cells before stop lines in which vehicles are to be counted [m],
            beside those that the controller sees.
        after_step: is called after each simulation step, for who watches; None for nobody.

    Raises:
        ConfigError: the controller's parameters do not fit the network, or vehicles are to be
            counted in cells that the mesoscopic model does not have.
        DemandError: the demand cannot be generated on this network.
        SimulationError: SUMO would not start.
    """
    demand = TemporaryDirectory(prefix="demand-", dir=folder)
    try:
        scenario = _scenario(task, episode, Path(demand.name))
        if controller is not None:
            programs = controller.begin(scenario, episode.sumo_seed)
            scenario = with_programs(scenario, programs, Path(demand.name) / PROGRAMS_FILE)
        file = Path(demand.name) / DETECTORS_FILE
        scenario, detectors = counting(task, scenario, cells_m | cells_seen(controller), file)
        options = _options(task, episode, output_dir, emissions=emissions)
        session = SumoSession(scenario, options)
    except BaseException:
        demand.cleanup()
        raise
    reader = StateReader(session, task.network, sample_s=task.reward.sample_s, detectors=detectors)
    watching = None if after_step is None else partial(after_step, session)
    driver = SignalDriver(session, task.network.signals, reader, after_step=watching)
    return RunningEpisode(scenario, session, driver, demand)


def with_programs(scenario: Scenario, programs: Sequence[SignalProgram], file: Path) -> Scenario:
    """The scenario, in which signals run these programs, written to the file."""
    if not programs:
        return scenario
    save_signal_programs(programs, file, begin_s=scenario.begin_s)
    return replace(scenario, additional_files=(*scenario.additional_files, file))


def counting(
    task: Task, scenario: Scenario, lengths_m: frozenset[float], file: Path
) -> tuple[Scenario, dict[float, tuple[Detector, ...]]]:
    """The scenario, in which vehicles are counted in cells of these lengths, and by whom.

    Raises:
        ConfigError: SUMO's model cannot tell where on a lane they are.
    """
    if not lengths_m:
        return scenario, {}
    check_places(lengths_m, task.simulator)
    detectors = {cell_m: place_detectors(task.network, cell_m) for cell_m in sorted(lengths_m)}
    save_detectors(list(chain.from_iterable(detectors.values())), task.network, file)
    return replace(scenario, additional_files=(*scenario.additional_files, file)), detectors


def _scenario(task: Task, episode: Episode, folder: Path) -> Scenario:
    return build_scenario(
        episode.scenario,
        _demand(task, episode),
        task.network,
        seeds=episode.demand,
        end_s=task.end_s,
        folder=folder,
    )


def _demand(task: Task, episode: Episode) -> ScenarioConfig:
    """The episode's share of its scenario; of files that were given SUMO itself takes one."""
    config = task.scenarios[episode.scenario]
    if episode.share == 1.0 or not isinstance(config, GeneratedScenarioConfig):
        return config
    return replace(config, num_vehicles=max(1, round(episode.share * config.num_vehicles)))


def _simulation(task: Task, episode: Episode) -> SimulationConfig:
    config = task.simulation
    given = isinstance(task.scenarios[episode.scenario], RouteFileScenarioConfig)
    if episode.share == 1.0 or not given:
        return config
    scale = episode.share * float(config.options.get("scale", 1.0))
    return replace(config, options={**config.options, "scale": round(scale, 6)})


def _options(
    task: Task, episode: Episode, output_dir: Path | None, *, emissions: bool
) -> SimulationOptions:
    return SimulationOptions(
        step_s=task.step_s,
        seed=episode.sumo_seed,
        backend=task.backend,
        gui=task.gui,
        simulator=task.simulator,
        simulation=_simulation(task, episode),
        output_dir=output_dir,
        emissions=emissions,
    )
