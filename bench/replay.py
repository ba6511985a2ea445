"""What a controller showed in an episode, as programs that the bare program runs by itself."""

import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from unittest import mock

from bench.cost import SUMO
from bench.episodes import counts_in
from trafficrl.control.plans import PlanFollower
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import PROGRAMS_FILE, start_episode
from trafficrl.env.task import Task
from trafficrl.evaluation.controllers import build_controller
from trafficrl.network.netxml import ProgramPhase
from trafficrl.network.programs import SignalProgram, save_signal_programs
from trafficrl.runs.seeding import Split
from trafficrl.simulation.session import SumoSession

__all__ = ["bare_replays", "differing"]
STATISTICS, RECORDED = "statistics.xml", "recorded.xml"


def differing(folder: Path) -> list[str]:
    """The episodes below the folder in which a replay counted other vehicles than the recording."""
    return [
        file.parent.name
        for file in sorted(folder.glob(f"*/{RECORDED}"))
        if counts_in(file) != counts_in(file.with_name(STATISTICS))
    ]


def bare_replays(
    task: Task, controllers: Sequence[str], seeds: int, folder: Path
) -> list[list[str]]:
    """A command of the bare program for each episode of an evaluation; to be run in a child.

    It has the trips and the options of the episode, its outputs too. Where a controller has SUMO's
    own programs, it has those; otherwise all that the driver showed.
    """
    (scenario,) = task.scenarios
    return [
        replay(task, name, Episode.of_split(scenario, Split.test, seed), folder / f"{name}-{seed}")
        for name in controllers
        for seed in range(seeds)
    ]


def replay(task: Task, name: str, episode: Episode, folder: Path) -> list[str]:
    """One episode has run and can be run again by its command."""
    folder.mkdir(parents=True)
    controller = build_controller(name, task)
    with tempfile.TemporaryDirectory() as scratch, showing(task) as shown:
        running = start_episode(
            task, episode, Path(scratch), controller=controller, output_dir=folder, emissions=True
        )
        command = running.session.command
        for file in Path(running.demand.name).iterdir():
            command = command.replace(str(file), str(shutil.copy(file, folder)))
        state = running.driver.start()
        while not running.driver.finished and state.totals.expected_veh:
            state = running.driver.advance(controller.decide(state))
        running.close()
    (folder / STATISTICS).rename(folder / RECORDED)
    _, *options = shlex.split(command)
    if not isinstance(controller, PlanFollower):
        save_signal_programs(programs(shown, task.step_s), folder / PROGRAMS_FILE, begin_s=0.0)
        options += ["--additional-files", str(folder / PROGRAMS_FILE)]
    return [str(SUMO), *options]


@contextmanager
def showing(task: Task) -> Iterator[dict[str, list[str]]]:
    """Signal -> what it showed in each step that is simulated meanwhile."""
    shown: dict[str, list[str]] = {signal.id: [] for signal in task.network.signals}
    step = SumoSession.step

    def step_and_look(session: SumoSession) -> None:
        step(session)
        for name, states in shown.items():
            states.append(session.read_shown(name))

    with mock.patch.object(SumoSession, "step", step_and_look):
        yield shown


def programs(shown: Mapping[str, Sequence[str]], step_s: float) -> list[SignalProgram]:
    """The same step by step, from the first on."""
    return [
        SignalProgram(
            name,
            "static",
            tuple(
                ProgramPhase("", state, len(list(same)) * step_s) for state, same in groupby(states)
            ),
        )
        for name, states in shown.items()
    ]
