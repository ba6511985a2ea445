"""What the episodes of an evaluation are for: choosing a model, or judging controllers."""

from collections.abc import Callable, Sequence
from pathlib import Path

from trafficrl.config.execution import Score, Simulator
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.evaluator import Evaluator, Recording
from trafficrl.evaluation.outcome import EpisodeResult, Measure
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.statistics import interquartile_mean
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.seeding import Split
from trafficrl.training.best import Validation

__all__ = ["build_validation", "judge", "judged_on", "validation_of"]


def build_validation(
    config: ExperimentConfig, evaluator: Evaluator
) -> Callable[[Path], Validation] | None:
    """Judges a model file on the validation demand; None where the experiment wants none."""
    if not config.execution.eval_freq:
        return None

    def validate(model: Path) -> Validation:
        results = evaluator.run(
            {"policy": str(model)}, split=Split.validation, seeds=config.execution.validation_seeds
        )
        return validation_of(results, config.execution.score)

    return validate


def validation_of(results: Sequence[EpisodeResult], score: Score) -> Validation:
    """What the episodes of a learned policy are together, and what ranks it by that rule."""
    reward = mean([result.reward for result in results if result.reward is not None])
    delay_s = mean([result.metrics.delay_s for result in results])
    of_scenario: dict[str, list[float]] = {}
    for result in results:
        of_scenario.setdefault(result.scenario, []).append(result.metrics.delay_s)
    middle_s = mean([interquartile_mean(found) for found in of_scenario.values()])
    arrived = sum(result.metrics.arrived for result in results)
    scheduled = sum(result.metrics.scheduled for result in results)
    ranks = {Score.delay: -delay_s, Score.middle_delay: -middle_s, Score.reward: reward}
    return Validation(
        ranks[score], {"delay_s": delay_s, "reward": reward, "arrived_share": arrived / scheduled}
    )


def judge(
    config: ExperimentConfig,
    evaluator: Evaluator,
    controllers: dict[str, str],
    paths: RunPaths,
    *,
    report: Callable[[int], None] = lambda done: None,
) -> Comparison:
    """All controllers on the same unseen test demand, the first being the baseline.

    These episodes alone go to the database. Validation chooses between models that are gone
    afterwards, on demand that the one that stays was chosen by: nobody should compare with it.

    Args:
        config: the experiment.
        evaluator: runs the episodes.
        controllers: label in tables -> controller's name or model file.
        paths: of the run that asks.
        report: called with the number of episodes that are done.

    Raises:
        RunError: the database cannot be read or written.
    """
    chosen = config.evaluation
    recording = None
    if chosen.database:
        database = EvaluationDatabase(Path(chosen.database))
        recording = Recording(database, run=paths.root, reuse=chosen.reuse)
    total = len(controllers) * len(config.scenarios) * chosen.seeds
    with ProgressReport("evaluation", total=total, unit="episodes") as progress:

        def tell(done: int) -> None:
            progress.advance_to(done)
            report(done)

        results = evaluator.run(
            controllers,
            split=Split.test,
            seeds=chosen.seeds,
            first_seed=chosen.first_seed,
            measure=Measure(emissions=chosen.emissions, slice_s=chosen.slice_s),
            recording=recording,
            report=tell,
        )
    return Comparison(results, confidence=chosen.confidence)


def judged_on(config: ExperimentConfig) -> str:
    """Title of the judgement: which demand it was made on, and in which model if not the usual."""
    count, first = config.evaluation.seeds, config.evaluation.first_seed
    several = len(config.scenarios) > 1
    where = "a scenario" if several else f"of {next(iter(config.scenarios))}"
    seeds = f"{count} test seed{'s' if count > 1 else ''} {where}"
    seeds += f" from number {first} on" if first else ""
    if config.execution.simulator is Simulator.meso:
        seeds += ", mesoscopic model"
    given = [isinstance(item, RouteFileScenarioConfig) for item in config.scenarios.values()]
    if all(given):
        return f"{seeds}: the given trips, other drivers"
    also = ", given files: other drivers only" if any(given) else ""
    return f"Unseen demand: {seeds}{also}"


def mean(values: list[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)
