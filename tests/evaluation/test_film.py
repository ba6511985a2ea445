"""Films show what happens, and whoever cannot tell colours sees it by the shapes."""

import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from learning_cases import small_task
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from traffic_cases import city, scenario_config

from trafficrl.control.commands import Command
from trafficrl.control.controller import Controller
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.film.camera import Shooting, film_episode
from trafficrl.evaluation.film.canvas import COLOURS, MapCanvas, draw_signal, draw_vehicle
from trafficrl.evaluation.film.files import check_film, save_film
from trafficrl.evaluation.film.frame import Frame
from trafficrl.evaluation.film.page import FilmPage
from trafficrl.network.canvas import map_limits
from trafficrl.runs.seeding import Split
from trafficrl.simulation.state import TrafficState

EPISODE = Episode.of_split("busy", Split.test, 0)


def busy_task() -> Task:
    return small_task(scenarios={"busy": scenario_config(num_vehicles=120)}, end_s=90.0)


class Listener:
    """A controller, and what it was told."""

    def __init__(self, controller: Controller) -> None:
        self.begin = controller.begin
        self._controller = controller
        self.heard: list[tuple[float, list[float]]] = []

    def decide(self, state: TrafficState) -> Command:
        self.heard.append((state.time_s, state.now.vehicles_veh.tolist()))
        return self._controller.decide(state)


def shooting(**changes: float) -> Shooting:
    values = {"from_s": 40.0, "to_s": 70.0, "every_s": 5.0} | changes
    return Shooting(
        title="fixed: busy",
        clock_s=8 * 3600.0,
        width_px=400,
        area=map_limits(city()),
        window=False,
        **values,
    )


def filmed(folder: Path, **changes: float) -> list[Image.Image]:
    task = busy_task()
    controller = build_controller("fixed", task)
    return list(film_episode(task, EPISODE, controller, folder, shooting(**changes)))


def test_a_film_has_a_picture_of_each_moment(tmp_path: Path) -> None:
    pictures = filmed(tmp_path)
    assert len(pictures) == shooting().frames == 7
    assert {picture.size for picture in pictures} == {pictures[0].size}
    assert len({picture.tobytes() for picture in pictures}) == 7
    assert list(tmp_path.iterdir()) == []


def test_the_begin_can_be_filmed_and_what_lies_beyond_the_end_cannot(tmp_path: Path) -> None:
    assert len(filmed(tmp_path, from_s=0.0, to_s=10.0)) == 3
    assert len(filmed(tmp_path, from_s=80.0, to_s=200.0)) == 3


def test_the_episode_is_the_one_that_is_judged(tmp_path: Path) -> None:
    """Its vehicles are where they are without a camera."""
    task = busy_task()
    told, again = (Listener(build_controller("max_pressure", task)) for _ in range(2))
    list(film_episode(task, EPISODE, told, tmp_path, shooting(from_s=0.0)))
    running = start_episode(task, EPISODE, tmp_path, controller=again)
    state = running.driver.start()
    while not running.driver.finished:
        state = running.driver.advance(again.decide(state))
    running.close()
    assert len(told.heard) == 5, "it was asked no longer than it was filmed"
    assert told.heard == again.heard[:5]
    assert told.heard[0] != told.heard[-1]


def drawn(draw: str, value: float | str) -> NDArray[np.uint8]:
    """A mark alone, without its colours."""
    picture = Image.new("RGB", (64, 64), "#FFFFFF")
    pen = ImageDraw.Draw(picture)
    if draw == "vehicle":
        draw_vehicle(pen, (56.0, 32.0), (1.0, 0.0), (48.0, 24.0), float(value))
    else:
        draw_signal(pen, (16.0, 32.0), (1.0, 0.0), str(value), 32.0)
    return np.asarray(picture.convert("L"))


@pytest.mark.parametrize(
    ("mark", "values"), [("vehicle", (0.0, 2.0, 9.0)), ("signal", ("r", "y", "G", "g"))]
)
def test_marks_are_told_apart_without_colours(mark: str, values: tuple[float | str, ...]) -> None:
    for one, other in combinations(values, 2):
        first, second = drawn(mark, one), drawn(mark, other)
        marked = (first < 250) | (second < 250)
        differs = np.abs(first.astype(int) - second.astype(int))[marked] > 60
        assert differs.mean() > 0.15, (one, other)


