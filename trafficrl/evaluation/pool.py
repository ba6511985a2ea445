"""Worker processes for one task, and all that goes when they go."""

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import psutil

from trafficrl.env.task import Task
from trafficrl.evaluation.worker import BEAT, start_worker
from trafficrl.training.shielding import shielded_children

__all__ = ["WorkerPool"]

Key = TypeVar("Key")
Work = TypeVar("Work")
Found = TypeVar("Found")
CLOSE_TIMEOUT_S = 2.0
LOOK_EVERY_S = 1.0


class WorkerPool:
    """Processes that run episodes. They end when it is closed or this process is gone.

    Args:
        task: of all episodes.
        folder: below it the processes have theirs.
        workers: processes at most.
        hang_timeout_s: A process that has not made a decision for so long is killed [s]; 0 for
            never.
    """

    def __init__(self, task: Task, folder: Path, workers: int, *, hang_timeout_s: float) -> None:
        self._hang_timeout_s = hang_timeout_s or None
        self._folder = Path(tempfile.mkdtemp(prefix="workers-", dir=folder))
        # Nothing is sent through this pipe: it closes when we close it or are gone.
        self._theirs, self._lifeline = multiprocessing.Pipe(duplex=False)
        self._executor = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=start_worker,
            initargs=(task, self._folder, self._theirs),
        )

    def run(
        self, jobs: Mapping[Key, Work], work: Callable[[Work], Found]
    ) -> Generator[tuple[Key, Found], None, None]:
        """What each episode gave, as they end. Some are missing if a worker process died or
        hung.

        Args:
            jobs: an episode each.
            work: what a worker does with one.

        Raises:
            TrafficRLError: what an episode raised.
        """
        futures: dict[Future[Found], Key] = {}
        ended: SimpleQueue[Future[Found]] = SimpleQueue()
        try:
            # The pool starts its processes when it is given work, and takes none once it is broken.
            with shielded_children(), suppress(BrokenProcessPool):
                for key, job in jobs.items():
                    future = self._executor.submit(work, job)
                    futures[future] = key
                    future.add_done_callback(ended.put)
            for future in self._ended(ended, len(futures)):
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    continue  # so are all the others, but for those that had ended before
                yield futures[future], outcome
        finally:
            for future in futures:
                future.cancel()

    def _ended(self, ended: "SimpleQueue[Future[Found]]", number: int) -> Iterator[Future[Found]]:
        """So many futures, as they end; meanwhile processes that hang are ended.

        Not by `concurrent.futures.wait`: it takes the locks of all futures one by one, and where a
        signal's exception comes between, keeps some of them, for which the pool waits for ever.
        """
        look_at_s = time.monotonic() + LOOK_EVERY_S
        while number:
            try:
                future = ended.get(timeout=LOOK_EVERY_S)
            except Empty:
                pass
            else:
                number -= 1
                yield future
            if time.monotonic() >= look_at_s:
                self._kill_hanging()
                look_at_s = time.monotonic() + LOOK_EVERY_S

    def _kill_hanging(self) -> None:
        """The pool is broken then, as if they had died."""
        if self._hang_timeout_s is None:
            return
        for file in self._folder.glob(f"*{BEAT}"):
            with suppress(FileNotFoundError, psutil.NoSuchProcess):  # it has ended meanwhile
                if time.time() - file.stat().st_mtime > self._hang_timeout_s:
                    file.unlink()
                    worker = psutil.Process(int(file.stem))
                    for process in (*worker.children(recursive=True), worker):
                        process.kill()

    def close(self) -> None:
        """The workers have ended, with whatever they were doing, and their folders are gone."""
        executor = self._executor
        processes = list((executor._processes or {}).values())
        manager: Any = executor._executor_manager_thread  # a thread, whatever its stub says
        # What was cancelled is forgotten before workers go: otherwise the pool fails to fail it.
        executor.shutdown(wait=False, cancel_futures=True)
        self._lifeline.close()
        by = time.monotonic() + CLOSE_TIMEOUT_S
        # The pool itself would wait for ever for one that hangs.
        for process in processes:
            process.join(max(0.0, by - time.monotonic()))
            if process.is_alive():
                process.kill()
        if manager is not None:
            manager.join()
        self._theirs.close()
        shutil.rmtree(self._folder, ignore_errors=True)
