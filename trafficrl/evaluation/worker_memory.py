"""What a worker process of an evaluation holds before it simulates anything."""

import os
from contextlib import closing
from pathlib import Path

from trafficrl.env.task import Task
from trafficrl.errors import RunError
from trafficrl.evaluation.pool import WorkerPool
from trafficrl.evaluation.worker import kept_controller, worker_place
from trafficrl.runs.peak_memory import memory_with_children, peak_memory

__all__ = ["worker_memory"]


def worker_memory(task: Task, controller: str, folder: Path) -> tuple[int, int]:
    """Of one that is ready to judge that controller, a name or a model file.

    Returns:
        Its memory at its highest [byte], and its share of it, where others have the same pages.

    Raises:
        RunError: the process died.
        TrafficRLError: the controller cannot be built, as in a real evaluation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with closing(WorkerPool(task, folder, 1, hang_timeout_s=0.0)) as pool:
        held = [each for _, each in pool.run({controller: controller}, _made_ready)]
    if not held:
        raise RunError("a worker process of the evaluation died before it had judged anything")
    return held[0]


def _made_ready(controller: str) -> tuple[int, int]:
    kept_controller(controller, worker_place()[0])
    return peak_memory(os.getpid()), memory_with_children(os.getpid())
