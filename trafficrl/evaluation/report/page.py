"""A report as one HTML page that needs nothing else, and as Markdown."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from trafficrl.errors import RunError
from trafficrl.evaluation.report.report import Report
from trafficrl.evaluation.report.study import Study
from trafficrl.evaluation.report.table import TableText
from trafficrl.files import save_text

__all__ = ["save_report", "save_study"]

FOLDER = Path(__file__).parent
MAPS, REFRESH = "maps.js", "refresh.js"

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


def save_study(study: Study, page: Path) -> None:
    """The file holds the page of a study, or is as it was before.

    Raises:
        RunError: it cannot be written.
    """
    scripts = [MAPS] if any(one.chapter.maps for one in study.chapters) else []
    scripts += [REFRESH] if study.refresh_s else []
    text = render("study.html", scripts, study=study)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        save_text(page, text + "\n", durable=False)  # it is soon written anew
    except OSError as error:
        raise RunError(f"{page} cannot be written: {error.strerror}") from error


def _html(report: Report) -> str:
    maps = any(chapter.maps for chapter in report.chapters)
    return render("page.html", [MAPS] if maps else [], report=report)


def render(template: str, scripts: Sequence[str], **values: Any) -> str:
    """A page that asks for nothing else, and runs these scripts of ours and no other.

    Args:
        template: its file's name.
        scripts: likewise.
        values: what the template shows.
    """
    templates = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,  # names come from users and from other people's run folders
        undefined=StrictUndefined,
    )
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in scripts]
    hashes = [b64encode(sha256(text.encode()).digest()).decode("ascii") for text in texts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    page = templates.get_template(template)
    # Our own files, so nothing in them is to be escaped.
    return page.render(scripts=[Markup(text) for text in texts], policy=Markup(policy), **values)  # noqa: S704


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
