"""How much memory processes hold, and held at most."""

import os
import subprocess
import sys

from trafficrl.runs.peak_memory import forget_peak, memory_with_children, peak_memory

MIB = 1 << 20


def test_a_peak_outlives_what_made_it_until_it_is_forgotten() -> None:
    forget_peak()
    before = peak_memory(os.getpid())
    held = bytearray(200 * MIB)
    del held
    most = peak_memory(os.getpid())
    assert 190 * MIB < most - before < 250 * MIB
    forget_peak()
    assert peak_memory(os.getpid()) < most - 150 * MIB


def test_a_process_that_is_gone_holds_nothing() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert peak_memory(done.pid) == memory_with_children(done.pid) == 0


def test_what_is_below_a_process_counts() -> None:
    before = memory_with_children(os.getpid())
    code = "held = bytearray(150 * 2**20); print(flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        assert 150 * MIB < memory_with_children(child.pid) <= peak_memory(child.pid)
        assert 150 * MIB < memory_with_children(os.getpid()) - before < 200 * MIB
        child.communicate(b"\n")
