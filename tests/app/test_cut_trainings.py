"""A training that was cut ends bit for bit as one that was not."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cut_cases import (
    CODE,
    LAST,
    SMALL,
    assert_equal_runs,
    cut,
    finish,
    newest_checkpoint,
    record,
    start,
    wait_for,
    wait_for_checkpoint,
)

from trafficrl.runs.paths import RunPaths
from trafficrl.runs.stop import STOPPED_EXIT_CODE

CENTRAL = ("algorithm=ppo_quick", "reward=delay")
SHARED = ("algorithm=ppo_shared", "reward=local_queue", "algorithm.net_arch=[16]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cut")


@pytest.fixture(scope="module", params=[CENTRAL, SHARED], ids=["central", "shared"])
def words(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """One agent for all signals, or one policy that each of them asks."""
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture(scope="module")
def uncut(folder: Path, words: tuple[str, ...]) -> RunPaths:
    return finish(folder / f"uncut-{len(words)}", *words)


@pytest.mark.slow  # a job that Slurm puts back into the queue is stopped in the same way
@pytest.mark.parametrize("words", [CENTRAL], indirect=True)  # both are stopped by the same loop
def test_a_stop_saves_where_it_was_and_the_same_command_goes_on(
    uncut: RunPaths, folder: Path, words: tuple[str, ...]
) -> None:
    run = folder / f"stopped-{len(words)}"
    process = start(run, *words)
    wait_for(run, 20, process)
    asked = time.monotonic()
    code, errors = cut(process, signal.SIGTERM)
    assert time.monotonic() - asked < 5 + 10  # to save, and for Python to end
    assert code == STOPPED_EXIT_CODE, errors
    assert errors.splitlines()[-1].startswith("trafficrl-train: stopped (SIGTERM): the same")
    stopped = record(run)
    assert (stopped["status"], stopped["reason"]) == ("stopped", "SIGTERM")
    assert stopped["checkpoint_timesteps"] >= 20
    paths = finish(run, *words)
    assert_equal_runs(paths, uncut)
    assert (record(run)["status"], record(run)["resumes"]) == ("finished", 1)
    assert sorted(p.name for p in run.iterdir()) == sorted(p.name for p in uncut.root.iterdir())


def test_a_stop_while_torch_starts_is_a_stop(folder: Path) -> None:
    run = folder / "early"
    # In its C++ part, which calls Python: an exception from there would abort the process.
    begun = "event == 'import' and args[0] == 'torch.distributed'"
    code = (
        "import signal, sys; sys.addaudithook(lambda event, args:"
        f"{begun} and signal.setitimer(signal.ITIMER_REAL, 0.002)); {CODE}"
    )
    words = [sys.executable, "-c", code, *SMALL, f"hydra.run.dir={run}"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == STOPPED_EXIT_CODE, done.stderr
    assert (record(run)["status"], record(run)["reason"]) == ("stopped", "time limit")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(CENTRAL, id="central"),
        pytest.param(SHARED, id="shared", marks=pytest.mark.slow),
    ],
    indirect=True,
)
def test_a_killed_training_goes_on_from_its_checkpoint(
    uncut: RunPaths, folder: Path, words: tuple[str, ...]
) -> None:
    run = folder / f"killed-{len(words)}"
    process = start(run, *words)
    wait_for(run, 60, process)
    code, _ = cut(process, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert_equal_runs(finish(run, *words), uncut)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(20))
def test_killed_at_any_moment_it_ends_the_same(
    uncut: RunPaths, folder: Path, words: tuple[str, ...], moment: int
) -> None:
    """Spread over the whole training by its checkpoints, and from there by time."""
    rng, run = random.Random(moment), folder / f"moment-{len(words)}-{moment}"
    process = start(run, *words)
    wait_for_checkpoint(run, rng.randrange(0, LAST + 1), process)
    time.sleep(rng.uniform(0.0, 2.0))
    if process.poll() is None:
        cut(process, signal.SIGKILL)
    print(f"cut after the checkpoint of {newest_checkpoint(run)} steps: {record(run)['status']}")
    assert_equal_runs(finish(run, *words), uncut)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(4))
def test_a_chain_of_two_batches_ends_the_same(folder: Path, moment: int) -> None:
    first = finish(folder / f"first-{moment}", "~scenarios.evening")
    second = ("~scenarios.morning", f"resume_from={first.root}")
    whole = finish(folder / f"second-{moment}", *second)
    run = folder / f"second-cut-{moment}"
    process = start(run, *second)
    while not RunPaths(run).run.is_file():
        time.sleep(0.01)
    time.sleep(random.Random(100 + moment).uniform(0.0, record(whole.root)["wall_s"]))
    if process.poll() is None:
        cut(process, signal.SIGKILL)
    assert_equal_runs(finish(run, *second), whole)
    assert [parent["timesteps"] for parent in record(run)["lineage"]] == [144]
