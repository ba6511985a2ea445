"""What stands in one table, and what never does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_cases import altered
from run_cases import database, judged, trained

from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.outcome import Outcome
from trafficrl.evaluation.report.others import find_others
from trafficrl.evaluation.report.plots import draw_delays
from trafficrl.evaluation.report.report import separation
from trafficrl.evaluation.report.run_folder import JudgedRun, read_runs
from trafficrl.evaluation.report.sections import Section, build_sections
from trafficrl.evaluation.report.slider_map import legend_ticks
from trafficrl.evaluation.report.table import more_text, table_text
from trafficrl.evaluation.report.timelines import draw_delay_by_departure, draw_queues_over_time
from trafficrl.evaluation.report.types_table import types_text
from trafficrl.evaluation.tables import number


def sections(*folders: Path, baseline: str | None = None) -> tuple[list[JudgedRun], list[Section]]:
    runs = read_runs(folders)
    return runs, build_sections(runs, baseline=baseline)


def test_controllers_of_runs_on_the_same_episodes_share_a_table() -> None:
    runs, (section,) = sections(judged(), trained())
    assert set(section.labels) == {"fixed", "max_pressure", "random", "policy"}
    assert section.scenarios == ["morning", "evening"]
    assert separation(runs, [section]) == []
    comparison = section.comparison
    assert comparison.baseline == "fixed"
    for run, label in ((runs[0], "random"), (runs[1], "policy")):
        own = [r for r in run.results if r.controller == label]
        shown = [r for r in comparison.results if r.controller == label]
        assert {(r.scenario, r.sumo_seed, r.metrics) for r in own} == {
            (r.scenario, r.sumo_seed, r.metrics) for r in shown
        }
    assert section.judged["policy"].queues.keys() == {"morning", "evening"}


def test_one_slice_of_time_is_no_line_over_the_day() -> None:
    _, (section,) = sections(judged())
    assert draw_delay_by_departure(section) is not None
    assert draw_queues_over_time(section) is not None
    begins = {part.slice_begin_s for part in section.judged["fixed"].slices["morning"]}
    first_s = min(begin_s for begin_s in begins if begin_s is not None)
    whole = {
        label: replace(
            one,
            slices={
                name: [part for part in parts if part.slice_begin_s == first_s]
                for name, parts in one.slices.items()
            },
            slice_queues={
                name: replace(
                    kept, edge_queue_veh={e: veh[:1] for e, veh in kept.edge_queue_veh.items()}
                )
                for name, kept in one.slice_queues.items()
            },
        )
        for label, one in section.judged.items()
    }
    assert all(one.slices["morning"] for one in whole.values())
    short = replace(section, judged=whole)
    assert draw_delay_by_departure(short) is None
    assert draw_queues_over_time(short) is None


def test_the_legend_of_a_map_has_short_numbers() -> None:
    assert legend_ticks(0.433) == [0.009, 0.04, 0.13, 0.26, 0.43]
    assert legend_ticks(123.4) == [2.5, 12, 37, 74, 120]


def test_models_of_the_same_name_are_told_apart_by_their_runs(tmp_path: Path) -> None:
    again = altered(trained(), tmp_path / "again")
    _, (section,) = sections(trained(), again)
    assert set(section.labels) == {"fixed", "policy (trained)", "policy (again)"}


def test_a_classical_controller_that_gave_something_else_is_another_one(tmp_path: Path) -> None:
    def slower(results: Any) -> None:
        for episode in results["episodes"]:
            if episode["controller"] == "fixed":
                episode["metrics"]["delay_s"] += 1.0

    other = altered(judged(), tmp_path / "other", results=slower)
    _, (section,) = sections(trained(), other)
    assert {"fixed (trained)", "fixed (other)", "policy"} <= set(section.labels)
    assert section.comparison.baseline == "fixed (trained)"


def newer_sumo(config: Any) -> None:
    config["provenance"]["sumo"] = "1.29.0"


def never_teleport(config: Any) -> None:
    config["simulation"]["time_to_teleport_s"] = -1.0


def without_clearance(config: Any) -> None:
    config["network"]["signals"]["yellow_s"] = 0.0


def more_vehicles(config: Any) -> None:
    for scenario in config["scenarios"].values():
        scenario["num_vehicles"] = 41


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (newer_sumo, "sumo (1.29.0 instead of 1.28.0)"),
        (never_teleport, "simulation.time_to_teleport_s (-1.0 instead of 300.0)"),
        (without_clearance, "network.signals.yellow_s (0.0 instead of 3.0)"),
        (more_vehicles, "scenarios.morning.num_vehicles (41 instead of 40)"),
    ],
)
def test_other_episodes_are_never_in_the_same_table(
    change: Callable[[Any], None], said: str, tmp_path: Path
) -> None:
    other = altered(judged(), tmp_path / "other", config=change)
    runs, found = sections(trained(), other)
    assert [sorted(section.judged) for section in found] == [
        ["fixed", "policy"],
        ["fixed", "max_pressure", "random"],
    ]
    warnings = separation(runs, found)
    assert any(f"other differs from trained in {said}" in line for line in warnings), warnings
    build = change in (newer_sumo, never_teleport)
    assert warnings[0].startswith("results of different SUMO versions or option sets") == build


def test_a_scenario_that_differs_leaves_the_others_together(tmp_path: Path) -> None:
    def later(config: Any) -> None:
        config["scenarios"]["evening"]["start_time_hour"] = 18.0

    _, found = sections(trained(), altered(judged(), tmp_path / "other", config=later))
    assert [(section.scenarios, len(section.judged)) for section in found] == [
        (["morning"], 4),
        (["evening"], 2),
        (["evening"], 3),
    ]


def test_only_seeds_that_all_have_are_compared_and_it_is_said(tmp_path: Path) -> None:
    def first_seed(results: Any) -> None:
        results["episodes"] = [e for e in results["episodes"] if e["seed"] == 0]

    _, (section,) = sections(trained(), altered(judged(), tmp_path / "one", results=first_seed))
    assert {result.seed for result in section.comparison.results} == {0}
    assert section.comparison.num_episodes("policy") == 2
    assert [note.split(";")[0] for note in section.notes] == [
        f"{name}: only the 1 seeds that all have are compared" for name in ("morning", "evening")
    ]


def test_one_seed_has_no_column_of_intervals(tmp_path: Path) -> None:
    def first_seed(results: Any) -> None:
        results["episodes"] = [e for e in results["episodes"] if e["seed"] == 0]

    _, (section,) = sections(altered(judged(), tmp_path / "one", results=first_seed))
    table = table_text(section.comparison)
    assert "difference [s]" in table.columns
    assert not any("interval" in column for column in table.columns)
    assert {len(row.cells) for row in table.rows} == {len(table.columns)}
    (note,) = (note for note in table.notes if note.startswith("Difference"))
    assert note.endswith(
        "One test seed of a scenario tells nothing of chance: there are no intervals."
    )
    assert "interval" not in draw_delays(section).help


def test_the_baseline_is_chosen_or_refused() -> None:
    _, (section,) = sections(judged(), trained(), baseline="random")
    assert section.comparison.baseline == "random"
    with pytest.raises(ConfigError, match=r"--baseline: unknown 'fixt' \(did you mean 'fixed'\?\)"):
        sections(judged(), baseline="fixt")


def test_runs_on_other_scenarios_are_set_apart_aloud(tmp_path: Path) -> None:
    def rename(values: Any) -> None:
        values["scenarios"] = {
            f"other_{name}": demand for name, demand in values["scenarios"].items()
        }

    def rename_results(values: Any) -> None:
        for episode in values["episodes"]:
            episode["scenario"] = f"other_{episode['scenario']}"

    other = altered(judged(), tmp_path / "other", config=rename, results=rename_results)
    runs, found = sections(judged(), other)
    assert [section.scenarios[0] for section in found] == ["morning", "other_morning"]
    assert separation(runs, found) == ["runs that met different episodes are in different tables"]


def test_a_controller_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    def alone(results: Any) -> None:
        results["episodes"] = [e for e in results["episodes"] if e["controller"] == "fixed"]

    _, (section,) = sections(altered(judged(), tmp_path / "alone", results=alone))
    table = table_text(section.comparison)
    assert [row.name for row in table.rows] == ["fixed"]
    assert not [column for column in table.columns if "interval" in column]
    assert not [note for note in table.notes if "baseline" in note or "Difference" in note]


def test_what_diverged_or_ranks_nothing_is_marked(tmp_path: Path) -> None:
    def jam(results: Any) -> None:
        for episode in results["episodes"]:
            if episode["controller"] == "random":
                episode["metrics"] |= {"arrived": 1, "travel_time_s": 1.0, "waiting_time_s": 0.9}

    _, (section,) = sections(altered(judged(), tmp_path / "jam", results=jam))
    table = table_text(section.comparison)
    (row,) = (row for row in table.rows if row.name == "random")
    assert row.diverged
    assert row.cells[table.columns.index("diverged")] == "4 of 4"
    assert "travel time [s]*" in table.columns
    assert any(note.startswith("* ranks nothing here") for note in table.notes)
    delays = [section.comparison.mean(row.name, "delay_s") for row in table.rows]
    assert delays == sorted(delays), "sorted by delay, not by travel time"


def test_what_is_in_no_column_of_the_first_table_has_a_second() -> None:
    _, (section,) = sections(judged())
    comparison = section.comparison
    table = more_text(comparison)
    for title, metric in (
        ("depart delay [s]", "depart_delay_s"),
        ("throughput [veh/h]", "throughput_vph"),
        ("fuel [g/veh]", "fuel_g"),
        ("collisions", "collisions"),
    ):
        (column,) = (i for i, one in enumerate(table.columns) if one.rstrip("*") == title)
        for row in table.rows:
            assert row.cells[column] == number(comparison.mean(row.name, metric))


def test_each_type_of_vehicle_has_its_row(tmp_path: Path) -> None:
    _, (section,) = sections(judged())
    table = types_text(section)
    assert table is not None
    names = [row.name for row in table.rows]
    assert names[: len(names) // 2] == [
        f"{name}, passenger" for name in section.comparison.by_delay
    ]
    assert {name.rpartition(", ")[2] for name in names} == {"passenger", "public"}
    total = sum(
        result.metrics.scheduled
        for result in section.comparison.results
        if result.controller == "fixed"
    )
    rows = [row for row in table.rows if row.name.startswith("fixed, ")]
    assert sum(int(row.cells[-1].split(" of ")[1]) for row in rows) == total
    delay_s = sum(float(row.cells[0]) * int(row.cells[-1].split(" of ")[1]) for row in rows) / total
    lost_s = sum(
        result.metrics.delay_s * result.metrics.scheduled
        for result in section.comparison.results
        if result.controller == "fixed"
    )
    assert delay_s == pytest.approx(lost_s / total, abs=0.06)

    def only_cars(results: Any) -> None:
        for of_controller in results["slices"].values():
            for name, parts in of_controller.items():
                of_controller[name] = [one for one in parts if one["vehicle_type"] != "public"]

    _, (cars,) = sections(altered(judged(), tmp_path / "cars", results=only_cars))
    assert types_text(cars) is None


def test_the_database_knows_who_else_met_the_episodes(tmp_path: Path) -> None:
    trained()
    runs = read_runs([judged()])
    others, notes = find_others(runs, EvaluationDatabase(database()))
    assert notes == []
    (section,) = build_sections(runs, others=others)
    _, (both,) = sections(judged(), trained())
    for metric in ("delay_s", "queue_veh", "arrived"):
        mean = both.comparison.mean("policy", metric)
        assert section.comparison.mean("policy", metric) == mean
    from_run, from_database = both.judged["policy"], section.judged["policy"]
    assert from_database.slices == from_run.slices
    for scenario, queues in from_run.queues.items():
        assert dict(from_database.queues[scenario]) == pytest.approx(queues, abs=1e-4)
        kept, read = from_database.slice_queues[scenario], from_run.slice_queues[scenario]
        assert (kept.slice_s, kept.edge_queue_veh.keys()) == (30.0, read.edge_queue_veh.keys())
        for edge, row in read.edge_queue_veh.items():
            assert kept.edge_queue_veh[edge] == pytest.approx(row, abs=1e-3)
    assert find_others(read_runs([judged(), trained()]), EvaluationDatabase(database()))[0] == []
    others, notes = find_others(runs, EvaluationDatabase(tmp_path))
    assert (others, notes) == ([], [f"{tmp_path} does not hold all episodes of judged"])


def test_a_controller_that_was_mended_since_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    """Fixed time gives the same before and after: it cannot tell which code another one had."""
    judged()
    whole, mixed = EvaluationDatabase(database()), EvaluationDatabase(tmp_path)
    (run,) = read_runs([trained()])
    for one in whole.episodes():
        slices, queues = whole.slices([one])[one.id], whole.queues([one])[one.id]
        identity = one.identity
        if identity.controller in ("fixed", "max_pressure"):
            old = replace(identity, setting="old", configuration=f"old{identity.configuration}")
            more_s = 50.0 * (identity.controller == "max_pressure")
            metrics = replace(one.metrics, delay_s=one.metrics.delay_s + more_s)
            mixed.record(old, Outcome(metrics, slices, 0.0, *queues))
        mixed.record(identity, Outcome(one.metrics, slices, 0.0, *queues))
    expected, _ = find_others([run], whole)
    found, notes = find_others([run], mixed)
    assert notes == []
    assert {one.label for one in found} == {"max_pressure", "random"}
    delays_s, expected_s = (
        {(one.label, r.scenario, r.seed): r.metrics.delay_s for one in judged_ for r in one.results}
        for judged_ in (found, expected)
    )
    assert delays_s == expected_s


def test_a_controller_that_gives_the_same_as_another_is_not_hidden(tmp_path: Path) -> None:
    """As equal greens do where the plan of the network has equal greens."""
    judged()
    whole, both = EvaluationDatabase(database()), EvaluationDatabase(tmp_path)
    runs = read_runs([judged()])
    (build,) = {run.build for run in runs}
    reported = {result.configuration for result in runs[0].results}
    for one in whole.episodes(build):
        identity = one.identity
        if identity.configuration not in reported:
            continue
        slices, queues = whole.slices([one])[one.id], whole.queues([one])[one.id]
        found = Outcome(one.metrics, slices, 0.0, *queues)
        both.record(identity, found)
        if identity.controller == "fixed":
            twin = replace(
                identity, controller="equal", kind="uniform", configuration=f"e{identity.setting}"
            )
            both.record(twin, found)
    others, notes = find_others(runs, both)
    assert notes == []
    (section,) = build_sections(runs, others=others)
    assert set(section.labels) == {"fixed", "max_pressure", "random", "equal"}
    assert section.comparison.difference("equal", "delay_s").mean == 0.0


def test_a_run_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere is no run folder"):
        read_runs([tmp_path / "nowhere"])
    with pytest.raises(RunError, match="the same run twice"):
        read_runs([judged(), judged()])


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("resolved_config.yaml", "[1, 2]", "is damaged: not a mapping"),
        ("evaluation/results.json", '{"episodes": [', "is damaged"),
        ("evaluation/results.json", "[" * 100_000, "is damaged"),
        ("evaluation/results.json", '{"episodes": [{}]}', "has no reward"),
        (
            "evaluation/queues.json",
            '{"edge_queue_veh": {"fixed": {"morning": {"e": "x"}}}}',
            "e is",
        ),
        ("evaluation/queues.json", '{"edge_queue_veh": {"a": {"b": {"e": NaN}}}}', "finite number"),
        (
            "evaluation/queues.json",
            '{"slice_s": 30, "slice_queue_veh": {"a": {"b": {"e": [1, NaN]}}}}',
            "e is damaged: not a list of finite numbers",
        ),
        (
            "evaluation/queues.json",
            '{"slice_s": 30, "slice_queue_veh": {"a": {"b": {"e": [1], "f": [1, 2]}}}}',
            "its slices do not have one length",
        ),
        ("metrics.csv", "timesteps,x\n1,\n2", "is damaged"),
        ("run.json", '{"step_ms": 3}', "not a mapping"),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(
    file: str, content: str, said: str, tmp_path: Path
) -> None:
    run = altered(judged(), tmp_path / "run")
    (run / file).write_text(content)
    with pytest.raises(RunError) as error:
        read_runs([run])
    assert str(run / file) in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_reading_a_run_runs_nothing_from_it(tmp_path: Path) -> None:
    run, made = altered(judged(), tmp_path / "run"), tmp_path / "made"
    (run / "resolved_config.yaml").write_text(f"seed: !!python/object/apply:os.mkdir [{made}]")
    with pytest.raises(RunError, match=r"resolved_config\.yaml is damaged: .*python/object"):
        read_runs([run])
    assert not made.exists()
