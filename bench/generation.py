"""(f) Network and demand: built for the first time, and found built."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.cases import CASES, Case, experiment
from bench.compare import Plan, Row, costs, take_turns
from bench.cost import Cost, Meter, in_child
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.demand.build import build_scenario
from trafficrl.network.build import build_network

__all__ = ["measure"]


def measure(plan: Plan) -> Iterator[Row]:
    """Three rows a case; demand has no cache, being drawn anew for each episode."""
    for name, case in CASES.items():
        if plan.quick and name != "grid3":
            continue
        found = in_child(generate, case, plan.repeats)
        for what, runs in found.items():
            yield Row(
                "f",
                case.name,
                what,
                median(cost.wall_s for cost in runs),
                unit="s",
                note=f"processor {median(cost.cpu_s for cost in runs):.3f} s",
                raw=costs({what: runs}),
            )


def generate(case: Case, repeats: int) -> dict[str, list[Cost]]:
    """Network cold and cached, and demand, in turn; to be run in a child."""
    config = experiment(*case.overrides)
    traffic = config.scenarios[case.scenario]
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name) / "cache"
        network = build_network(config.network, cache)

        def cold() -> Cost:
            with tempfile.TemporaryDirectory() as empty:
                meter = Meter()
                build_network(config.network, Path(empty))
                return meter.read()

        def cached() -> Cost:
            meter = Meter()
            build_network(config.network, cache)
            return meter.read()

        def demand() -> Cost:
            meter = Meter()
            build_scenario(
                case.scenario, traffic, network, seeds=None, end_s=case.whole_s, folder=Path(name)
            )
            return meter.read()

        subjects = {"network, cold": cold, "network, cached": cached}
        if isinstance(traffic, GeneratedScenarioConfig):
            subjects["demand"] = demand
        return take_turns(subjects, repeats)
