"""trafficrl-migrate as a user runs it, and trainings from legacy experiments."""

import json
import sys
from pathlib import Path

import pytest
import yaml
from composing import experiment
from legacy_cases import COMMAND, FLAT, write_all
from run_cases import run_command

from trafficrl.app.migrate import run
from trafficrl.app.stand_ins import spelled_out
from trafficrl.config.legacy.table import key_tables
from trafficrl.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of old experiments, where the user stands."""
    write_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_becomes_an_experiment(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["flat.yaml"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == "small_flat (flat): 45 keys: 38 kept, 3 changed, 4 dropped"
    assert (
        "changed   flat.yaml:23 edge_features [speed_ratio, density_simple, speed_trend] -> "
        "algorithm.observation.edge_features [speed_ratio, normalized_density]: density_simple -> "
        "normalized_density (by what the edge has room for); speed_trend left out (went on over "
        "the ends of episodes)"
    ) in lines
    assert any(line.startswith("dropped   flat.yaml:27 phases_per_junction 4: ") for line in lines)
    assert not any(line.startswith(("was so", "not said", "kept")) for line in lines)
    file = "conf/experiment/small_flat.yaml"
    assert lines[-1] == f"{file}: trafficrl-train --config-dir conf experiment=small_flat"
    assert told.err == ""
    assert "num_vehicles: 40  # flat.yaml:40" in Path(file).read_text()
    found = experiment(f"hydra.searchpath=[file://{lab}/conf]", "experiment=small_flat")
    assert found.execution.end_time == 180


def test_check_tells_everything_and_writes_nothing(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["night/config.yaml", "--check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "was so    network.signals.yellow_s 0 -> 3: signals had no clearance" in lines
    assert "not said  execution.score reward: the best model was chosen by its reward" in lines
    assert "not said  scenarios.night.demand fixed: its seeds are given" in lines
    assert (
        "kept, but night/config.yaml:25 execution.early_stopping_patience 3 -> "
        "execution.early_stopping_patience 3: acts now: the earlier program never stopped early"
    ) in lines
    assert lines[-1] == "night composes and passes every check; nothing was written (--check)"
    assert not (lab / "conf").exists()


def test_check_shows_what_became_of_a_value(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lab / "odd.yaml").write_text("checkpoint_freq: 100\nparallel_envs: 4\nlane_count: '2'\n")
    assert run(["odd.yaml", "--check", "--out", "experiment/odd.yaml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "odd (flat): 3 keys: 2 kept, 1 changed"
    assert lines[1] == (
        "changed   odd.yaml:1 checkpoint_freq 100 -> execution.checkpoint_freq 400: steps of all "
        "environments together: each counted for itself then"
    )
    assert lines[-1].startswith(
        "experiment/odd.yaml: trafficrl-train --config-dir . experiment=odd"
    )


def test_an_unknown_key_is_loud_and_refused_when_strict(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lab / "typo.yaml").write_text("num_vehicles: 5\nlearning_rte: 1\n")
    assert run(["typo.yaml"]) == 0
    told = capsys.readouterr()
    why = "no key of the earlier program; did you mean learning_rate?"
    assert told.out.splitlines()[1] == f"unknown   typo.yaml:2 learning_rte 1: {why}"
    assert told.err == (
        f"trafficrl-migrate: warning: typo.yaml:2: learning_rte is left out: {why}\n"
    )
    assert (
        f"# unknown: learning_rte 1 (typo.yaml:2): {why}"
        in Path("conf/experiment/typo.yaml").read_text()
    )
    assert run(["typo.yaml", "--strict", "--overwrite"]) == 2
    assert (
        capsys.readouterr().err == f"trafficrl-migrate: error: typo.yaml:2: learning_rte: {why}\n"
    )


def test_a_folder_is_migrated_at_once(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lab / "bad.yaml").write_text("\nnum_vehicles: 0")
    assert run([".", "--out", "new/experiment"]) == 2
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split() for line in lines}
    assert rows["flat.yaml"] == ["flat.yaml", "flat", "small_flat", "38", "3", "4", "written"]
    assert rows["modular"][1:3] == ["modular", "small_two_ppo_throughput_short"]
    assert rows["night/config.yaml"][1:3] == ["sectioned", "night"]
    assert rows["bad.yaml"] == ["bad.yaml", "refused"]
    assert (
        "refused: bad.yaml:2: num_vehicles 0: scenarios.bad.num_vehicles must be in 1..1000000 "
        "[veh], got 0"
    ) in lines
    assert lines[-1] == "new/experiment: trafficrl-train --config-dir new experiment=EXPERIMENT"
    written = {file.stem for file in (lab / "new" / "experiment").iterdir()}
    assert written == {"small_flat", "small_two_ppo_throughput_short", "night"}


def test_a_command_is_migrated(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--command", COMMAND, "--out", "conf/experiment/s0.yaml"]) == 0
    assert "command (command): 12 keys: 12 kept" in capsys.readouterr().out
    network = yaml.safe_load(Path("conf/experiment/s0.yaml").read_text())["network"]
    assert (network["network_seed"], network["junctions_to_remove"]) == (24208, 2)


def test_departures_that_do_not_fit_the_episode_are_refused(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lab / "day.yaml").write_text(
        "end_time: 600\ndeparture_pattern: rush_hours:7-9:40,17-19:30,rest:10\n"
    )
    assert run(["day.yaml", "--check"]) == 2
    error = capsys.readouterr().err
    assert "error: day.yaml:2: departure_pattern rush_hours:7-9:40" in error
    assert "scenarios.day.departure_pattern: 'rush_hours" in error
    assert "says nothing about the episode, 00:00 to 00:10" in error


def test_a_file_that_says_something_else_is_not_replaced(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path("conf/experiment/small_flat.yaml")
    assert run(["flat.yaml"]) == 0
    text = file.read_text()
    file.write_text(f"{text}# by hand\n")
    assert run(["flat.yaml"]) == 2
    assert "small_flat.yaml is there already and says something else" in capsys.readouterr().err
    assert file.read_text().endswith("# by hand\n")
    assert run(["flat.yaml", "--overwrite"]) == 0
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name what to migrate: OLD.yaml, a folder, or --command TEXT"),
        (["no.yaml"], "there is no file or folder 'no.yaml'"),
        (["flat.yaml", "--command", "--seed 1"], "name what to migrate"),
        (["flat.yaml", "night/config.yaml", "--out", "x.yaml"], "--out x.yaml: name a folder"),
        (["flat.yaml", "--out", "new.txt"], "--out new.txt: name a file that ends in .yaml, or a"),
        (["foreign.yaml"], "foreign.yaml:1: on: no key of the earlier program; nor is any other"),
        (["flat.yaml", "seed=1"], "seed=1 is for the trainings of --validate"),
        (["flat.yaml", "--validate", "--strict"], "--strict has no meaning beside --validate"),
        (["flat.yaml", "--frobnicate"], "unrecognized arguments: --frobnicate; see trafficrl-mi"),
        ([".", "--validate"], "holds 4 experiments: name one"),
    ],
)
def test_wrong_usage_is_one_line(
    words: list[str], told: str, lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lab / "foreign.yaml").write_text("'on': push\njobs: {}\n")
    assert run(words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.splitlines()) == 1


def test_the_table_of_keys_is_in_the_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """To write it anew: trafficrl-migrate --keys."""
    assert run(["--keys"]) == 0
    assert capsys.readouterr().out == key_tables()
    assert key_tables() in (ROOT / "docs" / "legacy.md").read_text(encoding="utf-8")


def test_a_training_is_told_what_is_other_than_it_was(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spelled_out(["legacy=flat.yaml", "seed=3"], "trafficrl-train")
    assert capsys.readouterr().err == (
        "trafficrl-train: flat.yaml: 38 keys kept; changed: action_mode, edge_features, "
        "junction_features; dropped: config_version, phases_per_junction, action_low, action_high "
        "(trafficrl-migrate flat.yaml --check says how and why)\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["legacy=typo.yaml"], "typo.yaml:1: learning_rte: no key of the earlier program; did you"),
        (["legacy=flat.yaml", "legacy=flat.yaml"], "legacy may be given once, got flat.yaml and"),
        (["legacy=flat.yaml", "sumocfg=a"], "legacy=flat.yaml and sumocfg=a both say the network"),
        (["legacy=flat.yaml", "experiment=x"], "are both whole experiments: give one"),
        (["legacy=no.yaml"], "there is no file or folder 'no.yaml'"),
    ],
)
def test_no_training_begins_on_half_a_file(words: list[str], told: str, lab: Path) -> None:
    (lab / "typo.yaml").write_text("learning_rte: 1\n")
    with pytest.raises(ConfigError) as caught:
        spelled_out(words, "trafficrl-train")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


JUDGED = ("evaluation.seeds=1", "evaluation.workers=1", "evaluation.baselines=[fixed]")


def trained(folder: Path, *words: str) -> dict[str, object]:
    """The record of a training."""
    seldom = ("execution.validation_seeds=1", "execution.trackers=[csv]")
    run_command("train", *words, *JUDGED, *seldom, f"hydra.run.dir={folder / 'run'}")
    record: dict[str, object] = json.loads((folder / "run" / "run.json").read_text())
    return record


@pytest.mark.slow
def test_a_training_begins_from_an_old_file(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(FLAT)
    record = trained(tmp_path, f"legacy={tmp_path / 'old.yaml'}", "execution.end_time=90")
    assert (record["status"], record["timesteps"]) == ("finished", 16)
    config = yaml.safe_load((tmp_path / "run" / "resolved_config.yaml").read_text())
    assert config["scenarios"]["small_flat"]["num_vehicles"] == 40
    assert config["execution"]["end_time"] == 90.0
    assert config["reward"]["terms"]["throughput_vps"]["weight"] == 0.3


@pytest.mark.slow
@pytest.mark.parametrize("form", ["flat", "modular", "sectioned"])
def test_every_format_trains_after_its_migration(form: str, tmp_path: Path) -> None:
    old = write_all(tmp_path / "lab")[form]
    out = tmp_path / "conf" / "experiment" / "mine.yaml"
    assert run([str(old), "--out", str(out), "--strict"]) == 0
    record = trained(tmp_path, "--config-dir", str(out.parents[1]), "experiment=mine")
    assert record["status"] == "finished"


@pytest.mark.slow
def test_old_and_new_file_come_to_the_same(lab: Path, capfd: pytest.CaptureFixture[str]) -> None:
    short = ("execution.total_timesteps=32", "execution.eval_freq=16", "algorithm.n_steps=16")
    words = ["night/config.yaml", "--validate", *short, *JUDGED]
    assert run(words) == 0
    told = capfd.readouterr().out
    assert "new agrees with old within 0.05 in all" in told
    file = Path("conf/experiment/night.yaml")
    file.write_text(file.read_text().replace("num_vehicles: 40", "num_vehicles: 80"))
    assert run(words) == 3
    told = capfd.readouterr().out
    assert f"{file} is there: it is what is compared" in told
    assert "configured differently" in told


def test_the_console_script_is_there() -> None:
    assert (Path(sys.executable).parent / "trafficrl-migrate").exists()
