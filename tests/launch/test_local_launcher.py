"""The same jobs without a cluster: processes of this machine, in folders that stay the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cut_cases import CODE, assert_equal_runs, record
from forked_cases import forked
from traffic_cases import city, drive_along

from trafficrl.runs.jobs import load_job
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import load_sidecar

LOCAL = (
    "-m",
    "hydra/launcher=submitit_local",
    "hydra.launcher.array_parallelism=2",
    "algorithm.n_steps=16",
    "algorithm.batch_size=16",
    "execution.total_timesteps=160",
    "execution.eval_freq=0",
    "execution.end_time=120",
    "execution.single_env=true",
    "execution.trackers=[csv]",
    "evaluation.baselines=[fixed]",
    "evaluation.seeds=1",
    "evaluation.workers=1",
)
MEMBER = """\
defaults:
  - /schema/scenarios/route_file@{name}
  - _self_
{name}:
  begin_s: 0
  file: [{name}.rou.xml]
"""


def start(place: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *words],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(place: Path, *words: str) -> tuple[int, str, str]:
    done = forked("train", *words, folder=place)
    return done.returncode, done.stdout, done.stderr


def runs_of(place: Path) -> list[Path]:
    """The two folders of its one sweep."""
    (sweep,) = (place / "multirun").iterdir()
    return [sweep / "0", sweep / "1"]


@pytest.mark.slow  # what goes on is tested with the first launcher as well, and here with a chain
def test_a_job_that_is_warned_goes_on_in_its_folder_and_what_is_finished_is_left_alone(
    tmp_path: Path,
) -> None:
    words = (*LOCAL, "execution.hang_timeout_s=100,200")  # which their weights do not depend on
    process = start(tmp_path, *words)
    while not list(tmp_path.glob("multirun/*/0/run.json")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    cut, uncut = runs_of(tmp_path)
    while record(cut).get("timesteps", -1) < 16:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.kill(record(cut)["pid"], signal.SIGUSR2)
    _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
    assert [record(run)["status"] for run in (cut, uncut)] == ["finished", "finished"]
    assert [record(run)["resumes"] for run in (cut, uncut)] == [1, 0]
    assert_equal_runs(RunPaths(cut), RunPaths(uncut))
    for run in (cut, uncut):
        job = load_job(RunPaths(run))
        assert job is not None
        assert job.cluster == "local"
        assert "training ended at 160 steps" in (run / "job.out").read_text()
    assert "stopped at" in (cut / "job.out").read_text()
    code, out, errors = finish(tmp_path, *words)
    assert (code, errors, out.count(" : finished")) == (0, "", 2)
    assert [record(run)["resumes"] for run in (cut, uncut)] == [1, 0]


@pytest.mark.slow  # its jobs import everything anew
def test_a_link_that_fails_lets_the_next_not_begin_until_it_is_mended(tmp_path: Path) -> None:
    members = tmp_path / "conf" / "scenarios"
    members.mkdir(parents=True)
    early, late = tmp_path / "early.rou.xml", tmp_path / "late.rou.xml"
    for name in ("early", "late"):
        (members / f"{name}.yaml").write_text(MEMBER.format(name=name))
    early.write_text("<routes>\n<trip id=")  # still being copied
    late.write_text(drive_along(city().net_file))
    network = ("network=net_file", f"network.file={city().net_file}")
    small = "execution.total_timesteps=32"
    chain = ("--config-dir", "conf", *LOCAL, *network, small, "batch=early,late")
    code, _, errors = finish(tmp_path, *chain)
    first, second = runs_of(tmp_path)
    assert code == 1
    (line,) = errors.splitlines()
    sweep = first.parent.relative_to(tmp_path)
    assert line.startswith(f"trafficrl-train: error: 2 of 2 jobs failed: {sweep}/0: ")
    assert "early.rou.xml" in line
    assert line.endswith(f"{sweep}/1: not begun, since {sweep}/0 failed")
    assert record(first)["status"] == "failed"
    assert not second.exists()
    early.write_text(late.read_text())
    assert finish(tmp_path, *chain)[::2] == (0, "")
    model = load_sidecar(RunPaths(second).final_model)
    assert [(step.run, step.scenarios) for step in model.lineage] == [(str(first), ("early",))]
