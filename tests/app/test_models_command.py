"""trafficrl-models as a user runs it, and models by their names in the other commands."""

import json
import logging
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from learning_cases import ALGORITHM, EXECUTION, learner, small_task
from model_cases import FACTS, add_sidecar, model_file, tree
from traffic_cases import city, scenario_config

from trafficrl.app.controllers import find_controllers
from trafficrl.app.evaluate import evaluate
from trafficrl.app.models import run
from trafficrl.config.execution import EvaluationConfig
from trafficrl.config.experiment import EvaluateConfig
from trafficrl.config.network import GridConfig
from trafficrl.errors import CheckpointError, ConfigError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.registry import ModelRegistry
from trafficrl.training.models import load_model, write_model

STEPS = 16
"""What the real models of these tests have learned from."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with real models."""
    paths = RunPaths(tmp_path_factory.mktemp("real") / "runs" / "one")
    paths.checkpoints.mkdir(parents=True)
    with learner(paths.root.parent) as model:
        for steps in (8, STEPS):
            model.learn(8, reset_num_timesteps=False)
            file = paths.checkpoint(steps)
            write_model(model, file, algorithm=ALGORITHM, network=city())
            add_sidecar(file, timesteps=steps, network_hash=city().hash)
    for file in (paths.best_model, paths.final_model):
        shutil.copyfile(paths.checkpoint(STEPS), file)
        add_sidecar(file, timesteps=STEPS, network_hash=city().hash)
    paths.run.write_text('{"status": "finished"}')
    return paths.root


