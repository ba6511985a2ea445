"""Whatever happens to its processes, a training sees the stream of an undisturbed one."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from accident_cases import IN_RESET, Accident, AccidentalEnv, Place
from learning_cases import ALGORITHM, small_task
from stable_baselines3.common.vec_env import VecEnv
from worker_cases import EXECUTION, serving

from trafficrl.config.execution import Backend, OnCrash
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import SimulationError
from trafficrl.training.history import SlotHistory
from trafficrl.training.processes import ProcessVecEnv, SingleVecEnv, inner_environments
from trafficrl.training.vector import build_vector_env

SEED = 11
EPISODE = 6
"""Decisions of an episode."""
Disturb = Callable[[ProcessVecEnv, int], None]
Row = tuple[Any, ...]


def decide(slot: int, decision: int) -> Any:
    return np.random.default_rng([slot, decision]).integers(3, size=9)


def row(observation: Any, reward: float, done: bool, info: Mapping[str, Any]) -> Row:
    last = info.get("terminal_observation")
    return (
        observation.tobytes(),
        float(np.float32(reward)),
        bool(done),
        None if last is None else last.tobytes(),
        tuple(info["reward_terms"].values()),
        info["TimeLimit.truncated"],
    )


def roll_out(
    environments: VecEnv,
    decisions: range,
    *,
    slot: int = 0,
    disturb: Disturb = lambda environments, decision: None,
) -> list[list[Row]]:
    """A list of rows for each environment, the first of which is that slot."""
    rows: list[list[Row]] = [[] for _ in range(environments.num_envs)]
    for decision in decisions:
        slots = range(slot, slot + environments.num_envs)
        environments.step_async(np.array([decide(one, decision) for one in slots]))
        if isinstance(environments, ProcessVecEnv):
            disturb(environments, decision)
        for of_slot, *found in zip(rows, *environments.step_wait(), strict=True):
            of_slot.append(row(*found))
    return rows


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[list[Row]]:
    """Of two slots, each alone in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    rows = []
    for slot in range(2):
        make = partial(TrafficSignalEnv, small_task(), seed=1, slot=slot, slots=2, folder=folder)
        environments = SingleVecEnv(make)
        environments.seed(SEED + slot)
        environments.reset()
        rows += roll_out(environments, range(40), slot=slot)
        environments.close()
    return rows


@contextmanager
def accidental(
    folder: Path,
    *accidents: Mapping[Place, Accident],
    always: bool = False,
    backend: Backend = Backend.libsumo,
    **execution: Any,
) -> Iterator[ProcessVecEnv]:
    """A slot for each of the accidents; nothing is left in its folder."""
    marks, work = folder / "marks", folder / "work"
    marks.mkdir()
    work.mkdir()
    task = small_task(backend=backend)
    makers = [
        partial(AccidentalEnv, these, None if always else marks, task, seed=1, slot=slot, slots=2)
        for slot, these in enumerate(accidents)
    ]
    environments = ProcessVecEnv(makers, replace(EXECUTION, **execution), work)
    environments.seed(SEED)
    try:
        yield environments
    finally:
        environments.close()
    assert list(work.iterdir()) == []
    soon(lambda: at_work(folder), 0)


def kill(environments: ProcessVecEnv, slot: int) -> None:
    serving(environments.process_ids[slot]).kill()


def living(parent: int) -> list[psutil.Process]:
    """All below the process; the kernel keeps the ids of the dead until somebody asks for them."""
    found = psutil.Process(parent).children(recursive=True)
    return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]


def soon(look: Callable[[], Any], expected: Any) -> None:
    """What is killed may take a moment to end."""
    end = time.monotonic() + 5
    while look() != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert look() == expected


def at_work(folder: Path) -> int:
    """Processes anywhere that were started in a folder of a slot."""
    count = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has just ended, or is none of ours
            count += process.cwd().startswith(str(folder))
    return count


def held(folder: Path) -> tuple[int, int, int, list[str]]:
    """Processes, what they started, open files, and folders of slots."""
    names = sorted(path.name[:6] for path in (folder / "work").iterdir())
    files = len(list(Path("/proc/self/fd").iterdir()))
    return len(living(os.getpid())), at_work(folder), files, names


