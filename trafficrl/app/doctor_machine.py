"""What a training needs of the machine: processes, memory, limits, and room for its files."""

import fcntl
import multiprocessing
import os
import platform
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trafficrl.app.amounts import size_text
from trafficrl.app.doctor_finding import Finding, State

__all__ = ["examine_machine"]

OUTPUTS = ("outputs", "multirun")
LITTLE_ROOM, NO_ROOM = 2 << 30, 50 << 20
"""A run takes some to some hundred megabytes [byte]."""
LITTLE_MEMORY = 2 << 30
"""`execution.dry_run=true` tells how much an experiment takes; the quick one needs half of it."""
FEW_FILES, FEW_PROCESSES = 1024, 256
"""An environment takes two processes, and each some pipes and files."""
LITTLE_SHARED = 16 << 20
DRAWN = "─…"
"""Signs that tables are drawn with."""


def examine_machine(folder: Path) -> Iterator[Finding]:
    """All of it, for runs that are begun in that folder."""
    yield _system()
    yield _memory()
    yield _limits()
    yield _shared_memory()
    yield _local_port()
    yield _outputs(folder)
    yield _temporary()
    yield _terminal()


def _system() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = f"{platform.system()} {platform.release()}, {usable} processors"
    facts = {"system": platform.system(), "processors": usable}
    if sys.platform != "linux":
        advice = "on Linux episodes repeat exactly, and runs leave nothing behind when killed"
        return Finding("system", State.warning, found, advice, facts)
    return Finding("system", State.ok, found, "", facts)


def _memory() -> Finding:
    free = _available_memory()
    if free is None:
        return Finding("memory", State.absent, "this system does not tell")
    facts = {"available_bytes": free}
    found = f"{size_text(free)} available"
    if free < LITTLE_MEMORY:
        advice = "fewer execution.parallel_envs and evaluation.workers take less"
        return Finding("memory", State.warning, found, advice, facts)
    return Finding("memory", State.ok, found, "", facts)


def _available_memory() -> int | None:
    """What may still be taken: of the machine, or of the group that a job is held to [byte]."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        rows = dict(line.split(":", 1) for line in lines)
        free = int(rows["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return None
    limit, used = (_group_memory(name) for name in ("memory.max", "memory.current"))
    return free if limit is None or used is None else min(free, max(limit - used, 0))


def _group_memory(name: str) -> int | None:
    """Of this process' control group, as cgroups(7) version 2 tells; None for no limit."""
    try:
        group = Path("/proc/self/cgroup").read_text(encoding="utf-8").strip().rpartition("::")[2]
        text = (Path("/sys/fs/cgroup") / group.lstrip("/") / name).read_text(encoding="ascii")
        return int(text)
    except (OSError, ValueError):  # no such group, or "max"
        return None


def _limits() -> Finding:
    files, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    shown = [_count(files, "open files"), _count(processes, "processes of a user")]
    facts = {"open_files": files, "processes": processes}
    few = [
        f"ulimit {flag} {wanted}" + (" (root has to raise the hard limit)" if wanted > most else "")
        for flag, value, wanted, most in (
            ("-n", files, FEW_FILES, most_files),
            ("-u", processes, FEW_PROCESSES, FEW_PROCESSES),
        )
        if value != resource.RLIM_INFINITY and value < wanted
    ]
    state = State.warning if few else State.ok
    return Finding("limits", state, ", ".join(shown), "; ".join(few), facts)


def _count(value: int, of: str) -> str:
    return f"{'any number of' if value == resource.RLIM_INFINITY else value} {of}"


def _shared_memory() -> Finding:
    """Python's pools of processes keep their locks there."""
    place = Path("/dev/shm")  # noqa: S108 - it is only looked at
    free = shutil.disk_usage(place).free if place.is_dir() else 0
    facts = {"free_bytes": free}
    found = f"{size_text(free)} free in {place}"
    try:
        multiprocessing.get_context("spawn").Lock()
    except OSError as error:
        advice = "mount it: in a container --shm-size=64m, or --tmpfs /dev/shm"
        return Finding("shared", State.failure, f"{place}: no locks: {error}", advice, facts)
    if sys.platform == "linux" and free < LITTLE_SHARED:
        return Finding("shared", State.warning, found, "free some, or mount more", facts)
    return Finding("shared", State.ok, found, "", facts)


def _local_port() -> Finding:
    try:
        with socket.socket() as listener:
            listener.bind(("localhost", 0))
    except OSError as error:
        advice = "execution.backend=traci needs it; libsumo, the default, does not"
        return Finding("port", State.warning, f"none on localhost: {error.strerror}", advice)
    return Finding("port", State.ok, "on localhost, as execution.backend=traci needs")


def _outputs(folder: Path) -> Finding:
    """Room and locks where runs will lie."""
    facts: dict[str, object] = {}
    for name in OUTPUTS:
        place = folder / name
        while not place.exists():
            place = place.parent
        trouble = _unwritable(place)
        if trouble:
            advice = f"go to a folder of yours, or make {place} writable"
            return Finding("outputs", State.failure, f"{place}: {trouble}", advice, facts)
        facts[name] = {"in": str(place), "free_bytes": shutil.disk_usage(place).free}
    free = shutil.disk_usage(folder).free
    found = f"{size_text(free)} free in {folder}, which can be written and locked"
    if free < NO_ROOM:
        return Finding("outputs", State.failure, found, "free some room", facts)
    if free < LITTLE_ROOM:
        advice = "a run takes up to some hundred MiB; execution.keep_checkpoints=1 takes less"
        return Finding("outputs", State.warning, found, advice, facts)
    return Finding("outputs", State.ok, found, "", facts)


def _unwritable(folder: Path) -> str:
    """Why no run can lie in the folder; empty where one can."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return str(error.strerror)
    return ""


def _temporary() -> Finding:
    try:
        place = Path(tempfile.gettempdir())
    except OSError as error:
        return Finding("temporary", State.failure, str(error.strerror), "set TMPDIR to a folder")
    free = shutil.disk_usage(place).free
    found, facts = f"{size_text(free)} free in {place}", {"free_bytes": free}
    if free < NO_ROOM:
        return Finding("temporary", State.failure, found, "free some, or set TMPDIR", facts)
    return Finding("temporary", State.ok, found, "", facts)


def _terminal() -> Finding:
    encoding = sys.stdout.encoding or "ascii"
    try:
        DRAWN.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        advice = "export LC_ALL=C.UTF-8, or tables cannot be printed"
        return Finding("terminal", State.warning, f"it takes {encoding} only", advice)
    return Finding("terminal", State.ok, f"it takes {encoding}")
