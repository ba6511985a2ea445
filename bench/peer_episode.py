"""One episode under the fixed plan by sumo-rl, in a process of its own.

sumo-rl takes libsumo for traci when LIBSUMO_AS_TRACI is set before it is imported.
"""

import json
import sys
from dataclasses import asdict
from typing import Any

from sumo_rl import SumoEnvironment

from bench.cost import Meter

__all__ = ["main"]


def main(values: dict[str, Any]) -> None:
    """Print what the episode cost and what came of it.

    Args:
        values: `net`, `routes`, `options` (more of SUMO's), `seed`, `teleport_s`, `decision_s`,
            `decisions`.
    """
    env = SumoEnvironment(
        net_file=values["net"],
        route_file=values["routes"],
        fixed_ts=True,
        delta_time=values["decision_s"],
        yellow_time=0,  # of no effect here, but it has to be less than delta_time
        num_seconds=values["decision_s"] * values["decisions"],
        time_to_teleport=values["teleport_s"],
        sumo_seed=values["seed"],
        sumo_warnings=False,
        additional_sumo_cmd=" ".join(values["options"]),
    )
    meter = Meter()
    env.reset()
    for _ in range(values["decisions"]):
        env.step({})
    names = ("vehicles.inserted", "vehicles.running", "vehicles.waiting", "teleports.total")
    counts = [int(float(env.sumo.simulation.getParameter("", f"stats.{name}"))) for name in names]
    env.close()
    print(json.dumps({"cost": asdict(meter.read()), "counts": counts}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
