"""trafficrl-status as a user runs it: on a terminal, into a pipe, for scripts."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path
from select import select
from typing import Any

import pytest
from rich.console import Console
from status_cases import change, ended_run, living_run, many_runs

from trafficrl.app import status as module
from trafficrl.app.status import run
from trafficrl.app.status_table import Row, plain_lines, terminal_table
from trafficrl.runs.record import RunStatus
from trafficrl.runs.states import read_states
from trafficrl.runs.usage import Usage

COMMAND = [sys.executable, "-m", "trafficrl.app.status"]
NOW = datetime(2026, 1, 2, 4, 5, 6, tzinfo=timezone.utc)


def rows_below(folder: Path) -> list[Row]:
    usage = Usage(
        cpu_percent=87.4, memory_bytes=3 << 29, gpu_percent=35.0, gpu_memory_bytes=3 << 20
    )
    return [Row(state, usage, NOW) for state in read_states([(folder, "")], NOW)]


def test_into_a_pipe_go_plain_lines_of_the_usual_folders(tmp_path: Path) -> None:
    ended_run(tmp_path / "multirun" / "sweep" / "0", RunStatus.failed, "no space left")
    change(tmp_path / "multirun" / "sweep" / "0", resumes=None)
    ended_run(tmp_path / "elsewhere", RunStatus.failed, "not asked for")
    with living_run(tmp_path / "outputs" / "day" / "noon", eta_s=3725.0):
        change(tmp_path / "outputs" / "day" / "noon", resumes=2)
        done = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    heading, first, second, total = done.stdout.splitlines()
    words = "run state steps steps/s left last best crashes saved resumes CPU memory updated note"
    assert heading.split() == words.split()
    running = r"outputs/day/noon +running +500/2000 +25% +25 +1h02m +31.5 +30.25 +1 +\d+d\d\dh +2 "
    assert re.fullmatch(running + r" *\d+% +\d+ MiB +\ds", first), first
    failed = r"multirun/sweep/0 +failed +500/2000 +25% +25 +31.5 +30.25 +1 +\d+d\d\dh +\ds +"
    assert re.fullmatch(failed + "no space left", second), second
    assert total == "2 runs: 1 running, 1 failed"


def test_one_document_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended_run(tmp_path / "done", RunStatus.finished, "all steps done", best_score=float("inf"))
    with living_run(tmp_path / "run") as process:
        assert run([str(tmp_path), "--json"]) == 0
        pid = process.pid
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"format", "time", "host", "queue", "runs"}
    first, second = document["runs"]
    expected = {
        "name": "run",
        "folder": str(tmp_path / "run"),
        "state": "running",
        "note": "",
        "pid": pid,
        "timesteps": 500,
        "percent": 25.0,
        "eta_s": 60.0,
        "last_checkpoint": "2026-01-02T03:04:05+00:00",
        "gpu_percent": None,
    }
    assert {key: first[key] for key in expected} == expected
    assert first["memory_bytes"] > 1 << 20
    assert first["cpu_percent"] >= 0
    assert first["last_checkpoint_age_s"] > 0
    assert (second["state"], second["best_score"], second["cpu_percent"]) == (
        "finished",
        None,
        None,
    )
    assert first.keys() == second.keys()
    told = re.findall(r"\w+", str(module.__doc__))
    assert [key for key in [*document, *first] if key not in told] == []


def test_a_folder_that_is_not_there_and_wrong_usage_get_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    for words, message in (
        (["nowhere"], "there is no folder nowhere"),
        ([".", "file"], "there is no folder file"),
        ([], "there is no folder outputs or multirun here: name one"),
        (["--interval", "0"], "argument --interval: write 0.1 to 86400 [s], got '0'"),
        (["--interval", "nan"], "argument --interval: write 0.1 to 86400 [s], got 'nan'"),
        (["--onse"], "unrecognized arguments: --onse"),
    ):
        assert run(words) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"trafficrl-status: error: {message}")
        assert printed.err.count("\n") == 1


def test_no_runs_are_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "0 runs\n"
    assert run([str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


def test_runs_are_named_from_the_folder_or_as_it_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        ended_run(tmp_path / "outputs" / name, RunStatus.finished, "all steps done")
    monkeypatch.chdir(tmp_path)

    def names(*words: str) -> list[str]:
        assert run(words) == 0
        return [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:-1]]

    assert names("outputs") == ["a", "b"]
    assert names() == names("outputs/a", "outputs/b") == ["outputs/a", "outputs/b"]
    assert names("outputs/a") == ["a"]


def test_nothing_breaks_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended_run(tmp_path / "whole", RunStatus.finished, "all steps done")
    half = (tmp_path / "whole" / "run.json").read_bytes()[:40]
    folder = os.fsencode(tmp_path) + b"/half\x1b[2J\xff"  # what a disk may hold
    os.mkdir(folder)  # noqa: PTH102
    with open(folder + b"/run.json", "wb") as file:  # noqa: PTH123
        file.write(half)
    assert run([str(tmp_path)]) == 0
    _, first, second, total = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"half\?\[2J\? +damaged .* run.json is damaged: .*", first), first
    assert second.startswith("whole")
    assert total == "2 runs: 1 damaged, 1 finished"


def test_a_reader_that_has_seen_enough_sees_no_error(tmp_path: Path) -> None:
    many_runs(tmp_path, 100)
    words = [*COMMAND, str(tmp_path)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, pipesize=4096
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("run ")
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 141)


def shown(rows: list[Row], width: int, height: int | None = None) -> list[str]:
    console = Console(file=StringIO(), width=width, markup=False)
    console.print(terminal_table(rows, "", width, height))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_a_narrow_terminal_loses_columns_but_no_digits(tmp_path: Path) -> None:
    name = "2026-01-01/a-rather-long-name/12-00-00"
    ended_run(tmp_path / name, RunStatus.failed, "3600 s " * 15, timesteps=123456)
    change(tmp_path / name, resumes=2)
    rows = rows_below(tmp_path)
    wide = shown(rows, 300)
    for cell in (
        "123456/2000 6172%",
        "30.25",
        "1h01m",
        "87%",
        "1.5 GiB",
        "35% 3 MiB",
        "3600 s " * 5,
    ):
        assert cell.strip() in wide[3]
    assert wide[-1] == ""
    for width in (80, 100, 140):
        table = shown(rows, width)
        assert max(map(len, table)) <= width
        assert "…a-rather-long-name/12-00-00" in table[3]
        assert "failed" in table[3]
        assert "123456/2000 6172%" in table[3]
        assert table[3].rstrip().endswith("…")
        assert table[-1].startswith("too narrow for: resumes")
        headings = set(table[1].split())
        left_out = set(table[-1].removeprefix("too narrow for: ").split(", "))
        assert not headings & left_out
        assert width == 80 or headings | left_out == set(wide[1].split())
    assert "memory" not in shown(rows, 80)[1]
    assert "memory" in shown(rows, 160)[1]


def test_a_low_terminal_shows_the_first_rows_and_how_many_are_left(tmp_path: Path) -> None:
    many_runs(tmp_path, 30)
    rows = rows_below(tmp_path)
    table = shown(rows, 200, 20)
    assert len(table) < 20
    assert table[-1] == "… 15 more"
    assert table[0] == "30 runs: 30 finished"
    assert len(shown(rows, 200)) == 34
    assert len(plain_lines(rows)) == 32


@contextmanager
def on_a_terminal(folder: Path, *words: str, **settings: Any) -> Iterator["Terminal"]:
    ours, theirs = pty.openpty()
    size = {"TERM": "xterm", "COLUMNS": "150", "LINES": "30"}
    with subprocess.Popen(
        [*COMMAND, *words],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | size | settings,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(ours, process)
        finally:
            process.kill()
            os.close(ours)


class Terminal:
    """A terminal on which the command runs."""

    def __init__(self, file: int, process: subprocess.Popen[bytes]) -> None:
        self._file = file
        self.process = process
        self.text = ""

    def read_until(self, text: str) -> None:
        """All that it has shown until then, from the last time on."""
        self.text = ""
        end = time.monotonic() + 20.0
        while text not in self.text:
            self.text += self._read(end).decode()

    def rest(self) -> str:
        """All that it shows until the command ends."""
        text = b""
        end = time.monotonic() + 20.0
        try:
            while chunk := self._read(end):
                text += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
        return text.decode()

    def _read(self, end: float) -> bytes:
        assert select([self._file], [], [], max(end - time.monotonic(), 0.0))[0], "20 s are over"
        return os.read(self._file, 65536)


def test_a_terminal_shows_a_run_live_until_ctrl_c(tmp_path: Path) -> None:
    with (
        living_run(tmp_path / "outputs" / "run") as training,
        on_a_terminal(tmp_path, "--interval", "0.1") as terminal,
    ):
        terminal.read_until("\x1b[32mrunning")
        assert "\x1b[?25l" in terminal.text  # no cursor in between
        training.kill()
        terminal.read_until(f"process {training.pid} is gone")
        assert "\x1b[1A" in terminal.text  # in the place of the table before
        ended_run(tmp_path / "outputs" / "second", RunStatus.stopped, "by the user")
        terminal.read_until("by the user")
        terminal.process.send_signal(signal.SIGINT)
        rest = terminal.rest()
        assert terminal.process.wait() == 0
    assert "\x1b[?25h" in rest
    assert "Traceback" not in rest


def test_once_on_a_terminal_is_a_table_and_the_end(tmp_path: Path) -> None:
    ended_run(tmp_path / "outputs" / "run", RunStatus.failed, "no space left")
    with on_a_terminal(tmp_path, "--once") as terminal:
        text = terminal.rest()
        assert terminal.process.wait() == 0
    assert "1 run: 1 failed" in text
    assert "───" in text
    assert "\x1b[31mfailed" in text
    assert "\x1b[?25l" not in text


def test_a_terminal_that_can_do_nothing_gets_plain_lines(tmp_path: Path) -> None:
    ended_run(tmp_path / "outputs" / "run", RunStatus.failed, "no space left")
    with on_a_terminal(tmp_path, TERM="dumb") as terminal:
        text = terminal.rest()
        assert terminal.process.wait() == 0
    assert "\x1b" not in text
    assert text.endswith("1 run: 1 failed\r\n")
