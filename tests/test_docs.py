"""The pages of docs/: built without a warning, whole, and true."""

import re
import shlex
import subprocess
import sys
from contextlib import closing
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from browser_cases import after
from composing import experiment
from config_keys import meanings
from config_pages import all_keys, configuration_pages
from traffic_cases import scratch

import trafficrl as tr
from trafficrl.config.extensions import TABLES
from trafficrl.config.inputs import locate
from trafficrl.errors import TrafficRLError
from trafficrl.evaluation.metrics import METRICS, EpisodeMetrics

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SHORT = ("network=grid3", "scenarios=light", "execution.end_time=60")
BLOCK = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```', re.DOTALL)
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@cache
def site() -> Path:
    """The pages, built once."""
    folder = scratch() / "site"
    words = ("-m", "mkdocs", "build", "--strict", "--site-dir", str(folder))
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_pages_are_built_without_a_warning_and_ask_nothing_of_other_machines() -> None:
    pages = list(site().rglob("*.html"))
    assert {page.stem for page in pages} >= {"index", "tutorial", "adding", "algorithm", "cluster"}
    asked = {
        f"{page.name}: {found}"
        for page in pages
        for found in re.findall(
            r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*>",
            page.read_text(encoding="utf-8"),
        )
    }
    assert asked == set()
    styles = [style.read_text(encoding="utf-8") for style in site().rglob("*.css")]
    assert not any(re.search(r"url\(\"?(https?:)?//|@import", style) for style in styles)


def test_nothing_is_left_to_be_filled_in() -> None:
    for page in site().rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<!-- help" not in text
        assert "--8&lt;--" not in text
    commands = (site() / "commands.html").read_text(encoding="utf-8")
    assert "--interval SECONDS" in commands
    assert "--tolerance" in commands
    metrics = (site() / "metrics.html").read_text(encoding="utf-8")
    assert all(f"<code>{name}</code>" in metrics for name in METRICS)


def test_every_key_says_what_it_means() -> None:
    keys = all_keys()
    assert {"network.signals.yellow_s", "scenarios.NAME.num_vehicles", "seed"} <= keys.keys()
    assert {"algorithm.observation.max_phases", "controller.NAME.theta_veh_s"} <= keys.keys()
    assert [name for name, key in keys.items() if not key.meaning] == []


def test_every_key_has_its_place_with_type_default_and_members() -> None:
    pages = configuration_pages()
    written = "\n".join(pages.values())
    assert [name for name in all_keys() if f"#### {name} {{" not in written] == []
    gamma = pages["algorithm"].partition("#### algorithm.gamma ")[2].partition("####")[0]
    assert "number · no default" in gamma
    assert "ppo_default `0.995`" in gamma
    yellow = pages["network"].partition("#### network.signals.yellow_s ")[2].partition("####")[0]
    assert "[s]" in yellow
    assert "number · default `3`" in yellow
    score = pages["execution"].partition("#### execution.score ")[2].partition("####")[0]
    assert "- `delay`: Minus the mean delay over all scheduled vehicles [s]." in score
    assert "long_run `reward`" in score
    anchors = re.findall(r"\{ #([^ }]+)", pages["controller"])
    assert len(anchors) == len(set(anchors))


def test_every_metric_term_feature_and_command_has_its_line() -> None:
    assert [name for name in METRICS if not meanings(EpisodeMetrics).get(name)] == []
    seen = (DOCS / "features.md").read_text(encoding="utf-8")
    names = {name for table in TABLES.values() for name in table}
    assert [name for name in sorted(names) if f"`{name}`" not in seen] == []
    own = (DOCS / "adding.md").read_text(encoding="utf-8")
    assert [table for table in TABLES if f"| `{table}` |" not in own] == []
    scripts = [one.name for one in entry_points(group="console_scripts")]
    commands = (DOCS / "commands.md").read_text(encoding="utf-8")
    missing = [name for name in scripts if f"| `{name}` |" not in commands]
    assert [name for name in missing if name.startswith("trafficrl-")] == []


def blocks(folder: Path) -> Path:
    """The files of the page about adding things, as its reader writes them."""
    found = dict(BLOCK.findall((DOCS / "adding.md").read_text(encoding="utf-8")))
    assert len(found) == 7
    for name, text in found.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def console(page: str) -> list[str]:
    """The lines of a page that are to be typed."""
    text = (DOCS / page).read_text(encoding="utf-8")
    parts = [part.replace("\\\n", "") for kind, part in FENCE.findall(text) if not kind]
    return [line for part in parts for line in part.splitlines()]


def said(command: str) -> list[list[str]]:
    """The words of every line of the page that calls the command, without what is Hydra's."""
    lines = [line for line in console("adding.md") if line.startswith(f"{command} ")]
    words = [shlex.split(line)[1:] for line in lines]
    assert words
    return [
        [f"hydra.searchpath=[file://{Path('my_conf').resolve()}]", *line[2:]]
        if line[0] == "--config-dir"
        else line
        for line in words
    ]


def test_terms_and_features_of_the_page_are_paid_and_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(blocks(tmp_path))
    term, feature, *_ = [line for line in said("trafficrl-train") if "extensions" in line[0]]
    terms = {"delay_per_signal_veh", "longest_queue_veh"}
    usual = {"local_delayed_veh", "backlog_per_signal_veh"}
    for line, wanted in ((term, terms), (feature, usual)):
        with closing(tr.make_env(tr.compose(*line, *SHORT))) as env:
            env.reset(seed=1)
            seen, _, _, _, info = env.step(env.action_space.sample())
            assert env.observation_space.contains(seen)
        assert set(info["reward_terms"]) == wanted


def test_the_controller_of_the_page_judges_better_than_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(blocks(tmp_path))
    ((*words, controllers),) = said("trafficrl-evaluate")
    assert controllers == "controllers=[fixed,max_pressure,mine]"
    config = tr.compose(*words, *SHORT[:2], "execution.end_time=300", "evaluation.seeds=1")
    table = tr.evaluate(config, ["random", "mine"], tmp_path / "judged")
    assert table.mean("mine", "delay_s") < table.mean("random", "delay_s")


def test_cities_demands_and_mixes_of_the_page_compose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(blocks(tmp_path))
    (city,) = said("trafficrl-generate")
    assert locate(experiment(*city), [tmp_path]).network.kind == "grid"
    demand, mix = [line for line in said("trafficrl-train") if "searchpath" in line[0]]
    with closing(tr.make_env(experiment(*demand))) as env:
        env.reset()  # which makes the demand
    config = locate(experiment(*mix), [tmp_path])
    assert list(config.reward.terms) == ["queue_per_lane_veh", "longest_queue_veh"]


def test_the_learner_of_another_library_runs(tmp_path: Path) -> None:
    blocks(tmp_path)
    done = subprocess.run(
        [sys.executable, "my_learner.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"last reward -\d+\.\d+\n", done.stdout)


def test_commands_of_the_tutorial_are_ones_that_there_are() -> None:
    lines = [line.partition("  #")[0] for line in console("tutorial.md")]
    words = [shlex.split(line) for line in lines if line.startswith("trafficrl-")]
    assert len(words) >= 10
    for command, *overrides in words:
        if command not in ("trafficrl-train", "trafficrl-evaluate"):
            continue
        single = [word for word in overrides if not word.startswith(("-m", "hydra"))]
        first = [re.sub(r"(?<!\[)(=[^\[,]+),.*", r"\1", word) for word in single]
        try:
            experiment(*first, config_name=command.removeprefix("trafficrl-"))
        except TrafficRLError as error:
            pytest.fail(f"{command} {' '.join(overrides)}: {error}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["index", "tutorial", "adding", "legacy", "configuration/algorithm"]
)
@pytest.mark.parametrize("width_px", [500, 1280])
def test_no_page_is_wider_than_the_screen(page: str, width_px: int) -> None:
    file = site() / f"{page}.html"
    script = "[document.documentElement.scrollWidth, document.fonts.size, !!window.component$]"
    wide, fonts, alive = after(file, file.parent, script, width_px=width_px)
    assert wide <= width_px
    assert fonts == 0
    assert alive  # the page's own script runs without any other
