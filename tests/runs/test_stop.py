import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from trafficrl.runs.stop import (
    LEAST_MARGIN_S,
    STOPPED_EXIT_CODE,
    Stopped,
    StopRequest,
    uninterrupted,
)

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR2]


def send(kind: signal.Signals) -> None:
    os.kill(os.getpid(), kind)


@pytest.mark.parametrize("kind", SIGNALS)
def test_a_signal_stops_what_may_be_torn_apart(kind: signal.Signals) -> None:
    before = signal.getsignal(kind)
    with StopRequest() as stop:
        with pytest.raises(Stopped, match=kind.name):
            send(kind)
        assert stop.reason == kind.name
    assert signal.getsignal(kind) is before


def test_what_is_deferred_goes_on_until_it_asks() -> None:
    with StopRequest() as stop, stop.deferred():
        send(signal.SIGTERM)
        assert stop.reason == "SIGTERM"
        with pytest.raises(Stopped):
            stop.check()
        stop.reason = ""


def a_request_that_nothing_answers(reached: list[str]) -> None:
    with StopRequest() as stop, stop.deferred():
        with stop.deferred():
            send(signal.SIGTERM)
        reached.append("between")
        with pytest.raises(ZeroDivisionError), stop.deferred():
            raise ZeroDivisionError
        reached.append("end")


def test_what_nothing_answered_stops_behind_the_block() -> None:
    reached: list[str] = []
    with pytest.raises(Stopped, match="SIGTERM"):
        a_request_that_nothing_answers(reached)
    assert reached == ["between", "end"]


def test_a_block_inside_may_be_torn_apart_again() -> None:
    with StopRequest() as stop, stop.deferred():
        with pytest.raises(Stopped), stop.interruptible():
            send(signal.SIGUSR2)
        reached = False
        with pytest.raises(Stopped), stop.interruptible():
            reached = True
        assert not reached
        stop.reason = ""
        send(signal.SIGUSR2)  # deferred again
        assert stop.reason == "SIGUSR2"
        stop.reason = ""


def test_the_time_limit_stops_with_room_to_save() -> None:
    with StopRequest(time_limit_s=1.3):
        left_s, _ = signal.getitimer(signal.ITIMER_REAL)
        with pytest.raises(Stopped, match="time limit"):
            time.sleep(5)
    assert left_s <= 1.3 - LEAST_MARGIN_S


def test_the_timer_is_off_afterwards() -> None:
    with StopRequest(time_limit_s=100.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 80
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


TWICE = """
import os, signal, sys, time
from trafficrl.runs.stop import StopRequest
with StopRequest() as stop, stop.deferred():
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
"""


def test_a_second_interrupt_ends_the_process_at_once_and_what_slurm_repeats_does_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", TWICE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == "ready\n"
        for kind in (signal.SIGUSR2, signal.SIGTERM, signal.SIGTERM, signal.SIGUSR2):
            process.send_signal(kind)
            time.sleep(0.2)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 128 + signal.SIGINT
    assert STOPPED_EXIT_CODE not in (0, 1, 2, 130, 128 + signal.SIGTERM)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_is_not_to_be_interrupted_is_done_before_the_signal_counts(
    kind: signal.Signals,
) -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            send(kind)
            code = f"import os; os.kill(os.getpid(), {kind:d}); print('spared')"
            child = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
            done.append(child.stdout)

    before = signal.signal(kind, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert signal.getsignal(kind) is signal.default_int_handler
    finally:
        signal.signal(kind, before)
    assert done == [b"spared\n"]


def test_an_error_that_a_stop_led_to_is_a_stop() -> None:
    error = ValueError("netconvert has died")
    with StopRequest() as stop:
        assert stop.instead_of(error) is error
        timer = threading.Timer(0.1, send, (signal.SIGUSR2,))
        timer.start()
        ended = stop.instead_of(error)
        timer.join()
        assert isinstance(ended, Stopped)
        assert str(ended) == "SIGUSR2"
        stop.reason = ""
