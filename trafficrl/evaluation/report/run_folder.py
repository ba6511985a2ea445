"""A run folder as a report needs it: what was judged, on what, and how it was learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from trafficrl.config.execution import Simulator
from trafficrl.config.simulation import SimulationConfig
from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.database import SumoBuild
from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.outcome import EpisodeResult, SliceQueues
from trafficrl.evaluation.report.documents import Document, read_json, read_table, read_yaml
from trafficrl.evaluation.slices import SliceMetrics
from trafficrl.runs.paths import RunPaths
from trafficrl.simulation.options import option_set

__all__ = ["JudgedRun", "flat", "read_run", "read_runs"]

Queues = Mapping[tuple[str, str], Mapping[str, float]]
OverTime = Mapping[tuple[str, str], SliceQueues]
Slices = Mapping[tuple[str, str], Sequence[SliceMetrics]]


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """What `trafficrl-train` or `trafficrl-evaluate` left in a folder."""

    name: str
    """The end of the folder's path that tells it from the other runs."""
    folder: Path
    config: Mapping[str, Any]
    """`resolved_config.yaml`, plain."""
    build: SumoBuild
    baseline: str
    confidence: float
    results: tuple[EpisodeResult, ...]
    models: Mapping[str, str]
    """Controller -> SHA-256, of those that `trafficrl-evaluate` was given as models."""
    slices: Slices
    """(controller, scenario) -> by vehicle type and scheduled departure, all seeds together."""
    queues: Queues
    """(controller, scenario) -> edge -> mean over time and seeds of the standing vehicles [veh];
    empty for runs that kept none."""
    slice_queues: OverTime
    """(controller, scenario) -> the same over time; likewise."""
    settings: Mapping[str, Mapping[str, Any]]
    """Scenario -> all that two runs must share for their episodes to be the same."""
    training: Mapping[str, Sequence[float]]
    """`metrics.csv` by column; empty for runs that learned nothing."""
    step_ms: Mapping[str, float]
    """Part of the training -> wall time for each environment step [ms]."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, commit and hash of the network."""
        found = self.config.get("provenance")
        return found if isinstance(found, dict) else {}

    @property
    def classical(self) -> Sequence[str]:
        """Names that stand for configured controllers, not for models."""
        return list(self.config.get("controller") or {})


def read_runs(folders: Sequence[Path]) -> list[JudgedRun]:
    """The runs in these folders, each with a name of its own.

    Raises:
        RunError: a folder that holds no whole run.
    """
    return [read_run(folder, name) for folder, name in zip(folders, _names(folders), strict=True)]


def flat(values: Any, where: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots."""
    if not isinstance(values, dict):
        return {where: values}
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{where}.{key}" if where else str(key))
    return found


def _names(folders: Sequence[Path]) -> list[str]:
    """As little of each path's end as tells the folders apart."""
    parts = [folder.resolve().parts for folder in folders]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(path[-length:]) for path in parts]
        if len(set(names)) == len(names):
            return names
    raise RunError(f"the same run twice: {', '.join(map(str, folders))}")


def read_run(folder: Path, name: str) -> JudgedRun:
    """The run in this folder, by that name.

    Raises:
        RunError: it holds no whole run.
    """
    if not folder.is_dir():
        raise RunError(f"{folder} is no run folder: there is no such folder")
    paths = RunPaths(folder)
    if not paths.resolved_config.is_file():
        raise RunError(f"{folder} is no run folder: it has no {paths.resolved_config.name}")
    config = read_yaml(paths.resolved_config)
    results = read_json(paths.evaluation / "results.json")
    build = SumoBuild(config["provenance"]["sumo"].text(), _options(config))
    episodes = tuple(_episode(item) for item in results["episodes"].items())
    if not episodes:
        raise RunError(f"{results.place} holds no episodes")
    scenarios = dict.fromkeys(episode.scenario for episode in episodes)
    file = paths.evaluation / "queues.json"
    queues = read_json(file) if file.exists() else Document({}, str(file))
    record = read_json(paths.run) if paths.run.exists() else Document({}, str(paths.run))
    return JudgedRun(
        name=name,
        folder=folder,
        config=config.value,
        build=build,
        baseline=results["baseline"].text(),
        confidence=results["confidence"].number(),
        results=episodes,
        models={
            name: one["sha256"].text() for name, one in results.get("models", {}).mapping().items()
        },
        slices=_slices(results["slices"]),
        queues=_queues(queues),
        slice_queues=_slice_queues(queues),
        settings={scenario: _setting(config, scenario, folder) for scenario in scenarios},
        training=read_table(paths.metrics) if paths.metrics.exists() else {},
        step_ms={
            part: value.number() for part, value in record.get("step_ms", {}).mapping().items()
        },
    )


