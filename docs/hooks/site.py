"""What the pages are filled with when they are built, so that nothing is written twice."""

import os
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib.metadata import entry_points
from io import StringIO
from re import Match, sub
from typing import Any
from unittest.mock import patch

from config_keys import meanings
from config_pages import configuration_pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from trafficrl.evaluation.metrics import METRICS, EpisodeMetrics

__all__ = ["on_files", "on_page_markdown"]

WIDTH = "88"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages of the configuration are there."""
    for name, text in configuration_pages().items():
        files.append(File.generated(config, f"configuration/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """`<!-- help: COMMAND -->` and the like are what they stand for."""

    def fill(found: Match[str]) -> str:
        return FILLINGS[found[1]](found[2].strip())

    return sub(r"<!-- (\w+):([^>]*)-->", fill, markdown)


def command_help(command: str) -> str:
    """What `COMMAND --help` prints."""
    name, *words = command.split()
    (script,) = entry_points(group="console_scripts", name=name)
    told = StringIO()
    argv = [name, *words, "--help"]
    wide = patch.dict(os.environ, COLUMNS=WIDTH)
    with patch("sys.argv", argv), wide, redirect_stdout(told), suppress(SystemExit):
        script.load()()
    return f"```text\n{told.getvalue().strip()}\n```"


def metrics_table(_: str) -> str:
    """Every metric, with what its docstring says."""
    said = meanings(EpisodeMetrics)
    rows = ["| metric | what it is |", "|---|---|"]
    for name, metric in METRICS.items():
        unit = f" [{metric.unit}]" if metric.unit else ""
        ranks = " \\*" if metric.needs_completion else ""
        best = "More is better." if metric.better == "higher" else "Less is better."
        best = "" if name == "scheduled" else best  # the demand's, whoever controls
        rows.append(f"| {metric.title}{unit}{ranks}<br>`{name}` | {said[name]} {best} |")
    return "\n".join(rows)


FILLINGS: dict[str, Callable[[str], str]] = {"help": command_help, "table": metrics_table}
