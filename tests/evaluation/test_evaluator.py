import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from dying_cases import DyingDatabase
from learning_cases import ALGORITHM, OBSERVATION, other_city, save_new_model, small_task
from traffic_cases import DURATIONS, scenario_config

from trafficrl.config.algorithm import PolicyKind
from trafficrl.config.controllers import FixedConfig, UniformConfig
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import CheckpointError, ConfigError, SimulationError, TrafficRLError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.evaluator import Evaluator, Recording
from trafficrl.evaluation.outcome import EpisodeResult, Measure
from trafficrl.runs.seeding import Split, demand_seed

TESTS = Path(__file__).parent.parent


def judged_task() -> Task:
    scenarios = {"b": scenario_config(num_vehicles=40), "a": scenario_config(num_vehicles=60)}
    return small_task(scenarios=scenarios)


def alone(
    label: str, controller: str, folder: Path, split: Split = Split.test
) -> list[EpisodeResult]:
    """The same episodes one after another in this process."""
    found = []
    for scenario in ("b", "a"):
        for seed in range(2):
            episode = Episode.of_split(scenario, split, seed)
            judged = build_controller(controller, judged_task())
            given = run_episode(judged_task(), episode, judged, folder, Measure())
            sumo_seed = demand_seed(split, seed)
            found.append(
                EpisodeResult(
                    label,
                    scenario,
                    seed,
                    sumo_seed,
                    given.metrics,
                    given.reward,
                    given.slices,
                    given.edge_queue_veh,
                    slice_queues=given.slice_queues,
                )
            )
    return found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluator]:
    with Evaluator(judged_task(), tmp_path_factory.mktemp("two") / "work", workers=2) as evaluator:
        yield evaluator


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("model") / "policy.zip"
    save_new_model(file, replace(ALGORITHM, policy=PolicyKind.phase_scores))
    return file


def wait_for(condition: Callable[[], bool], *, at_most_s: float = 15.0) -> None:
    end = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_all_controllers_meet_the_same_episodes_whoever_runs_them(
    two: Evaluator, model: Path, tmp_path: Path
) -> None:
    done: list[int] = []
    found = two.run(
        {"plan": "fixed", "policy": str(model)}, split=Split.test, seeds=2, report=done.append
    )
    assert found == alone("plan", "fixed", tmp_path) + alone("policy", str(model), tmp_path)
    assert done == sorted(done)
    assert done[-1] == 8
    by_plan, by_policy = found[:4], found[4:]
    assert [r.sumo_seed for r in by_plan] == [r.sumo_seed for r in by_policy]
    assert [r.metrics.scheduled for r in by_plan] == [40, 40, 60, 60]
    assert [r.metrics for r in by_plan] != [r.metrics for r in by_policy]
    assert list(tmp_path.iterdir()) == []


def test_validation_is_other_demand_than_test(two: Evaluator, tmp_path: Path) -> None:
    validation = two.run({"plan": "fixed"}, split=Split.validation, seeds=2)
    assert validation == alone("plan", "fixed", tmp_path, Split.validation)
    test = two.run({"plan": "fixed"}, split=Split.test, seeds=2)
    assert {r.sumo_seed for r in validation}.isdisjoint(r.sumo_seed for r in test)
    assert all(a.metrics != b.metrics for a, b in zip(validation, test, strict=True))


def test_seeds_can_begin_at_another_number(two: Evaluator) -> None:
    both = two.run({"plan": "fixed"}, split=Split.test, seeds=2)
    later = two.run({"plan": "fixed"}, split=Split.test, seeds=1, first_seed=1)
    assert later == [result for result in both if result.seed == 1]


def test_a_model_brings_its_own_observation_and_action(two: Evaluator, tmp_path: Path) -> None:
    other = replace(
        ALGORITHM,
        action=DURATIONS,
        observation=replace(OBSERVATION, edge_features=["speed_ratio"], phase_features=[]),
        normalize_observation=True,
    )
    save_new_model(tmp_path / "durations.zip", other)
    found = two.run({"policy": str(tmp_path / "durations.zip")}, split=Split.test, seeds=1)
    assert [r.metrics.scheduled for r in found] == [40, 60]