@pytest.fixture
def one(real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPaths:
    """A copy of the run, below the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(real, "runs/one")
    return RunPaths(Path("runs/one"))


def done(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """What the command printed."""
    found = run(words)
    printed = capsys.readouterr()
    assert (found, printed.err) == (code, "")
    return printed.out


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> str:
    """The one line of its error."""
    assert run(words) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trafficrl-models: error: ")
    return line


def test_named_models_are_listed(one: RunPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert done(capsys, "list") == "no models have names in outputs/models\n"
    assert done(capsys, "list", "--json") == "[]\n"
    assert done(capsys, "tag", "runs/one", "city@v1") == (
        f"city@v1: runs/one/best_model.zip, {STEPS} steps\n"
    )
    done(capsys, "tag", str(one.checkpoint(8)), "city@early")
    done(capsys, "tag", "city", "town@broken")
    kept = ModelRegistry(Path("outputs/models")).find("city@early")
    assert kept is not None
    kept.file.write_bytes(b"cut")
    (Path("outputs/models") / "town" / "broken.yaml").write_text("name: [")
    lines = done(capsys, "list").splitlines()
    assert lines[0].split() == ["model", "steps", "score", "best", "config", "age", "state"]
    row = next(line.split() for line in lines if line.startswith("city@v1"))
    assert row[:5] == ["city@v1", str(STEPS), "-31.25", "-30.5", "c" * 8]
    assert row[-1] == "whole"
    (note,) = (line for line in lines if line.startswith("city@early: "))
    assert "3 bytes instead of" in note
    (note,) = (line for line in lines if line.startswith("town@broken: "))
    assert "broken.yaml is damaged" in note
    kept.file.unlink()
    rows = json.loads(done(capsys, "list", "--json"))
    assert [(row["model"], row["state"]) for row in rows] == [
        ("city@early", "missing"),
        ("city@v1", "whole"),
        ("town@broken", "damaged"),
    ]


def test_all_that_is_known_is_shown(one: RunPaths, capsys: pytest.CaptureFixture[str]) -> None:
    done(capsys, "tag", "runs/one", "city@v1")
    done(capsys, "tag", "runs/one", "city@v2")
    facts = json.loads(done(capsys, "show", "city", "--json"))
    assert facts["names"] == ["city@v1", "city@v2"]
    assert facts["path"] == str(one.best_model.resolve())
    for key in ("score", "best_score", "config_hash", "run", "versions", "created"):
        assert facts[key] == FACTS[key]
    assert facts["scenario_chain"] == [["night"], ["noon", "night"], ["morning", "evening"]]
    assert [ancestor["timesteps"] for ancestor in facts["lineage"]] == [32, 64]
    of_file = json.loads(done(capsys, "show", "runs/one/best_model.zip", "--json"))
    of_run = json.loads(done(capsys, "show", "runs/one", "--json"))
    assert of_run == of_file
    differing = {key for key in facts if facts[key] != of_file.get(key)}
    assert differing == {"model", "file", "tagged", "path"}
    text = done(capsys, "show", "city")
    assert "city@v2\n" in text
    assert "night -> noon, night -> morning, evening" in text
    assert "lineage 2  outputs/second at 64 steps on noon, night, micro (bbbbbbbb)" in text


def verdicts(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> dict[str, str]:
    """Last part of a model's name -> what is said of it."""
    lines = done(capsys, "verify", *words, code=code).splitlines()
    return {line.split(": ")[0].split("/")[-1]: line for line in lines}


def test_every_model_of_a_run_is_verified(
    one: RunPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    done(capsys, "tag", "runs/one", "city@v1")
    found = verdicts(capsys, "runs/one", "city@v1", "city", code=0)
    assert all(line.startswith("whole    ") for line in found.values())
    assert list(found) == [
        "best_model.zip",
        "step_0000000008.zip",
        "step_0000000016.zip",
        "final_model.zip",
        "whole    city@v1",
    ]

    content = bytearray(one.checkpoint(8).read_bytes())
    content[len(content) // 2] ^= 1
    one.checkpoint(8).write_bytes(content)
    one.checkpoint(STEPS).unlink()
    add_sidecar(one.final_model, timesteps=STEPS + 1, network_hash=city().hash)
    model_file(one.best_model, b"no model, but it has a sidecar")
    one.checkpoint(24).write_bytes(b"never finished")
    found = verdicts(capsys, "runs/one", code=1)
    assert all(line.startswith("damaged  ") for line in found.values())
    assert "SHA-256" in found["step_0000000008.zip"]
    assert "cannot be read" in found["step_0000000016.zip"]
    assert "no whole model" in found["step_0000000024.yaml"]
    assert "tells of another model" in found["final_model.zip"]
    assert "not a zip" in found["best_model.zip"]
    assert len(found) == 5
    assert list(verdicts(capsys, "city", code=0)) == ["whole    city@v1"]


def test_what_was_exported_acts_the_same_elsewhere(
    one: RunPaths,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done(capsys, "tag", "runs/one/checkpoints/step_0000000008.zip", "city@v1")
    archive = str(tmp_path / "backup" / "all.zip")
    assert run(["export", archive, "runs/one", "city"]) == 0
    assert capsys.readouterr().out == f"{archive}: 11 files, 1 names\n"
    assert "exists already" in said(capsys, "export", archive, "city", code=2)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert run(["import", archive, "--to", "restored"]) == 0
    assert "city@v1: has its name" in capsys.readouterr().out
    verdicts(capsys, "city@v1", "restored/runs/one", "restored/models/city@v1.zip", code=0)
    assert tree(elsewhere / "restored" / "runs") == tree(tmp_path / "runs")
    named = ModelRegistry(Path("outputs/models")).find("city")
    assert named is not None
    before, after = load_model(tmp_path / one.checkpoint(8)), load_model(named.file)
    rng = np.random.default_rng(3)
    for _ in range(20):
        observation = rng.random(before.num_features).astype(np.float32)
        assert np.array_equal(before.act(observation), after.act(observation))


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ((), 2, "the following arguments are required: COMMAND"),
        (("push",), 2, "invalid choice: 'push'"),
        (("tag", "runs/one"), 2, "required: NAME@TAG"),
        (("tag", "runs/one", "city"), 2, "a model is named NAME@TAG"),
        (("tag", "runs/one", "town@v1"), 2, "town@v1 is taken"),
        (("tag", "nowhere.zip", "city@v1"), 1, "nowhere.yaml: no whole model"),
        (("tag", ".", "city@v1"), 1, "holds no whole model: no best_model.zip"),
        (("show", "twon@v1"), 2, "unknown 'twon@v1' (did you mean 'town@v1'?); choices: "),
        (("verify", "town@v2"), 2, "unknown 'town@v2'"),
        (("verify", "empty"), 1, "empty holds no models"),
        (("export", "x.zip", "empty"), 1, "empty is no run folder"),
        (("export", "x.zip", "city@v9"), 2, "unknown 'city@v9'"),
        (("import", "nowhere.zip"), 1, "nothing was restored"),
        (("import", "runs/one/best_model.zip"), 1, "not made by trafficrl-models export"),
        (("list", "--registry", "runs/one/run.json"), 1, "cannot be read: Not a directory"),
        (("show", "runs/one/run.json"), 1, "run.yaml: no whole model"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    words: tuple[str, ...],
    code: int,
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("empty").mkdir()
    done(capsys, "tag", "runs/one", "town@v1")
    before = tree(Path())
    assert expected in said(capsys, *words, code=code)
    assert tree(Path()) == before


def test_a_damaged_name_is_told_in_one_line(
    one: RunPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    done(capsys, "tag", "runs/one", "city@v1")
    file = Path("outputs/models/city/v1.yaml")
    file.write_text(file.read_text().replace("tag: v1", "tag: v2"))
    for words in (("show", "city@v1"), ("verify", "city"), ("export", "x.zip", "city")):
        assert "outputs/models/city/v1.yaml is damaged" in said(capsys, *words, code=1)


def config(models_dir: str = "outputs/models") -> EvaluateConfig:
    return EvaluateConfig(
        network=GridConfig(network_seed=7, grid_dimension=3, block_size_m=120, lane_count=2),
        scenarios={"light": scenario_config()},
        algorithm=ALGORITHM,
        reward=small_task().reward,
        execution=replace(EXECUTION, models_dir=models_dir),
    )


def test_controllers_are_found_by_their_names(
    one: RunPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    done(capsys, "tag", "runs/one", "city@v1")
    done(capsys, "tag", "runs/one/checkpoints/step_0000000008.zip", "city@v2")
    kept = {
        tag: str(found.file)
        for tag in ("v1", "v2")
        if (found := ModelRegistry(Path("outputs/models")).find(f"city@{tag}"))
    }
    names = ["fixed", "city@v1", "city", "runs/one", "runs/one/final_model.zip"]
    assert find_controllers(names, config()) == {
        "fixed": "fixed",
        "city@v1": kept["v1"],
        "city@v2": kept["v2"],
        "one": "runs/one/best_model.zip",
        "final_model": "runs/one/final_model.zip",
    }
    shutil.move("outputs/models", "names")
    moved = config("names")
    assert list(find_controllers(["city@v1"], moved)) == ["city@v1"]
    with pytest.raises(ConfigError, match=r"^controllers: unknown 'city@v1'; choices: PATH/model"):
        find_controllers(["city@v1"], config())
    with pytest.raises(ConfigError, match=r"mean 'city@v2'\?\); choices: PATH/model\.zip, .*@v1"):
        find_controllers(["city@v3"], moved)
    with pytest.raises(ConfigError, match=r"city@v2 is named twice"):
        find_controllers(["city", "city@v2"], moved)
    with pytest.raises(ConfigError, match=r"no model file nowhere\.zip"):
        find_controllers(["nowhere.zip"], moved)
    Path(kept["v1"].replace("outputs/models", "names")).write_bytes(b"cut")
    with pytest.raises(CheckpointError, match="city@v1: "):
        find_controllers(["city@v1"], moved)


def test_a_folder_comes_before_a_name(one: RunPaths, capsys: pytest.CaptureFixture[str]) -> None:
    done(capsys, "tag", "runs/one", "one@v1")
    shutil.copytree("runs/one", "one")
    assert find_controllers(["one", "fixed"], config()) == {
        "one": "one/best_model.zip",
        "fixed": "fixed",
    }


def test_a_run_without_a_best_model_stands_for_its_best_checkpoint(
    one: RunPaths, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    one.best_model.unlink()
    one.final_model.unlink()
    add_sidecar(one.checkpoint(8), timesteps=8, score=-1.0)
    with caplog.at_level(logging.INFO):
        found = find_controllers(["fixed", "runs/one"], config())
    assert found == {"fixed": "fixed", "one": str(one.checkpoint(8))}
    said = "runs/one: checkpoints/step_0000000008.zip has the best stored score, -1.000, at 8 steps"
    assert said in caplog.messages
    assert done(capsys, "tag", "runs/one", "city@v1") == f"city@v1: {one.checkpoint(8)}, 8 steps\n"
    for file in one.checkpoints.glob("*.zip"):
        file.unlink()
    with pytest.raises(ConfigError, match=r"^controllers: runs/one holds no whole model"):
        find_controllers(["runs/one"], config())


def test_a_model_is_judged_under_its_name(
    one: RunPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done(capsys, "tag", "runs/one", "city@v1")
    asked = replace(
        config(),
        controllers=["fixed", "city"],
        evaluation=EvaluationConfig(seeds=1, workers=1),
    )
    (tmp_path / "judged").mkdir()
    evaluate(asked, tmp_path / "judged")
    results = json.loads((tmp_path / "judged" / "evaluation" / "results.json").read_text())
    assert list(results["means"]) == ["fixed", "city@v1"]
    assert "city@v1" in capsys.readouterr().out


def test_the_console_command_ends_with_its_code(tmp_path: Path) -> None:
    code = "from trafficrl.app.models import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "show", "x"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("trafficrl-models: error: model: unknown 'x'; choices: ")
    assert list(tmp_path.iterdir()) == []
