"""A report as one HTML page that needs nothing else, and as Markdown."""

import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trafficrl.errors import RunError
from trafficrl.evaluation.report.report import Report
from trafficrl.evaluation.report.table import TableText
from trafficrl.files import save_text

__all__ = ["save_report"]

HTML, MARKDOWN = "report.html", "report.md"
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def save_report(report: Report, folder: Path) -> Path:
    """`report.html` and `report.md` lie in the folder; the page's path is returned.

    Raises:
        RunError: they cannot be written.
    """
    pages = {MARKDOWN: "\n".join(_markdown(report)), HTML: _html(report)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            save_text(folder / name, text + "\n")
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from error
    return folder / HTML


def _html(report: Report) -> str:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # names come from users and from other people's run folders
        undefined=StrictUndefined,
    )
    return templates.get_template("page.html").render(report=report)


def _markdown(report: Report) -> Iterator[str]:
    yield "# Traffic signal control compared"
    yield ""
    yield f"Made {report.made} by trafficrl {report.version}: `{report.command}`"
    yield f"(plots: [{HTML}]({HTML}))"
    for warning in report.warnings:
        yield ""
        yield f"**{plain(warning)}**"
    for chapter in report.chapters:
        yield from ("", f"## {plain(chapter.title)}", "", plain(chapter.finding))
        yield from ("", plain(chapter.build))
        for note in chapter.notes:
            yield from ("", f"**{plain(note)}**")
        for title, table in chapter.tables:
            yield from ("", f"### {plain(title)}", "")
            yield from _table(table)
        for note in chapter.tables[0][1].notes:
            yield from ("", plain(note))
    yield from ("", "## Sources")
    for name, facts in report.sources:
        yield from ("", f"### {plain(name)}", "")
        yield from (f"- {plain(fact)}: {plain(value)}" for fact, value in facts)


def _table(table: TableText) -> Iterator[str]:
    yield _line(("controller", *table.columns))
    yield "|:---" + "|---:" * len(table.columns) + "|"
    for row in table.rows:
        name = f"{row.name} (diverged)" if row.diverged else row.name
        yield _line((name, *row.cells))


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(plain, cells)) + " |"


def plain(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
