import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learning_cases import small_task
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv
from worker_cases import Counter

from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError, DemandError, SimulationError
from trafficrl.training.processes import ProcessVecEnv, shielded_children

HERE = Path(__file__).parent


@contextmanager
def running(*makers: Callable[[], Any]) -> Iterator[ProcessVecEnv]:
    environments = ProcessVecEnv(makers)
    try:
        yield environments
    finally:
        environments.close()


def gone(process_id: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except FileNotFoundError:
        return True
    return "State:\tZ" in status


def wait_for(condition: Callable[[], bool], *, at_most_s: float = 15.0) -> None:
    end = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def step(environments: ProcessVecEnv) -> Any:
    return environments.step(np.zeros(environments.num_envs, np.int64))


@pytest.fixture(scope="module")
def pair() -> Iterator[ProcessVecEnv]:
    """Two counters, each in its process; any thread can start them."""
    with ThreadPoolExecutor() as thread:
        environments = thread.submit(ProcessVecEnv, [Counter, Counter]).result()
    yield environments
    environments.close()


def test_processes_roll_out_what_one_process_does(tmp_path: Path) -> None:
    makers = [
        partial(TrafficSignalEnv, small_task(), seed=5, slot=slot, slots=2, folder=tmp_path)
        for slot in range(2)
    ]
    with running(*makers) as environments:
        environments.seed(11)
        together = rollout(environments)
    for slot, maker in enumerate(makers):  # one by one: libsumo holds one simulation a process
        alone = DummyVecEnv([maker])
        alone.seed(11 + slot)
        for row, expected in zip(rollout(alone, slot), together, strict=True):
            assert np.array_equal(row[0], expected[slot])
        alone.close()


def rollout(environments: VecEnv, slot: int = 0) -> list[Any]:
    """Observations, rewards and dones of one episode after another."""
    rows: list[Any] = [environments.reset()]
    rng = np.random.default_rng(0)
    signals = environments.action_space.shape or ()
    for _ in range(8):  # an episode has six decisions
        actions = rng.integers(3, size=(2, *signals))[slot : slot + environments.num_envs]
        observations, rewards, dones, _ = environments.step(actions)
        rows += [observations, rewards.astype(np.float32), dones]
    return rows


def test_failures_arrive_as_they_were_raised(pair: ProcessVecEnv) -> None:
    script = [
        DemandError("at the first reset"),
        None,
        ConfigError("at a step: a (bracket"),
        *[None] * 4,
        SimulationError("at the reset after an episode"),
    ]
    pair.env_method("follow", script, indices=1)
    with pytest.raises(DemandError, match=r"^at the first reset$"):
        pair.reset()
    pair.reset()
    with pytest.raises(ConfigError, match=r"^at a step: a \(bracket$"):
        step(pair)
    for _ in range(3):
        step(pair)
    with pytest.raises(SimulationError, match=r"^at the reset after an episode$"):
        step(pair)
    observations: Any = pair.reset()
    assert observations.tolist() == [[0.0], [0.0]]


def test_workers_leave_signals_to_their_parent(pair: ProcessVecEnv) -> None:
    pair.reset()
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
        for process in pair.processes:
            os.kill(process.pid, kind)
        time.sleep(0.05)
        observations, *_ = step(pair)
    assert observations.tolist() == [[3.0], [3.0]]


def test_a_worker_that_dies_is_noticed_at_once() -> None:
    with running(Counter, Counter) as environments:
        environments.reset()
        processes = list(environments.processes)
        environments.env_method("die", indices=1)
        start = time.monotonic()
        for _ in range(2):  # amid a step; and dead already when the next one begins
            with pytest.raises(SimulationError, match=r"process of an environment .*code -9"):
                step(environments)
        environments.close()
        assert time.monotonic() - start < 5
    assert not any(process.is_alive() for process in processes)


def test_neither_a_failed_start_nor_forgetting_to_close_hangs_the_end() -> None:
    code = (
        "from functools import partial\n"
        "from multiprocessing import active_children\n"
        "from worker_cases import Counter, FailsToStart\n"
        "from trafficrl.errors import ConfigError\n"
        "from trafficrl.training.processes import ProcessVecEnv\n"
        "if __name__ == '__main__':\n"
        "    failing = partial(FailsToStart, ConfigError('cycle_s is short'))\n"
        "    try:\n"
        "        ProcessVecEnv([Counter, failing])\n"
        "    except ConfigError as error:\n"
        "        print(error, active_children())\n"
        "    environments = ProcessVecEnv([Counter])\n"
        "    environments.reset()\n"
        "    environments.step_async([0])\n"
    )
    done = run_python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cycle_s is short []\n", "")


def run_python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_signal_to_the_parent_while_children_start_is_not_lost() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda kind, frame: seen.append(kind))
    try:
        with shielded_children():
            os.kill(os.getpid(), signal.SIGUSR2)
        assert seen == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_workers_end_when_their_parent_is_gone(tmp_path: Path) -> None:
    code = (
        "import time, numpy as np\n"
        "from functools import partial\n"
        "from pathlib import Path\n"
        "from worker_cases import Counter, Slow\n"
        "from trafficrl.training.processes import ProcessVecEnv\n"
        "if __name__ == '__main__':\n"
        "    environments = ProcessVecEnv([Counter, partial(Slow, Path('began'))])\n"
        "    environments.reset()\n"
        "    print(*[process.pid for process in environments.processes], flush=True)\n"
        "    environments.step_async(np.zeros(2, np.int64))\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(HERE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert len(workers) == 2
        wait_for((tmp_path / "began").exists)  # one is amid a step now, the other waits
        parent.kill()
    wait_for(lambda: all(gone(worker) for worker in workers))