def test_a_model_file_that_was_rewritten_is_read_again(two: Evaluator, tmp_path: Path) -> None:
    file, found = tmp_path / "candidate.zip", []
    for seed in (1, 2):
        save_new_model(file, seed=seed)
        os.utime(file, (1_700_000_000, 1_700_000_000))  # a clock too coarse to tell them apart
        (tmp_path / "alone").mkdir(exist_ok=True)
        found.append(two.run({"policy": str(file)}, split=Split.test, seeds=2))
        assert found[-1] == alone("policy", str(file), tmp_path / "alone")
    assert [r.metrics for r in found[0]] != [r.metrics for r in found[1]]


def test_a_failing_episode_is_raised_at_once_and_drops_the_rest(
    two: Evaluator, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.zip"
    damaged.write_text("no model")
    controllers = {"policy": str(damaged)} | {f"plan {n}": "fixed" for n in range(100)}
    done = [0]
    with pytest.raises(CheckpointError, match=r"damaged\.zip: the model is damaged"):
        two.run(controllers, split=Split.test, seeds=1, report=done.append)
    assert done[-1] < 10
    start = time.monotonic()
    assert len(two.run({"plan": "fixed"}, split=Split.test, seeds=1)) == 2
    assert time.monotonic() - start < 5, "nothing of the failed run is in the way"


def test_a_model_that_is_gone_or_of_another_network_is_named(
    two: Evaluator, tmp_path: Path
) -> None:
    assert "no model file" in str(failure(two, tmp_path / "absent.zip", ConfigError))
    foreign = tmp_path / "foreign.zip"
    save_new_model(foreign, network=other_city())
    assert "trained for the network" in str(failure(two, foreign, CheckpointError))


def test_a_model_that_cannot_be_judged_is_refused_before_anything_runs(
    two: Evaluator, tmp_path: Path
) -> None:
    foreign, done = tmp_path / "foreign.zip", list[int]()
    save_new_model(foreign, network=other_city())
    controllers = {"plan": "fixed", "policy": str(foreign)}
    with pytest.raises(CheckpointError, match="trained for the network"):
        two.run(controllers, split=Split.test, seeds=1, report=done.append)
    assert done == []


def test_parameters_that_do_not_fit_are_refused_before_anything_runs(tmp_path: Path) -> None:
    task = replace(
        judged_task(), controllers={"fixed": FixedConfig(), "short": UniformConfig(cycle_s=11)}
    )
    done = list[int]()
    with (
        Evaluator(task, tmp_path / "work", workers=1) as evaluator,
        pytest.raises(ConfigError, match=r"^controller\.short\.cycle_s 11 \[s\] is too short"),
    ):
        evaluator.run(
            {"plan": "fixed", "short": "short"}, split=Split.test, seeds=1, report=done.append
        )
    assert done == []


def failure(evaluator: Evaluator, model: Path, kind: type[TrafficRLError]) -> TrafficRLError:
    with pytest.raises(kind) as error:
        evaluator.run({"policy": str(model)}, split=Split.test, seeds=1)
    return error.value


def test_workers_leave_signals_to_their_parent(two: Evaluator) -> None:
    workers = active_children()
    assert len(workers) >= 2

    def disturb(done: int) -> None:
        for worker in workers:
            for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
                os.kill(worker.pid or 0, kind)

    found = two.run({"plan": "fixed"}, split=Split.test, seeds=4, report=disturb)
    assert len(found) == 8


def workers_now() -> set[BaseProcess]:
    return set(active_children())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_evaluation_outlives_its_workers_and_runs_nothing_twice(
    two: Evaluator, tmp_path: Path
) -> None:
    expected = two.run({"p": "fixed"}, split=Split.test, seeds=6)
    before, files, done = workers_now(), open_files(), list[int]()
    recording = Recording(DyingDatabase(tmp_path / "base"), run=tmp_path / "run")
    with Evaluator(judged_task(), tmp_path / "work", workers=2, max_crashes=1) as evaluator:
        found = evaluator.run(
            {"p": "fixed"}, split=Split.test, seeds=6, recording=recording, report=done.append
        )
        # Only what was recorded has a name in the database.
        assert [replace(one, configuration="") for one in found] == expected
        assert done == sorted(set(done))
        # Whole files: the other worker may have been writing.
        assert len(list((tmp_path / "base" / "episodes").glob("*.parquet"))) == 12
        (told,) = evaluator.crashes
        unfinished = r"p on [ba] seed \d, p on [ba] seed \d and \d more"
        assert re.fullmatch(rf"a worker process .* died before {unfinished}; begun anew", told)
        assert len(workers_now() - before) == 2
        assert len(list((tmp_path / "work").iterdir())) == 1
        (workers_now() - before).pop().kill()  # while nothing is asked of it
        with pytest.raises(
            SimulationError, match=r"^2 crashes, .*max_crashes is 1; the last: a wo"
        ):
            evaluator.run({"p": "fixed"}, split=Split.test, seeds=7)
    assert (workers_now(), open_files()) == (before, files)
    assert list((tmp_path / "work").iterdir()) == []


def test_an_interrupt_waits_for_no_episode(tmp_path: Path) -> None:
    quick, long = scenario_config(num_vehicles=12), scenario_config(num_vehicles=20_000)
    task = small_task(scenarios={"quick": quick, "long": long}, end_s=3600.0)

    def interrupt(done: int) -> None:
        interrupted.append(time.monotonic())
        raise KeyboardInterrupt

    interrupted: list[float] = []
    with (
        pytest.raises(KeyboardInterrupt),
        Evaluator(task, tmp_path / "work", workers=1) as evaluator,
    ):
        evaluator.run({"plan": "fixed"}, split=Split.test, seeds=1, report=interrupt)
    assert time.monotonic() - interrupted[0] < 3


def test_workers_end_when_their_parent_is_gone(tmp_path: Path) -> None:
    code = (
        "from multiprocessing import active_children\n"
        "from pathlib import Path\n"
        "from learning_cases import small_task\n"
        "from trafficrl.evaluation.evaluator import Evaluator\n"
        "from trafficrl.runs.seeding import Split\n"
        "def tell(done):\n"
        "    print(active_children()[0].pid, flush=True)\n"
        "if __name__ == '__main__':\n"
        "    evaluator = Evaluator(small_task(), Path('work'), workers=1)\n"
        "    evaluator.run({'plan': 'fixed'}, split=Split.test, seeds=9999, report=tell)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), at_most_s=10)


def test_a_worker_that_hangs_keeps_nobody_from_closing(tmp_path: Path) -> None:
    others = workers_now()
    evaluator = Evaluator(small_task(), tmp_path, workers=1)
    evaluator.run({"fixed": "fixed"}, split=Split.test, seeds=1)
    hanging = workers_now() - others
    for worker in hanging:
        os.kill(worker.pid or 0, signal.SIGSTOP)
    start = time.monotonic()
    evaluator.close()
    assert time.monotonic() - start < 10
    assert hanging
    assert not any(worker.is_alive() for worker in hanging)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_hangs_is_replaced(two: Evaluator, tmp_path: Path) -> None:
    expected = two.run({"p": "fixed"}, split=Split.test, seeds=3)
    stopped: list[int] = []

    def stop_one(done: int) -> None:
        """At the first end of an episode one that is under way hangs."""
        if not stopped:
            wait_for(lambda: any(tmp_path.rglob("*.beat")), at_most_s=10)
            stopped.append(int(next(tmp_path.rglob("*.beat")).stem))
            os.kill(stopped[0], signal.SIGSTOP)

    with Evaluator(judged_task(), tmp_path, workers=2, hang_timeout_s=1.5) as evaluator:
        found = evaluator.run({"p": "fixed"}, split=Split.test, seeds=3, report=stop_one)
        (told,) = evaluator.crashes
    assert found == expected
    assert "died" in told
    assert not Path(f"/proc/{stopped[0]}").exists()
    assert list(tmp_path.iterdir()) == []
