"""What a run takes from its host: processor, memory and GPU of its process and all below it."""

import logging
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

__all__ = ["Usage", "UsageMeter"]

log = logging.getLogger(__name__)
FIRST_INTERVAL_S = 0.25
"""Processor time is measured between two readings; the first one comes so early."""
SMI = "nvidia-smi"
SMI_TIMEOUT_S = 5.0
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process and all below it."""

    cpu_percent: float
    """100 is one core."""
    memory_bytes: int
    """Resident, summed: what processes share counts for each of them."""
    gpu_percent: float | None = None
    """How busy its busiest GPU is, with everything that runs there; None without a GPU."""
    gpu_memory_bytes: int | None = None
    """On all its GPUs."""


class UsageMeter:
    """Reads the use of process trees, time and again."""

    def __init__(self) -> None:
        self._begun = False
        self._smi = shutil.which(SMI)

    def read(self, roots: Iterable[int]) -> dict[int, Usage]:
        """The use by each of these processes with its descendants, since the reading before."""
        trees = _trees(roots)
        if trees and not self._begun:
            self._begun = True
            for tree in trees.values():
                _measure(tree)
            time.sleep(FIRST_INTERVAL_S)
        busy, held = self._gpus() if trees else ({}, {})
        found = {}
        for root, tree in trees.items():
            cpu_percent, memory_bytes = _measure(tree)
            used = [pair for process in tree for pair in held.get(process.pid, {}).items()]
            found[root] = Usage(
                cpu_percent,
                memory_bytes,
                max((busy[gpu] for gpu, _ in used if gpu in busy), default=None),
                sum(sizes) if (sizes := [size for _, size in used if size is not None]) else None,
            )
        return found

    def _gpus(self) -> tuple[dict[str, float], dict[int, dict[str, int | None]]]:
        """GPU -> how busy it is [%], and process -> GPU -> memory [byte], if told."""
        busy: dict[str, float] = {}
        held: dict[int, dict[str, int | None]] = defaultdict(dict)
        for pid, gpu, size_mib in self._ask("--query-compute-apps=pid,gpu_uuid,used_gpu_memory"):
            if pid.isdigit():
                # Where the driver does not tell the size, nvidia-smi writes [N/A].
                held[int(pid)][gpu] = int(size_mib) * MIB if size_mib.isdigit() else None
        if held:
            for gpu, percent in self._ask("--query-gpu=uuid,utilization.gpu"):
                if percent.isdigit():
                    busy[gpu] = float(percent)
        return busy, held

    def _ask(self, query: str) -> list[list[str]]:
        """The rows that nvidia-smi answers; it is not asked again once it has failed."""
        if self._smi is None:
            return []
        try:
            done = subprocess.run(
                [self._smi, query, "--format=csv,noheader,nounits"],
                capture_output=True,
                text=True,
                check=True,
                timeout=SMI_TIMEOUT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            log.debug("no GPU is shown: %s", error)
            self._smi = None
            return []
        rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
        columns = query.count(",") + 1
        return [row for row in rows if len(row) == columns]


def _trees(roots: Iterable[int]) -> dict[int, list[psutil.Process]]:
    """Each process that lives, with all below it; one look at the process table for all."""
    wanted = set(roots)
    if not wanted:
        return {}
    living: dict[int, psutil.Process] = {}
    children: dict[int, list[int]] = defaultdict(list)
    # psutil hands out the same objects each time, and they remember their last reading.
    for process in psutil.process_iter(["ppid"]):
        living[process.pid] = process
        children[process.info["ppid"]].append(process.pid)
    trees = {}
    for root in wanted & living.keys():
        tree = [root]
        for pid in tree:  # grows while it is read
            tree.extend(child for child in children[pid] if child not in tree)
        trees[root] = [living[pid] for pid in tree]
    return trees


def _measure(tree: Iterable[psutil.Process]) -> tuple[float, int]:
    """Processor [%] since the last call, and memory [byte]."""
    found = [_measure_one(process) for process in tree]
    return sum(cpu for cpu, _ in found), sum(memory for _, memory in found)


def _measure_one(process: psutil.Process) -> tuple[float, int]:
    try:
        return process.cpu_percent(), process.memory_info().rss
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # ended meanwhile, or not ours to see
        return 0.0, 0
