"""What is filmed of an episode, and how."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import ClassVar, Optional

from trafficrl.config.checks import check_choice, check_range
from trafficrl.config.execution import Simulator
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.errors import ConfigError

__all__ = ["FILM_KINDS", "FilmConfig", "RenderConfig", "View"]

FILM_KINDS = (".gif", ".mp4")
MOST_FRAMES = 1000
"""All frames of a GIF lie in memory at once."""
USUAL_LENGTH_S = 120.0


class View(Enum):
    """Who draws."""

    auto = "auto"
    """SUMO's window where there is a display for it, and our own drawing elsewhere."""
    gui = "gui"
    """SUMO's window."""
    drawing = "drawing"
    """Ours, which needs no display: vehicles and signals are told apart by their shapes."""


@dataclass(kw_only=True)
class FilmConfig:
    """Which part of which episode becomes a film."""

    controller: str = "fixed"
    """What decides: a name of `controller`, a model.zip, a run folder, whose best model counts, or
    the name of a model, `NAME@TAG`."""
    scenario: Optional[str] = None  # noqa: UP045 - OmegaConf reads typing.Optional only
    """One of `scenarios`; null for the first."""
    episode: int = 0
    """Which test episode of the scenario: 0, 1, ..., as an evaluation has them."""
    from_s: float = 0.0
    """Where the film begins, from the begin of the episode on [s]."""
    to_s: Optional[float] = None  # noqa: UP045
    """Where it ends [s]; null for two minutes later, or the end of the episode."""
    every_s: float = 1.0
    """Simulated time from one frame to the next [s]."""
    fps: float = 10.0
    """Frames shown in a second [1/s]."""
    width_px: int = 800
    """Of a frame [pixels]; its height follows from the network."""
    around: Optional[str] = None  # noqa: UP045
    """A junction to look at from near; null for the whole network."""
    radius_m: float = 120.0
    """How far around it is seen [m]."""
    view: View = View.auto
    out: Optional[str] = None  # noqa: UP045
    """The film's file, .gif or .mp4 (which needs ffmpeg); null for episode.gif in the folder of the
    run."""

    def __post_init__(self) -> None:
        check_range("render.episode", self.episode, 0, 99_999)
        check_range("render.from_s", self.from_s, 0, unit="s")
        check_range("render.every_s", self.every_s, 0.001, unit="s")
        check_range("render.fps", self.fps, 0.1, 50, unit="1/s")
        check_range("render.width_px", self.width_px, 320, 3840, unit="pixels")
        check_range("render.radius_m", self.radius_m, 10, unit="m")
        if self.out is not None:
            check_choice("render.out: the ending", Path(self.out).suffix.lower(), FILM_KINDS)


@dataclass(kw_only=True)
class RenderConfig(ExperimentConfig):
    """An experiment one of whose episodes is looked at."""

    learns: ClassVar[bool] = False

    render: FilmConfig = field(default_factory=FilmConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.execution.simulator is Simulator.meso:
            raise ConfigError(
                "execution.simulator=meso cannot be filmed: its vehicles have no places; take micro"
            )
        if self.render.scenario is not None:
            check_choice("render.scenario", self.render.scenario, self.scenarios)
        self._check_times()

    @property
    def chosen_scenario(self) -> str:
        """Whose episode is filmed."""
        return self.render.scenario or next(iter(self.scenarios))

    @property
    def until_s(self) -> float:
        """Where the film ends, from the begin of the episode on [s]."""
        wanted = self.render.to_s
        return self.render.from_s + USUAL_LENGTH_S if wanted is None else wanted

    def _check_times(self) -> None:
        chosen, step_s = self.render, self.network.step_length
        end_s = self.execution.end_time
        if chosen.from_s >= end_s:
            raise ConfigError(
                f"render.from_s must be < execution.end_time {end_s:g} [s], got {chosen.from_s:g}"
            )
        if chosen.to_s is not None and not chosen.from_s < chosen.to_s <= end_s:
            raise ConfigError(
                f"render.to_s must be in render.from_s {chosen.from_s:g} .. execution.end_time "
                f"{end_s:g} [s], got {chosen.to_s:g}"
            )
        if abs(chosen.every_s / step_s - round(chosen.every_s / step_s)) > 1e-9:
            raise ConfigError(
                "render.every_s must be a whole multiple of network.step_length "
                f"{step_s:g} [s], got {chosen.every_s:g}"
            )
        frames = (min(self.until_s, end_s) - chosen.from_s) / chosen.every_s
        if frames > MOST_FRAMES:
            raise ConfigError(
                f"render.every_s={chosen.every_s:g} makes {frames:.0f} frames, at most "
                f"{MOST_FRAMES} are drawn: take more seconds from one to the next, or a shorter "
                "part of the episode"
            )
