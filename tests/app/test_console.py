"""Every mistake on a command line is one line and an exit code; Hydra's features stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from forked_cases import forked

APP = '''
"""A real command: writes what it was given, and fails when its seed says so."""
import errno
import logging
import signal
import sys
import time
from pathlib import Path

from trafficrl.app.console import run_app
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import save_experiment
from trafficrl.errors import SimulationError
from trafficrl.runs.stop import Stopped

# A shell in the background hands on an ignored SIGINT, which Python would leave ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
log = logging.getLogger(__name__)


def train(config: ExperimentConfig, folder: Path) -> None:
    log.info("seed %d", config.seed)
    save_experiment(config, folder / "resolved_config.yaml")
    if config.seed == 13:
        raise SimulationError("SUMO died\\nat 12 s")
    if config.seed == 14:
        raise ValueError("a bug")
    if config.seed == 16:
        raise OSError(errno.ENOSPC, "No space left on device", "trips.xml")
    if config.seed == 17:
        raise Stopped("SIGTERM")
    if config.seed == 15:
        print("ready", flush=True)
        time.sleep(60)


if __name__ == "__main__":
    sys.exit(run_app(train, ExperimentConfig, config_name="train"))
'''
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "HYDRA_FULL_ERROR"}


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    script = tmp_path / "train.py"
    script.write_text(APP, encoding="utf-8")
    return [sys.executable, "-W", "error", str(script)]


def run(command: list[str], *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = Path(command[-1])
    known = {**ENVIRONMENT, **environment}
    return forked(script, *args, folder=script.parent, environment=known, strict=True)


def folders(command: list[str], *names: str) -> list[Path]:
    """The run folders under outputs/ or multirun/, in the order of their names."""
    return sorted(Path(command[-1]).parent.glob("/".join(names)))


def test_a_run_leaves_its_log_and_config_in_a_folder_of_its_own(command: list[str]) -> None:
    first, second = run(command, "seed=2"), run(command, "seed=3")
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stderr == ""
    made = folders(command, "outputs", "*", "*")
    assert len(made) == 2
    assert sorted(path.name for path in made[0].iterdir()) == ["resolved_config.yaml", "train.log"]
    assert (made[0] / "train.log").read_text(encoding="utf-8") == first.stdout
    date_, time_, level, *message = first.stdout.split()
    assert made[0].parent.name == date_
    assert made[0].name.startswith(time_[:2])
    assert (level, " ".join(message)) == ("INFO", "seed 2")


def test_a_failed_run_is_one_line_and_code_1_and_in_its_log(command: list[str]) -> None:
    done = run(command, "seed=13")
    assert done.returncode == 1
    assert done.stderr == "trafficrl-train: error: SUMO died at 12 s\n"
    (log,) = folders(command, "outputs", "*", "*", "train.log")
    assert "ERROR SUMO died" in log.read_text(encoding="utf-8")


def test_a_run_folder_that_cannot_be_made_is_one_line(command: list[str]) -> None:
    done = run(command, f"hydra.run.dir={command[-1]}/below_a_file")
    assert done.returncode == 1
    assert "Not a directory" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_traceback_comes_on_request_and_for_bugs(command: list[str]) -> None:
    asked = run(command, "seed=13", HYDRA_FULL_ERROR="1")
    bug = run(command, "seed=14")
    for done in (asked, bug):
        assert done.returncode == 1
        assert done.stderr.startswith("Traceback (most recent call last):")
    assert asked.stderr.endswith("trafficrl-train: error: SUMO died at 12 s\n")
    assert bug.stderr.endswith("trafficrl-train: error: unexpected ValueError: a bug\n")


def test_a_multirun_goes_on_after_a_failure_and_names_the_job(command: list[str]) -> None:
    done = run(command, "-m", "seed=13,2", "network.network_seed=5")
    assert done.returncode == 1
    failed = "trafficrl-train: error: job 0 (seed=13 network.network_seed=5): SUMO died at 12 s\n"
    assert done.stderr == failed
    jobs = folders(command, "multirun", "*", "*", "*", "resolved_config.yaml")
    assert [path.parent.name for path in jobs] == ["0", "1"]
    assert len({path.parent.parent for path in jobs}) == 1


def test_interrupting_is_one_line_and_code_130(command: list[str]) -> None:
    with subprocess.Popen(
        [*command, "seed=15"],
        cwd=Path(command[-1]).parent,
        env={**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "ready" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert errors == "trafficrl-train: interrupted\n"
    assert process.returncode == 130


def test_a_run_is_repeated_from_its_resolved_config(command: list[str], tmp_path: Path) -> None:
    run(command, "seed=7", "reward=empirical", "hydra.run.dir=first")
    source = ["--config-dir", "first", "--config-name", "resolved_config"]
    again = run(command, *source, "hydra.run.dir=second")
    assert again.returncode == 0
    saved = [(tmp_path / name / "resolved_config.yaml").read_text() for name in ("first", "second")]
    assert saved[0] == saved[1]
    changed = run(command, *source, "seed=8")
    assert changed.returncode == 0
    assert len(folders(command, "outputs", "*", "*", "train.log")) == 1
    group = run(command, *source, "reward=delay")
    assert group.returncode == 2
    assert "set reward.KEY=VALUE instead" in group.stderr
    option = run(command, *source, "simulation.options.scale=2")
    told = "scale: unknown key; to add an option write +simulation.options.NAME=VALUE\n"
    assert option.stderr.endswith(f"simulation.options.{told}")
    typo = run(command, *source, "network.sed=1")
    assert "network.sed: unknown key" in typo.stderr


def test_the_words_beside_a_sumocfg_win_wherever_they_stand(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "my.sumocfg").write_text(
        '<configuration><net-file value="a.net.xml"/><route-files value="b.rou.xml"/>'
        '<end value="3600"/><no-warnings value="true"/>'
        '<lateral-resolution value="0.8"/></configuration>'
    )
    shown = ["--cfg", "job", "-p", "execution.end_time"]
    for words in (
        ["sumocfg=my.sumocfg", "execution.end_time=50"],
        ["execution.end_time=50", "sumocfg=my.sumocfg"],
    ):
        done = run(command, *words, *shown)
        assert (done.returncode, done.stdout.strip()) == (0, "50.0")
        assert done.stderr.endswith("left out, since a run decides them: no-warnings\n")
    words = ["simulation.options={lateral-resolution: 0.4}", "sumocfg=my.sumocfg"]
    chosen = run(command, *words, "scenarios=rush_hour", "network=grid3")
    assert chosen.returncode == 0
    (config,) = folders(command, "outputs", "*", "*", "resolved_config.yaml")
    text = config.read_text(encoding="utf-8")
    assert "route_file" not in text
    assert "lateral-resolution: 0.4" in text
    twice = run(command, "sumocfg=my.sumocfg", "sumocfg=her.sumocfg")
    assert "error: sumocfg may be given once, got my.sumocfg and her.sumocfg" in twice.stderr


def test_help_and_config_are_shown(command: list[str]) -> None:
    shown = run(command, "--help")
    assert shown.stdout.startswith("trafficrl-train [GROUP=MEMBER ...]")
    members = "heavy_load, heavy_realtime_s1, light, route_file, rush_hour"
    assert f"\nscenarios: {members}\n" in shown.stdout
    config = run(command, "--cfg", "job", "--resolve", "-p", "network")
    assert "grid_dimension: 3" in config.stdout
    assert (shown.returncode, config.returncode) == (0, 0)
    assert folders(command, "outputs") == []


def test_tab_completion_offers_members(command: list[str]) -> None:
    line = "trafficrl-train network=gr"
    done = run(command, "-sc", "query=bash", COMP_LINE=line, COMP_POINT=str(len(line)))
    assert done.stdout.split() == ["network=grid3", "network=grid6_realistic"]


def test_a_full_disk_is_no_bug(command: list[str]) -> None:
    done = run(command, "seed=16")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("No space left on device: 'trips.xml'")


def test_a_stopped_run_tells_how_its_folder_is_found_again(command: list[str]) -> None:
    done = run(command, "seed=17")
    (made,) = folders(command, "outputs", "*", "*")
    assert done.returncode == 75
    said = "train: stopped (SIGTERM): the same command goes on with"
    assert done.stderr == f"trafficrl-{said} hydra.run.dir={made}\n"
    swept = run(command, "-m", "seed=1,17,3")
    assert swept.returncode == 75
    (first, second) = folders(command, "multirun", "*", "*", "[0-9]*")
    assert swept.stderr == f"trafficrl-{said} hydra.sweep.dir={first.parent}\n"
    again = run(command, "-m", "seed=1,2", f"hydra.sweep.dir={first.parent}")
    assert again.returncode == 0
    assert folders(command, "multirun", "*", "*", "[0-9]*") == [first, second]
