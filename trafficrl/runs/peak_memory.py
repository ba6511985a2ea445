"""The memory of processes: the most that one has held at once, and what some hold together."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

__all__ = ["forget_peak", "memory_with_children", "peak_memory"]

KIB = 1 << 10


def peak_memory(pid: int) -> int:
    """Resident at its highest [byte], what it shares with others included; 0 if it is gone.

    Linux keeps it (`VmHWM`, proc_pid_status(5)); elsewhere it is what is resident now.
    """
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * KIB
    except OSError:
        pass  # another system, or the process has ended
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def forget_peak() -> None:
    """From now on the peak of this process is counted anew, where the system can do that."""
    with suppress(OSError):  # proc_pid_clear_refs(5): 5 resets VmHWM
        Path(f"/proc/{os.getpid()}/clear_refs").write_text("5", encoding="ascii")


def memory_with_children(pid: int) -> int:
    """Of a process and all below it now [byte]; what several of them share counts once."""
    found = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                memory = process.memory_full_info()
                # Linux divides shared pages among those who share them; others tell only of own.
                found += getattr(memory, "pss", memory.uss)
    return found
