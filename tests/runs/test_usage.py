"""What a run takes from its host, measured on real processes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from trafficrl.runs import usage as module
from trafficrl.runs.usage import UsageMeter

MIB = 1 << 20
TREE = """
import subprocess, sys, time
if len(sys.argv) > 1:
    shell = '"$0" -c "$1"; true'  # stays in between
    subprocess.Popen(["sh", "-c", shell, sys.executable, sys.argv[1]])
held = bytearray(64 << 20)
print("begun", flush=True)
time.sleep(60)
"""
CHILD = """
held = bytearray(96 << 20)
print("begun", flush=True)
while True:
    pass
"""


@contextmanager
def process(*words: str) -> Iterator[int]:
    """A process that sleeps and holds 64 MiB; below it maybe one that works and holds 96 MiB."""
    command = [sys.executable, "-c", TREE, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        tree = psutil.Process(started.pid)
        try:
            assert started.stdout is not None
            for _ in range(1 + len(words)):
                assert started.stdout.readline() == "begun\n"
            yield started.pid
        finally:
            for member in (tree, *tree.children(recursive=True)):
                member.kill()


def test_a_process_is_measured_with_all_below_it() -> None:
    with process() as idle, process(CHILD) as busy:
        meter = UsageMeter()
        busy_percent = 0.0
        for _ in range(20):  # other tests may keep the machine busy
            found = meter.read([idle, busy, 2**22 + 1])
            assert found.keys() == {idle, busy}
            assert found[idle].cpu_percent < 5.0
            assert 64 * MIB < found[idle].memory_bytes < 160 * MIB
            assert found[busy].memory_bytes > found[idle].memory_bytes + 96 * MIB
            busy_percent = found[busy].cpu_percent
            assert busy_percent > 0.0  # from the first reading on
            if busy_percent > 10.0:
                break
            time.sleep(0.3)
        assert 10.0 < busy_percent < 150.0


def smi(folder: Path, apps: str, gpus: str = "", end: str = "exit 0") -> None:
    """A program that answers as NVIDIA's does, and notes that it was asked."""
    file = folder / "nvidia-smi"
    file.write_text(
        f'#!/bin/sh\necho "$@" >> "{folder}/asked"\n'
        f'case "$1" in *compute-apps*) printf "{apps}";; *) printf "{gpus}";; esac\n{end}\n'
    )
    file.chmod(0o755)


def test_the_gpus_of_a_tree_are_joined_by_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with process() as idle, process(CHILD) as busy:
        child = psutil.Process(busy).children(recursive=True)[-1].pid
        apps = f"{busy}, GPU-a, 300\\n{child}, GPU-a, 200\\n{child}, GPU-b, 12\\n1, GPU-c, 9\\n"
        smi(tmp_path, apps, "GPU-a, 35\\nGPU-b, 80\\nGPU-c, 99\\n")
        found = UsageMeter().read([idle, busy])
    assert (found[busy].gpu_percent, found[busy].gpu_memory_bytes) == (80.0, 512 * MIB)
    assert (found[idle].gpu_percent, found[idle].gpu_memory_bytes) == (None, None)


def test_a_gpu_that_does_not_tell_all_is_shown_as_far_as_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with process() as idle:
        smi(tmp_path, f"{idle}, GPU-a, [N/A]\\n", "GPU-a, 7\\n")
        found = UsageMeter().read([idle])
        assert (found[idle].gpu_percent, found[idle].gpu_memory_bytes) == (7.0, None)
        smi(tmp_path, f"{idle}, GPU-a, 4\\n", "GPU-a, [Not Supported]\\n")
        found = UsageMeter().read([idle])
        assert (found[idle].gpu_percent, found[idle].gpu_memory_bytes) == (None, 4 * MIB)


def test_an_nvidia_smi_that_fails_or_hangs_leaves_a_blank_and_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(module, "SMI_TIMEOUT_S", 0.3)
    with process() as idle:
        for end in ("exit 9", "exec sleep 20"):
            smi(tmp_path, f"{idle}, GPU-a, 4\\n", end=end)
            (tmp_path / "asked").unlink(missing_ok=True)
            meter = UsageMeter()
            for _ in range(2):
                assert meter.read([idle])[idle].gpu_memory_bytes is None
            assert len((tmp_path / "asked").read_text().splitlines()) == 1
