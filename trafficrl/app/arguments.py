"""Command lines whose mistakes are one line, where argparse would print a page of usage."""

from argparse import ArgumentParser
from typing import NoReturn

from trafficrl.errors import ConfigError

__all__ = ["CommandParser"]


class CommandParser(ArgumentParser):
    """Raises ConfigError for wrong usage; the first word of `prog` is the command."""

    def error(self, message: str) -> NoReturn:
        """Wrong usage, and where help is.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{message}; see {self.prog.split()[0]} --help")
