"""Episodes of a demand that begins at another time than 0 and goes on after the episode."""

from pathlib import Path

import numpy as np
import pytest
import traffic_cases as cases

from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.env.traffic_env import TrafficSignalEnv

BEGIN_S = 25200.0


@pytest.fixture
def demand(tmp_path: Path) -> RouteFileScenarioConfig:
    """One vehicle every 5 s, from a minute before the episode to long after its end."""
    start, *_, end = (street.tail for street in cases.city().streets)
    trips = "".join(
        f'<trip id="{i}" depart="{BEGIN_S - 60 + 5 * i}" from="{start}" to="{end}"/>'
        for i in range(100)
    )
    file = tmp_path / "morning.rou.xml"
    file.write_text(f"<routes>{trips}</routes>", encoding="utf-8")
    return RouteFileScenarioConfig(file=str(file), begin_s=BEGIN_S)


def test_an_episode_has_its_length_wherever_it_begins(
    demand: RouteFileScenarioConfig, tmp_path: Path
) -> None:
    task = cases.task(scenarios={"morning": demand}, end_s=60.0)
    env = TrafficSignalEnv(task, seed=1, folder=tmp_path)
    keep = np.zeros(len(task.network.signals), dtype=np.int64)
    time = env._encoder.names.index("time_normalized:network")
    try:
        for _ in range(2):
            observation, _ = env.reset()
            seen = [float(observation[time])]
            truncated = False
            while not truncated:
                observation, _, terminated, truncated, info = env.step(keep)
                seen.append(float(observation[time]))
                assert not terminated
            assert seen == pytest.approx([i / 6 for i in range(7)])
            # 12 are due in 60 s; SUMO counts one that is due in its last step a step later.
            traffic = info["traffic"]
            assert traffic["running_veh"] + traffic["backlog_veh"] <= 12
            assert Path(demand.file[0]).is_file()
    finally:
        env.close()
