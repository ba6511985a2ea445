"""The quickest measure, for real: what the command prints, and what its file holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.compare import Plan, Target, ratio, take_turns
from bench.cost import Cost
from bench.report import save_values
from bench.training import middle_row

ROOT = Path(__file__).parent.parent.parent


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_an_episode_beside_the_bare_program(tmp_path: Path) -> None:
    done = run("--only=a", "--quick", f"--output={tmp_path}")
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("*.json")
    kept = json.loads(file.read_text(encoding="utf-8"))
    (row,) = kept["rows"]
    assert (row["measure"], row["case"], row["target"]["limit"]) == ("a", "grid3", 1.25)
    assert row["met"] == (row["value"] <= 1.25)
    # The same vehicles drove in both, or the ratio would compare two things.
    assert row["raw"]["counts"]["ours"] == row["raw"]["counts"]["bare"]
    assert "all counts equal" in row["note"]
    (ours,), (bare,) = row["raw"]["ours"]["cpu_s"], row["raw"]["bare"]["cpu_s"]
    assert row["value"] == pytest.approx(ours / bare, rel=0.01)
    assert 0.3 < row["value"] < 10
    assert kept["machine"]["cores"] >= 1
    assert kept["versions"]["eclipse-sumo"].startswith("1.28")
    assert len(kept["git_commit"].removesuffix("+changes")) == 40
    assert "environment / sumo" in done.stdout
    assert str(file) in done.stdout


def test_an_unknown_measure_is_refused_with_the_choices() -> None:
    done = run("--only=a,z")
    assert done.returncode == 2
    assert "no measure z" in done.stderr
    assert "a (one episode" in done.stderr


def test_subjects_take_turns_and_the_median_pair_counts() -> None:
    turns: list[str] = []

    def subject(name: str, costs: list[Cost]) -> Cost:
        turns.append(name)
        return costs.pop(0)

    ours = [Cost(2, 1), Cost(9, 3), Cost(4, 2)]
    bare = [Cost(1, 1), Cost(3, 1), Cost(1, 1)]
    subjects = {"ours": lambda: subject("ours", ours), "bare": lambda: subject("bare", bare)}
    found = take_turns(subjects, 3)
    assert turns == ["ours", "bare"] * 3
    assert ratio(found, "ours", "bare") == (2.0, 3.0)


def test_a_target_is_met_at_its_limit() -> None:
    assert Target(1.25).met(1.25)
    assert not Target(1.25).met(1.26)
    assert Target(4, at_least=True).met(4)
    assert not Target(4, at_least=True).met(3.9)


def test_what_takes_long_has_fewer_turns_but_never_more(tmp_path: Path) -> None:
    assert Plan(tmp_path, repeats=5).at_most(3).repeats == 3
    assert Plan(tmp_path, repeats=1).at_most(3).repeats == 1


def test_the_middle_one_of_several_trainings_is_told() -> None:
    runs = [
        {"sumo": 2.0, "update": 1.0, "environment": 1.0},
        {"sumo": 80.0, "update": 10.0, "environment": 10.0},
        {"sumo": 1.0, "update": 1.0, "environment": 2.0},
    ]
    row = middle_row("city", "wall time", runs, Target(15))
    assert (row.value, row.note) == (25.0, "sumo 50.0, update 25.0, environment 25.0")
    assert row.raw == {"trainings": runs}


def test_every_file_says_what_it_was_measured_with(tmp_path: Path) -> None:
    file = save_values({"cases": [1]}, tmp_path / "new", kind="instructions")
    assert file.name.endswith("-instructions.json")
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert list(kept) == ["machine", "versions", "git_commit", "cases"]
    assert kept["versions"]["libsumo"].startswith("1.")


@pytest.mark.slow
def test_a_training_is_watched(tmp_path: Path) -> None:
    """Its times come from methods that only the training itself knows by name."""
    done = run("--only=d", "--quick", f"--output={tmp_path}")
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("*.json")
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert [row["what"].partition(" outside")[0] for row in rows] == ["wall time", "processor time"]
    for row in rows:
        (times_s,) = row["raw"]["trainings"]
        assert min(times_s.values()) > 0, "a part that takes no time is not seen at all"
        assert times_s["sumo"] > times_s["environment"]
        assert 0 < row["value"] < 90


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["e", "g", "i", "j"])
def test_measures_that_go_behind_what_is_public_work(tmp_path: Path, letter: str) -> None:
    done = run(f"--only={letter}", "--quick", f"--output={tmp_path}")
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("*.json")
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert {row["measure"] for row in rows} == {letter}
    assert "NOT THE SAME" not in done.stdout
    workers = [row for row in rows if "worker" in row["what"]]
    assert len(workers) == (1 if letter in "ei" else 0)
