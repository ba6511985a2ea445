"""What the commands without a Hydra configuration share: their arguments, and how they end."""

import argparse
import functools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from trafficrl.errors import ConfigError, TrafficRLError

__all__ = ["CommandParser", "command_parser", "exit_codes", "seconds"]

BROKEN_PIPE, INTERRUPTED = 128 + signal.SIGPIPE, 128 + signal.SIGINT
"""As if the signal had ended it: nobody has heard the verdict."""
LONGEST_S = 86400.0
Run = Callable[[Sequence[str]], int]


class CommandParser(argparse.ArgumentParser):
    """Raises ConfigError for wrong usage; the first word of `prog` is the command."""

    def error(self, message: str) -> NoReturn:
        """Wrong usage, and where help is, in one line where argparse would print a page.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{message}; see {self.prog.split()[0]} --help")


def command_parser(name: str, doc: str | None) -> CommandParser:
    """For a command that its module's docstring explains: the first paragraph above, the rest
    below the arguments, as it is written.

    Args:
        name: of the command.
        doc: the docstring, "NAME: what the command does."
    """
    title, _, rest = (doc or "").partition("\n\n")
    return CommandParser(
        prog=name,
        description=title,
        epilog=rest,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def seconds(least: float) -> Callable[[str], float]:
    """The type of an argument that is a time [s] between `least` and a day."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not least <= value <= LONGEST_S:
            raise argparse.ArgumentTypeError(f"write {least:g} to {LONGEST_S:g} [s], got {text!r}")
        return value

    return read


def exit_codes(name: str) -> Callable[[Run], Run]:
    """Makes exit codes of how a command ends: 1 or 2 after the line of its error, else as a shell
    shows that a signal ended it: 130 for Ctrl-C, 141 where `| head` has read enough."""

    def ending(run: Run) -> Run:
        @functools.wraps(run)
        def ended(words: Sequence[str]) -> int:
            try:
                code = run(words)
                sys.stdout.flush()
            except TrafficRLError as error:
                print(f"{name}: error: {' '.join(str(error).split())}", file=sys.stderr)
                return 2 if isinstance(error, ConfigError) else 1
            except KeyboardInterrupt:
                print(f"{name}: interrupted", file=sys.stderr)
                return INTERRUPTED
            except BrokenPipeError:  # Python would flush once more as it leaves, and complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return BROKEN_PIPE
            return code

        return ended

    return ending
