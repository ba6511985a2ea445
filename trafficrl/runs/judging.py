"""Where a run stands, from what its folder says and what the queue says of its job.

Its own process, or what it wrote since the queue was asked, is believed first.
"""

from dataclasses import replace
from datetime import datetime

from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.queue import QueuedJob
from trafficrl.runs.states import process_lives

__all__ = ["judge", "judge_local"]

NEVER = "DependencyNeverSatisfied"
NOT_BEGUN = "training not begun"


def judge(
    run: RunState, seen: QueuedJob | None, asked: datetime, *, before: str = "", failure: str = ""
) -> RunState:
    """The run as its job stands.

    Args:
        run: as its folder tells.
        seen: its job, None if the queue does not know it.
        asked: when the queue was asked.
        before: the name of the run that it waits for.
        failure: why that run will never end well, if so.
    """
    if seen is not None:
        run = replace(
            run,
            queue_state=seen.state,
            queue_reason=seen.reason,
            requeues=seen.requeues,
            start_expected=seen.start if seen.waits else None,
        )
    if run.condition in {Condition.damaged, Condition.unknown}:
        return run
    wrote_since = run.updated is not None and run.updated > asked
    says_running = run.condition in {Condition.elsewhere, Condition.silent}
    if run.condition is Condition.running or (wrote_since and says_running):
        return replace(run, condition=Condition.running, note=_notes(_requeued(run), run.note))
    if seen is None:
        return _not_known(run, failure)
    if wrote_since:
        return run
    if seen.waits:
        notes = [_requeued(run), _why(seen, before, failure), _start(seen, asked)]
        return replace(run, condition=Condition.pending, note=_notes(*notes))
    return _running(run, seen) if seen.runs else _ended(run, seen, before, failure)


def judge_local(run: RunState, *, failure: str = "") -> RunState:
    """A run that was submitted as a process of this host, and has written nothing yet."""
    if run.condition is not Condition.submitted or run.job is None or not run.job.isdecimal():
        return run
    if process_lives(int(run.job), run.submitted):
        return replace(run, condition=Condition.running, note=NOT_BEGUN)
    if failure:
        return replace(run, condition=Condition.cancelled, note=f"not started: {failure}")
    note = f"process {run.job} is not there, and nothing was written"
    return replace(run, condition=Condition.lost, note=note)


def _running(run: RunState, seen: QueuedJob) -> RunState:
    """The job has its processors."""
    before_job = run.updated is not None and seen.start is not None and run.updated < seen.start
    if run.condition is Condition.submitted or before_job:
        note = _notes(_requeued(run), NOT_BEGUN)
        running = Condition.running  # what is known of host and process is of the time before
        return replace(run, condition=running, note=note, host=None, pid=None, eta_s=None)
    if run.condition in {Condition.elsewhere, Condition.silent}:
        silent = "nothing written for a while" if run.condition is Condition.silent else ""
        return replace(
            run, condition=Condition.running, note=_notes(_requeued(run), run.note, silent)
        )
    if run.condition is Condition.gone:
        return replace(run, note=_notes(run.note, f"its job {run.job} runs on"))
    return run  # the job is about to end


def _ended(run: RunState, seen: QueuedJob, before: str, failure: str) -> RunState:
    """The queue has seen the end of the job."""
    if run.condition in {Condition.elsewhere, Condition.silent, Condition.gone}:
        note = _notes(run.note, f"job {run.job} ended: {seen.state}")
        return replace(run, condition=Condition.gone, note=note)
    if run.condition is not Condition.submitted:
        return run
    if seen.state != "CANCELLED":
        log = f"see {run.log}" if run.log else ""
        note = _notes(f"job {run.job} ended before the training began: {seen.state}", log)
        return replace(run, condition=Condition.failed, note=note)
    if seen.reason == NEVER or (failure and seen.reason is None):
        note = f"not started: {failure or _no_success(before)}"
    else:
        note = f"job {run.job} was cancelled before the training began"
    return replace(run, condition=Condition.cancelled, note=note)


def _not_known(run: RunState, failure: str) -> RunState:
    """The queue does not know the job, or no longer: it forgets within minutes."""
    unknown = f"job {run.job} is not in the queue any more"
    if run.condition in {Condition.elsewhere, Condition.silent, Condition.gone}:
        return replace(run, condition=Condition.gone, note=_notes(run.note, unknown))
    if run.condition is not Condition.submitted:
        return run
    if failure:
        return replace(run, condition=Condition.cancelled, note=f"not started: {failure}")
    return replace(run, condition=Condition.lost, note=f"{unknown}, and nothing was written")


def _why(seen: QueuedJob, before: str, failure: str) -> str:
    """Why the job waits."""
    if seen.reason == NEVER:
        return f"never starts: {failure or _no_success(before)}"
    if seen.reason == "Dependency" and before:
        return f"waits for {before}"
    return seen.reason or ("" if seen.state == "PENDING" else seen.state)


def _no_success(before: str) -> str:
    return f"the job of {before} did not succeed" if before else "a job before did not succeed"


def _start(seen: QueuedJob, asked: datetime) -> str:
    if seen.start is None or seen.start <= asked:
        return ""
    return f"start about {seen.start.astimezone():%Y-%m-%d %H:%M}"


def _requeued(run: RunState) -> str:
    if not run.requeues:
        return ""
    return "requeued once" if run.requeues == 1 else f"requeued {run.requeues} times"


def _notes(*notes: str) -> str:
    return "; ".join(filter(None, notes))
