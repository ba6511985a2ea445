"""What was judged once is not judged again: same results, no SUMO, and never across a change."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest
from learning_cases import save_new_model, small_task
from traffic_cases import city, scenario_config

import trafficrl
from trafficrl.config.controllers import MaxPressureConfig, standard_controllers
from trafficrl.config.reward import RewardConfig, TermConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.config.simulation import SimulationConfig
from trafficrl.control.plans import PlanFollower
from trafficrl.env.classical import PLAN_FOLLOWERS, build_classical
from trafficrl.env.episodes import Episode
from trafficrl.env.extensions import Extension
from trafficrl.env.task import Task
from trafficrl.errors import RunError, SimulationError
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.evaluator import EpisodeResult, Evaluator, Recording
from trafficrl.evaluation.identity import Identities, deciding_files
from trafficrl.evaluation.outcome import EpisodeIdentity, Measure
from trafficrl.evaluation.outdated import count_outdated
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.tables import print_comparison
from trafficrl.runs.provenance import package_versions
from trafficrl.runs.seeding import Split

MEASURE = Measure(emissions=True, slice_s=30.0)


def judged_task() -> Task:
    scenarios = {"b": scenario_config(num_vehicles=40), "a": scenario_config(num_vehicles=60)}
    return small_task(scenarios=scenarios)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("model") / "policy.zip"
    save_new_model(file)
    return file


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluator]:
    with Evaluator(judged_task(), tmp_path_factory.mktemp("work"), workers=1) as evaluator:
        yield evaluator


def judge(
    evaluator: Evaluator,
    model: Path,
    folder: Path,
    *,
    run: str = "run",
    seeds: int = 1,
    reuse: bool = True,
    done: list[int] | None = None,
) -> list[EpisodeResult]:
    return evaluator.run(
        {"fixed": "fixed", "policy": str(model)},
        split=Split.test,
        seeds=seeds,
        measure=MEASURE,
        recording=Recording(EvaluationDatabase(folder / "base"), run=folder / run, reuse=reuse),
        report=(done if done is not None else []).append,
    )


def test_the_second_evaluation_starts_no_sumo_and_prints_the_same_table(
    evaluator: Evaluator,
    model: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    printed, done = [], list[int]()
    first = judge(evaluator, model, tmp_path, seeds=2)
    # Nothing could run here: there is no network, and no process that SUMO could run in.
    task, before = judged_task(), active_children()
    gone = replace(task, network=replace(task.network, net_file=tmp_path / "gone.net.xml"))
    with Evaluator(gone, tmp_path / "work", workers=1) as unable:
        again = judge(unable, model, tmp_path, run="other", seeds=2, done=done)
        assert active_children() == before
    assert again == first
    assert done == [8]
    assert first[0].slices
    for results in (first, again):
        print_comparison(Comparison(results, confidence=0.95), "Unseen demand")
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    said = [record.getMessage() for record in caplog.records]
    known = f"episodes were known from {tmp_path / 'base'}"
    assert said == [f"evaluation: 0 of 8 {known}", f"evaluation: 8 of 8 {known}"]


def test_only_what_is_not_known_is_run(
    evaluator: Evaluator, model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    done = list[int]()
    few = judge(evaluator, model, tmp_path)
    old, young = (tmp_path / "base" / "queues" / f"{name}.unfinished" for name in ("old", "young"))
    for file, age_s in ((old, 90_000), (young, 80_000)):
        file.touch()
        os.utime(file, (time.time() - age_s,) * 2)
    more = judge(evaluator, model, tmp_path, seeds=2, done=done)
    assert "evaluation: 4 of 8 episodes were known" in caplog.messages[-1]
    assert done[0] == 4
    assert done[-1] == 8
    assert [result for result in more if result.seed == 0] == few
    assert more == judge(evaluator, model, tmp_path, seeds=2, reuse=False)
    assert [old.exists(), young.exists()] == [False, True], "somebody may still write the other"
    database = EvaluationDatabase(tmp_path / "base")
    assert len(database.episodes()) == 8, "what was run twice is listed once"
    assert len(list((tmp_path / "base" / "episodes").iterdir())) == 16


def test_the_table_says_who_asked_for_what(
    evaluator: Evaluator, model: Path, tmp_path: Path
) -> None:
    results = judge(evaluator, model, tmp_path)
    database = EvaluationDatabase(tmp_path / "base")
    recorded = {
        (one.identity.controller, one.identity.scenario): one for one in database.episodes()
    }
    assert len(recorded) == 4
    slices = database.slices(recorded.values())
    for result in results:
        one = recorded[result.controller, result.scenario]
        assert (one.metrics, one.reward) == (result.metrics, result.reward)
        assert slices[one.id] == result.slices
    learned, classical = recorded["policy", "a"].identity, recorded["fixed", "a"].identity
    assert (learned.kind, learned.checkpoint) == ("model", str(model))
    assert (classical.kind, classical.checkpoint) == ("fixed", "")
    assert learned.run == classical.run == str(tmp_path / "run")
    assert learned.setting == classical.setting != recorded["fixed", "b"].identity.setting
    assert learned.configuration != classical.configuration
    assert (learned.split, learned.seed, learned.sumo_seed) == ("test", 0, results[0].sumo_seed)
    assert learned.sumo.startswith("1.")
    assert learned.options == "--step-length 1.0 --time-to-teleport 300"


def test_a_model_that_is_replaced_meanwhile_is_judged_as_it_was(
    evaluator: Evaluator, model: Path, tmp_path: Path
) -> None:
    """The best model of a run that is still trained may be another one at any time."""
    best, better = tmp_path / "best_model.zip", tmp_path / "better.zip"
    save_new_model(better, seed=2)

    def judge_best(run: str, report: Callable[[int], None]) -> list[EpisodeResult]:
        recording = Recording(EvaluationDatabase(tmp_path / run), run=tmp_path / run)
        return evaluator.run(
            {"policy": str(best)}, split=Split.test, seeds=3, recording=recording, report=report
        )

    shutil.copy(model, best)
    alone = judge_best("alone", lambda done: None)

    def replace_it(done: int) -> None:
        shutil.copy(better, best)

    replaced = judge_best("replaced", replace_it)
    assert replaced == alone
    assert judge_best("after", lambda done: None) != alone, "the other model does something else"
    recorded = EvaluationDatabase(tmp_path / "replaced").episodes()
    assert {one.identity.checkpoint for one in recorded} == {str(best)}


def test_a_database_that_cannot_be_written_ends_the_evaluation(
    evaluator: Evaluator, model: Path, tmp_path: Path
) -> None:
    known = judge(evaluator, model, tmp_path)
    shutil.rmtree(tmp_path / "base" / "slices")
    (tmp_path / "base" / "slices").touch()
    # Nothing could run here: it is told before.
    task = judged_task()
    gone = replace(task, network=replace(task.network, net_file=tmp_path / "gone.net.xml"))
    with (
        Evaluator(gone, tmp_path / "work", workers=1) as unable,
        pytest.raises(RunError, match=r"base/slices cannot be written"),
    ):
        judge(unable, model, tmp_path)
    (tmp_path / "base" / "slices").unlink()
    assert judge(evaluator, model, tmp_path, reuse=False) == known


def identity(
    task: Task, folder: Path, controller: str = "fixed", seed: int = 0, scenario: str = "light"
) -> EpisodeIdentity:
    return Identities(task, run=folder).identify(
        "label", controller, scenario=scenario, split=Split.test, seed=seed, measure=MEASURE
    )


def test_whatever_decides_an_episode_is_in_its_configuration(tmp_path: Path) -> None:
    task = small_task()
    network = task.network
    signal, street = network.signals[0], network.streets[0]
    slower = replace(signal, yellow_s=signal.yellow_s + 1)
    drawn = replace(street, depart_weight=tuple(2 * w for w in street.depart_weight))
    reward = task.reward
    others = {
        "the same": task,
        "network": replace(task, network=replace(network, hash="0" * 64)),
        "clearance": replace(
            task, network=replace(network, signals=(slower, *network.signals[1:]))
        ),
        "land use": replace(task, network=replace(network, streets=(drawn, *network.streets[1:]))),
        "demand": replace(task, scenarios={"light": scenario_config(num_vehicles=13)}),
        "step": replace(task, step_s=0.5),
        "end": replace(task, end_s=70.0),
        "teleport": replace(task, simulation=SimulationConfig(time_to_teleport_s=100)),
        "options": replace(task, simulation=SimulationConfig(options={"lateral-resolution": 0.8})),
        "sampling": replace(task, reward=replace(reward, sample_s=2.0)),
    }
    found = {name: identity(other, tmp_path).configuration for name, other in others.items()}
    assert found["the same"] == identity(small_task(), tmp_path / "elsewhere").configuration
    assert len(set(found.values())) == len(others), "each of them decides"
    seeds = {identity(task, tmp_path, seed=seed).configuration for seed in range(3)}
    assert seeds == {found["the same"]}, "the seed stands beside it"


def test_the_reward_decides_only_the_reward(tmp_path: Path) -> None:
    task = small_task()
    terms = RewardConfig(terms={"throughput_vps": TermConfig(weight=1.0)})
    ours, other = identity(task, tmp_path), identity(replace(task, reward=terms), tmp_path)
    assert ours.configuration == other.configuration
    assert ours.reward_terms != other.reward_terms


def deciding_every(task: Task, interval_s: float) -> Task:
    return replace(task, action=replace(task.action, interval_s=interval_s))


def test_how_often_a_policy_decides_is_nothing_to_other_controllers(tmp_path: Path) -> None:
    """Or the same controller is run again, and stands twice in a table, for each algorithm."""
    ten, twenty = (deciding_every(small_task(), interval_s) for interval_s in (10.0, 20.0))
    for name in standard_controllers():
        ours, other = identity(ten, tmp_path, name), identity(twenty, tmp_path, name)
        assert ours.configuration == other.configuration, name
        follows = isinstance(build_classical(name, ten), PlanFollower)
        assert follows == (ours.kind in PLAN_FOLLOWERS), name
        assert (ours.reward_terms != other.reward_terms) == follows, "paid at each decision"
    beside = deciding_every(small_task(), 7.0)
    assert identity(beside, tmp_path).configuration != identity(ten, tmp_path).configuration, (
        "its lanes are read at 5, 7, 12 and 14 s"
    )


def test_under_a_plan_the_traffic_is_the_same_however_often_it_is_looked_at(tmp_path: Path) -> None:
    tasks = [deciding_every(small_task(end_s=120.0), interval_s) for interval_s in (10.0, 20.0)]
    episode = Episode.of_split("light", Split.test, 0)
    for name in ("actuated", "webster"):
        ten, twenty = (
            run_episode(task, episode, build_classical(name, task), tmp_path, Measure())
            for task in tasks
        )
        assert ten.slices == twenty.slices
        assert ten.metrics.queue_veh == pytest.approx(twenty.metrics.queue_veh, rel=1e-12) != 0
        assert replace(ten.metrics, queue_veh=0.0) == replace(twenty.metrics, queue_veh=0.0)


def test_a_controller_is_its_parameters_and_a_model_its_content(
    model: Path, tmp_path: Path
) -> None:
    task = small_task()
    tuned = {**task.controllers, "max_pressure": MaxPressureConfig(interval_s=20.0)}
    names = ("fixed", "max_pressure", "longest_queue")
    found = [identity(task, tmp_path, name).configuration for name in names]
    assert len(set(found)) == 3
    other = replace(task, controllers=tuned)
    assert [identity(other, tmp_path, name).configuration for name in names] == [
        found[0],
        identity(other, tmp_path, "max_pressure").configuration,
        found[2],
    ]
    assert identity(other, tmp_path, "max_pressure").configuration != found[1]
    copy, changed = tmp_path / "copy.zip", tmp_path / "changed.zip"
    copy.write_bytes(model.read_bytes())
    save_new_model(changed, seed=2)
    learned = identity(task, tmp_path, str(model)).configuration
    assert identity(task, tmp_path, str(copy)).configuration == learned
    assert identity(task, tmp_path, str(changed)).configuration != learned
    action = replace(task.action, interval_s=5)
    moved = replace(task, action=action)
    assert identity(moved, tmp_path, str(model)).configuration == learned, "it brings its own"


def test_code_of_ones_own_decides_models_and_rewards(model: Path, tmp_path: Path) -> None:
    tasks = [
        replace(small_task(), extensions=extensions)
        for extensions in ((), (Extension("x.py", "a = 1"),), (Extension("x.py", "a = 2"),))
    ]
    found = [identity(task, tmp_path, str(model)) for task in tasks]
    assert len({one.configuration for one in found}) == 3
    assert len({one.reward_terms for one in found}) == 3
    assert len({identity(task, tmp_path, "fixed").configuration for task in tasks}) == 1


def test_a_given_file_is_its_content(tmp_path: Path) -> None:
    edge = city().streets[0].tail
    found = {}
    for name, depart in (("one", 1), ("same", 1), ("other", 2)):
        file = tmp_path / f"{name}.rou.xml"
        file.write_text(
            f'<routes><trip id="x" depart="{depart}" from="{edge}" to="{edge}"/></routes>'
        )
        task = small_task(scenarios={"light": RouteFileScenarioConfig(file=str(file))})
        found[name] = identity(task, tmp_path).configuration
    assert found["one"] == found["same"] != found["other"]
    file.unlink()
    with pytest.raises(RunError, match=r"other\.rou\.xml cannot be read"):
        identity(task, tmp_path)


def test_code_that_decides_no_episode_is_no_part_of_it() -> None:
    root = Path(trafficrl.__file__).parent
    files = deciding_files(root)
    assert {"control/driver.py", "demand/trips.py", "evaluation/metrics.py"} <= {*files}
    assert {"config/tree_method.py", "training/models.py"} <= {*files}
    beside = ("app/", "launch/", "config/legacy/", "evaluation/report/", "evaluation/film/")
    assert [name for name in files if name.startswith(beside)] == []
    assert all((root / name).is_dir() for name in beside)


def test_what_only_models_need_is_nothing_to_others(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[str]:
        names = ("fixed", "max_pressure", str(model))
        return [identity(small_task(), tmp_path, name).configuration for name in names]

    def versions(**other: str) -> None:
        told = {**package_versions(), **{name.replace("_", "-"): to for name, to in other.items()}}
        monkeypatch.setattr("trafficrl.evaluation.identity.package_versions", lambda: told)

    before = found()
    for package in ("torch", "stable_baselines3"):
        versions(**{package: "99"})
        assert [one == other for one, other in zip(found(), before, strict=True)] == [1, 1, 0]
    versions(numpy="99")
    assert not set(before) & set(found())


def test_what_other_code_has_run_is_told(
    evaluator: Evaluator,
    model: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    judge(evaluator, model, tmp_path)
    task = judged_task()
    gone = replace(task, network=replace(task.network, net_file=tmp_path / "gone.net.xml"))
    monkeypatch.setattr("trafficrl.evaluation.identity.code_hash", lambda: "mended")
    with (
        Evaluator(gone, tmp_path / "work", workers=1) as unable,
        pytest.raises(SimulationError),
    ):
        judge(unable, model, tmp_path, seeds=2)
    assert caplog.messages[-2:] == [
        f"evaluation: 0 of 8 episodes were known from {tmp_path / 'base'}",
        "evaluation: 4 more are there from other code or versions of packages: they run anew",
    ]
    heavier = replace(gone, scenarios={"a": scenario_config(num_vehicles=41)})
    ours = [identity(one, tmp_path, scenario="a") for one in (task, heavier)]
    assert [count_outdated(tmp_path / "base", [one]) for one in ours] == [1, 0]