def test_ten_crashes_change_nothing_and_the_eleventh_ends_the_run(
    undisturbed: list[list[Row]], tmp_path: Path
) -> None:
    killed, stopped, failed = Accident.killed, Accident.stopped, Accident.failed
    first = {(0, IN_RESET): killed, (0, 3): killed, (1, IN_RESET): killed, (1, 5): killed}
    second = {(0, 2): failed, (1, 0): stopped, (4, 1): killed}

    def disturb(environments: ProcessVecEnv, decision: int) -> None:
        if decision in (15, 22):
            kill(environments, 1)  # amid a decision
        if decision == 28:
            kill(environments, 0)

    with accidental(tmp_path, first, second, hang_timeout_s=2) as environments:
        environments.reset()
        assert len(environments.crashes) == 1
        soon(lambda: at_work(tmp_path), 2)
        before = held(tmp_path)
        rows = roll_out(environments, range(36), disturb=disturb)
        soon(lambda: held(tmp_path), before)
        assert before[3] == ["slot-0", "slot-1"]
        assert len(environments.crashes) == 10
        kill(environments, 1)  # between two decisions
        with pytest.raises(SimulationError, match=r"^11 crashes, .*max_crashes is 10; the last: "):
            roll_out(environments, range(36, 37))
        assert len(environments.crashes) == 11
    assert rows == [of_slot[:36] for of_slot in undisturbed]
    told = "\n".join(environments.crashes)
    assert "slot-0, episode 0 of seed 11, decision 0: its process died (killed by SIGKILL)" in told
    assert "slot-0, scenario 'light', episode 0 of seed 11, decision 3: its process died" in told
    assert "episode 0 of seed 12, decision 2: SUMO died at 7 s in scenario 'light';" in told
    assert (
        "episode 1 of seed 12, decision 0: no answer for 2 s (killed by SIGKILL) after 0 s" in told
    )
    assert told.count("; replay with: sumo --net-file ") == told.count(" --seed ") == 8
    assert told.count("; its episode is replayed") == 10


