"""What each type of vehicle met under each controller, as a table: a bus is not a car."""

from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.report.sections import Section
from trafficrl.evaluation.report.table import Row, TableText
from trafficrl.evaluation.slices import ALL, SliceMetrics, pool_slices
from trafficrl.evaluation.tables import number

__all__ = ["types_text"]

SHOWN = ("delay_s", "waiting_time_s", "depart_delay_s", "travel_time_s", "stops_per_veh", "co2_g")


def types_text(section: Section) -> TableText | None:
    """A row for each controller and type, over all of the section's scenarios; None where all
    vehicles are of one type, or where not all were judged on the same seeds: the types of single
    episodes are not kept.

    Means are over all vehicles of the type, as many as there are in an episode.
    """
    if not section.every_seed:
        return None
    found = {label: _by_type(section, label) for label in section.comparison.by_delay}
    types = list(dict.fromkeys(name for by_type in found.values() for name in by_type))
    if len(types) < 2:
        return None
    shown = [
        (label, by_type[name])
        for name in types
        for label, by_type in found.items()
        if name in by_type  # a run may have kept none of it
    ]
    measured = [
        metric for metric in SHOWN if all(getattr(one, metric) is not None for _, one in shown)
    ]
    rows = tuple(
        Row(
            f"{label}, {one.vehicle_type}",
            (
                *(number(getattr(one, metric)) for metric in measured),
                f"{one.arrived / max(one.scheduled, 1):.1%} of {one.scheduled}",
            ),
            baseline=label == section.comparison.baseline,
        )
        for label, one in shown
    )
    marked = section.comparison.completion_differs
    headings = (
        f"{METRICS[name].title} [{METRICS[name].unit}]"
        + "*" * (METRICS[name].needs_completion and marked)
        for name in measured
    )
    return TableText((*headings, "arrived [veh]"), rows, ())


def _by_type(section: Section, label: str) -> dict[str, SliceMetrics]:
    """Type -> all of its vehicles in the section's scenarios."""
    slices = section.judged[label].slices
    parts = [
        one
        for scenario in section.scenarios
        for one in slices.get(scenario, ())
        if one.slice_begin_s is None and one.vehicle_type != ALL
    ]
    return {one.vehicle_type: one for one in pool_slices(parts)}
