"""trafficrl-compare as a user runs it, on real runs."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from report_cases import altered
from run_cases import database, judged, trained

from trafficrl.app.compare import run
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.outcome import Outcome


@pytest.fixture
def again(tmp_path: Path) -> Path:
    """A copy of the training that tests may change."""
    return Path(shutil.copytree(trained(), tmp_path / "again"))


def change(file: Path, **values: Any) -> None:
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | values))


def worse(run_folder: Path, metric: str, factor: float, scenario: str = "evening") -> None:
    file = run_folder / "evaluation" / "results.json"
    results = json.loads(file.read_text())
    for episode in results["episodes"]:
        if (episode["controller"], episode["scenario"]) == ("policy", scenario):
            episode["metrics"][metric] *= factor
    file.write_text(json.dumps(results))


def test_the_console_script_prints_the_table_and_leaves_a_report(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "trafficrl-compare"
    words = [str(script), str(judged()), str(trained()), "--baseline", "random"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "baseline" in next(line for line in done.stdout.splitlines() if "random" in line)
    for name in ("fixed", "max_pressure", "policy"):
        assert name in done.stdout
    assert done.stdout.splitlines()[-1] == "report: outputs/report/report.html"
    folder = tmp_path / "outputs" / "report"
    assert {file.name for file in folder.iterdir()} == {"report.html", "report.md"}
    assert f"trafficrl-compare {judged()}" in (folder / "report.html").read_text()


def test_controllers_of_other_runs_come_from_the_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained()
    words = [str(judged()), "--database", str(database()), "--output", str(tmp_path)]
    assert run(words) == 0
    assert "policy" in capsys.readouterr().out
    assert "policy" in (tmp_path / "report.md").read_text()


def test_a_database_alone_shows_what_it_holds_each_build_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(one_run_of(tmp_path), tmp_path / "base"))
    held = EvaluationDatabase(folder)
    (build,) = held.groups()
    first = held.episodes()[0]
    newer = replace(first.identity, sumo="1.29.0", run="elsewhere/new")
    held.record(newer, Outcome(first.metrics, (), 0.0))
    held.record(first.identity, Outcome(first.metrics, (), 0.0))  # by two processes at once
    assert run(["--database", str(folder)]) == 0
    usual, other = capsys.readouterr().out.split("SUMO 1.29.0")
    assert f"{build.name} {build.options}" in " ".join(usual.split())
    rows = [line.split() for line in usual.splitlines() if " judged " in line]
    assert len(rows) == 2 * 3
    assert {row[4] for row in rows} == {"2"}, "each episode once"
    assert [row[0] for row in rows] == ["evening"] * 3 + ["morning"] * 3
    delays = [float(row[5]) for row in rows]
    assert delays == sorted(delays[:3]) + sorted(delays[3:])
    results = json.loads((judged() / "evaluation" / "results.json").read_text())
    of_fixed = [
        one["metrics"]["delay_s"]
        for one in results["episodes"]
        if (one["controller"], one["scenario"]) == ("fixed", "evening")
    ]
    (fixed,) = (row for row in rows[:3] if row[2] == "fixed")
    assert float(fixed[5]) == pytest.approx(sum(of_fixed) / 2, abs=0.06)
    (row,) = (line.split() for line in other.splitlines() if " new " in line)
    assert row[4] == "1"
    assert "Only rows of one scenario and setting" in other


def one_run_of(tmp_path: Path) -> Path:
    """A database with what `judged` compares alone, which other tests may have added to.

    The episodes under fixed time are those of `trained` where that was run first.
    """
    asked = EvaluationDatabase(database())
    judged()
    only = EvaluationDatabase(tmp_path / "only")
    for one in asked.episodes():
        folder = Path(one.identity.run)
        if folder.name == "judged" or (folder.name, one.identity.controller) == (
            "trained",
            "fixed",
        ):
            mine = replace(one.identity, run=str(folder.with_name("judged")))
            only.record(mine, Outcome(one.metrics, (), one.reward))
    return only.folder


def test_a_run_of_another_sumo_is_set_apart_aloud(
    again: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = yaml.safe_load((again / "resolved_config.yaml").read_text())
    config["provenance"]["sumo"] = "1.29.0"
    (again / "resolved_config.yaml").write_text(yaml.safe_dump(config))
    assert run([str(judged()), str(again), "--output", str(tmp_path / "report")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("note: results of different SUMO versions or option sets")
    assert "SUMO 1.28.0, 4 test episodes" in out
    assert "SUMO 1.29.0, 4 test episodes" in out


def agreement(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = run([*words])
    return code, capsys.readouterr().out.splitlines()


def test_a_training_agrees_with_its_copy(again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = agreement(str(trained()), str(again), "--tolerance", "0%", capsys=capsys)
    assert code == 0
    assert lines[-1].startswith("again agrees with trained within 0 in all ")
    names = [line[8:].split("  ")[0] for line in lines[:-1]]
    for name in (
        "validation, final: delay [s]",
        "validation, best: delay [s]",
        "morning: delay [s]",
        "evening: arrived [veh]",
        "time of a step, rollout [ms]",
        "time of a step, update [ms]",
    ):
        assert name in names
    assert all(line.startswith("ok ") for line in lines[:-1])


@pytest.mark.parametrize(("factor", "code"), [(1.04, 0), (0.96, 0), (1.06, 3), (0.94, 3)])
def test_a_metric_may_differ_by_the_tolerance_either_way(
    factor: float, code: int, again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse(again, "delay_s", factor)
    words = (str(trained()), str(again), "--tolerance", "5%")
    found, lines = agreement(*words, capsys=capsys)
    assert found == code
    (line,) = (line for line in lines if "evening: delay [s]" in line)
    assert line.startswith("ok " if code == 0 else "DIFFERS ")
    assert f"({factor - 1:+.1%})" in line
    assert sum(line.startswith("DIFFERS") for line in lines) == (code == 3)


def test_what_agrees_by_something_else_than_its_share_says_by_what(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    delay_s = 0.0
    for folder, depart_delay_s in ((again, 0.02), (again.parent / "first", 0.01)):
        shutil.copytree(trained(), folder, dirs_exist_ok=True)
        file = folder / "evaluation" / "results.json"
        results = json.loads(file.read_text())
        chosen = [
            one
            for one in results["episodes"]
            if (one["controller"], one["scenario"]) == ("policy", "evening")
        ]
        for one in chosen:
            one["metrics"]["depart_delay_s"] = depart_delay_s
        delay_s = sum(one["metrics"]["delay_s"] for one in chosen) / len(chosen)
        file.write_text(json.dumps(results))
    words = (str(again.parent / "first"), str(again), "--tolerance", "5%")
    _, lines = agreement(*words, capsys=capsys)
    (line,) = (line for line in lines if "evening" in line and "+100.0%" in line)
    assert line.startswith("ok ")
    assert line.endswith(f"(+100.0%); within {0.05 * delay_s:.4g}, 0.05 of the delay")


@pytest.mark.parametrize(("factor", "code"), [(1.09, 0), (0.3, 0), (1.11, 3)])
def test_a_step_may_be_faster_but_not_much_slower(
    factor: float, code: int, again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step_ms = json.loads((again / "run.json").read_text())["step_ms"]
    change(again / "run.json", step_ms=step_ms | {"rollout": step_ms["rollout"] * factor})
    found, _ = agreement(str(trained()), str(again), "--tolerance", "0.05", capsys=capsys)
    assert found == code


def configured(run_folder: Path, **groups: dict[str, Any]) -> None:
    """The run's configuration has these values instead."""
    file = run_folder / "resolved_config.yaml"
    config = yaml.safe_load(file.read_text())
    for group, values in groups.items():
        config[group] |= values
    file.write_text(yaml.safe_dump(config, sort_keys=False))


