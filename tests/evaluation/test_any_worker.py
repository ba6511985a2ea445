"""An episode of an evaluation or a training is the same, whatever its worker did before."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from cologne_cases import cologne_task

from trafficrl.config.execution import ExecutionConfig
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.evaluation.outcome import Measure, Outcome
from trafficrl.evaluation.pool import WorkerPool
from trafficrl.evaluation.worker import Job, run_job
from trafficrl.runs.seeding import Split
from trafficrl.training.processes import ProcessVecEnv

pytestmark = pytest.mark.slow
TIMES = 30
EXECUTION = ExecutionConfig(
    total_timesteps=8, checkpoint_freq=8, eval_freq=0, end_time=1000, parallel_envs=1
)


@pytest.fixture(scope="module")
def cologne() -> Task:
    """The city in which the addresses of SUMO's objects show, after 700 s."""
    return cologne_task(end_s=1000.0)


def judged(task: Task, folder: Path, jobs: list[Job]) -> list[Outcome]:
    """What a new worker makes of these, one after another."""
    pool = WorkerPool(task, folder, 1, hang_timeout_s=0)
    try:
        found = dict(pool.run(dict(enumerate(jobs)), run_job))
    finally:
        pool.close()
    return [found[place] for place in range(len(jobs))]


def test_an_evaluation_does_not_depend_on_what_its_worker_judged_before(
    cologne: Task, tmp_path: Path
) -> None:
    controllers = ("random", "max_pressure", "fixed", "actuated", "webster")
    jobs = [Job(name, "cologne1", Split.test, 0, Measure()) for name in controllers]
    alone = [judged(cologne, tmp_path, [job])[0] for job in jobs]
    many = judged(cologne, tmp_path, jobs * (TIMES // len(jobs)))
    assert [outcome == alone[place % len(jobs)] for place, outcome in enumerate(many)] == (
        [True] * TIMES
    )


def test_a_training_does_not_depend_on_what_its_slot_drove_before(
    cologne: Task, tmp_path: Path
) -> None:
    make = partial(TrafficSignalEnv, cologne, seed=1)

    def rolled_out(times: int) -> list[bytes]:
        environments = ProcessVecEnv([make], EXECUTION, tmp_path)
        try:
            found = []
            for _ in range(times):
                rng = np.random.default_rng(1)
                environments.seed(1)
                seen = [environments.reset()]
                for _ in range(99):
                    observations, rewards, *_ = environments.step(rng.integers(2, size=(1, 1)))
                    seen += [observations, rewards]
                found.append(b"".join(np.asarray(one).tobytes() for one in seen))
            return found
        finally:
            environments.close()

    assert set(rolled_out(TIMES)) == set(rolled_out(1)) == set(rolled_out(1))