def _options(config: Document) -> str:
    """SUMO's options as the database names them."""
    values = {key: item.value for key, item in config["simulation"].mapping().items()}
    try:
        simulation = SimulationConfig(**values)
        simulator = Simulator(_simulator(config))
    except (TypeError, ValueError, ConfigError) as error:
        raise RunError(f"{config.place}: simulation is of another version: {error}") from error
    return " ".join(option_set(config["network"]["step_length"].number(), simulation, simulator))


def _simulator(config: Document) -> str:
    """SUMO's model; runs from before there was a choice are microscopic."""
    return config["execution"].get("simulator", Simulator.micro.value).text()


def _setting(config: Document, scenario: str, folder: Path) -> dict[str, Any]:
    """What decides the episodes of a scenario beside controller and seed, by our keys.

    Files that were given count by their content, wherever they lie.
    """
    network = dict(config["network"].value) | {"hash": config["provenance"]["network_hash"].value}
    network.pop("file", None)
    demand = dict(config["scenarios"][scenario].value)
    for key in ("file", "additional"):
        files = demand.get(key, [])
        files = [files] if isinstance(files, str) else files
        demand[key] = [_hash(folder / str(file)) for file in files]
    return {
        "sumo": config["provenance"]["sumo"].value,
        "execution.simulator": _simulator(config),
        "simulation": config["simulation"].value,
        "network": network,
        f"scenarios.{scenario}": demand,
        "execution.end_time": config["execution"]["end_time"].number(),
        "reward.sample_s": config["reward"]["sample_s"].number(),
    }


def _hash(file: Path) -> str:
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}") from error


def _episode(item: Document) -> EpisodeResult:
    reward = item["reward"]
    return EpisodeResult(
        controller=item["controller"].text(),
        scenario=item["scenario"].text(),
        seed=item["seed"].whole(),
        sumo_seed=item["sumo_seed"].whole(),
        metrics=EpisodeMetrics(**_numbers(item["metrics"], EpisodeMetrics)),
        reward=None if reward.value is None else reward.number(),
        configuration=item.get("configuration", "").text(),
    )


def _slices(item: Document) -> Slices:
    return {
        (controller, scenario): [
            SliceMetrics(
                vehicle_type=one["vehicle_type"].text(),
                **_numbers(one, SliceMetrics, but=("vehicle_type",)),
            )
            for one in slices.items()
        ]
        for controller, scenarios in item.mapping().items()
        for scenario, slices in scenarios.mapping().items()
    }


def _queues(item: Document) -> Queues:
    return {
        (controller, scenario): {
            edge: queue_veh.number() for edge, queue_veh in queues.mapping().items()
        }
        for controller, scenarios in item.get("edge_queue_veh", {}).mapping().items()
        for scenario, queues in scenarios.mapping().items()
    }


def _slice_queues(item: Document) -> OverTime:
    rows = item.get("slice_queue_veh", {}).mapping()
    if not rows:
        return {}
    slice_s = item["slice_s"].number()
    found = {
        (controller, scenario): SliceQueues(
            slice_s,
            {edge: row.numbers() for edge, row in queues.mapping().items()},
        )
        for controller, scenarios in rows.items()
        for scenario, queues in scenarios.mapping().items()
    }
    lengths = {len(row) for one in found.values() for row in one.edge_queue_veh.values()}
    if slice_s <= 0 or len(lengths) > 1:
        raise RunError(f"{item.place} is damaged: its slices do not have one length")
    return found


def _numbers(item: Document, kind: type, but: Sequence[str] = ()) -> dict[str, Any]:
    """Every field of the dataclass; None is kept where the type allows it."""
    values: dict[str, Any] = {}
    for field in (one for one in fields(kind) if one.name not in but):
        found = item[field.name]
        number = found.whole if field.type is int else found.number
        missing = found.value is None and "None" in str(field.type)
        values[field.name] = None if missing else number()
    return values
