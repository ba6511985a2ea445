"""Which episode it is: all that decides it, as one hash, so that nothing is run twice."""

import json
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from trafficrl.config.controllers import OwnConfig
from trafficrl.config.load import plain_values
from trafficrl.config.scenarios import RouteFileScenarioConfig, ScenarioConfig
from trafficrl.env.classical import PLAN_FOLLOWERS
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import RunError
from trafficrl.evaluation.controllers import model_file
from trafficrl.evaluation.outcome import EpisodeIdentity, Measure
from trafficrl.runs.provenance import package_versions
from trafficrl.runs.seeding import Split
from trafficrl.simulation.backend import sumo_version
from trafficrl.simulation.options import option_set

__all__ = ["CIRCUMSTANCES_LETTERS", "Identities", "demonstrations_key"]

CIRCUMSTANCES_LETTERS = 32
"""So many of a setting tell what was simulated; the others, with which code."""
LEARNED = ("torch", "stable-baselines3", "gymnasium")
"""Packages that only models, and what users bring, are made of."""
BESIDE = ("app", "launch", "legacy", "report", "film")
"""Folders of code that decides no episode: commands, launchers, migration, what only shows."""


class Identities:
    """Names the episodes of one task, asked for by one run.

    Raises:
        RunError: a file of the configuration cannot be read.
    """

    def __init__(self, task: Task, *, run: Path) -> None:
        self._task = task
        self._run = str(run)
        self._settings = {
            name: setting(task, scenario) for name, scenario in task.scenarios.items()
        }
        self._reward_terms = digest(with_extensions(plain_values(task.reward), task))
        self._options = " ".join(option_set(float(task.step_s), task.simulation, task.simulator))
        self._deciders: dict[str, tuple[str, dict[str, Any]]] = {}

    def identify(
        self,
        label: str,
        controller: str,
        *,
        scenario: str,
        split: Split,
        seed: int,
        measure: Measure,
        model_of: str | None = None,
    ) -> EpisodeIdentity:
        """The identity of one episode.

        Args:
            label: of the controller in tables.
            controller: its name, or where its model is.
            model_of: where a copied model comes from.
            scenario: one of the task's.
            split: which demand.
            seed: index within the split.
            measure: what is measured.
        """
        if controller not in self._deciders:
            self._deciders[controller] = decider(controller, self._task)
        kind, decides = self._deciders[controller]
        # One that follows a plan is paid as often as the task's policy would be.
        paid_s = float(self._task.action.decision_s) if kind in PLAN_FOLLOWERS else None
        model = model_file(model_of or controller) if kind == "model" else None
        learned = learned_versions() if kind in ("model", "own") else {}
        return EpisodeIdentity(
            run=self._run,
            checkpoint=str(model.resolve()) if model else "",
            controller=label,
            kind=kind,
            parameters=json.dumps(decides, sort_keys=True),
            scenario=scenario,
            split=split.name,
            seed=seed,
            sumo_seed=Episode.of_split(scenario, split, seed).sumo_seed,
            setting=self._settings[scenario],
            configuration=digest([self._settings[scenario], kind, decides, learned]),
            reward_terms=digest([self._reward_terms, paid_s]),
            sumo=sumo_version(),
            options=self._options,
            emissions=measure.emissions,
            slice_s=float(measure.slice_s),
        )


def setting(task: Task, scenario: ScenarioConfig) -> str:
    """What decides an episode of the scenario beside the controller, the seed and SUMO itself: its
    circumstances, and what simulates it."""
    versions = {name: told for name, told in package_versions().items() if name not in LEARNED}
    halves = circumstances(task, scenario), [versions, code_hash()]
    return "".join(digest(half)[:CIRCUMSTANCES_LETTERS] for half in halves)


