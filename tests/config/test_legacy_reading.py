"""Legacy YAML files: lines, inheritance, and what is refused."""

from pathlib import Path

import pytest

from trafficrl.config.legacy.migration import migrate
from trafficrl.config.legacy.outcomes import Fate
from trafficrl.config.legacy.reading import read_legacy
from trafficrl.config.legacy.sources import find_sources, one_source
from trafficrl.errors import ConfigError


def written(folder: Path, **files: str) -> Path:
    """The first file."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(files))}.yaml"


def values(file: Path) -> dict[str, object]:
    return {one.path: one.value for one in read_legacy(file).entries}


def test_a_file_overlays_its_base_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "bases").mkdir()
    written(tmp_path / "bases", base="n_steps: 64\ngamma: 0.9\nprivate_seed: 1\n")
    own = written(tmp_path, own="base_config: bases/base.yaml\ngamma: 0.8\nprivate_traffic_seed: 2")
    found = migrate(read_legacy(own))
    assert values(own) == {
        "n_steps": 64,
        "base_config": "bases/base.yaml",
        "gamma": 0.8,
        "private_traffic_seed": 2,
    }
    told = [(one.entry.place, one.entry.path, one.why) for one in found.fates(Fate.overlaid)]
    base = tmp_path / "bases" / "base.yaml"
    assert told == [
        (f"{base}:2", "gamma", f"{own}:2 says 0.8"),
        (f"{base}:3", "private_seed", f"{own}:3 says 2"),
    ]


def test_a_mapping_is_overlaid_as_a_whole(tmp_path: Path) -> None:
    """As the earlier program did: what the base says inside of it is gone."""
    own = written(
        tmp_path,
        own="base_config: base.yaml\nreward_function: throughput\n"
        "reward_params: {waiting_penalty_weight: 1}",
        base="reward_params: {per_vehicle: 2}",
    )
    assert "reward_params.per_vehicle" not in values(own)
    overlaid = migrate(read_legacy(own)).fates(Fate.overlaid)
    assert [one.entry.path for one in overlaid] == ["reward_params.per_vehicle"]


def test_a_section_that_is_said_anew_is_told_as_such(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        own="base_config: base.yaml\nreward_params:\n  per_vehicle: 10\n  odd: 1\n"
        "reward_function: throughput\nscenarios: [{name: b}]",
        base="reward_params: {throughput_bonus: 0.2, per_vehicle: 3}\nscenarios: [{name: a}]",
    )
    told = {one.entry.path: one.why for one in migrate(read_legacy(own)).fates(Fate.overlaid)}
    assert told == {
        "reward_params.throughput_bonus": f"reward_params is said anew in {own}:3",
        "reward_params.per_vehicle": f"{own}:3 says 10",
        "scenarios[0].name": f"scenarios is said anew in {own}:6",
    }


def test_bases_have_bases(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        own="base_config: b.yaml",
        b="base_config: c.yaml\nn_steps: 2",
        c="n_steps: 3\nn_epochs: 4",
    )
    assert (values(own)["n_steps"], values(own)["n_epochs"]) == (2, 4)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"own": "base_config: own.yaml"}, "base_config goes in a circle: own.yaml -> own.yaml"),
        (
            {"own": "base_config: b.yaml", "b": "base_config: own.yaml"},
            "base_config goes in a circle: own.yaml -> b.yaml -> own.yaml",
        ),
        ({"own": "\nbase_config: no.yaml"}, "own.yaml:2: base_config: there is no file 'no.yaml'"),
        ({"own": "gamma: 1\nn_steps: 2\ngamma: 0"}, "own.yaml:3: gamma 0 is given twice, also in"),
        (
            {"own": "private_seed: 1\nprivate_traffic_seed: 1"},
            "own.yaml:2: private_traffic_seed 1 is given twice, also in line 1",
        ),
        ({"own": "what: 1\nwhat: 2"}, "own.yaml:2: what 2 is given twice, also in line 1"),
        ({"own": "[1, 2]"}, "is damaged: it holds no mapping"),
        ({"own": ""}, "is damaged: it holds no mapping"),
        ({"own": "defaults: [_self_]"}, "is a configuration of this program, no legacy one"),
        ({"own": "a: [1"}, "own.yaml:1: expected ',' or ']'"),
        ({"own": "a: !!python/object/apply:os.system [ls]"}, "own.yaml:1: could not determine a"),
        ({"own": "a: " + "[" * 5000}, "is damaged: "),
        ({"own": "network: &a {network: *a}"}, "is damaged: "),
        ({"own": "scenarios: 3"}, "own.yaml:1: scenarios must be a list of mappings with a name"),
        ({"own": "scenarios: [{}]"}, "own.yaml:1: scenarios must be a list of mappings with a na"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, files: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_legacy(written(tmp_path, **files))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_text_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(ConfigError, match="is damaged: it is no text"):
        read_legacy(tmp_path / "x.yaml")
    with pytest.raises(ConfigError, match="there is no file or folder"):
        one_source(str(tmp_path / "no.yaml"))


def test_merged_keys_are_keys(tmp_path: Path) -> None:
    text = "usual: &u {gamma: 0.9, n_steps: 4}\nalgorithm:\n  <<: *u\n  gamma: 0.7\n"
    found = values(written(tmp_path, own=text))
    assert (found["algorithm.gamma"], found["algorithm.n_steps"]) == (0.7, 4)


def test_a_value_that_holds_itself_many_times_is_told_shortly(tmp_path: Path) -> None:
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 12)]
    found = migrate(
        read_legacy(written(tmp_path, own="\n".join(["name: x", "l0: &l0 [a]", *levels])))
    )
    assert len(found.fates(Fate.unknown)) == 12
    with pytest.raises(ConfigError) as caught:
        migrate(
            read_legacy(written(tmp_path, o="\n".join(["l0: &l0 [a]", *levels, "gamma: *l11"])))
        )
    assert len(str(caught.value)) < 1000


MODULAR = {
    "network": "n_steps: 1\nnetwork_seed: 5",
    "scenarios": "scenarios: [{name: a}]",
    "algorithm": "n_steps: 2",
    "reward": "reward_function: throughput",
    "execution": "end_time: 100",
}


def modular(folder: Path) -> list[Path]:
    files = []
    for part, text in MODULAR.items():
        (folder / part).mkdir(parents=True)
        files.append(folder / part / "mine.yaml")
        files[-1].write_text(text)
    return files


def test_five_files_are_one_experiment_and_the_later_part_wins(tmp_path: Path) -> None:
    files = modular(tmp_path / "lab")
    for text in (str(tmp_path / "lab"), f"[{','.join(map(str, reversed(files)))}]"):
        found = migrate(one_source(text))
        assert found.legacy.format == "modular"
        assert found.name == "mine"
        assert found.settings["algorithm.n_steps"].value == 2
        assert found.scenarios == ("a",)
        assert [one.entry.path for one in found.fates(Fate.overlaid)] == ["n_steps"]


def test_a_folder_holds_experiments_of_all_formats(tmp_path: Path) -> None:
    modular(tmp_path / "modular")
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "config.yaml").write_text("traffic: {num_vehicles: 5}")
    written(tmp_path, flat="num_vehicles: 4")
    (tmp_path / "notes.md").write_text("no experiment")
    written(tmp_path, ours="# @package _global_\ndefaults: [_self_]\n")
    found = [one for source in find_sources([tmp_path]) for one in source.read()]
    assert sorted((one.name, one.format) for one in found) == [
        ("flat", "flat"),
        ("mine", "modular"),
        ("night", "sectioned"),
    ]


def test_what_runs_have_left_is_no_experiment(tmp_path: Path) -> None:
    written(tmp_path, flat="num_vehicles: 4", model="gamma: 1", multirun="hydra: {}")
    (tmp_path / "model.zip").write_bytes(b"")
    for folder in ("run/models", ".hydra"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.yaml").write_text("gamma: 0.5")
    (tmp_path / "run" / "run.json").write_text("{}")
    assert [source.name for source in find_sources([tmp_path])] == [str(tmp_path / "flat.yaml")]


@pytest.mark.parametrize("text", ["", " ", "[]", "[a.yaml,]"])
def test_no_name_is_no_folder(text: str) -> None:
    with pytest.raises(ConfigError, match="names no file: write legacy=FILE"):
        one_source(text)


def test_two_files_of_one_part_are_no_experiment(tmp_path: Path) -> None:
    files = modular(tmp_path)
    (tmp_path / "reward" / "other.yaml").write_text("reward_function: empirical")
    with pytest.raises(ConfigError, match=r"mine\.yaml and other\.yaml are both reward: name one"):
        one_source(str(tmp_path))
    assert one_source(f"[{','.join(map(str, files))}]").format == "modular"


def test_an_empty_folder_and_many_experiments_are_no_single_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no YAML file"):
        one_source(str(tmp_path))
    written(tmp_path, a="gamma: 1", b="gamma: 1")
    with pytest.raises(ConfigError, match="holds 2 experiments: name one"):
        one_source(str(tmp_path))
