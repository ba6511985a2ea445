"""What a tracker is told, and when: once, in order, through failures and through cuts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tracker_cases import Ledger, begun_run, finish_run, save_best_model, write_metrics

from trafficrl.runs.lock import RunLock
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.trackers import follower as following
from trafficrl.runs.trackers.follower import Follower
from trafficrl.runs.trackers.installed import FOLLOWERS
from trafficrl.runs.trackers.tracker import Ending

Said = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def _ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FOLLOWERS, "ledger", Ledger)
    monkeypatch.setattr(Ledger, "runs", {}, raising=False)
    monkeypatch.setattr(Ledger, "failures", 0, raising=False)
    monkeypatch.setattr(following, "AGAIN_S", 0.0)


def follow(
    paths: RunPaths, *moments: Callable[[], object], config: str = "c", goes_on: bool = False
) -> Said:
    """What was said while the run went through these moments, and ended."""
    said: Said = []
    left = iter(moments)

    def ended() -> bool:
        moment = next(left, None)
        if moment is not None:
            moment()
        return moment is None

    each = Follower(
        paths.root, "ledger", config, goes_on, lambda level, text: said.append((level, text))
    )
    each.follow(ended)
    each._lock.__exit__()  # as the end of its process would
    return said


def nothing() -> None:
    """Time goes by."""


def test_a_run_is_told_from_its_configuration_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "multirun.yaml").touch()
    paths, record = begun_run(tmp_path / "sweep" / "0", 0, 16)

    def end() -> None:
        write_metrics(paths, 0, 16, 32)
        finish_run(paths, record, 32)

    said = follow(paths, nothing, nothing, end)
    begin, *rows, model, ending = Ledger.runs["run-0"]
    execution = {"total_timesteps": 48, "score": "delay"}
    assert begin == ("begin", "0", "sweep", {"seed": 3, "execution": execution})
    assert rows == [
        (0, {"train/loss": 0.0}),
        (16, {"rollout/ep_rew_mean": 8.0, "train/loss": -16.0}),
        (32, {"rollout/ep_rew_mean": 16.0, "train/loss": -32.0}),
    ]
    assert model == ("best_model", ["best_model.zip", "best_model.yaml"], -20.5)
    assert isinstance(ending, Ending)
    assert (ending.status, ending.timesteps) == ("finished", 32)
    assert ending.facts == {"reason": "all steps done", "verdict": "less delay"}
    assert ending.summary["train/loss"]["min"] == -32.0
    assert ending.evaluation == {
        "evaluation/policy/delay_s": 20.5,
        "evaluation/fixed/delay_s": 31.0,
    }
    assert said == [("info", "ledger run-0")]


def test_a_run_that_goes_on_tells_the_same_run_only_what_is_new(tmp_path: Path) -> None:
    paths, record = begun_run(tmp_path / "run", 0, 16, 32)
    follow(paths, nothing)
    first = Ledger.runs["run-0"][-1]
    assert (first.status, first.evaluation) == ("killed", {})
    write_metrics(paths, 0, 16)  # as a checkpoint has it
    follow(
        paths,
        nothing,
        lambda: write_metrics(paths, 0, 16, 32, 48),
        lambda: finish_run(paths, record, 48),
        goes_on=True,
        config="another length",
    )
    assert Ledger.steps() == [0, 16, 32, 48]
    assert list(Ledger.runs) == ["run-0"]
    assert Ledger.runs["run-0"][-1].status == "finished"


@pytest.mark.parametrize(("config", "runs"), [("c", ["run-0"]), ("other", ["run-0", "run-1"])])
def test_what_begins_anew_is_another_run_if_it_is_configured_otherwise(
    config: str, runs: list[str], tmp_path: Path
) -> None:
    paths, _ = begun_run(tmp_path / "run", 0, 16)
    follow(paths)
    follow(paths, config=config)
    assert list(Ledger.runs) == runs
    assert [Ledger.steps(run) for run in runs] == [[0, 16]] * len(runs)


def test_a_tracker_that_lost_the_run_is_told_all_of_it_again(tmp_path: Path) -> None:
    paths, _ = begun_run(tmp_path / "run", 0, 16)
    follow(paths)
    del Ledger.runs["run-0"]
    Ledger.runs["somebody's"] = []
    follow(paths, goes_on=True)
    assert Ledger.steps("run-1") == [0, 16]


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_what_failed_is_told_later_and_one_warning_says_so(failures: int, tmp_path: Path) -> None:
    paths, _ = begun_run(tmp_path / "run", 0, 16)
    Ledger.failures = failures
    said = follow(paths, *[nothing] * 4)
    assert Ledger.steps() == [0, 16]
    warning = "ConnectionError: the network is gone; the training goes on, and it is tried again"
    assert sorted(said) == [("info", "ledger run-0"), ("warning", warning)]


def test_a_tracker_that_never_works_says_in_the_end_that_it_did_not(tmp_path: Path) -> None:
    paths, record = begun_run(tmp_path / "run", 0, 16)
    finish_run(paths, record, 16)
    Ledger.failures = 100
    said = follow(paths, nothing, nothing)
    assert [level for level, _ in said] == ["warning", "info"]
    assert said[-1][1] == "the run has ended, and not all of it was told"


def test_the_best_model_is_told_again_only_where_it_is_another(tmp_path: Path) -> None:
    paths, _ = begun_run(tmp_path / "run", 0)
    for content in (b"one", b"one", b"two"):
        save_best_model(paths, content, 0)
        follow(paths, goes_on=True)
    paths.best_model.write_bytes(b"cut off")
    follow(paths, goes_on=True)
    told = [
        entry
        for entry in Ledger.runs["run-0"]
        if isinstance(entry, tuple) and entry[0] == "best_model"
    ]
    assert len(told) == 2


def test_it_waits_for_the_one_before_that_is_still_at_work(tmp_path: Path) -> None:
    paths, _ = begun_run(tmp_path / "run", 0)
    paths.trackers.mkdir(exist_ok=True)
    before = RunLock(paths.trackers / ".ledger.lock")

    def not_yet() -> None:
        assert Ledger.runs == {}

    with before:
        said = follow(paths, not_yet, not_yet, before.__exit__, nothing)
        before.__enter__()
    assert Ledger.steps() == [0]
    assert [level for level, _ in said] == ["info"]
