"""trafficrl-render as a user runs it."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from composing import experiment
from PIL import Image
from run_cases import run_command, trained
from traffic_cases import scratch

from trafficrl.app.render import spelled_out
from trafficrl.config.load import load_experiment
from trafficrl.config.render import FilmConfig, RenderConfig
from trafficrl.errors import ConfigError

SCRIPT = Path(sys.executable).parent / "trafficrl-render"
DRAWN = ("render.view=drawing", "render.width_px=320")


def test_a_run_becomes_a_film_of_its_best_model(tmp_path: Path) -> None:
    film, folder = tmp_path / "films" / "it's=1.gif", tmp_path / "render"
    out = run_command(
        "render",
        *(str(trained()), "--out", str(film), *DRAWN, "render.from_s=60", "render.to_s=70"),
        *("render.scenario=evening", f"hydra.run.dir={folder}"),
    )
    name = "/".join(trained().parts[-2:])
    assert f"11 frames of {name}: evening, test episode 0, 60 to 70 s of the episode" in out
    with Image.open(film) as found:
        assert found.size[0] == 320
        assert getattr(found, "n_frames", 1) == 11
    config = load_experiment(folder / "resolved_config.yaml", RenderConfig)
    assert config.render.controller == str(trained())
    assert config.execution.end_time == 120, "as the run was"


def test_any_controller_on_any_configuration(tmp_path: Path) -> None:
    words = ("controller=max_pressure", "scenarios.morning.num_vehicles=40", "network=grid3")
    run_command("render", *words, *DRAWN, "render.to_s=3", f"hydra.run.dir={tmp_path}")
    with Image.open(tmp_path / "episode.gif") as found:
        assert getattr(found, "n_frames", 1) == 4
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["controller=fixed", "network=grid3"], ["render.controller=fixed", "network=grid3"]),
        (["--out", "a.gif"], ["render.out='a.gif'"]),
        (["--out=a.gif"], ["render.out='a.gif'"]),
        (["--config-dir", "RUN"], ["--config-dir", "RUN"]),
        (
            ["RUN", "render.to_s=9", "execution.end_time=60"],
            [
                *("--config-dir", "RUN", "--config-name", "resolved_config"),
                *("+render.to_s=9", "execution.end_time=60", "+render.controller='RUN'"),
            ],
        ),
        (
            ["controller=fixed", "RUN"],
            ["--config-dir", "RUN", "--config-name", "resolved_config", "+render.controller=fixed"],
        ),
    ],
)
def test_short_forms_stand_for_what_hydra_wants(
    words: list[str], expected: list[str], tmp_path: Path
) -> None:
    run = str(tmp_path)
    found = spelled_out([word.replace("RUN", run) for word in words])
    assert found == [word.replace("RUN", run) for word in expected]


def test_what_is_no_run_is_said() -> None:
    with pytest.raises(ConfigError, match="nowhere is no run folder that is there"):
        spelled_out(["nowhere"])
    with pytest.raises(ConfigError, match="one run is filmed at a time"):
        spelled_out([str(scratch()), str(scratch())])


def render_config(**render: object) -> RenderConfig:
    known = experiment("execution.end_time=600")
    values = {name: getattr(known, name) for name in (one.name for one in fields(known))}
    return RenderConfig(**values, render=FilmConfig(**render))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"from_s": 600.0}, r"render\.from_s must be < execution\.end_time 600 \[s\], got 600"),
        ({"from_s": 60.0, "to_s": 50.0}, r"render\.to_s must be in render\.from_s 60 \.\. "),
        ({"to_s": 601.0}, r"execution\.end_time 600 \[s\], got 601"),
        ({"every_s": 0.5}, r"render\.every_s must be a whole multiple of network\.step_length 1"),
        ({"every_s": 0.0}, r"render\.every_s must be >= 0\.001 \[s\], got 0\.0"),
        ({"out": "a.avi"}, r"render\.out: the ending: unknown '\.avi'; choices: \.gif, \.mp4"),
        ({"scenario": "noon"}, "render.scenario: unknown 'noon'; choices: evening, morning"),
        ({"fps": 0.0}, r"render\.fps must be in 0\.1\.\.50 \[1/s\], got 0\.0"),
    ],
)
def test_a_mistake_names_its_key(values: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        render_config(**values)


def test_a_long_film_is_refused_before_anything_is_simulated() -> None:
    known = experiment("execution.end_time=7200")
    values = {name: getattr(known, name) for name in (one.name for one in fields(known))}
    film = FilmConfig(to_s=7200.0)
    with pytest.raises(ConfigError, match=r"makes 7200 frames, at most 1000 are drawn"):
        RenderConfig(**values, render=film)
    assert RenderConfig(**values, render=FilmConfig(to_s=7200.0, every_s=10.0)).until_s == 7200.0
    assert RenderConfig(**values).until_s == 120.0


def test_without_a_display_sumos_window_is_refused(tmp_path: Path) -> None:
    words = [str(SCRIPT), "render.view=gui", f"hydra.run.dir={tmp_path}"]
    done = subprocess.run(words, env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line == (
        "trafficrl-render: error: render.view=gui needs a display (DISPLAY is not set): take "
        "drawing"
    )
