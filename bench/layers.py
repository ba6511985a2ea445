"""One episode under a plan, with more and more of our house between SUMO and the caller.

Every layer simulates the same seconds: the first runs bare `sumo` on programs that show what our
driver showed. Each runs in a process of its own, to be counted: `python -m bench.layers`.
"""

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import libsumo

from bench.cases import DECISION_S
from bench.cost import SUMO
from bench.plan import plan_action, save_plan
from trafficrl.control.driver import SignalDriver
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import Scenario
from trafficrl.env.actions import build_action
from trafficrl.env.encoding import task_encoder
from trafficrl.env.episodes import TrainingEpisodes
from trafficrl.env.rewards import WeightedReward
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.simulation.options import SimulationOptions, sumo_arguments
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import FloatArray, IntArray, TrafficState

__all__ = ["LAYERS", "Drive", "layer_command"]

SEED = 1


@dataclass(frozen=True)
class Drive:
    """A task with one scenario of given files, and the folder where its plan lies.

    It travels to the processes that are counted.
    """

    task: Task
    folder: Path

    @property
    def scenario(self) -> Scenario:
        """What is driven."""
        ((name, config),) = self.task.scenarios.items()
        return build_scenario(
            name, config, self.task.network, seeds=None, end_s=self.task.end_s, folder=self.folder
        )

    @property
    def plan_file(self) -> Path:
        """Programs that show what our driver shows."""
        return self.folder / "plan.add.xml"

    @property
    def planned(self) -> Scenario:
        """The same under these programs."""
        additional = (*self.scenario.additional_files, self.plan_file)
        return replace(self.scenario, additional_files=additional)

    def options(self, output_dir: Path | None = None) -> SimulationOptions:
        """Those of the environment's first episode."""
        episodes = TrainingEpisodes(self.task.scenarios, seed=SEED, slot=0, slots=1)
        return SimulationOptions(
            step_s=self.task.step_s,
            seed=episodes.episode(0).sumo_seed,
            simulation=self.task.simulation,
            output_dir=output_dir,
        )

    def actions(self, horizon_s: float) -> list[IntArray]:
        """Those of the plan until that time after the begin; to choose them costs nothing here."""
        whole = [
            plan_action(self.task.network, decision)
            for decision in range(round(self.task.end_s / DECISION_S))
        ]
        return whole[: round(horizon_s / DECISION_S)]

    def reader(self, session: SumoSession) -> StateReader:
        """The one that the environment has."""
        return StateReader(session, self.task.network, sample_s=self.task.reward.sample_s)

    def check(self, horizon_s: float) -> None:
        """Return when bare SUMO and our driver drive the same trips until then.

        Raises:
            RuntimeError: they do not.
        """
        ours, theirs = self.folder / "ours", self.folder / "theirs"
        ours.mkdir()
        theirs.mkdir()
        save_plan(self.task.network, self.plan_file, begin_s=self.scenario.begin_s)
        with SumoSession(self.scenario, self.options(ours)) as session:
            reader = self.reader(session)
            advance(self, horizon_s, SignalDriver(session, self.task.network.signals, reader))
        subprocess.run(bare_command(self, horizon_s, output_dir=theirs), check=True)
        if trips(ours) != trips(theirs):
            raise RuntimeError(f"{theirs} and {ours}: bare SUMO drove other trips than ours")


def trips(folder: Path) -> list[dict[str, str]]:
    """SUMO's own account of each trip."""
    root = ET.parse(folder / "tripinfo.xml").getroot()  # noqa: S314 - SUMO wrote it a moment ago
    return [dict(trip.attrib) for trip in root]


def bare_command(drive: Drive, horizon_s: float, *, output_dir: Path | None = None) -> list[str]:
    """Bare SUMO under the plan."""
    scenario = replace(drive.planned, end_s=drive.scenario.begin_s + horizon_s)
    return [str(SUMO), *sumo_arguments(scenario, drive.options(output_dir))]


class BlindReader(StateReader):
    """Reads nothing: what is left is the driver's own cost."""

    def tick(self) -> None:
        """Nothing is counted."""

    def read(self, phase: IntArray, phase_age_s: FloatArray) -> TrafficState:
        """Nobody asks for what is not there."""
        return None  # type: ignore[return-value]


def step_only(drive: Drive, horizon_s: float) -> None:
    """libsumo under the plan as programs, told once how far to go."""
    with SumoSession(drive.planned, drive.options()):
        libsumo.simulationStep(drive.scenario.begin_s + horizon_s)


def drive_blind(drive: Drive, horizon_s: float) -> None:
    """The driver sets every state; nothing is read."""
    with SumoSession(drive.scenario, drive.options()) as session:
        reader = BlindReader(session, drive.task.network, sample_s=drive.task.reward.sample_s)
        advance(drive, horizon_s, SignalDriver(session, drive.task.network.signals, reader))


def drive_and_read(drive: Drive, horizon_s: float) -> None:
    """The driver, and the state at each decision."""
    with SumoSession(drive.scenario, drive.options()) as session:
        reader = drive.reader(session)
        advance(drive, horizon_s, SignalDriver(session, drive.task.network.signals, reader))


def encode_and_pay(drive: Drive, horizon_s: float) -> None:
    """Every feature and every reward term as well."""
    task = drive.task
    encoder = task_encoder(task)
    reward = WeightedReward(task.reward, task.network)

    def use(state: TrafficState) -> None:
        encoder.encode(state)
        reward.pay(state)

    with SumoSession(drive.scenario, drive.options()) as session:
        driver = SignalDriver(session, task.network.signals, drive.reader(session))
        advance(drive, horizon_s, driver, use)


def advance(
    drive: Drive,
    horizon_s: float,
    driver: SignalDriver,
    use: Callable[[TrafficState], None] = lambda state: None,
) -> None:
    """The driver carries out the plan."""
    driver.start()
    decode = build_action(drive.task.action, drive.task.network, drive.task.step_s).decode
    for action in drive.actions(horizon_s):
        use(driver.advance(decode(action)))


def step_environment(drive: Drive, horizon_s: float) -> None:
    """Everything, as a learner sees it."""
    env = TrafficSignalEnv(drive.task, seed=SEED)
    env.reset()
    for action in drive.actions(horizon_s):
        env.step(action)
    env.close()


LAYERS: dict[str, Callable[[Drive, float], None] | None] = {
    "sumo": None,
    "libsumo": step_only,
    "+ driver": drive_blind,
    "+ state": drive_and_read,
    "+ features, rewards": encode_and_pay,
    "environment": step_environment,
}
"""What is counted; bare SUMO is a program of its own."""


def layer_command(layer: str, drive: Drive, file: Path, horizon_s: float) -> list[str]:
    """What runs a layer in a process.

    Args:
        layer: one of `LAYERS`.
        drive: what is driven.
        file: holds the same, for the process.
        horizon_s: how far to go after the scenario's begin [s].
    """
    if LAYERS[layer] is None:
        return bare_command(drive, horizon_s)
    return [sys.executable, "-m", "bench.layers", layer, str(file), str(horizon_s)]


if __name__ == "__main__":
    layer, file, horizon_s = sys.argv[1:]
    run = LAYERS[layer]
    assert run is not None
    run(pickle.loads(Path(file).read_bytes()), float(horizon_s))  # noqa: S301 - ours