def gone(process: psutil.Process) -> bool:
    """It has ended; whether somebody has asked for its exit code is another matter."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


TOLD_OF_SUMO = (
    r"decision 1: its process died \(killed by SIGKILL\) after 10 s; replay with: sumo ",
    r"decision 4: SUMO (died|failed) at 4\d s in scenario 'light' \(seed \d+\): .*; replay with: ",
    r"decision 1: no answer for 3 s \(killed by SIGKILL\) after 10 s; replay with: sumo ",
)


def sumo_of(environments: ProcessVecEnv) -> psutil.Process:
    """The SUMO of the first slot."""
    (sumo,) = (one for one in living(environments.process_ids[0]) if one.name() == "sumo")
    return sumo


def test_a_sumo_of_its_own_dies_with_its_worker_and_is_replaced_with_it(
    undisturbed: list[list[Row]], tmp_path: Path
) -> None:
    seen: list[psutil.Process] = []

    def disturb(environments: ProcessVecEnv, decision: int) -> None:
        if decision == 1:
            kill(environments, 0)  # a SUMO that stands still does not notice
        elif decision == 4:
            seen[-1].kill()

    with accidental(tmp_path, {}, backend=Backend.traci, hang_timeout_s=3) as environments:
        environments.reset()
        rows: list[Row] = []
        for decision in range(8):
            if decision in (1, 4, 7):  # before it is asked: it cannot have answered when it dies
                seen.append(sumo_of(environments))
                seen[-1].suspend()
            rows += roll_out(environments, range(decision, decision + 1), disturb=disturb)[0]
        assert len(environments.crashes) == 3
        for line, told in zip(environments.crashes, TOLD_OF_SUMO, strict=True):
            assert re.search(told, line)
        seen.append(sumo_of(environments))
    assert rows == undisturbed[0][:8]
    soon(lambda: [one for one in seen if not gone(one)], [])


@pytest.mark.parametrize("rule", list(OnCrash))
def test_an_episode_that_always_crashes_is_dropped(
    undisturbed: list[list[Row]], tmp_path: Path, rule: OnCrash
) -> None:
    accidents = {(1, 3): Accident.failed, (2, IN_RESET): Accident.failed}
    with accidental(tmp_path, accidents, always=True, on_crash=rule) as environments:
        environments.reset()
        (rows,) = roll_out(environments, range(EPISODE + 3))
        assert rows == undisturbed[0][: EPISODE + 3]
        observations, rewards, dones, infos = environments.step(decide(0, 0)[None])
        assert isinstance(observations, np.ndarray)
        assert (rewards.tolist(), dones.tolist()) == ([0.0], [True])
        info = infos[0]
        assert info["terminal_observation"].tobytes() == rows[-1][0]
        assert (info["TimeLimit.truncated"], info["reward_terms"]) == (True, {})
        assert info["scenario"] == "light"
        assert info["crash"].endswith("decision 3: SUMO died at 7 s in scenario 'light'")
        # The episode after it could not begin either.
        (history,) = environments.history()
        assert (history.seed, history.episode, history.actions) == (SEED, 3, [])
        (later,) = roll_out(environments, range(3 * EPISODE, 4 * EPISODE))
    dropped = [line.rpartition("; ")[2] for line in environments.crashes]
    once = ["its episode is replayed", "its episode is dropped"]
    assert dropped == (2 * once if rule is OnCrash.replay else 2 * once[1:])
    assert observations.tobytes() == undisturbed[0][3 * EPISODE - 1][0]
    assert later[:-1] == undisturbed[0][3 * EPISODE : 4 * EPISODE - 1]


def test_what_never_works_ends_the_run_at_its_start(tmp_path: Path) -> None:
    accidents = {(0, IN_RESET): Accident.failed}
    with accidental(tmp_path, accidents, always=True) as environments:
        with pytest.raises(SimulationError, match=r"^slot-0, episode 0 of seed 11, .*: SUMO died"):
            environments.reset()
        assert len(environments.crashes) == 1


def test_a_history_that_does_not_fit_the_episode_is_refused(tmp_path: Path) -> None:
    actions = [decide(0, decision) for decision in range(EPISODE + 1)]
    with (
        accidental(tmp_path, {}) as environments,
        pytest.raises(SimulationError, match="decision 7: its replay ended early"),
    ):
        environments.restore([SlotHistory(SEED, 0, actions)])


@pytest.mark.parametrize("single", [True, False], ids=["single", "processes"])
def test_environments_are_restored_to_where_their_history_ends(
    single: bool, tmp_path: Path
) -> None:
    execution = replace(EXECUTION, single_env=single)
    algorithm = replace(ALGORITHM, normalize_observation=True)
    build = partial(build_vector_env, small_task(), algorithm, execution, folder=tmp_path)
    environments = build(seed=1)
    inner = inner_environments(environments)
    environments.seed(SEED)
    environments.reset()
    before = [
        np.frombuffer(rows[-1][0], np.float32) for rows in roll_out(inner, range(EPISODE + 2))
    ]
    histories = inner.history()
    assert [(one.seed, one.episode, len(one.actions)) for one in histories] == [
        (SEED + slot, 1, 2) for slot in range(inner.num_envs)
    ]
    after = roll_out(inner, range(EPISODE + 2, 2 * EPISODE + 4))
    assert len(histories[0].actions) == 2, "it is no part of what goes on"
    environments.close()
    environments = build(seed=2)
    inner = inner_environments(environments)
    environments.seed(3)
    observations: Any = inner.restore(histories)
    assert np.array_equal(observations, before)
    assert roll_out(inner, range(EPISODE + 2, 2 * EPISODE + 4)) == after
    assert inner.crashes == []
    environments.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_memory_stays_flat_over_two_hundred_episodes(tmp_path: Path) -> None:
    with accidental(tmp_path, {}, end_time=60) as environments:
        (process_id,) = environments.process_ids
        environments.reset()
        used_mib = []
        for _ in range(11):
            both = psutil.Process(process_id), serving(process_id)
            used_mib.append(sum(one.memory_info().rss for one in both) / 2**20)
            for _ in range(20):
                environments.reset()
                environments.step(decide(0, 0)[None])
    print([round(used, 1) for used in used_mib])
    assert used_mib[-1] < 1.05 * used_mib[0]
