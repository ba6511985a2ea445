"""Where each value of a configuration comes from, told to whoever asks for it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from trafficrl.app.console import run_app
from trafficrl.app.train import nothing_left, train
from trafficrl.app.value_sources import ConfigSources
from trafficrl.app.yaml_places import YamlPlaces
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.store import conf_dir, register_configs

CONF = conf_dir()


def sources(*overrides: str) -> ConfigSources:
    register_configs()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return ConfigSources(compose("train", list(overrides), return_hydra_config=True).hydra)


@pytest.mark.parametrize(
    "overrides",
    [
        ("experiment=tree_method_study", "network.file=a", "scenarios.route_file.file=[b,c]"),
        (
            *("execution=slurm_long", "algorithm=sac_default", "scenarios=[light,heavy_load]"),
            *("~scenarios.evening", "+schema/scenarios@scenarios.mine=generated"),
            *(
                "+controller.mp5={kind: max_pressure, interval_s: 5}",
                "scenarios.mine.num_vehicles=3",
            ),
            *("+reward.terms={queue_veh: {weight: 2}}", "++simulation.options.scale=2"),
        ),
    ],
)
def test_the_source_of_every_value_holds_that_value(overrides: tuple[str, ...]) -> None:
    found = sources(*overrides).values
    assert len(found) > 150
    for key, one in found.items():
        if one.where.startswith("override "):
            assert one.where.removeprefix("override ") in overrides
            assert key[0] in one.where
        elif one.is_default:
            assert re.fullmatch(r"default of \w+Config", one.where), (key, one.where)
        else:
            name, _, line = one.where.rpartition(":")
            text = Path(name).read_text(encoding="utf-8")
            assert re.search(rf"\b{re.escape(key[-1])}:", text.splitlines()[int(line) - 1]), key
            assert one.value in held(OmegaConf.to_container(OmegaConf.load(name)), key)


def held(values: Any, key: tuple[str, ...]) -> list[Any]:
    """What stands under the key, or under the end of it that a file below a package has."""
    found = []
    for begin in range(len(key)):
        node = values
        for name in key[begin:]:
            node = node.get(name) if isinstance(node, dict) else None
        found.append(node)
    return found


def test_whoever_comes_last_is_the_source_and_who_came_before_is_known() -> None:
    found = sources("execution.end_time=900", "algorithm.gamma=0.5", "seed=3").values
    end = found["execution", "end_time"]
    assert (end.value, end.where) == (900.0, "override execution.end_time=900")
    assert end.before is not None
    quick = CONF / "execution" / "quick_test.yaml"
    line = quick.read_text().splitlines().index("end_time: 1800") + 1
    assert (end.before.value, end.before.where) == (1800.0, f"{quick}:{line}")
    seed = found["seed",]
    assert seed.before is not None
    assert seed.before.is_default
    assert found["network", "step_length"].where == "default of GridConfig"
    assert found["algorithm", "action", "cycle_s"].where == "default of ActionConfig"


def test_a_choice_is_told_with_the_list_that_makes_it() -> None:
    found = sources("experiment=tree_method_study", "algorithm=dqn")
    choices = found.choices
    study = CONF / "experiment" / "tree_method_study.yaml"
    lines = study.read_text().splitlines()
    expected = {
        "network": ("net_file", f"{study}:{lines.index('  - override /network: net_file') + 1}"),
        "algorithm": ("dqn", "override algorithm=dqn"),
        "experiment": ("tree_method_study", "override experiment=tree_method_study"),
    }
    assert {group: (choices[group].value, choices[group].where) for group in expected} == expected
    assert choices["reward"].where.startswith(f"{CONF / 'train.yaml'}:")
    assert "hydra/help" not in choices
    dotted = found.values["simulation", "options", "device.rerouting.adaptation-steps"]
    line = lines.index("    device.rerouting.adaptation-steps: 18") + 1
    assert dotted.where == f"{study}:{line}"


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("# head\na:\n  b: 1\n  c: {d: 2,\n      e: [1,\n        2]}\n\nf: [3]\n")
    places = YamlPlaces(file)
    lines = [places.line(tuple(key)) for key in ("a", "ab", "ac", "acd", "ace", "f")]
    assert lines == [2, 3, 4, 4, 5, 8]
    assert places.line(("a", "c", "unknown")) == 4
    file.write_text("")
    assert YamlPlaces(file).line(("a",)) == 1


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["trafficrl-train", *words])
    code = run_app(train, ExperimentConfig, config_name="train", finished=nothing_left)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_configuration_can_be_read_and_its_sources_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--cfg", "job", "seed=4")
    monkeypatch.delenv("TRAFFICRL_CONFIG_DEBUG", raising=False)
    quiet = said(capsys, monkeypatch, *words)
    assert (quiet[0], quiet[2]) == (0, "")
    values = yaml.safe_load(quiet[1])
    assert (values["seed"], values["network"]["block_size_m"]) == (4, 200.0)
    monkeypatch.setenv("TRAFFICRL_CONFIG_DEBUG", "1")
    code, out, err = said(capsys, monkeypatch, *words)
    assert (code, out) == (0, quiet[1])
    lines = err.splitlines()
    assert lines[0] == (
        f"trafficrl-train: where each value comes from (TRAFFICRL_CONFIG_DEBUG); conf/ is {CONF}"
    )
    assert re.search(r"^  seed: 4 +# override seed=4$", err, re.MULTILINE)
    assert re.search(r"^  network=grid3 +# conf/train\.yaml:\d+$", err, re.MULTILINE)
    assert re.search(
        r"^  network: default of GridConfig: kind grid, step_length 1\.0, ", err, re.MULTILINE
    )
    assert max(map(err.count, ("controller.max_pressure: ", "  seed: "))) == 1
    assert len(lines) < 100
    assert not list(tmp_path.iterdir())


def test_a_legacy_file_is_named_for_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFICRL_CONFIG_DEBUG", "1")
    Path("old.yaml").write_text("learning_rate: 1e-6\nnum_vehicles: 7\n")
    words = ("--cfg", "job", "execution.end_time=600")
    code, _, err = said(capsys, monkeypatch, "legacy=old.yaml", *words)
    assert code == 0
    assert re.search(r"^  scenarios\.old\.num_vehicles: 7 +# legacy: old\.yaml:2 num_v", err, re.M)
    assert re.search(r"^  algorithm\.gamma: 0\.995 +# legacy: the earlier program's def", err, re.M)
    assert re.search(r"^  algorithm\.lr_final: 1\S+ +# legacy: no higher than learni", err, re.M)
    assert re.search(r"^  network=grid6_realistic +# legacy: old\.yaml$", err, re.M)
    assert re.search(r"end_time: 600\S* +# override execution\.end_time=600", err)
    _, _, err = said(capsys, monkeypatch, *words, "scenarios.morning.num_vehicles=7")
    assert "legacy: " not in err


def test_every_job_of_a_sweep_tells_of_its_own_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFICRL_CONFIG_DEBUG", "1")
    slurm = ("hydra/launcher=slurm", "hydra.launcher.dry_run=true")
    code, out, err = said(capsys, monkeypatch, "-m", *slurm, "seed=1,2", "execution.end_time=600")
    assert code == 0
    assert "trafficrl-train: job 1 (seed=2 execution.end_time=600): where each" in err
    assert re.findall(r"  seed: \d +# (.+)", err) == ["override seed=1", "override seed=2"]
    before = r"# override execution\.end_time=600 \(before: 1800, conf/execution/quick_test\.yaml"
    assert len(re.findall(before, err)) == 2
    assert "where each value" not in out


def test_a_configuration_that_is_refused_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFICRL_CONFIG_DEBUG", "1")
    code, _, err = said(capsys, monkeypatch, "execution.total_timesteps=0")
    assert code == 2
    assert "  execution.total_timesteps: 0 " in err
    assert err.splitlines()[-1].startswith("trafficrl-train: error: execution.total_timesteps")
