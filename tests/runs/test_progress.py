"""Long work shows itself: plain lines in a log, a bar on a terminal, and no log line lost."""

import logging
import os
import pty
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from trafficrl.runs import progress as module
from trafficrl.runs.progress import ProgressReport

LOG = "trafficrl.runs.progress"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == LOG]


def test_without_a_terminal_a_line_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 5.0, 15.0, 20.0, 30.0, 31.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with caplog.at_level(logging.INFO), ProgressReport("work", total=100, unit="steps") as report:
        for done in (0, 25, 30, 50, 100):
            report.advance_to(done, f"note {done}")
    assert lines(caplog) == [
        "work: 25/100 steps, 45 s left note 25",
        "work: 50/100 steps, 30 s left note 50",
        "work: 100/100 steps, 31 s note 100",
    ]


def test_what_was_done_before_a_resume_is_no_speed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 20.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with caplog.at_level(logging.INFO), ProgressReport("work", total=1000, unit="steps") as report:
        report.advance_to(900)
        report.advance_to(920)
    assert lines(caplog) == ["work: 920/1000 steps, 80 s left "]


SCRIPT = """
import logging, sys
from trafficrl.runs.progress import ProgressReport
logging.basicConfig(stream=sys.stderr, format="LOG %(message)s", level=logging.INFO)
with ProgressReport("training", total=40, unit="steps") as report:
    for done in range(41):
        report.advance_to(done, f"delay {done}.5 s")
        if done % 10 == 0:
            logging.info("line %d", done)
    if len(sys.argv) > 1:
        raise SystemExit(3)
logging.info("afterwards")
handler, = logging.getLogger().handlers
print("restored" if handler.stream is sys.stderr else "lost")
"""


def on_a_terminal(script: Path, *words: str) -> tuple[int, str]:
    """Exit code, and all that a terminal has been sent."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(script), *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    sent = b""
    try:
        while chunk := os.read(ours, 65536):
            sent += chunk
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    return process.wait(), sent.decode()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "work.py"
    file.write_text(SCRIPT, encoding="utf-8")
    return file


def test_on_a_terminal_a_bar_and_every_log_line(script: Path) -> None:
    code, text = on_a_terminal(script)
    assert code == 0
    for expected in ("training", "40/40 steps", "delay 40.5 s", "LOG afterwards", "restored"):
        assert expected in text
    assert "━" in text
    rows = [row.strip() for row in text.replace("\r", "\n").split("\n")]
    for done in (0, 10, 20, 30, 40):
        assert [row for row in rows if row.endswith(f"LOG line {done}")], done


def test_an_error_within_leaves_the_terminal_in_order(script: Path) -> None:
    code, text = on_a_terminal(script, "fail")
    assert code == 3
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is shown again


def test_a_pipe_gets_no_bar(script: Path) -> None:
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "restored\n"
    assert "LOG training: 40/40 steps" in done.stderr
    assert "\x1b" not in done.stderr
