"""What a machine has for trainings, found on this one as it is, and as it would be with faults."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from trafficrl.app.doctor import run
from trafficrl.app.doctor_finding import Finding, State
from trafficrl.app.doctor_machine import examine_machine
from trafficrl.app.doctor_probes import Probe

SLURM = ("sbatch", "squeue", "srun", "scancel", "sacct")


def program(folder: Path, name: str, said: str) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{said}\n")
    file.chmod(0o755)


def doctor(
    folder: Path, *words: str, modules: Path | None = None, **more: str
) -> tuple[int, str, str]:
    """The command in that folder, on a machine whose programs are those of `programs` there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = kept | {"PATH": str(folder / "programs")} | more
    if modules is not None:
        environment["PYTHONPATH"] = str(modules)
    done = subprocess.run(
        [sys.executable, "-c", "from trafficrl.app.doctor import main; main()", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_machine_that_can_train_is_told_so(tmp_path: Path) -> None:
    for name in SLURM:
        program(tmp_path / "programs", name, "exit 0")
    program(tmp_path / "programs", "sinfo", "echo 'main*|up|1-00:00:00|4'; echo 'gpu|drain|5:00|1'")
    program(tmp_path / "programs", "nvidia-smi", "echo 'NVIDIA H200, 143771 MiB, 570.0'")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = doctor(tmp_path, "--json", SUMO_HOME="/nowhere/sumo")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    assert (document["format"], document["can_train"]) == (1, True)
    assert document["folder"] == str(tmp_path)
    found = {one["name"]: one for one in document["findings"]}
    states = {name: one["state"] for name, one in found.items()}
    for name in ("python", "packages", "torch", "slurm", "conf", "outputs", "temporary", "shared"):
        assert states[name] == "ok", found[name]
    assert found["slurm"]["facts"]["partitions"] == [
        {"name": "main*", "state": "up", "time_limit": "1-00:00:00", "nodes": "4"},
        {"name": "gpu", "state": "drain", "time_limit": "5:00", "nodes": "1"},
    ]
    assert states["sumo"] == "warning"
    assert "SUMO_HOME=/nowhere/sumo is another one" in found["sumo"]["found"]
    assert len(set(found["sumo"]["facts"]["versions"].values())) == 1
    # The card that is only said to be there: no torch can use it.
    assert states["gpu"] == "warning"
    assert found["gpu"]["found"].startswith("NVIDIA H200, 143771 MiB, 570.0: torch ")
    assert found["conf"]["facts"]["of"] == "a checkout"
    assert found["extras"]["facts"]["resco"] is True
    assert found["outputs"]["facts"]["outputs"]["in"] == str(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_broken_is_named_with_what_to_do(tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    metadata = modules / "trafficrl-9.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(
        "Metadata-Version: 2.1\nName: trafficrl\nVersion: 9\nRequires-Dist: nowhere-to-be-had>=1\n"
        "Requires-Dist: numpy<1\nRequires-Dist: psutil>=1\nProvides-Extra: more\n"
        'Requires-Dist: nothing-more; extra == "more"\n'
    )
    (modules / "torch.py").write_text("raise ImportError('libcudart.so.12: no such file')\n")
    (modules / "libsumo.py").write_text("import os; os.abort()\n")
    program(tmp_path / "programs", "sinfo", "echo 'slurm_load_partitions: no way' >&2; exit 1")
    for name in SLURM:
        program(tmp_path / "programs", name, "exit 0")
    (tmp_path / "outputs").write_text("in the way")
    code, out, err = doctor(tmp_path, modules=modules, PYTHONIOENCODING="ascii")
    assert (code, err) == (1, "")
    lines = out.splitlines()

    def row(name: str) -> list[str]:
        (place,) = [place for place, line in enumerate(lines) if line[5:].startswith(f"{name} ")]
        return [line.strip() for line in lines[place : place + 2]]

    numpy = __import__("numpy").__version__
    wrong = f"nowhere-to-be-had is missing; numpy is {numpy}, needed is <1"
    assert row("packages") == [f"FAIL packages   {wrong}", "-> pip install trafficrl"]
    assert row("torch")[0] == (
        "FAIL torch      does not start: ImportError: libcudart.so.12: no such file"
    )
    assert row("sumo")[0].startswith("FAIL sumo       libsumo does not start: ")
    assert row("slurm")[0] == "warn slurm      sinfo: slurm_load_partitions: no way"
    assert row("outputs")[0].startswith(f"FAIL outputs    {tmp_path / 'outputs'}: ")
    assert row("outputs")[1].startswith("-> ")
    assert row("terminal")[0] == "warn terminal   it takes ascii only"
    assert row("extras")[0] == "-    extras     not installed: more"
    assert lines[-1].endswith(
        ": no training can run: packages, sumo, torch, outputs; mind slurm, terminal"
    )


def test_a_program_that_hangs_is_not_waited_for() -> None:
    start = time.monotonic()
    probe = Probe(["sleep", "60"], patience_s=0.2)
    assert probe.answer() == ""
    assert probe.trouble == "no answer in 0.2 s"
    assert time.monotonic() - start < 10
    assert not [child for child in psutil.Process().children() if child.name() == "sleep"]
    missing = Probe(["no-such-program"], patience_s=1)
    assert (missing.answer(), missing.trouble) == ("", "No such file or directory")
    failing = Probe(["sh", "-c", "exit 3"], patience_s=5)
    assert (failing.facts(), failing.trouble) == (None, "it ends with code 3")


def test_low_limits_are_told(tmp_path: Path) -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 500));"
        "from pathlib import Path; from trafficrl.app.doctor_machine import examine_machine;"
        "print([(f.state.name, f.found, f.advice) for f in examine_machine(Path())"
        " if f.name == 'limits'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "('warning', '200 open files, " in done.stdout
    assert "ulimit -n 1024 (root has to raise the hard limit)" in done.stdout


def test_the_machine_of_these_tests_is_fit(tmp_path: Path) -> None:
    found = {one.name: one for one in examine_machine(tmp_path)}
    unfit: list[Finding] = [one for one in found.values() if one.state is State.failure]
    assert unfit == []
    assert found["memory"].facts["available_bytes"] <= psutil.virtual_memory().total
    assert found["outputs"].facts["multirun"]["in"] == str(tmp_path)


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--jsom"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("trafficrl-doctor: error: unrecognized arguments: --jsom")
