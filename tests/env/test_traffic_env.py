"""The environment with real SUMO: the contracts of its two users, and what an episode promises."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import libsumo
import numpy as np
import pytest
import traffic_cases as cases
from env_cases import environment, episode
from gymnasium.utils.env_checker import check_env as check_gymnasium
from stable_baselines3.common.env_checker import check_env as check_stable_baselines

from trafficrl.config.algorithm import ActionConfig
from trafficrl.config.execution import Backend
from trafficrl.config.reward import REWARD_TERMS
from trafficrl.config.scenarios import DemandMode
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import SimulationError

KINDS = pytest.mark.parametrize(
    "action", [cases.NEXT_PHASE, cases.DURATIONS], ids=["next_phase", "phase_durations"]
)


@KINDS
def test_gymnasium_finds_nothing_to_say(action: ActionConfig) -> None:
    with environment(action=action, end_s=180.0) as env, warnings.catch_warnings():
        # It would have us registered with gymnasium.make, for a test of rendering; and softmax
        # needs numbers wider than -1..1.
        warnings.filterwarnings("ignore", message=".*not having a spec.*")
        warnings.filterwarnings("ignore", message=".*symmetric and normalized space.*")
        check_gymnasium(env, skip_render_check=True)


@KINDS
def test_stable_baselines_finds_nothing_to_say(action: ActionConfig) -> None:
    with environment(action=action) as env, warnings.catch_warnings():
        # Softmax needs numbers wider than -1..1.
        warnings.filterwarnings("ignore", message=".*symmetric and normalized Box action space.*")
        check_stable_baselines(env)


@KINDS
def test_the_same_seed_is_the_same_episode(action: ActionConfig) -> None:
    with environment(action=action) as env:
        first = [episode(env), episode(env)]
    with environment(action=action) as env:
        again = [episode(env), episode(env)]
    assert first == again
    assert first[0] != first[1]


def test_another_process_sees_the_same_episode(tmp_path: Path) -> None:
    code = (
        "import json, sys; sys.path[:0] = sys.argv[1:3];"
        "from env_cases import environment, episode;"
        "\nwith environment() as env: json.dump(episode(env), open(sys.argv[3], 'w'))"
    )
    here = Path(__file__).parent
    file = tmp_path / "trace.json"
    done = subprocess.run(
        [sys.executable, "-c", code, str(here), str(here.parent), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with environment() as env:
        ours = episode(env)
    assert file.read_text() == json.dumps(ours)


def test_a_seed_given_to_reset_begins_the_sequence_anew() -> None:
    with environment(seed=1) as env:
        first = [episode(env, seed=5), episode(env)]
        assert [episode(env, seed=5), episode(env)] == first
        assert episode(env, seed=6) != first[0]
    with environment(seed=5) as env:
        assert [episode(env), episode(env)] == first


def departures(env: TrafficSignalEnv) -> str:
    """The text of the demand that now drives."""
    assert env._running is not None
    return env._running.scenario.route_files[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(("demand", "different"), [(DemandMode.fresh, 4), (DemandMode.fixed, 1)])
def test_fresh_demand_changes_and_fixed_demand_does_not(demand: DemandMode, different: int) -> None:
    scenarios = {"only": cases.scenario_config(demand=demand)}
    with environment(scenarios=scenarios) as env:
        texts, observations = set(), set()
        for _ in range(4):
            env.reset()
            texts.add(departures(env))
            observation = env.step(np.zeros(9, dtype=np.int64))[0]
            observations.add(observation.tobytes())
    assert len(texts) == different
    assert len(observations) > 1  # drivers differ in any case


def test_slots_drive_different_scenarios_with_different_demand() -> None:
    seen = []
    for slot in range(2):
        with environment(slot=slot, slots=2) as env:
            seen.append((env.reset()[1]["scenario"], departures(env)))
    assert [name for name, _ in seen] == ["few", "many"]


def test_info_has_every_term_and_at_the_end_the_totals() -> None:
    with environment() as env:
        env.reset()
        for decision in range(6):
            _, reward, terminated, truncated, info = env.step(np.zeros(9, dtype=np.int64))
            assert tuple(info["reward_terms"]) == REWARD_TERMS
            assert reward == pytest.approx(-sum(info["reward_terms"].values()))
            assert (terminated, truncated) == (False, decision == 5)
            assert ("traffic" in info) is truncated
    assert set(info["traffic"]) == {
        "arrived_share",
        "running_veh",
        "backlog_veh",
        "teleports",
        "emergency_brakings",
    }
    arrived = info["traffic"]["arrived_share"] * 20
    assert arrived + info["traffic"]["running_veh"] + info["traffic"]["backlog_veh"] == 20


def test_an_episode_ends_when_everybody_has_arrived() -> None:
    scenarios = {"few": cases.scenario_config(num_vehicles=3)}
    with environment(scenarios=scenarios, end_s=2000.0) as env:
        env.reset()
        over = False
        decisions = 0
        while not over:
            action = np.full(9, decisions // 3 % 3)
            _, _, terminated, truncated, info = env.step(action)
            decisions += 1
            over = terminated or truncated
        assert (terminated, truncated) == (True, False)
        assert info["traffic"]["arrived_share"] == 1.0
        assert 100 <= decisions < 200  # the last one departs at 1000 s


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_demand_files_do_not_pile_up(tmp_path: Path) -> None:
    with environment(folder=tmp_path) as env:
        for _ in range(5):
            env.reset()
            env.step(np.zeros(9, dtype=np.int64))
            assert len(files(tmp_path)) == 1
    assert list(tmp_path.iterdir()) == []
    assert not libsumo.isLoaded()


def test_closing_twice_and_before_the_first_reset_does_nothing(tmp_path: Path) -> None:
    env = TrafficSignalEnv(cases.task(), seed=1, folder=tmp_path)
    env.close()
    env.close()
    assert list(tmp_path.iterdir()) == []


def test_an_environment_whose_sumo_died_says_so_and_goes_on(tmp_path: Path) -> None:
    action = np.zeros(9, dtype=np.int64)
    with environment(folder=tmp_path, backend=Backend.traci) as env:
        env.reset()
        env.step(action)
        cases.kill_sumo()
        with pytest.raises(SimulationError, match="SUMO died at 10 s in scenario 'few'"):
            env.step(action)
        env.reset()
        assert env.step(action)[4]["scenario"] == "many"
        cases.kill_sumo()
        with pytest.raises(SimulationError):
            env.step(action)
    assert list(tmp_path.iterdir()) == []


def test_step_comes_after_reset() -> None:
    with environment() as env, pytest.raises(SimulationError, match="reset"):
        env.step(np.zeros(9, dtype=np.int64))
