"""What `import trafficrl` offers to notebooks and scripts: what the commands do, as calls.

    import trafficrl as tr

    config = tr.compose("network=grid3", "execution.total_timesteps=2000", "seed=7")
    network = tr.build_network(config)
    env = tr.make_env(config)
    run = tr.train(config, "outputs/first")
    table = tr.evaluate(config, ["fixed", "max_pressure", run])
    run = tr.load_run("outputs/first")
    policy = run.policy()

These are the functions behind `trafficrl-train`, `-evaluate` and `-collect`, with the same run
folders: a call goes on where a command was stopped, and the other way round. A mistake is a
`TrafficRLError` of one line. Hydra, signal handlers, random streams, logging and the current folder
are afterwards as they were before. Worker processes never run the script or notebook that called.

Interrupting a training (Ctrl-C, the kernel's stop button) saves it and raises `Stopped`, a
`KeyboardInterrupt`; the same call goes on. Only the main thread hears signals.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from trafficrl.app import collect as collecting
from trafficrl.app.compose import cached_network, compose_experiment, compose_task
from trafficrl.app.controllers import find_controllers
from trafficrl.app.evaluate import judge_controllers
from trafficrl.app.run import Run, load_run
from trafficrl.app.run_log import logged
from trafficrl.app.train import train as train_in
from trafficrl.config.experiment import CollectConfig, EvaluateConfig, ExperimentConfig
from trafficrl.config.load import checked
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.results import Comparison
from trafficrl.launch.sweeper import quoted
from trafficrl.network.model import Network

__all__ = [
    "Run",
    "build_network",
    "collect",
    "compose",
    "evaluate",
    "load_run",
    "make_env",
    "train",
]


def compose(
    *overrides: str,
    run: str | Path | Run | None = None,
    extensions: Sequence[str | Path] = (),
) -> ExperimentConfig:
    """The checked configuration of `trafficrl-train` for these overrides.

    It is a tree of dataclasses: `config.algorithm.gamma`. `dataclasses.replace` checks what it
    changes; a plain assignment is only checked when the configuration is used.

    Args:
        overrides: as on the command line: "network=grid3", "scenarios=[light,heavy_load]",
            "sumocfg=my.sumocfg".
        run: a run (or its folder) whose configuration is the one to begin with.
        extensions: files with reward terms and features of your own, whose code will run. That of
            a run, RUN/inputs/extensions/my_terms.py, has to be named like any other.

    Raises:
        ConfigError: an override that is unknown, malformed or fails a check.
        RunError: there is no such run.
    """
    folder = run.folder if isinstance(run, Run) else run
    words = list(overrides)
    for word in words:
        if not isinstance(word, str):
            raise ConfigError(f"overrides: write each as text, compose('seed=3'), got {word!r}")
    if extensions:
        words.append(f"extensions=[{','.join(quoted(str(file)) for file in extensions)}]")
    return compose_experiment(words, run=None if folder is None else Path(folder))


def build_network(config: ExperimentConfig) -> Network:
    """The network of the configuration: signals, phases, edges and lanes; built once and cached.

    Raises:
        NetworkError: it cannot be built.
    """
    return cached_network(usable(config))


def make_env(config: ExperimentConfig) -> TrafficSignalEnv:
    """The Gymnasium environment that a training of this configuration learns in.

    In one process only one SUMO runs at a time: close an environment before the next is reset, or
    compose with "execution.backend=traci".

    Raises:
        NetworkError: the network cannot be built.
        DemandError: a given demand cannot be driven on it.
        ConfigError: code of the user's own that nobody has named.
    """
    config = usable(config)
    return TrafficSignalEnv(compose_task(config), seed=config.seed)


def train(
    config: ExperimentConfig, folder: str | Path | None = None, *, anew: Sequence[str] = ()
) -> Run:
    """A trained and judged run. One that was stopped goes on, a finished one is left alone.

    Args:
        config: the experiment.
        folder: of the run; None for a new one, `outputs/DATE/TIME`.
        anew: keys of `execution` and `evaluation` that may differ from what the run in the folder
            was begun with, such as "execution.total_timesteps".

    Raises:
        ConfigError: the configuration cannot be, or the folder holds a run of another one.
        RunError: another process works in the folder.
        Stopped: it was interrupted; the same call goes on.
        TrafficRLError: whatever the run could not do; `run.record` says failed then.
    """
    config = usable(config)
    with run_folder(folder, "train") as place:
        train_in(config, place, list(anew))
    return Run(place)


def evaluate(
    config: ExperimentConfig,
    controllers: Sequence[str | Path | Run],
    folder: str | Path | None = None,
) -> Comparison:
    """Controllers beside each other on unseen demand, the first being the baseline; also printed.

    `comparison.mean("max_pressure", "delay_s")`, `.difference(...)` with its interval, and
    `.as_dict()["episodes"]`, a row for each episode.

    Args:
        config: network, scenarios and `evaluation.seeds`.
        controllers: names ("max_pressure"), runs or their folders, model files, "NAME@TAG".
        folder: for `evaluation/results.json`; None for a new one, `outputs/DATE/TIME`.

    Raises:
        ConfigError: an unknown controller.
        CheckpointError: a model that is missing, damaged, or was trained for another network.
        RunError: the folder holds a trained run.
    """
    if isinstance(controllers, str | Path | Run):
        raise ConfigError(f"controllers: expected a list, such as ['fixed'], got {controllers!r}")
    names = [named(one) for one in controllers]
    whole = EvaluateConfig(**_values(usable(config)), controllers=names)
    with run_folder(folder, "evaluate") as place:
        return judge_controllers(whole, place, find_controllers(names, whole))


def collect(
    config: ExperimentConfig,
    teacher: str | Path | Run,
    folder: str | Path | None = None,
    *,
    episodes: int = 10,
) -> Path:
    """A file of what a controller did in training episodes, for `algorithm.cloning.demonstrations`.

    Args:
        config: whose observation and action the demonstrations are told in.
        teacher: a controller's name, a run or its folder, a model file or "NAME@TAG".
        folder: where the file goes; None for a new one, `outputs/DATE/TIME`.
        episodes: of each scenario.

    Raises:
        ConfigError: an unknown teacher, or one whose decisions no action can say.
        CheckpointError: a model that is missing, damaged, or was trained for another network.
        RunError: the folder holds a trained run.
    """
    whole = CollectConfig(**_values(usable(config)), teacher=named(teacher), episodes=episodes)
    with run_folder(folder, "collect") as place:
        return collecting.demonstrate(whole, place)


@contextmanager
def run_folder(folder: str | Path | None, command: str) -> Iterator[Path]:
    """The folder is there and has the command's log; one that nothing came to is gone again.

    Raises:
        RunError: it cannot be made.
    """
    now = datetime.now().astimezone()
    usual = Path("outputs", now.strftime("%Y-%m-%d"), now.strftime("%H-%M-%S-%f"))
    place = usual if folder is None else Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"folder: {place} cannot be made: {error.strerror}") from error
    try:
        with logged(place / f"{command}.log"):
            yield place
    except BaseException:
        with suppress(OSError):  # only an empty one goes
            place.rmdir()
        raise


def usable(config: ExperimentConfig) -> ExperimentConfig:
    """An equal configuration; what was assigned to it since it was composed is checked.

    Raises:
        ConfigError: it is none, or fails a check.
    """
    if not isinstance(config, ExperimentConfig):
        kind = type(config).__name__
        raise ConfigError(f"config: expected what trafficrl.compose() gives, got a {kind}")
    return checked(config)


def named(controller: str | Path | Run) -> str:
    """How a command would name it; a run below the current folder shortly, as tables show it."""
    if not isinstance(controller, Run):
        return str(controller)
    here = Path.cwd()
    inside = controller.folder.is_relative_to(here)
    return str(controller.folder.relative_to(here) if inside else controller.folder)


def _values(config: ExperimentConfig) -> dict[str, Any]:
    return {item.name: getattr(config, item.name) for item in fields(ExperimentConfig)}
