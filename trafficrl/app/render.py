"""trafficrl-render: a film of a part of an episode, under any controller or trained model.

    trafficrl-render controller=max_pressure network=grid3 scenarios=light render.from_s=600
    trafficrl-render RUN --out episode.gif            # what its best model does, on its own network

A run folder stands for its configuration and its best model; `controller=` chooses another one.
"""

import logging
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from trafficrl.app.build import open_run, refuse_used
from trafficrl.app.console import run_app
from trafficrl.app.controllers import find_controllers
from trafficrl.config.render import FilmConfig, RenderConfig, View
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.control.controller import Controller
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, SimulationError, unknown_name
from trafficrl.evaluation.controllers import build_controller, sampled_task
from trafficrl.evaluation.film.camera import Shooting, film_episode
from trafficrl.evaluation.film.canvas import AREA
from trafficrl.evaluation.film.files import check_film, save_film
from trafficrl.launch.sweeper import quoted
from trafficrl.network.canvas import map_limits
from trafficrl.network.model import Network
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.seeding import Split
from trafficrl.simulation.sights import has_display

__all__ = ["main", "render", "spelled_out"]

log = logging.getLogger(__name__)
FILE = "episode.gif"


def render(config: RenderConfig, folder: Path) -> None:
    """The film lies in its file, and the log says where.

    Raises:
        ConfigError: an unknown controller, scenario or junction, or a kind of film that cannot be
            made here.
        RunError: the folder holds a trained run, or the film cannot be written.
        CheckpointError: a model that is missing, damaged, or was trained for another network.
    """
    label, name = chosen_controller(config)
    paths, chosen = RunPaths(folder), config.render
    refuse_used(paths)
    file = Path(chosen.out) if chosen.out else paths.root / FILE
    check_film(file)
    if chosen.view is View.gui and not has_display():
        raise ConfigError("render.view=gui needs a display (DISPLAY is not set): take drawing")
    config, task = open_run(config, paths)
    controller, task = build_controller(name, task), sampled_task(name, task)
    window = chosen.view is not View.drawing and has_display()
    shooting = shooting_of(config, label, task.network, window=window)
    paths.work.mkdir(parents=True, exist_ok=True)
    try:
        film(config, task, controller, shooting, work=paths.work, file=file)
    except SimulationError as error:
        if not window or chosen.view is View.gui:
            raise
        log.warning("SUMO's window failed, so this is drawn: %s", error)
        drawn = replace(shooting, window=False)
        film(config, task, controller, drawn, work=paths.work, file=file)
    finally:
        shutil.rmtree(paths.work, ignore_errors=True)


def film(
    config: RenderConfig,
    task: Task,
    controller: Controller,
    shooting: Shooting,
    *,
    work: Path,
    file: Path,
) -> None:
    """The episode has been driven as far as it is filmed, and the log says what the file holds."""
    chosen, total_s = config.render, round(shooting.to_s)
    episode = Episode.of_split(config.chosen_scenario, Split.test, chosen.episode)
    with ProgressReport("filming", total=total_s, unit="s simulated") as progress:

        def tell(elapsed_s: float) -> None:
            progress.advance_to(min(round(elapsed_s), total_s))

        pictures = film_episode(task, episode, controller, work, shooting, report=tell)
        number = save_film(pictures, file, fps=chosen.fps, drawn=not shooting.window)
    log.info(
        "film: %s: %d frames of %s, %g to %g s of the episode, by %s (%.1f MB)",
        file,
        number,
        shooting.title,
        shooting.from_s,
        shooting.from_s + (number - 1) * shooting.every_s,
        "SUMO's window" if shooting.window else "our own drawing",
        file.stat().st_size / 1e6,
    )


def chosen_controller(config: RenderConfig) -> tuple[str, str]:
    """A short label, and the name of a classical controller or the path of a model.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        ((label, controller),) = find_controllers([config.render.controller], config).items()
    except ConfigError as error:
        message = str(error).replace("controllers:", "render.controller:", 1)
        raise ConfigError(message) from error
    named = Path(config.render.controller)
    if controller != config.render.controller and named.is_dir():  # `3` alone says little
        label = "/".join(named.resolve().parts[-2:])
    return label, controller


def shooting_of(config: RenderConfig, label: str, network: Network, *, window: bool) -> Shooting:
    """What the camera is to do.

    Raises:
        ConfigError: an unknown junction.
    """
    chosen, scenario = config.render, config.chosen_scenario
    demand = config.scenarios[scenario]
    hour = demand.start_time_hour if isinstance(demand, GeneratedScenarioConfig) else 0.0
    return Shooting(
        title=f"{label}: {scenario}, test episode {chosen.episode}",
        clock_s=hour * 3600.0,
        from_s=chosen.from_s,
        to_s=min(config.until_s, config.execution.end_time),
        every_s=chosen.every_s,
        width_px=chosen.width_px,
        area=area_of(chosen, network),
        window=window,
    )


def area_of(chosen: FilmConfig, network: Network) -> AREA:
    """The whole network, or what lies around a junction.

    Raises:
        ConfigError: an unknown junction.
    """
    if chosen.around is None:
        return map_limits(network)
    places = {junction.id: junction for junction in network.junctions}
    if chosen.around not in places:
        raise ConfigError(unknown_name("render.around", chosen.around, list(places)))
    at, radius_m = places[chosen.around], chosen.radius_m
    return at.x_m - radius_m, at.x_m + radius_m, at.y_m - radius_m, at.y_m + radius_m


def spelled_out(words: list[str]) -> list[str]:
    """The command line as Hydra wants it: a run folder is its configuration, `controller=NAME` and
    `--out FILE` are keys of `render`.

    Raises:
        ConfigError: two run folders, or one that is not there.
    """
    overrides = list(_short_forms(words))
    flags = ["", *overrides]  # what follows a flag may be its value
    alone = [
        word
        for before, word in zip(flags, overrides, strict=False)
        if not before.startswith("-") and not word.startswith(("-", "~"))
    ]
    runs = [word for word in alone if Path(word).is_dir()]
    unknown = [word for word in alone if word not in runs and "=" not in word]
    if unknown:
        raise ConfigError(f"{unknown[0]} is no run folder that is there, and no KEY=VALUE")
    if not runs:
        return overrides
    if len(runs) > 1:
        raise ConfigError(f"one run is filmed at a time, got {' and '.join(runs)}")
    rest = [_added(word) for word in overrides if word != runs[0]]
    if not any(word.startswith("+render.controller=") for word in rest):
        rest.append(f"+render.controller={quoted(runs[0])}")
    return ["--config-dir", runs[0], "--config-name", "resolved_config", *rest]


def _short_forms(words: list[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word == "--out":
            yield f"render.out={quoted(next(rest, ''))}"
        elif word.startswith("--out="):
            yield f"render.out={quoted(word.partition('=')[2])}"
        elif word.startswith("controller="):
            yield f"render.{word}"
        else:
            yield word


def _added(word: str) -> str:
    """A run's own configuration has no keys of `render` yet."""
    return f"+{word}" if word.startswith("render.") else word


def main() -> None:
    """Entry point of the console script."""
    try:
        sys.argv[1:] = spelled_out(sys.argv[1:])
    except ConfigError as error:
        print(f"trafficrl-render: error: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(run_app(render, RenderConfig, config_name="render"))


if __name__ == "__main__":
    main()
