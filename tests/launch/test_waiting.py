"""What is said of a job that has ended; the jobs are submitit's, in processes of their own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from composing import experiment
from omegaconf import OmegaConf
from submitit import LocalExecutor

from trafficrl.errors import ConfigError, RunError
from trafficrl.launch.slurm import chained
from trafficrl.launch.task import Planned
from trafficrl.launch.waiting import link_logs, outcome, wait_for
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord, RunStatus


def cases() -> list[tuple[Callable[[Path], None], str]]:
    """What a job does with its run folder, and what is said of it.

    Functions in a function: these are pickled as they are, not by a name in this file.
    """

    def works(folder: Path) -> None:
        print("all is well", flush=True)

    def is_wrong(folder: Path) -> None:
        raise ConfigError("scenarios.own.file: there is no file 'own.rou.xml'")

    def dies(folder: Path) -> None:
        print("out of memory", flush=True)
        print("srun: error: node1: task 0: Exited with exit code 3", file=sys.stderr, flush=True)
        os._exit(3)

    def fails(folder: Path) -> None:
        RunRecord(RunPaths(folder).run).end(RunStatus.failed, "SUMO died")
        raise ValueError("a traceback")

    wrong = "trafficrl.errors.ConfigError: scenarios.own.file: there is no file 'own.rou.xml'"
    died = "it ended without a result; {folder}/job.out: out of memory"
    return [(works, ""), (is_wrong, wrong), (dies, died), (fails, "SUMO died")]


def test_each_end_is_told_in_a_line_and_the_logs_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a job that died, submitit waits so long [s] for a result on a slow file system.
    monkeypatch.setattr("submitit.Job._results_timeout_s", 1)
    monkeypatch.setattr("trafficrl.launch.waiting.GRACE_S", 1.0)
    queue = LocalExecutor(tmp_path / "jobs")
    folders, jobs = [], {}
    for work, _ in cases():
        folder = tmp_path / work.__name__
        folder.mkdir()
        folders.append(folder)
        jobs[folder] = queue.submit(work, folder)
        assert link_logs(folder, jobs[folder].paths) == Path("job.out")
    told = [outcome(folder, job) for folder, job in jobs.items()]
    whys = zip(folders, cases(), strict=True)
    assert told == [why.format(folder=folder) for folder, (_, why) in whys]
    assert "all is well" in (folders[0] / "job.out").read_text()
    assert "there is no file" in (folders[1] / "job.err").read_text()
    with pytest.raises(RunError) as caught:
        wait_for(jobs, lambda number: False)  # the queue knows none of them any more
    words = str(caught.value)
    assert words.startswith("3 of 4 jobs failed: ")
    for folder, why in zip(folders[1:], told[1:], strict=True):
        assert f"job {jobs[folder].job_id} ({folder}): {why}" in words
    assert "\n" not in words


@pytest.mark.parametrize(("after", "waits"), [(None, False), ("city@v1", False), ("sweep/0", True)])
def test_only_jobs_that_wait_for_one_another_are_a_chain(after: str | None, waits: bool) -> None:
    composed = OmegaConf.create()
    plans = [
        Planned(
            number=number,
            overrides=[],
            folder=Path("sweep", str(number)),
            composed=composed,
            experiment=experiment(),
            finished=False,
            after=Path(after) if after and number else None,
        )
        for number in range(2)
    ]
    assert chained(plans) is waits
