"""The page as a reader sees it: opened in a browser that reaches nothing else."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from browser_cases import dump_dom, shown_images, text_of
from report_cases import altered
from run_cases import judged, trained

from trafficrl.evaluation.report.page import save_report
from trafficrl.evaluation.report.report import build_report
from trafficrl.evaluation.report.run_folder import read_runs
from trafficrl.evaluation.report.sections import build_sections
from trafficrl.evaluation.report.table import table_text

COMMAND = "trafficrl-compare judged trained"
TAG = "<script>document.title='taken'</script><img src=x>"


def written(folder: Path, *runs: Path) -> Path:
    found = read_runs(runs)
    report = build_report(found, build_sections(found), command=COMMAND, notes=())
    return save_report(report, folder)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report"), judged(), trained())


@pytest.fixture(scope="module")
def dom(page: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return dump_dom(page, tmp_path_factory.mktemp("browser"))


def test_the_browser_shows_every_row_of_every_table(dom: str) -> None:
    (section,) = build_sections(read_runs([judged(), trained()]))
    parts = [section.comparison, *map(section.comparison.of_scenario, section.scenarios)]
    tables = re.findall(r"<table>.*?</table>", dom, flags=re.DOTALL)
    assert len(tables) == len(parts) == 3
    for table, part in zip(tables, parts, strict=True):
        shown = text_of(table)
        for row in table_text(part).rows:
            assert " ".join((row.name, *filter(None, row.cells))) in shown
    assert COMMAND in text_of(dom)
    assert "SUMO 1.28.0 --step-length 1.0 --time-to-teleport 300" in text_of(dom)


def test_the_browser_shows_every_plot(page: Path, tmp_path: Path) -> None:
    images = shown_images(page, tmp_path)
    assert [title for title, *_ in images] == [
        "Delay by scenario",
        "Delay by time of day",
        "Queues in the network: morning",
        "Queues in the network: evening",
        "Learning curves",
    ]
    for title, own_px, width_px, height_px in images:
        assert own_px > 300, title
        assert width_px > 300, title
        assert height_px > 100, title


def test_the_page_asks_for_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(
        r"""(?:src|href|srcset|action)\s*=\s*["']?([^"'\s>]*)|url\(([^)]*)\)""", text
    )
    assert [link for pair in links for link in pair if link and not link.startswith("data:")] == []
    assert "<link" not in text
    assert "@import" not in text
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert len(text) < 1_000_000


def test_names_from_other_people_are_text(tmp_path: Path) -> None:
    def rename(results: Any) -> None:
        for episode in results["episodes"]:
            if episode["controller"] == "random":
                episode["controller"] = f"_$x^2 {TAG}"

    hostile = altered(judged(), tmp_path / "a|b <i>$1", results=rename)
    page = written(tmp_path / "report", hostile)
    assert TAG not in page.read_text(encoding="utf-8")
    dom = dump_dom(page, tmp_path)
    assert "<title>Traffic signal control compared" in dom
    assert f"_$x^2 {TAG}" in unescape(dom)
    rows = [
        line
        for line in (page.parent / "report.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    hostile_rows = [row for row in rows if row.startswith(r"| \_$x^2 \<script\>")]
    assert len(hostile_rows) == 3
    assert len({row.count(" | ") for row in rows}) == 1


def test_a_line_of_markdown_has_each_number_of_the_table(page: Path) -> None:
    (section,) = build_sections(read_runs([judged(), trained()]))
    text = (page.parent / "report.md").read_text(encoding="utf-8")
    for row in table_text(section.comparison).rows:
        name = row.name.replace("_", r"\_") + " (diverged)" * row.diverged
        assert f"| {name} | {' | '.join(row.cells)} |" in text
    assert COMMAND in text


def test_the_same_runs_give_the_same_plots(page: Path, tmp_path: Path) -> None:
    again = written(tmp_path, judged(), trained())
    plots = [re.findall(r"data:image[^\"]*", file.read_text()) for file in (page, again)]
    assert plots[0] == plots[1]
    assert len(plots[0]) == 5


def test_rows_of_two_options_stand_apart_with_a_warning(tmp_path: Path) -> None:
    def never_teleport(config: Any) -> None:
        config["simulation"]["time_to_teleport_s"] = -1.0

    other = altered(judged(), tmp_path / "other", config=never_teleport)
    text = written(tmp_path / "report", trained(), other).read_text(encoding="utf-8")
    assert "results of different SUMO versions or option sets are in different tables" in text
    tables = re.findall(r"<section>.*?</section>", text, flags=re.DOTALL)
    assert ["max_pressure" in table for table in tables[:2]] == [False, True]
    assert ["policy" in table for table in tables[:2]] == [True, False]
