"""Trackers in processes of their own: what their troubles cost the run that has them.

The packages here are broken on purpose, in the ways in which one that works can break.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from tracker_cases import begun_run

from trafficrl.errors import ConfigError
from trafficrl.runs.stop import Stopped
from trafficrl.runs.trackers import tracking as module
from trafficrl.runs.trackers.installed import check_installed
from trafficrl.runs.trackers.tracking import Tracking

OPENS = """
class Run:
    id, dir, config, summary = "r1", "/nowhere/files", {}, {}
    settings = type("Settings", (), {"mode": "offline"})
    def define_metric(self, *names, **options): pass
    def log(self, values, **options): pass
    def finish(self, **options): pass
    mark_preempting = finish
def Settings(**options): return None
def init(**options): return Run()
"""
HANGS = "import time\ndef hang(self, *words, **options): time.sleep(600)\n"
WITHOUT = {
    "an import that fails": "raise RuntimeError('built for another Python')",
    "an import that ends the process": "import os; os._exit(7)",
    "a package that is empty": "",
    "an import that hangs": "import time; time.sleep(600)",
    "a run that cannot be opened": "def Settings(**options): raise OSError('no space left')",
    "updates that fail": f"{OPENS}\nRun.log = None",
    "updates that hang": f"{OPENS}{HANGS}Run.log = hang",
    "an end that fails": f"{OPENS}\nRun.finish = None",
    "an end that hangs": f"{OPENS}{HANGS}Run.finish = hang",
    "an end that asks": f"{OPENS}\nRun.finish = lambda self, **options: input('log in? ')",
}


def package(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `wandb` of that code comes before any other."""
    (folder / "packages" / "wandb").mkdir(parents=True)
    (folder / "packages" / "wandb" / "__init__.py").write_text(code)
    monkeypatch.syspath_prepend(folder / "packages")
    monkeypatch.delitem(sys.modules, "wandb", raising=False)


def followers() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [one for one in children if "trafficrl.runs.trackers.follower" in one.cmdline()]


def follower() -> psutil.Process:
    """The only one; what it is called is known a moment after it is there."""
    end = time.monotonic() + 10
    while not (found := followers()):
        assert time.monotonic() < end
    (only,) = found
    return only


def wait_until_told(folder: Path) -> None:
    """The tracker is at work: what it says of itself, or of what it cannot do, is in its log."""
    end = time.monotonic() + 20
    while not (folder / "trackers" / "wandb.log").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("trouble", WITHOUT)