def test_what_drives_is_no_block() -> None:
    block, slow, fast = (drawn("vehicle", speed_mps) < 250 for speed_mps in (0.0, 2.0, 9.0))
    assert (slow == fast).all()
    assert block.sum() > 1.1 * fast.sum()


def frame(*vehicles: tuple[float, float, float, float, float], letter: str = "r") -> Frame:
    """Vehicles (x, y, speed, heading, length), all signals showing one letter."""
    return Frame(
        elapsed_s=0.0,
        time_s=0.0,
        vehicles=np.array(vehicles, np.float64).reshape(-1, 5).T,
        shown={signal.id: letter * len(signal.phases[0].state) for signal in city().signals},
        backlog_veh=4,
    )


def test_a_vehicle_is_drawn_where_it_is_and_how_it_looks() -> None:
    area = map_limits(city())
    canvas = MapCanvas(city(), area, 600)
    x_m, y_m = (area[0] + area[1]) / 2, (area[2] + area[3]) / 2 + 20.0
    empty = np.asarray(canvas.draw(frame())).astype(int)
    for heading, step in ((0.0, (0.0, -1.0)), (90.0, (-1.0, 0.0)), (180.0, (0.0, 1.0))):
        full = np.asarray(canvas.draw(frame((x_m, y_m, 0.0, heading, 30.0)))).astype(int)
        rows, columns = np.nonzero(np.abs(full - empty).sum(axis=2) > 60)
        front = (x_m - area[0]) * canvas.px_per_m, (area[3] - y_m) * canvas.px_per_m
        middle = float(columns.mean()), float(rows.mean())
        behind_px = 15.0 * canvas.px_per_m  # its mark reaches backwards from its front
        assert middle[0] == pytest.approx(front[0] + step[0] * behind_px, abs=1.5)
        assert middle[1] == pytest.approx(front[1] - step[1] * behind_px, abs=1.5)


def test_all_stop_lines_show_what_their_signals_show() -> None:
    canvas = MapCanvas(city(), map_limits(city()), 600)
    pictures = {letter: np.asarray(canvas.draw(frame(letter=letter))) for letter in "ryG"}
    for one, other in combinations(pictures.values(), 2):
        changed = np.abs(one.astype(int) - other.astype(int)).sum(axis=2) > 60
        stops = sum(len(signal.incoming_lanes) for signal in city().signals)
        assert changed.sum() > 5 * stops


def test_a_page_has_room_for_long_names_and_for_the_legend() -> None:
    for width_px in (320, 1200):
        page = FilmPage("a name " * 40, 0.0, width_px, px_per_m=0.5)
        shown = np.asarray(page.draw(Image.new("RGB", (width_px, 200), "#FFFFFF"), frame()))
        assert shown.shape[1] == width_px
        assert shown.shape[0] % 2 == 0
        assert (shown[:, -2:] == 255).all(), "nothing is cut off at the edge"
        assert (shown[-3:] == 255).all()


def test_a_gif_lasts_as_long_as_its_pictures(tmp_path: Path) -> None:
    pictures = filmed(tmp_path)
    file = tmp_path / "films" / "episode.gif"
    assert save_film([*pictures, pictures[-1]], file, fps=4, drawn=True) == 8
    with Image.open(file) as film:
        assert film.size == pictures[0].size
        lasts = []
        for index in range(getattr(film, "n_frames", 1)):
            film.seek(index)
            lasts.append(film.info["duration"])
        assert sum(lasts) == 8 * 250, "equal ones may be one that lasts"
        film.seek(0)
        first = np.asarray(film.convert("RGB")).astype(int)
    real = np.asarray(pictures[0]).astype(int)
    assert np.abs(first - real).mean() < 2
    for colour in COLOURS:
        value = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        ours = (real == value).all(axis=2)
        assert (first[ours] == value).all(), colour
    assert [one.name for one in file.parent.iterdir()] == ["episode.gif"]


def test_an_mp4_needs_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check_film(tmp_path / "episode.gif")
    with pytest.raises(ConfigError, match="needs ffmpeg, which is not on the PATH"):
        check_film(tmp_path / "episode.mp4")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg here")
def test_an_mp4_is_written(tmp_path: Path) -> None:
    file = tmp_path / "episode.mp4"
    assert save_film(filmed(tmp_path), file, fps=10, drawn=True) == 7
    assert file.read_bytes()[4:8] == b"ftyp"


def test_a_film_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"file/episode\.gif cannot be written: "):
        save_film([Image.new("RGB", (8, 8))], tmp_path / "file" / "episode.gif", fps=1, drawn=True)