def demonstrations_key(task: Task, controller: str, *, seed: int, episodes: int) -> str:
    """All that decides what a controller demonstrates to a learner of the task, as one hash.

    Args:
        task: that both act in.
        controller: its name, or where its model is.
        seed: that the demand of the training episodes follows from.
        episodes: of each scenario.
    """
    kind, decides = decider(controller, task)
    learned = learned_versions() if kind in ("model", "own") else {}
    # Pairs, not a mapping: scenarios take turns in their order.
    settings = [[name, setting(task, scenario)] for name, scenario in task.scenarios.items()]
    seen = {
        name: plain_values(getattr(task, name))
        for name in ("observation", "action", "reward", "curriculum")
    }
    shown = [settings, kind, decides, learned, with_extensions(seen, task)]
    return digest([sumo_version(), *shown, seed, episodes])


def learned_versions() -> dict[str, str]:
    """Versions of the packages that only models are made of."""
    return {name: package_versions()[name] for name in LEARNED}


def circumstances(task: Task, scenario: ScenarioConfig) -> dict[str, Any]:
    """What is simulated.

    Streets and signals are more than the file that SUMO reads: they hold where trips begin, and
    the clearance. How often lanes are sampled decides the queue and what a policy sees.
    """
    network = task.network
    return {
        "network": network.hash,
        "signals": plain_values(network.signals),
        "streets": plain_values(network.streets),
        "scenario": plain_values(by_content(scenario)),
        "step_s": float(task.step_s),
        "end_s": float(task.end_s),
        "sample_s": float(task.reward.sample_s),
        "simulator": task.simulator.name,
        "simulation": plain_values(task.simulation),
    }


def decider(controller: str, task: Task) -> tuple[str, dict[str, Any]]:
    """Kind of a controller, and what decides it beside the setting.

    A model brings its own observation and action, and the other controllers an interval of their
    own. Under a plan, how often the task decides moves at most the times at which lanes are read
    for the queue.
    """
    if controller not in task.controllers:
        model = model_file(controller)
        assert model is not None, "the controller has been checked"
        return "model", with_extensions({"model": file_hash(model)}, task)
    config = plain_values(task.controllers[controller])
    decides = {"parameters": config}
    if config["kind"] in PLAN_FOLLOWERS and moves_readings(task):
        decides["decision_s"] = float(task.action.decision_s)
    own = isinstance(task.controllers[controller], OwnConfig)
    return config["kind"], with_extensions(decides, task) if own else decides


def moves_readings(task: Task) -> bool:
    """Whether a decision of the task is no whole number of readings of the lanes."""
    samples = round(task.reward.sample_s / task.step_s)
    return bool(round(task.action.decision_s / task.step_s) % max(samples, 1))


def with_extensions(values: dict[str, Any], task: Task) -> dict[str, Any]:
    """The values, beside the code of the user's own that may have a part in them."""
    own = [extension.sha256 for extension in task.extensions]
    return values | ({"extensions": own} if own else {})


def by_content(scenario: ScenarioConfig) -> ScenarioConfig:
    """Files that were given count by their content, wherever they lie."""
    if not isinstance(scenario, RouteFileScenarioConfig):
        return scenario
    return replace(
        scenario,
        file=[file_hash(Path(file)) for file in scenario.file],
        additional=[file_hash(Path(file)) for file in scenario.additional],
    )


def digest(values: Any) -> str:
    """SHA-256 of plain values."""
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def file_hash(file: Path) -> str:
    """SHA-256 of a file's content."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}") from error


@cache
def code_hash() -> str:
    """SHA-256 of this package's code: a mended controller or demand gives other episodes.

    Without git there is no better name for what runs here.
    """
    root = Path(__file__).parent.parent
    return digest([[name, file_hash(root / name)] for name in deciding_files(root)])


def deciding_files(root: Path) -> list[str]:
    """The package's files that may decide an episode."""
    files = (file for file in root.rglob("*.py") if file.parent.name not in BESIDE)
    return sorted(file.relative_to(root).as_posix() for file in files)