def test_trouble_of_a_tracker_is_one_warning(
    trouble: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    package(WITHOUT[trouble], tmp_path, monkeypatch)
    monkeypatch.setattr(module, "SHORT_S", 2.0)
    monkeypatch.setattr(module, "MOST_S", 3.0)
    monkeypatch.setattr(module, "QUIET_S", 0.5)
    paths, _ = begun_run(tmp_path / "run", 0, 16)
    threads = threading.active_count()
    with Tracking(paths) as tracking:
        begun = time.monotonic()
        tracking.begin(["csv", "tensorboard", "wandb"], config_hash="c", goes_on=False)
        assert time.monotonic() - begun < 1.0, "the training waits for no tracker"
        begun = time.monotonic()
    assert time.monotonic() - begun < 8.0
    warnings = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert [one.getMessage().partition(":")[0] for one in warnings] == ["wandb"], caplog.text
    assert "(trackers/wandb.log)" in caplog.text
    assert followers() == []
    assert threading.active_count() == threads


def test_a_tracker_that_works_is_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package(OPENS, tmp_path, monkeypatch)
    caplog.set_level(logging.INFO)
    paths, _ = begun_run(tmp_path / "run", 0, 16)
    with Tracking(paths) as tracking:
        tracking.begin(["wandb"], config_hash="c", goes_on=False)
    assert [one.levelname for one in caplog.records] == ["INFO"]
    assert "wandb: offline; to send it: wandb sync /nowhere" in caplog.text


def test_a_folder_that_cannot_be_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths, _ = begun_run(tmp_path / "run", 0)
    paths.trackers.touch()
    with Tracking(paths) as tracking:
        tracking.begin(["wandb"], config_hash="c", goes_on=False)
    assert caplog.text.count("the training goes on without it") == 1


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR2])
def test_what_a_cluster_sends_to_all_of_a_job_ends_no_tracker(
    kind: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    package(OPENS, tmp_path, monkeypatch)
    paths, _ = begun_run(tmp_path / "run", 0)
    with Tracking(paths) as tracking:
        tracking.begin(["wandb"], config_hash="c", goes_on=False)
        process = follower()
        process.send_signal(kind)  # as it starts
        wait_until_told(paths.root)
        process.send_signal(kind)
    assert caplog.records == []
    assert '"step": 0' in (paths.trackers / "wandb.json").read_text()


def test_a_tracker_that_dies_is_told_of_while_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package(OPENS, tmp_path, monkeypatch)
    paths, _ = begun_run(tmp_path / "run", 0)
    with Tracking(paths) as tracking:
        tracking.begin(["wandb"], config_hash="c", goes_on=False)
        follower().kill()
        end = time.monotonic() + 10
        while not caplog.records:
            assert time.monotonic() < end
            time.sleep(0.02)
    assert [one.getMessage() for one in caplog.records] == [
        "wandb: its process has ended with code -9; the training goes on (trackers/wandb.log)"
    ]


def test_a_run_that_was_asked_to_stop_waits_for_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package(WITHOUT["an end that hangs"], tmp_path, monkeypatch)
    monkeypatch.setattr(module, "SHORT_S", 0.5)
    paths, _ = begun_run(tmp_path / "run", 0)
    tracking = Tracking(paths)
    tracking.begin(["wandb"], config_hash="c", goes_on=False)
    wait_until_told(paths.root)
    begun = time.monotonic()
    tracking.__exit__(Stopped)
    assert time.monotonic() - begun < 5.0
    assert "did not end in its time: not all was told" in caplog.text


def test_ctrl_c_while_the_run_waits_for_a_tracker_waits_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package(WITHOUT["an end that hangs"], tmp_path, monkeypatch)
    paths, _ = begun_run(tmp_path / "run", 0)
    # A shell's background jobs begin with the interrupt ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Tracking(paths) as tracking:
            tracking.begin(["wandb"], config_hash="c", goes_on=False)
            wait_until_told(paths.root)
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            begun = time.monotonic()
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begun < 5.0
    assert "not waited for any longer" in caplog.text
    assert followers() == []


def test_a_killed_run_is_told_to_its_end_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(OPENS, tmp_path, monkeypatch)
    paths, _ = begun_run(tmp_path / "run", 0, 16)
    code = (
        "import sys, time; from pathlib import Path;"
        f"sys.path.insert(0, {str(tmp_path / 'packages')!r});"
        "from trafficrl.runs.paths import RunPaths;"
        "from trafficrl.runs.trackers.tracking import Tracking;"
        f"tracking = Tracking(RunPaths(Path({str(paths.root)!r})));"
        "tracking.begin(['wandb'], config_hash='c', goes_on=False); print(); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = psutil.Process(process.pid).children()
        process.kill()  # before the tracker has begun
    assert len(found) == 1
    assert psutil.wait_procs(found, timeout=20)[1] == []
    assert '"step": 16' in (paths.trackers / "wandb.json").read_text()


def test_a_package_that_is_missing_is_named_with_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = r"execution.trackers: wandb is not installed: pip install 'trafficrl\[wandb\]'"
    monkeypatch.setitem(sys.modules, "wandb", None)
    check_installed(["csv", "tensorboard"])
    with pytest.raises(ConfigError, match=said):
        check_installed(["csv", "wandb"])


def test_a_folder_of_that_name_is_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wandb").mkdir()
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ConfigError, match="wandb is not installed"):
        check_installed(["wandb"])
