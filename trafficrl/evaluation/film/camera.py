"""Films an episode as it is driven: the same driver and demand as when it is judged."""

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from trafficrl.config.execution import Backend
from trafficrl.control.controller import Controller
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.evaluation.film.canvas import AREA, MapCanvas
from trafficrl.evaluation.film.frame import Frame
from trafficrl.evaluation.film.page import FilmPage
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.sights import Sights

__all__ = ["Shooting", "film_episode"]


@dataclass(frozen=True, slots=True)
class Shooting:
    """What is filmed, and how."""

    title: str
    clock_s: float
    """Clock time of simulation second 0 [s]."""
    from_s: float
    to_s: float
    """Both since the episode began [s]."""
    every_s: float
    width_px: int
    area: AREA
    window: bool
    """SUMO's window is filmed, not our own drawing."""

    @property
    def frames(self) -> int:
        """How many there are, if the episode lasts."""
        return math.floor((self.to_s - self.from_s) / self.every_s + 1e-9) + 1


def film_episode(
    task: Task,
    episode: Episode,
    controller: Controller,
    folder: Path,
    shooting: Shooting,
    *,
    report: Callable[[float], None] = lambda elapsed_s: None,
) -> Iterator[Image.Image]:
    """The pictures, as the episode goes on; it ends with the last of them.

    Args:
        task: what is simulated.
        episode: which one it is.
        controller: that decides.
        folder: below it the episode has its files.
        shooting: what is filmed.
        report: called after each decision with the time since the episode began [s].

    Raises:
        ConfigError: the controller's parameters do not fit the network.
        DemandError: the demand cannot be generated on this network.
        SimulationError: SUMO would not start, or died.
    """
    if shooting.window:
        task = replace(task, backend=Backend.traci, gui=True)
    with tempfile.TemporaryDirectory(prefix="film-", dir=folder) as name:
        camera = Camera(task, shooting, Path(name))
        running = start_episode(
            task, episode, Path(name), controller=controller, after_step=camera.look
        )
        try:
            driver = running.driver
            state = driver.start()
            camera.first(running.session)
            yield from camera.taken()
            while not (driver.finished or camera.done) and state.totals.expected_veh:
                state = driver.advance(controller.decide(state))
                report(state.elapsed_s)
                yield from camera.taken()
        finally:
            running.close()


@dataclass
class Camera:
    """Looks after each step, and takes a picture where one is due."""

    task: Task
    shooting: Shooting
    folder: Path
    done: bool = False
    _pictures: list[Image.Image] = field(default_factory=list)
    _sights: Sights | None = None
    _asked: bool = False

    def __post_init__(self) -> None:
        shooting = self.shooting
        self._canvas = MapCanvas(self.task.network, shooting.area, shooting.width_px)
        self._page = FilmPage(
            shooting.title,
            shooting.clock_s,
            shooting.width_px,
            self._canvas.px_per_m,
            legend=not shooting.window,
        )

    def first(self, session: SumoSession) -> None:
        """Before the first step."""
        if self.shooting.window:
            low_x, high_x, low_y, high_y = self.shooting.area
            self._of(session).look_at((low_x, low_y), (high_x, high_y))
            self._ask_for_next(session)
        elif self._due(session.elapsed_s):
            self._take(session)

    def look(self, session: SumoSession) -> None:
        """After a step."""
        if not self.done and self._due(session.elapsed_s):
            self._take(session)
        self.done = session.elapsed_s >= self.shooting.to_s - 1e-9
        if self.shooting.window and not self.done:
            self._ask_for_next(session)

    def taken(self) -> list[Image.Image]:
        """The pictures since the last call."""
        found, self._pictures = self._pictures, []
        return found

    def _due(self, elapsed_s: float) -> bool:
        since_s = elapsed_s - self.shooting.from_s
        number = since_s / self.shooting.every_s
        return since_s >= -1e-9 and abs(number - round(number)) < 1e-6

    def _ask_for_next(self, session: SumoSession) -> None:
        """SUMO's window is saved with the next step."""
        if self._due(session.elapsed_s + session.step_s):
            self._of(session).save_window(self._window, *self._canvas.size_px)

    def _take(self, session: SumoSession) -> None:
        frame = Frame(
            elapsed_s=session.elapsed_s,
            time_s=session.time_s,
            vehicles=self._of(session).vehicles(),
            shown={
                signal.id: session.read_shown(signal.id) for signal in self.task.network.signals
            },
            backlog_veh=session.read_flow()[1],
        )
        if self.shooting.window:
            with Image.open(self._window) as saved:
                picture = saved.convert("RGB")
        else:
            picture = self._canvas.draw(frame)
        self._pictures.append(self._page.draw(picture, frame))

    @property
    def _window(self) -> Path:
        return self.folder / "window.png"

    def _of(self, session: SumoSession) -> Sights:
        if self._sights is None:
            self._sights = session.sights()
        return self._sights
