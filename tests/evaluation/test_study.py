"""What a study is made of: groups over seeds, what they differ in, and what they came to."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from run_cases import SCENARIOS, TRAINING, run_command, trained
from study_cases import DELAY, study, study_runs

from trafficrl.evaluation.report.groups import group_runs
from trafficrl.evaluation.report.hyperparameters import hyperparameter_table
from trafficrl.evaluation.report.learning import BEST, draw_learning, shared_steps, validated
from trafficrl.evaluation.report.pooled import pool_groups, seed_table
from trafficrl.evaluation.report.run_folder import read_run
from trafficrl.evaluation.report.sections import Section, build_sections
from trafficrl.evaluation.report.study_runs import StudyRun
from trafficrl.evaluation.tables import number
from trafficrl.runs.conditions import Condition, RunState


def run(name: str, **config: Any) -> StudyRun:
    """A run of nothing but a configuration."""
    state = RunState(name=name, folder=Path("sweep") / name, condition=Condition.finished)
    return StudyRun(state, config, {}, None, ())


def members(*runs: StudyRun) -> list[tuple[str, list[str]]]:
    return [(group.label, [one.name for one in group.runs]) for group in group_runs(runs)]


def test_runs_that_differ_in_the_seed_are_one_group() -> None:
    assert members(*study_runs(study())) == [
        ("A: learning_rate=0.003", ["0", "1"]),
        ("B: learning_rate=0.001", ["2", "10"]),
    ]


def test_where_and_how_a_run_was_carried_out_makes_no_group() -> None:
    one = run("0", seed=1, execution={"device": "cpu"}, evaluation={"workers": 1})
    other = run("1", seed=2, execution={"device": "cuda"}, evaluation={"workers": 8})
    assert members(one, other) == [("policy", ["0", "1"])]


def test_keys_that_differ_name_the_groups_and_long_names_are_cut() -> None:
    runs = [
        run("0", algorithm={"net_arch": [32, 32], "cuda": True, "gamma": 0.9, "x": None}),
        run("1", algorithm={"net_arch": [64], "cuda": False, "gamma": 0.99}),
    ]
    first, second = group_runs(runs)
    assert first.label == "A: net_arch=[32, 32], cuda=true, gamma=0.9, …"
    assert second.values["algorithm.x"] == "—"
    assert group_runs([run("0", a="b" * 90), run("1", a="c")])[0].label == (f"A: a={'b' * 41}…")


def test_links_of_a_chain_belong_to_their_kin() -> None:
    links = [
        run(
            f"{2 * i + j}",
            seed=i,
            scenarios={name: {}},
            resume_from=f"sweep/{2 * i}" if j else None,
        )
        for i in range(2)
        for j, name in enumerate(("light", "heavy"))
    ]
    found = members(*links)
    assert [names for _, names in found] == [["0", "2"], ["1", "3"]]
    other = [
        run("6", seed=1, scenarios={"light": {}}, resume_from=None, algorithm={"gamma": 0.5}),
        run("7", seed=1, scenarios={"heavy": {}}, resume_from="sweep/6"),
    ]
    assert [names for _, names in members(*links, *other)] == [
        ["0", "2"],
        ["1", "3"],
        ["6"],
        ["7"],
    ], "alike itself, but after another training"
    elsewhere = run("4", seed=3, scenarios={"heavy": {}}, resume_from="other/model.zip")
    assert [names for _, names in members(*links, elsewhere)] == [["0", "2"], ["1", "3"], ["4"]]


def test_the_best_by_validation_is_marked() -> None:
    groups = group_runs(study_runs(study()))
    table = hyperparameter_table(groups, 0.95)
    assert table.columns[0] == "algorithm.learning_rate"
    for group, row, rate in zip(groups, table.rows, ("0.003", "0.001"), strict=True):
        found = [validated(one.training, DELAY, BEST) for one in group.runs]
        delays = [delay_s for _, delay_s in filter(None, found)]
        assert row.cells[:2] == (rate, "2 of 2")
        assert row.cells[2].startswith(f"{number(float(np.mean(delays)))} (")
    assert [row.best for row in table.rows] == [True, False]
    assert [row.cells[-1] for row in table.rows] == ["★ best", ""]


def test_groups_that_were_validated_on_other_demand_are_not_ranked(tmp_path: Path) -> None:
    runs = study_runs(study())
    for one in runs:
        if one.config["algorithm"]["learning_rate"] == 0.001:
            one.config["scenarios"]["morning"]["num_vehicles"] = 41
    table = hyperparameter_table(group_runs(runs), 0.95)
    assert not any(row.best for row in table.rows)
    assert not any("least" in note for note in table.notes)


def test_a_curve_is_the_mean_as_far_as_all_seeds_have_come() -> None:
    seeds = [[(0.0, 1.0), (10.0, 2.0), (20.0, 3.0)], [(0.0, 3.0), (10.0, 6.0)]]
    assert shared_steps(seeds) == {0.0: [1.0, 3.0], 10.0: [2.0, 6.0]}
    assert shared_steps([]) == {}


def test_learning_curves_tell_of_intervals_only_over_seeds() -> None:
    groups = group_runs(study_runs(study()))
    several = draw_learning({one.label: [run.training for run in one.runs] for one in groups})
    alone = draw_learning({one.label: [one.runs[0].training] for one in groups})
    assert several is not None
    assert alone is not None
    assert "95% interval" in several.help
    assert "interval" not in alone.help
    assert draw_learning({"A": [{}]}) is None


def compared() -> Section:
    runs = study_runs(study())
    (section,) = build_sections([run.judged for run in runs if run.judged is not None])
    return section


def test_a_group_is_the_mean_of_its_models_on_each_episode() -> None:
    section, groups = compared(), group_runs(study_runs(study()))
    pooled = pool_groups(section, groups)
    assert set(pooled.labels) == {"fixed", *(group.label for group in groups)}
    assert [pooled.place(group.label) for group in groups] == [0, 1], "as in the learning curves"
    for group in groups:
        labels = [f"policy ({one.name})" for one in group.runs]
        for metric in ("delay_s", "queue_veh"):
            means = [section.comparison.mean(label, metric) for label in labels]
            shown = pooled.comparison.mean(group.label, metric)
            assert shown == pytest.approx(np.mean(means))
        differences = [section.comparison.difference(label, "delay_s").mean for label in labels]
        found = pooled.comparison.difference(group.label, "delay_s")
        assert found.mean == pytest.approx(np.mean(differences))
        assert found.pairs == 4, "the test episodes, however many seeds were trained"
    assert pooled.comparison.mean("fixed", "delay_s") == section.comparison.mean("fixed", "delay_s")
    one, other = (pooled.judged[group.label].slice_queues["morning"] for group in groups)
    assert one == other, "the queues of the copies are the same"


def test_intervals_over_training_seeds_count_each_seed_once() -> None:
    section, groups = compared(), group_runs(study_runs(study()))
    table = seed_table(section, groups)
    for group, row in zip(groups, table.rows, strict=True):
        delays = [section.comparison.mean(f"policy ({one.name})", "delay_s") for one in group.runs]
        assert row.cells[0] == "2"
        assert row.cells[1].startswith(f"{number(float(np.mean(delays)))} (")
        assert row.cells[3] == ", ".join(
            f"{number(delay_s)} ({one.name})"
            for delay_s, one in zip(delays, group.runs, strict=True)
        )
        low, high = map(float, row.cells[1].partition("(")[2].rstrip(")").split(" to "))
        assert high - low > 5 * abs(delays[1] - delays[0]), "two seeds tell little"


def test_models_judged_on_a_network_that_they_never_saw_count_as_trainings(tmp_path: Path) -> None:
    first = tmp_path / "0"
    shutil.copytree(trained(), first)
    run_command("train", *SCENARIOS, *TRAINING, "seed=2", f"hydra.run.dir={tmp_path / '1'}")
    files = [str(first), str(tmp_path / "1"), str(first / "final_model.zip")]
    for name, models in (("each", files[:2]), ("two of one", files)):
        run_command(
            "evaluate",
            *SCENARIOS,
            "network.network_seed=8",
            f"controllers=[fixed,{','.join(models)}]",
            f"hydra.run.dir={tmp_path / name}",
        )
    groups = group_runs(study_runs(tmp_path))
    section, doubtful = (
        build_sections([read_run(tmp_path / name, name)])[0] for name in ("each", "two of one")
    )
    delays = [section.comparison.mean(label, "delay_s") for label in ("0", "1")]
    (row,) = seed_table(section, groups).rows
    assert row.cells[0] == "2"
    assert row.cells[1].startswith(f"{number(float(np.mean(delays)))} (")
    assert row.cells[3] == ", ".join(f"{number(delay_s)} ({i})" for i, delay_s in enumerate(delays))
    assert set(pool_groups(section, groups).labels) == {"fixed", "policy"}
    pooled = set(pool_groups(doubtful, groups).labels)
    assert pooled == {"fixed", "policy", "0", "final_model"}, "nobody knows which stands for it"


def test_what_cannot_be_read_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "run.json").write_text('{"status": "finished"}')
    (tmp_path / "0" / "metrics.csv").write_text("timesteps,x\n1,")
    (tmp_path / "0" / "resolved_config.yaml").write_text(yaml.safe_dump({"seed": 1}))
    (tmp_path / "0" / "evaluation").mkdir()
    (tmp_path / "0" / "evaluation" / "results.json").write_text("{")
    (found,) = study_runs(tmp_path)
    assert found.config == {"seed": 1}
    assert found.training.keys() == {"timesteps", "x"}
    assert found.judged is None
    assert len(found.troubles) == 1
    assert "results.json is damaged" in found.troubles[0]
