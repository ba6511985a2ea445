"""How commands without a Hydra configuration end: a line and a code, whatever ended them."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from trafficrl.app.arguments import command_parser, exit_codes, seconds
from trafficrl.errors import ConfigError, RunError

LINES = """\
import sys
from trafficrl.app.arguments import exit_codes
@exit_codes("trafficrl-lines")
def run(words):
    for number in range(int(words[0])):
        print(number)
    return 7
sys.exit(run(sys.argv[1:]))
"""


@exit_codes("trafficrl-ends")
def ends(words: Sequence[str]) -> int:
    """It ends as the word says."""
    kinds = {"user": ConfigError, "run": RunError, "key": KeyboardInterrupt, "bug": ValueError}
    if words[0] in kinds:
        raise kinds[words[0]]("two\n lines")
    return 3


@pytest.mark.parametrize(
    ("word", "code", "line"),
    [
        ("well", 3, ""),
        ("user", 2, "trafficrl-ends: error: two lines\n"),
        ("run", 1, "trafficrl-ends: error: two lines\n"),
        ("key", 130, "trafficrl-ends: interrupted\n"),
    ],
)
def test_each_end_has_its_code(
    word: str, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends([word]) == code
    assert capsys.readouterr().err == line


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="two"):
        ends(["bug"])


@pytest.mark.parametrize("count", [3, 100_000], ids=["buffered", "long"])
def test_who_reads_a_part_sees_no_traceback(count: int) -> None:
    """Few lines break the pipe only as they are flushed at the end."""
    words = [sys.executable, "-c", LINES, str(count)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout
        assert command.stderr
        command.stdout.close()
        assert command.stderr.read() == b""
    assert command.returncode == 141


def test_a_docstring_explains_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    parser = command_parser("trafficrl-x", "trafficrl-x: does it.\n\n0  done\n1  not\n")
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    shown = capsys.readouterr().out
    assert "\ntrafficrl-x: does it.\n" in shown
    assert "\n0  done\n1  not\n" in shown
    with pytest.raises(ConfigError, match=r"unrecognized arguments: --hel; see trafficrl-x --help"):
        parser.parse_args(["--hel"])


@pytest.mark.parametrize("text", ["0.9", "86401", "nan", "soon"])
def test_a_time_has_bounds(text: str) -> None:
    parser = command_parser("trafficrl-x", "x")
    parser.add_argument("--every", type=seconds(1.0))
    assert parser.parse_args(["--every", "1"]).every == 1.0
    with pytest.raises(ConfigError, match=rf"--every: write 1 to 86400 \[s\], got '{text}'"):
        parser.parse_args(["--every", text])
