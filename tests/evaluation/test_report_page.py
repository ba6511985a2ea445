"""The page as a reader sees it: opened in a browser that reaches nothing else."""

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from browser_cases import after, dump_dom, shown_images, text_of
from report_cases import altered
from run_cases import judged, trained

from trafficrl.evaluation.report.page import save_report
from trafficrl.evaluation.report.report import build_report
from trafficrl.evaluation.report.run_folder import read_runs
from trafficrl.evaluation.report.sections import build_sections
from trafficrl.evaluation.report.table import more_text, table_text
from trafficrl.evaluation.report.types_table import types_text

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
    by_type = types_text(section)
    assert by_type is not None
    expected = [*map(table_text, parts), more_text(section.comparison), by_type]
    tables = re.findall(r"<table>.*?</table>", dom, flags=re.DOTALL)
    assert len(expected) == 5
    assert len(tables) == 5 + 2, "and the queues of two maps"
    for table, of in zip(tables, expected, strict=False):
        shown = text_of(table)
        for row in of.rows:
            assert " ".join((row.name, *filter(None, row.cells))) in shown
    assert COMMAND in text_of(dom)
    assert "SUMO 1.28.0 --step-length 1.0 --time-to-teleport 300" in text_of(dom)


def test_the_browser_shows_every_plot(page: Path, tmp_path: Path) -> None:
    images = shown_images(page, tmp_path)
    assert [title for title, *_ in images] == [
        "Delay by scenario",
        "Delay by time of day",
        "Queues by time of day",
        "Queues in the network: morning",
        "Queues in the network: evening",
        "Learning curves",
    ]
    for title, own_px, width_px, height_px in images:
        assert own_px > 300, title
        if "network" in title:  # the map with the slider stands in its place
            assert (width_px, height_px) == (0, 0), title
        else:
            assert width_px > 300, title
            assert height_px > 100, title


def test_without_a_script_the_maps_are_pictures(page: Path, tmp_path: Path) -> None:
    plain, count = re.subn(
        r"<script>.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert count == 1
    (tmp_path / "plain.html").write_text(plain, encoding="utf-8")
    images = shown_images(tmp_path / "plain.html", tmp_path)
    assert min(width_px for _, _, width_px, _ in images) > 300


MOVE = """(() => {
const figure = document.querySelector("figure.queues"), slider = figure.querySelector("input");
const look = () => ({
  time: figure.querySelector("output").textContent,
  spoken: slider.getAttribute("aria-valuetext"),
  maps: [...figure.querySelectorAll(".map")].map((map) => ({
    label: map.querySelector("h4").textContent,
    told: map.querySelector("p").textContent,
    edges: Object.fromEntries([...map.querySelectorAll("path[data-edge]")].map((path) => [
      path.dataset.edge,
      path.style.display === "none" ? 0 : Number(path.getAttribute("stroke-width"))])),
  })),
});
const move = (to) => {
  slider.value = to;
  slider.dispatchEvent(new Event("input"));
  return look();
};
return [0, 1, 2, 3, 4].map(move); })()"""


def test_the_slider_shows_the_queues_of_each_time(page: Path, tmp_path: Path) -> None:
    whole, *slices = after(page, tmp_path, MOVE)
    (section,) = build_sections(read_runs([judged(), trained()]))
    assert whole["time"] == "whole episode (8:00 to 8:02)"
    assert [one["time"] for one in slices] == [
        "8:00 to 8:00:30 (1 of 4)",
        "8:00:30 to 8:01 (2 of 4)",
        "8:01 to 8:01:30 (3 of 4)",
        "8:01:30 to 8:02 (4 of 4)",
    ]
    for look in (whole, *slices):
        assert look["spoken"] == look["time"]
        assert [one["label"] for one in look["maps"]] == section.labels
    for index, label in enumerate(section.labels):
        kept = section.judged[label].slice_queues["morning"].edge_queue_veh
        for time, look in enumerate(slices):
            shown = look["maps"][index]
            total = sum(row[time] for row in kept.values())
            assert float(shown["told"].split(" veh")[0]) == pytest.approx(total, abs=0.06)
            widths = {edge: px for edge, px in shown["edges"].items() if px}
            queues = {edge: row[time] for edge, row in kept.items() if row[time] >= 0.01}
            assert widths.keys() == queues.keys()
            if queues:
                assert max(queues, key=lambda edge: queues[edge]) in {
                    edge for edge, px in widths.items() if px == max(widths.values())
                }


OVERFLOW = """[document.documentElement.scrollWidth, innerWidth,
[...document.querySelectorAll("text, th, td, h3, h4, p, output, button")].filter((one) => {
const box = one.getBoundingClientRect();
return box.width > 0 && !one.closest(".wide") && box.right > innerWidth; }).length]"""


@pytest.mark.parametrize("width_px", [500, 1280])
def test_nothing_sticks_out_of_the_window(page: Path, width_px: int, tmp_path: Path) -> None:
    scroll_px, inner_px, outside = after(page, tmp_path, OVERFLOW, width_px=width_px)
    assert scroll_px <= inner_px <= width_px
    assert outside == 0


def test_the_page_asks_for_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(
        r"""(?:src|href|srcset|action)\s*=\s*["']?([^"'\s>]*)|url\(([^)]*)\)""", text
    )
    assert [link for pair in links for link in pair if link and not link.startswith("data:")] == []
    assert "<link" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    (script,) = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text, "our own script runs, and no other"
    assert set(re.findall(r"<script[^>]*>", text)) == {
        "<script>",
        '<script type="application/json">',
        '<script type="application/json" id="network-0">',
    }
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
    assert len(hostile_rows) == 4, "of three tables by delay and one of what else was measured"
    assert len({row.count(" | ") for row in rows}) == 3, "the last is of types of vehicles"


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
    assert len(plots[0]) == 6


def test_rows_of_two_options_stand_apart_with_a_warning(tmp_path: Path) -> None:
    def never_teleport(config: Any) -> None:
        config["simulation"]["time_to_teleport_s"] = -1.0

    other = altered(judged(), tmp_path / "other", config=never_teleport)
    text = written(tmp_path / "report", trained(), other).read_text(encoding="utf-8")
    assert "results of different SUMO versions or option sets are in different tables" in text
    tables = re.findall(r"<section>.*?</section>", text, flags=re.DOTALL)
    assert ["max_pressure" in table for table in tables[:2]] == [False, True]
    assert ["policy" in table for table in tables[:2]] == [True, False]
