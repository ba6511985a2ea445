"""trafficrl-report as a user runs it: the page while runs go on, and when they have ended."""

import json
import re
import signal
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser_cases import after, dump_dom, shown_images, text_of
from run_cases import judged
from status_cases import ended_run, living_run, long_ago
from study_cases import made, study

from trafficrl.app.report import goes_on, run
from trafficrl.app.status import View
from trafficrl.runs.record import RunRecord, RunStatus

SCRIPT = Path(sys.executable).parent / "trafficrl-report"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the study and an evaluation of classical controllers on the same demand."""
    file = study() / "page of all.html"
    assert run([str(study()), str(judged()), "--output", str(file)]) == 0
    return file


def test_the_console_script_leaves_one_page_in_the_study(tmp_path: Path) -> None:
    folder = made(tmp_path / "sweep")
    done = subprocess.run([SCRIPT, folder], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{folder}/study.html: 4 runs: 4 finished\n"
    text = (folder / "study.html").read_text(encoding="utf-8")
    assert "refresh" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert len(text) < 1_000_000


def test_the_page_shows_the_whole_study(page: Path, tmp_path: Path) -> None:
    shown = text_of(dump_dom(page, tmp_path))
    assert "4 runs: 4 finished; 1 evaluation" in shown
    for row in ("A ✔ finished all steps done 64/64 100%", "B ✔ finished all steps done 64/64 100%"):
        assert shown.count(row) == 2
    assert "A: learning_rate=0.003 0.003 2 of 2" in shown
    assert shown.count("★ best") == 1
    for part in ("max_pressure", "random", "fixed", "Over training seeds", "Each run by itself"):
        assert part in shown
    titles = [title for title, *_ in shown_images(page, tmp_path)]
    assert titles == [
        "Learning curves",
        "Delay by scenario",
        "Delay by time of day",
        "Queues by time of day",
        "Queues in the network: morning",
        "Queues in the network: evening",
    ]


def test_links_lead_from_the_page_to_files_of_the_runs(page: Path) -> None:
    links = re.findall(r'href="([^"]*)"', page.read_text(encoding="utf-8"))
    assert len(links) == 4 * (1 + 5)
    for link in links:
        assert (page.parent / unquote(unescape(link))).exists(), link
        assert ":" not in link
        assert not link.startswith("/"), "a study may be moved with its page"
    assert {Path(link).name for link in links} >= {"train.log", "metrics.csv", "results.json"}


WIDTHS = """[document.documentElement.scrollWidth, innerWidth,
[...document.querySelectorAll("h1, h2, h3, p, dd, output, button, figcaption")].filter((one) =>
one.getBoundingClientRect().right > innerWidth && !one.closest(".wide")).length]"""


@pytest.mark.parametrize("width_px", [500, 1280])
def test_nothing_sticks_out_of_the_window(page: Path, width_px: int, tmp_path: Path) -> None:
    scroll_px, inner_px, outside = after(page, tmp_path, WIDTHS, width_px=width_px)
    assert scroll_px <= inner_px <= width_px
    assert outside == 0


UNNAMED = """(() => {
const found = [...document.querySelectorAll("input, button, progress, img, svg, .wide")];
const named = (one) => one.labels?.length || one.getAttribute("aria-label") || one.alt
  || one.textContent.trim();
return [found.length, found.filter((one) => !named(one)).length,
  found.filter((one) => one.matches(".wide") && one.tabIndex !== 0).length]; })()"""


def test_whoever_does_not_see_is_told_what_everything_is(page: Path, tmp_path: Path) -> None:
    found, unnamed, unreachable = after(page, tmp_path, UNNAMED)
    assert found > 20
    assert (unnamed, unreachable) == (0, 0)


def wait_for(file: Path, text: str) -> str:
    by = time.monotonic() + 30
    while time.monotonic() < by:
        if file.exists() and text in (found := file.read_text(encoding="utf-8")):
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {text!r} in {file}")


def test_watch_keeps_the_page_up_to_date_until_all_runs_have_ended(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    page = folder / "study.html"
    with (
        living_run(folder / "7"),
        subprocess.Popen(
            [SCRIPT, folder, "--watch", "1"], stdout=subprocess.PIPE, text=True
        ) as watching,
    ):
        text = wait_for(page, "1 run: 1 running")
        assert 'data-every-s="1.0"' in text
        assert '<noscript><meta http-equiv="refresh" content="1"></noscript>' in text
        assert 'value="25.0"' in text
        assert "No run has been judged on the test demand yet." in text
        RunRecord(folder / "7" / "run.json", timesteps=1000).end(RunStatus.finished, "all done")
        out, _ = watching.communicate(timeout=30)
    assert watching.returncode == 0
    assert out.splitlines()[-1] == f"{page}: 1 run: 1 finished"
    text = page.read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' not in text
    assert [file.name for file in folder.iterdir() if file.is_file()] == ["study.html"]


def watched(folder: Path) -> bool:
    rows, _ = View([(folder, "")]).look()
    return goes_on(rows, quiet_s=60.0)


def test_a_sweep_goes_on_between_two_runs_of_one_process(tmp_path: Path) -> None:
    folder = ended_run(tmp_path / "sweep" / "0", RunStatus.finished, "all steps done")
    assert not watched(tmp_path)
    (tmp_path / "sweep" / "multirun.yaml").touch()
    assert watched(tmp_path)
    assert watched(tmp_path / "sweep")
    long_ago(folder, seconds=61)
    assert not watched(tmp_path)


def test_ctrl_c_ends_watch_and_leaves_a_page_that_stands_still(tmp_path: Path) -> None:
    with living_run(tmp_path / "7"):
        words = [str(SCRIPT), str(tmp_path), "--watch", "60"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
            wait_for(tmp_path / "study.html", 'id="refresh"')
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=30)
    assert watching.returncode == 0
    assert 'id="refresh"' not in (tmp_path / "study.html").read_text(encoding="utf-8")


AGAIN = """<script>{
const loads = Number(sessionStorage.getItem("loads") || 0) + 1;
sessionStorage.setItem("loads", loads);
const slider = document.querySelector("input[type=range]");
const fold = document.querySelector("details[id]");
if (loads === 1) {
  slider.value = 3;
  slider.dispatchEvent(new Event("input"));
  fold.open = true;
  scrollTo(0, 700);
}
addEventListener("load", () => setTimeout(() => parent.postMessage(JSON.stringify({
  loads, slider: slider.value, time: document.querySelector("output[for]").textContent,
  open: fold.open, y: scrollY }), "*"), 200));
}</script>"""
AROUND = """<!DOCTYPE html><body><script>
addEventListener("message", (event) => { document.body.dataset.found = event.data; });
</script><iframe src="page.html" width="1200" height="800"></iframe></body>"""
"""The browser counts its time no further when the outermost page loads anew."""


@pytest.mark.slow
def test_a_page_that_loads_anew_stays_where_its_reader_was(tmp_path: Path) -> None:
    folder = made(tmp_path / "sweep")
    with living_run(folder / "7"):
        words = [str(SCRIPT), str(folder), "--watch", "1"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
            text = wait_for(folder / "study.html", "refresh")
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=30)
    text = re.sub(r'<meta http-equiv="Content[^>]*>', "", text).replace("</body>", AGAIN)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    (tmp_path / "around.html").write_text(AROUND, encoding="utf-8")
    dom = dump_dom(tmp_path / "around.html", tmp_path)
    told = re.search(r'<body[^>]* data-found="([^"]*)"', dom)
    assert told is not None
    found = json.loads(unescape(told.group(1)))
    assert found["loads"] > 1
    assert found["slider"] == "3"
    assert found["time"] == "8:01 to 8:01:30 (3 of 4)"
    assert found["open"] is True
    assert found["y"] == 700


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "the following arguments are required: FOLDER"),
        (["nowhere"], 2, "there is no folder nowhere"),
        (["EMPTY"], 1, "no run lies below "),
        (["STUDY", "--watch", "0"], 2, "write 1 to 86400 [s], got '0'"),
        (["STUDY", "--output", "EMPTY"], 2, "--output names a file, and "),
        (["QUICK", "--output", "FILE/page.html"], 1, "FILE/page.html cannot be written: "),
        (["STUDY", "--baseline", "nobody"], 2, "--baseline: unknown 'nobody'; choices: fixed,"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FILE").touch()
    ended_run(tmp_path / "quick" / "0", RunStatus.stopped, "by hand")
    names = {
        "STUDY": str(study()),
        "QUICK": str(tmp_path / "quick"),
        "EMPTY": str(tmp_path / "EMPTY"),
    }
    names["FILE/page.html"] = str(tmp_path / "FILE" / "page.html")
    assert run([names.get(word, word) for word in words]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trafficrl-report: error: ")
    assert said in line
