"""The wheel where no checkout is: its commands work, and write only into their folder."""

import json
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from run_cases import SCENARIOS, TRAINING

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
QUICK = (*SCENARIOS, *TRAINING)
COMPLETE = """
eval "$(trafficrl-train -sc install=bash)"
COMP_LINE='trafficrl-train network=gr' COMP_POINT=26
COMP_WORDS=(trafficrl-train network=gr) COMP_CWORD=1
hydra_bash_completion
echo "${COMPREPLY[@]}"
"""


@dataclass(frozen=True)
class Installed:
    """A fresh virtual environment with the wheel, and an empty folder elsewhere."""

    environment: Path
    folder: Path
    home: Path
    scratch: Path

    def run(self, *words: str, code: int = 0) -> str:
        """What the command printed on both streams."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={
                "PATH": f"{self.environment / 'bin'}:/usr/bin:/bin",
                "HOME": str(self.home),
                "TMPDIR": str(self.scratch),
                "MPLCONFIGDIR": str(self.scratch),  # a cache of fonts, which is matplotlib's
                "LANG": "C.UTF-8",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("wheel")
    made = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(place), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (wheel,) = place.glob("trafficrl-*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(place / "env")], check=True)
    install = [str(place / "env/bin/python"), "-m", "pip", "install", "--quiet", "--no-index"]
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    # What it needs comes from here; trafficrl itself does not, as its own place is not read there.
    packages = next((place / "env").glob("lib/python*/site-packages"))
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    found = Installed(place / "env", place / "elsewhere", place / "home", place / "scratch")
    for folder in (found.folder, found.home, found.scratch):
        folder.mkdir()
    return found


def test_it_is_the_wheel_that_is_asked(installed: Installed) -> None:
    found = installed.run("python", "-c", "import trafficrl; print(trafficrl.__file__)")
    assert Path(found.strip()).is_relative_to(installed.environment)


def test_the_doctor_finds_the_values_inside_it(installed: Installed) -> None:
    findings = json.loads(installed.run("trafficrl-doctor", "--json"))["findings"]
    (conf,) = [one for one in findings if one["name"] == "conf"]
    assert str(installed.environment) in conf["found"]
    assert "checkout" not in conf["found"]
    (packages,) = [one for one in findings if one["name"] == "packages"]
    assert packages["state"] == "ok"


def test_a_training_and_what_reads_it_work(installed: Installed) -> None:
    installed.run("trafficrl-train", *QUICK, "hydra.run.dir=outputs/run")
    run = installed.folder / "outputs/run"
    assert (run / "best_model.zip").is_file()
    assert "finished" in installed.run("trafficrl-status")
    installed.run("trafficrl-compare", "outputs/run")
    assert (installed.folder / "outputs/report/report.html").is_file()
    installed.run("trafficrl-report", "outputs/run")
    assert "run@v1" in installed.run("trafficrl-models", "tag", "outputs/run", "run@v1")
    said = installed.run("trafficrl-evaluate", *SCENARIOS, "controllers=[fixed,run]")
    assert "run" in said


def test_an_evaluation_shows_its_configuration(installed: Installed) -> None:
    said = installed.run("trafficrl-evaluate", "--cfg", "job")
    assert "grid_dimension: 3" in said
    assert "controllers:" in said


def test_the_tab_key_completes(installed: Installed) -> None:
    said = installed.run("bash", "-c", COMPLETE)
    assert said.split() == ["network=grid3", "network=grid6_realistic"]


def test_jobs_go_to_processes_and_to_slurm(installed: Installed) -> None:
    words = ("trafficrl-train", "-m", *QUICK, "seed=2")
    installed.run(*words, "hydra/launcher=submitit_local", "hydra.sweep.dir=multirun/local")
    record = json.loads((installed.folder / "multirun/local/0/run.json").read_text())
    assert record["status"] == "finished"
    said = installed.run(*words, "hydra/launcher=slurm", "hydra.launcher.dry_run=true")
    assert "#SBATCH --job-name=trafficrl-train" in said
    launcher = ("hydra/launcher=slurm", "hydra.launcher.partition=NAME")
    assert "partition: NAME" in installed.run("trafficrl-train", *launcher, "--cfg", "hydra")


def test_an_example_runs(installed: Installed) -> None:
    shutil.copytree(ROOT / "examples", installed.folder / "examples")
    said = installed.run("python", "examples/custom_reward.py", *QUICK)
    assert "queue of the worst lane" in said


def test_afterwards_nothing_lies_anywhere_else(installed: Installed) -> None:
    assert [file.name for file in installed.home.rglob("*") if file.is_file()] == []
    left = [file.name for file in installed.scratch.rglob("*") if file.is_file()]
    assert [name for name in left if not name.startswith("fontlist")] == []
    packages = next(installed.environment.glob("lib/python*/site-packages"))
    foreign = [
        file.relative_to(packages)
        for file in (packages / "trafficrl").rglob("*")
        if file.is_file() and file.suffix not in {".py", ".pyc", ".yaml", ".html", ".js", ".typed"}
    ]
    assert foreign == []
    allowed = {"outputs", "multirun", "examples"}
    assert {file.name for file in installed.folder.iterdir()} <= allowed
