import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from gymnasium.wrappers import OrderEnforcing
from learning_cases import small_task
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv
from worker_cases import EXECUTION, Counter, Unsteady, limited_counter, serving

from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError, DemandError
from trafficrl.training.processes import ProcessVecEnv
from trafficrl.training.shielding import shielded_children

HERE = Path(__file__).parent


@contextmanager
def running(*makers: Callable[..., Any]) -> Iterator[ProcessVecEnv]:
    with tempfile.TemporaryDirectory() as folder:
        environments = ProcessVecEnv(makers, EXECUTION, Path(folder))
        try:
            yield environments
        finally:
            environments.close()
        assert list(Path(folder).iterdir()) == []


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
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessVecEnv]:
    """Two counters, each in its process; any thread can start them."""
    folder = tmp_path_factory.mktemp("pair")
    with ThreadPoolExecutor() as thread:
        started = thread.submit(ProcessVecEnv, [Counter, Counter], EXECUTION, folder)
    environments = started.result()
    yield environments
    environments.close()


def test_processes_roll_out_what_one_process_does() -> None:
    makers = [
        partial(TrafficSignalEnv, small_task(), seed=5, slot=slot, slots=2) for slot in range(2)
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
    def play(*script: Exception | None) -> None:
        pair.set_attr("script", list(script), indices=1)

    play(DemandError("at the first reset"))
    with pytest.raises(DemandError, match=r"^at the first reset$"):
        pair.reset()
    play(None, ConfigError("at a step: a (bracket"))
    pair.reset()
    with pytest.raises(ConfigError, match=r"^at a step: a \(bracket$"):
        step(pair)
    play(None, OSError(28, "No space left on device", "trips.xml"))
    pair.reset()
    with pytest.raises(OSError, match=r"No space left on device: 'trips.xml'"):
        step(pair)
    play(ZeroDivisionError("a mistake of ours"))
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*in play.*ZeroDivisionError: a mistake"):
        pair.reset()
    play()
    pair.reset()
    pair.env_method("fail_to_close", ConfigError("its file is gone"), indices=1)
    with pytest.raises(ConfigError, match=r"^its file is gone$"):
        pair.reset()
    observations: Any = pair.reset()
    assert observations.tolist() == [[0.0], [0.0]]
    assert pair.crashes == []


def test_workers_leave_signals_to_their_parent(pair: ProcessVecEnv) -> None:
    pair.reset()
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
        for process_id in pair.process_ids:
            os.kill(process_id, kind)
            serving(process_id).send_signal(kind)
        time.sleep(0.05)
        observations, *_ = step(pair)
    assert observations.tolist() == [[3.0], [3.0]]


def test_attributes_and_methods_are_those_of_the_environments(pair: ProcessVecEnv) -> None:
    pair.reset()
    pair.set_attr("steps", 2, indices=1)
    assert pair.get_attr("steps") == [0, 2]
    pair.set_attr("wind", 3)
    pair.reset()
    assert pair.get_attr("steps") == [0, 0]
    assert pair.get_attr("wind") == [3, 3], "it holds for later episodes too"
    assert pair.has_attr("steps")
    assert not pair.has_attr("wings")
    assert pair.env_is_wrapped(OrderEnforcing) == [False, False]
    with running(limited_counter) as wrapped:
        assert wrapped.env_is_wrapped(OrderEnforcing) == [True]
        wrapped.reset()
        assert [step(wrapped)[3][0]["TimeLimit.truncated"] for _ in range(3)][1:] == [False, True]


def test_a_replay_that_sees_something_else_is_given_up() -> None:
    with running(Unsteady) as environments:
        environments.reset()
        seen, *_ = step(environments)
        (process_id,) = environments.process_ids
        fork = serving(process_id)
        os.kill(process_id, signal.SIGKILL)
        wait_for(lambda: gone(fork.pid))
        observations, rewards, dones, infos = step(environments)
        assert (observations.tolist(), rewards.tolist(), dones.tolist()) == ([[0]], [0], [True])
        assert infos[0]["terminal_observation"].tolist() == seen[0].tolist()
        died, differed = environments.crashes
    assert died.endswith(
        "decision 1: its process died (killed by SIGKILL); its episode is replayed"
    )
    assert differed.endswith("its replay came to another observation; its episode is dropped")


def test_each_episode_has_a_process_of_its_own() -> None:
    with running(Counter) as environments:
        (process_id,) = environments.process_ids
        assert environments.env_method("process") == [process_id]
        seen = []
        for _ in range(2):
            environments.reset()
            seen += environments.env_method("process")
            step(environments)
            assert environments.env_method("process") == seen[-1:]
            assert psutil.Process(seen[-1]).parent() == psutil.Process(process_id)
        for _ in range(3):  # the last of them begins another
            step(environments)
        seen += environments.env_method("process")
        wait_for(lambda: gone(seen[1]))
        assert len({process_id, *seen}) == 4
        assert environments.process_ids == [process_id]


def test_neither_a_failed_start_nor_forgetting_to_close_hangs_the_end(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from functools import partial\n"
        "from multiprocessing import active_children\n"
        "from pathlib import Path\n"
        "from worker_cases import EXECUTION, Counter, FailsToStart\n"
        "from trafficrl.errors import ConfigError\n"
        "from trafficrl.training.processes import ProcessVecEnv\n"
        "if __name__ == '__main__':\n"
        "    failing = partial(FailsToStart, ConfigError('cycle_s is short'))\n"
        "    try:\n"
        "        ProcessVecEnv([Counter, failing], EXECUTION, Path(sys.argv[1]))\n"
        "    except ConfigError as error:\n"
        "        print(error, active_children())\n"
        "    environments = ProcessVecEnv([Counter], EXECUTION, Path(sys.argv[1]))\n"
        "    environments.reset()\n"
        "    environments.step_async([0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "cycle_s is short []\n", "")
    assert list(tmp_path.iterdir()) == []


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
        "from worker_cases import EXECUTION, Counter, Slow, serving\n"
        "from trafficrl.training.processes import ProcessVecEnv\n"
        "if __name__ == '__main__':\n"
        "    makers = [Counter, partial(Slow, Path('began'))]\n"
        "    environments = ProcessVecEnv(makers, EXECUTION, Path('work'))\n"
        "    environments.reset()\n"
        "    forks = [serving(one).pid for one in environments.process_ids]\n"
        "    print(*environments.process_ids, *forks, flush=True)\n"
        "    environments.step_async(np.zeros(2, np.int64))\n"
        "    time.sleep(60)\n"
    )
    (tmp_path / "work").mkdir()
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
        assert len(set(workers)) == 4
        wait_for((tmp_path / "began").exists)  # one is amid a step now, the other waits
        parent.kill()
    wait_for(lambda: all(gone(worker) for worker in workers))
    assert list((tmp_path / "work").iterdir()) == []
