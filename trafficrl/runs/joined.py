"""The runs of some folders joined to what the queue knows of their jobs.

Folders are read before the queue is asked, and once more where a run seems to have come to a bad
end: a job that has ended has written before all that it had to say.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.judging import judge, judge_local
from trafficrl.runs.queue import Answer, Queue, QueuedJob
from trafficrl.runs.states import in_order, read_state

__all__ = ["join_queue", "queue_trouble"]

UNCLEAR = {Condition.elsewhere, Condition.silent, Condition.gone, Condition.submitted}
"""Where its folder alone does not tell how a run ended."""
BAD_ENDS = {Condition.failed, Condition.cancelled, Condition.gone, Condition.lost}
NO_SUCCESS = {*BAD_ENDS, Condition.stopped, Condition.damaged}
"""What the jobs that depend on a run do not start after."""
Runs = dict[Path, RunState]
"""By their resolved folders."""


def join_queue(runs: Sequence[RunState], queue: Queue, now: datetime) -> list[RunState]:
    """These runs as their jobs stand, in order.

    Args:
        runs: as `read_states` gives them.
        queue: is asked once for all of them, and not at all if no job was submitted.
        now: with a time zone.
    """
    if not any(run.job for run in runs):
        return list(runs)
    places = [run.folder.resolve() for run in runs]
    known = dict(zip(places, runs, strict=True))
    _add_runs_before(known, now)
    answer, past = _ask(queue, known.values())
    for folder in _in_chains(known):
        known[folder] = _judged(known, folder, answer, past, now)
    return in_order(
        replace(known[place], name=run.name, folder=run.folder)
        for place, run in zip(places, runs, strict=True)
    )


def queue_trouble(runs: Iterable[RunState], queue: Queue) -> str:
    """Why the queue does not tell more of these joined runs, in one line, or ""."""
    unclear = any(run.cluster == "slurm" and run.condition in UNCLEAR for run in runs)
    return queue.trouble if unclear else ""


def _add_runs_before(known: Runs, now: datetime) -> None:
    """The runs that the others start from are known too, wherever they lie."""
    todo = list(known.values())
    for run in todo:  # grows while it is read
        if run.after is not None and run.after not in known:
            before = read_state(run.after, _short(run.after), now)
            if before is not None:
                known[run.after] = before
                todo.append(before)


def _ask(queue: Queue, runs: Collection[RunState]) -> tuple[Answer | None, dict[str, QueuedJob]]:
    """What the queue knows now, and how jobs ended that it has forgotten."""
    jobs = {run.job: run for run in runs if run.job and run.cluster == "slurm"}
    answer = queue.ask(jobs.keys()) if jobs else None
    if answer is None:
        return None, {}
    forgotten = jobs.keys() - answer.jobs.keys()
    return answer, queue.recall([job for job in forgotten if jobs[job].condition in UNCLEAR])


def _in_chains(known: Runs) -> Iterator[Path]:
    """Each run, the ones that it starts from before it."""
    done: set[Path] = set()
    for folder in list(known):
        chain: dict[Path, None] = {}
        link: Path | None = folder
        while link in known and link not in done and link not in chain:
            chain[link] = None
            link = known[link].after
        done.update(chain)
        yield from reversed(chain)


def _judged(
    known: Runs,
    folder: Path,
    answer: Answer | None,
    past: dict[str, QueuedJob],
    now: datetime,
) -> RunState:
    run = known[folder]
    failure = _failure(run, known)

    def verdict(run: RunState) -> RunState:
        if run.cluster == "local":
            return judge_local(run, failure=failure)
        if run.job is None or answer is None:
            return run
        seen = answer.jobs.get(run.job) or past.get(run.job)
        before = _name(run.after, known) if run.after else ""
        return judge(run, seen, answer.asked, before=before, failure=failure)

    judged = verdict(run)
    if run.condition in UNCLEAR and judged.condition in BAD_ENDS:
        again = read_state(run.folder, run.name, now)
        if again is not None and (again.updated, again.job) != (run.updated, run.job):
            return verdict(again)
    return judged


def _failure(run: RunState, known: Runs) -> str:
    """Which run before this one ended otherwise than well, and why; "" if none did."""
    before, passed = run.after, {run.folder.resolve()}
    while before in known and before not in passed:
        passed.add(before)
        earlier = known[before]
        if earlier.condition is not Condition.cancelled or earlier.after not in known:
            break
        before = earlier.after
    if before not in known or known[before].condition not in NO_SUCCESS:
        return ""
    reason = known[before].note
    return f"{known[before].name} {known[before].condition.value}" + (reason and f": {reason}")


def _name(folder: Path, known: Runs) -> str:
    return known[folder].name if folder in known else _short(folder)


def _short(folder: Path) -> str:
    """As seen from here if it lies below."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
