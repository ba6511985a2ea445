"""The end of a job's process that was told to stop."""

import signal
import subprocess
from collections.abc import Iterator

import pytest

from trafficrl.launch import leaving
from trafficrl.runs.stop import Stopped


class Handler:
    """Of SIGUSR2, as submitit's: asks Slurm by a command, and ends the process."""

    def __init__(self) -> None:
        self.fails, self.asked = 0, 0

    def __call__(self, *_: object) -> None:
        self.asked += 1
        subprocess.run(["false" if self.asked <= self.fails else "true"], check=True)
        raise SystemExit(-1)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    monkeypatch.setattr(leaving, "ASK_AGAIN_AFTER_S", (0.01, 0.01))
    found = Handler()
    before = signal.signal(signal.SIGUSR2, found)
    yield found
    signal.signal(signal.SIGUSR2, before)


@pytest.mark.parametrize(("fails", "asked"), [(0, 1), (1, 2), (2, 3)])
def test_slurm_is_asked_again_when_it_was_busy(
    handler: Handler, caplog: pytest.LogCaptureFixture, fails: int, asked: int
) -> None:
    handler.fails = fails
    with pytest.raises(SystemExit, match="-1"):
        leaving.leave(Stopped("SIGUSR2"))
    assert handler.asked == asked
    assert caplog.text.count("the job is not requeued yet") == fails


def test_what_it_says_in_the_end_is_the_error_of_the_job(handler: Handler) -> None:
    handler.fails = 9
    with pytest.raises(subprocess.CalledProcessError):
        leaving.leave(Stopped("time limit"))
    assert handler.asked == 3


def test_a_second_signal_does_not_come_between(handler: Handler) -> None:
    def twice(*_: object) -> None:
        signal.raise_signal(signal.SIGUSR2)
        handler()

    signal.signal(signal.SIGUSR2, twice)
    with pytest.raises(SystemExit, match="-1"):
        leaving.leave(Stopped("SIGUSR2"))
    assert handler.asked == 1


@pytest.mark.parametrize(("reason", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_who_takes_the_job_away_begins_it_again(handler: Handler, reason: str, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        leaving.leave(Stopped(reason))
    assert ended.value.code == code
    assert handler.asked == 0
