"""One model over several batches of scenarios, each batch a job of a real Slurm."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_cases import record
from job_cases import (
    ENDED,
    SLURM,
    TINY,
    cancelled_at_the_end,
    has_done,
    job_of,
    logs,
    send,
    shown,
    state,
    until_ended,
)
from slurm_cases import needs_slurm, submitted, wait_for
from traffic_cases import drive_along

from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import load_sidecar

pytestmark = needs_slurm
MEMBER = """\
defaults:
  - /schema/scenarios/generated@{name}
  - _self_
{name}:
  num_vehicles: {vehicles}
  private_traffic_seed: 1
  public_traffic_seed: 2
"""
OWN_FILE = """\
defaults:
  - /schema/scenarios/route_file@own
  - _self_
own:
  begin_s: 0
  file: [own.rou.xml]
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where the commands are called, with scenarios of the user's own."""
    members = tmp_path / "conf" / "scenarios"
    members.mkdir(parents=True)
    for vehicles, name in enumerate(("first", "second", "third"), start=10):
        (members / f"{name}.yaml").write_text(MEMBER.format(name=name, vehicles=vehicles))
    (members / "own.yaml").write_text(OWN_FILE)
    with cancelled_at_the_end(lambda: list(tmp_path.glob("multirun/*/[0-9]"))):
        yield tmp_path


def links(place: Path, number: int) -> list[Path]:
    """The run folders of a chain in the order of their numbers."""
    (sweep,) = (place / "multirun").iterdir()
    return [sweep / str(i) for i in range(number)]


def waits_for(run: Path) -> str:
    """The job on which the run's job depends; empty for none."""
    found = re.match(r"afterok:(\d+(_\d+)?)", shown(job_of(run))["Dependency"])
    return found[1] if found else ""


@pytest.mark.parametrize("seeds", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_chain_is_sent_by_a_command_that_returns_and_each_seed_goes_on_alone_if_requeued(
    place: Path, seeds: int
) -> None:
    words = ("batch=first,second", f"seed={','.join(map(str, range(1, seeds + 1)))}")
    sent = send(place, "--config-dir", "conf", *SLURM, *TINY, *words)
    assert sent.code == 0, sent.errors
    runs = links(place, 2 * seeds)
    assert not {state(run) for run in runs} & ENDED
    assert [waits_for(run) for run in runs[seeds:]] == [job_of(run) for run in runs[:seeds]]
    cut = runs[seeds - 1]
    wait_for(lambda: has_done(cut, 0))
    step = f"{shown(job_of(cut))['JobId']}.0"
    subprocess.run(["scancel", "--signal=USR2", step], check=True)
    assert until_ended(*runs) == {run.name: "COMPLETED" for run in runs}
    assert [record(run)["resumes"] for run in runs] == [int(run == cut) for run in runs]
    for seed, (one, two) in enumerate(zip(runs[:seeds], runs[seeds:], strict=True), start=1):
        model = load_sidecar(RunPaths(two).final_model)
        before = [(step.run, step.timesteps, step.scenarios) for step in model.lineage]
        assert before == [(str(one), 32, ("first",))]
        assert (model.timesteps, model.scenarios) == (64, ("second",))
        assert f"seed: {seed}\n" in RunPaths(two).resolved_config.read_text()
        assert shown(job_of(two))["StartTime"] >= shown(job_of(one))["EndTime"]


@pytest.mark.slow  # its jobs import everything anew
def test_a_link_that_fails_cancels_what_follows_and_the_same_command_repeats_these(
    place: Path,
) -> None:
    own = place / "own.rou.xml"
    own.write_text("<routes>\n<trip id=")  # still being copied
    words = ("--config-dir", "conf", *SLURM, *TINY, "batch=first,own,third")
    sent = send(place, *words)
    assert sent.code == 0, sent.errors
    runs = links(place, 3)
    jobs = [job_of(run) for run in runs]
    assert until_ended(*runs) == {"0": "COMPLETED", "1": "FAILED", "2": "CANCELLED"}
    assert shown(jobs[1])["ExitCode"] == "1:0"
    assert shown(jobs[2])["Reason"] == "DependencyNeverSatisfied"
    assert record(runs[1])["status"] == "failed"
    assert "own.rou.xml" in record(runs[1])["reason"]
    assert "own.rou.xml" in logs(runs[1])
    assert not RunPaths(runs[2]).run.exists()
    assert not any(RunPaths(run).final_model.exists() for run in runs[1:])
    (net_file,) = RunPaths(runs[0]).network.glob("*.net.xml")
    own.write_text(drive_along(net_file))
    again = send(place, *words)
    assert again.code == 0, again.errors
    assert job_of(runs[0]) == jobs[0]
    assert until_ended(*runs[1:]) == {"1": "COMPLETED", "2": "COMPLETED"}
    lineage = load_sidecar(RunPaths(runs[2]).final_model).lineage
    assert [step.scenarios for step in lineage] == [("first",), ("own",)]


@pytest.mark.slow  # its jobs import everything anew
def test_a_link_whose_predecessor_is_submitted_again_waits_for_the_new_job(place: Path) -> None:
    held = "+hydra.launcher.additional_parameters.hold=true"
    words = ("--config-dir", "conf", *SLURM, *TINY, held, "batch=first,second,third")
    assert send(place, *words).code == 0
    runs = links(place, 3)
    before = [job_of(run) for run in runs]
    with submitted("sleep 1", "--hold") as other:
        # Slurm would cancel it within a minute or so: until then it seems to wait.
        change = ["scontrol", "update", f"job={before[1]}", f"dependency=afterok:{other}"]
        subprocess.run(change, check=True)
        subprocess.run(["scancel", before[0]], check=True)
        again = send(place, *words)
    assert again.code == 0, again.errors
    now = [job_of(run) for run in runs]
    assert not set(now) & set(before)
    assert [waits_for(run) for run in runs[1:]] == now[:2]
    assert {shown(job)["JobState"] for job in before} == {"CANCELLED"}
    once_more = send(place, *words)
    assert once_more.code == 0, once_more.errors
    assert [job_of(run) for run in runs] == now