def test_trainings_of_two_configurations_may_agree_but_it_is_said(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(
        again,
        algorithm={"learning_rate": 0.002},
        simulation={"time_to_teleport_s": -1.0},
        provenance={"sumo": "1.29.0"},
    )
    words = (str(trained()), str(again), "--tolerance", "5%")
    code, lines = agreement(*words, capsys=capsys)
    assert code == 0
    assert lines[0] == (
        "note: again was configured differently: algorithm.learning_rate (0.002 instead of 0.001), "
        "sumo (1.29.0 instead of 1.28.0), simulation.time_to_teleport_s (-1.0 instead of 300.0)"
    )
    assert lines[-1].startswith("again agrees with trained within 0.05 in all ")
    assert lines[-1].endswith("; it was configured differently: see the note")
    worse(again, "delay_s", 1.5)
    code, lines = agreement(*words, capsys=capsys)
    assert code == 3
    assert lines[-1].startswith("again does not agree with trained: 1 of ")
    assert lines[-1].endswith("; it was configured differently: see the note")


def test_another_seed_or_machine_is_no_other_configuration(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(
        again,
        execution={"device": "cuda", "backend": "traci", "checkpoint_freq": 8},
        evaluation={"workers": 7},
    )
    file = again / "resolved_config.yaml"
    file.write_text(file.read_text().replace("\nseed: 1\n", "\nseed: 2\n"))
    assert "seed: 2" in file.read_text()
    code, lines = agreement(str(trained()), str(again), "--tolerance", "5%", capsys=capsys)
    assert code == 0
    assert not any("configured" in line for line in lines)


def test_test_seeds_that_one_lacks_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def drop(results: Any) -> None:
        results["episodes"] = [
            one for one in results["episodes"] if (one["scenario"], one["seed"]) != ("evening", 1)
        ]

    fewer = altered(trained(), tmp_path / "fewer", results=drop)
    code, lines = agreement(str(trained()), str(fewer), "--tolerance", "5%", capsys=capsys)
    assert (code, lines[0]) == (
        0,
        "note: evening: compared on the 1 test seeds that both have; trained has 2, fewer 1",
    )
    assert sum(line.startswith("note") for line in lines) == 1


def test_what_one_training_lacks_does_not_agree(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(again / "run.json", step_ms={})
    code, lines = agreement(str(trained()), str(again), "--tolerance", "5%", capsys=capsys)
    assert code == 3
    differing = [line for line in lines if line.startswith("DIFFERS")]
    assert len(differing) == 2
    assert all(line.endswith(" none") for line in differing)


def test_another_validation_is_seen(again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = (again / "metrics.csv").read_text().splitlines()
    column = header.split(",").index("validation/delay_s")
    fields = rows[-1].split(",")
    fields[column] = str(2 * float(fields[column]))
    (again / "metrics.csv").write_text("\n".join([header, *rows[:-1], ",".join(fields)]) + "\n")
    code, lines = agreement(str(trained()), str(again), "--tolerance", "5%", capsys=capsys)
    assert code == 3
    assert any(line.startswith("DIFFERS validation, final: delay [s]") for line in lines)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["RUN", "--tolerance", "5%"], 2, "--tolerance compares two runs, got 1"),
        (["RUN", "RUN", "--tolerance", "lots"], 2, "write a share such as 5% or 0.05, got 'lots'"),
        (["RUN", "RUN", "--tolerance", "nan"], 2, "write a share such as 5%"),
        (["RUN", "RUN", "--tolerance", "5%", "--baseline", "x"], 2, "--baseline has no meaning"),
        (["RUN", "--baseline", "nobody"], 2, "--baseline: unknown 'nobody'; choices: fixed,"),
        (["RUN", "--database", "nowhere"], 2, "--database: there is no folder nowhere"),
        ([], 2, "name a RUN, or --database FOLDER"),
        (["RUN", "--database", "."], 2, "holds no episodes"),
        (["--database", "."], 2, "holds no episodes"),
        (["--database", "DATABASE", "--baseline", "fixed"], 2, "--baseline needs a RUN"),
        (["RUN", "--colour"], 2, "unrecognized arguments: --colour"),
        (["nowhere"], 1, "nowhere is no run folder: there is no such folder"),
        (["RUN", "JUDGED", "--tolerance", "5%"], 1, "holds no training: it has no metrics.csv"),
        (["RUN", "--output", "FILE/report"], 1, "FILE/report cannot be written"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "FILE").touch()
    names = {
        "RUN": str(trained()),
        "JUDGED": str(judged()),
        "DATABASE": str(database()),
        ".": str(tmp_path),
        "FILE/report": f"{tmp_path}/FILE/report",
    }
    assert run([names.get(word, word) for word in words]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trafficrl-compare: error: ")
    assert said in line
