"""Reward terms and features of the user's own: what they are given, and what goes wrong in them."""

import pickle
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases
from extension_cases import SOURCE, extension_file

from trafficrl.config.extensions import check_names, own_names
from trafficrl.config.observation import ObservationConfig
from trafficrl.config.reward import LocalRewardConfig, RewardConfig, TermConfig
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.env.encoding import build_encoder
from trafficrl.env.extensions import Extension, read_extensions
from trafficrl.env.rewards import build_reward
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError

OWN = Extension("my_terms.py", SOURCE)
SEEN = ObservationConfig(
    edge_features=["normalized_density", "loaded_share"],
    phase_features=["phase_queue", "half_queue"],
    signal_features=["is_old", "phase_age"],
    network_features=["arrived_share"],
)
PAID = RewardConfig(
    terms={"longest_queue_veh": TermConfig(weight=-2.0), "backlog_veh": TermConfig(weight=-1.0)}
)
OF_SIGNALS = SignalObservationConfig(
    phase_features=["phase_queue", "place"],
    signal_features=["arrivals"],
    value_features=["arrived_here"],
)


def own_task(source: str = SOURCE, **changes: Any) -> TrafficSignalEnv:
    whole = cases.task(observation=SEEN, reward=PAID, extensions=(Extension("my.py", source),))
    # As it comes to a worker process.
    return TrafficSignalEnv(pickle.loads(pickle.dumps(replace(whole, **changes))), seed=1)  # noqa: S301


def test_features_and_terms_of_ones_own_stand_beside_the_others() -> None:
    env = own_task()
    encoder = build_encoder(
        SEEN, cases.NEXT_PHASE, cases.city(), end_s=60, step_s=1, extensions=(OWN,)
    )
    env.reset()
    for _ in range(3):
        seen, reward, _, _, info = env.step(np.zeros(9, np.int64))
    env.close()
    row = dict(zip(encoder.names, seen.tolist(), strict=True))
    edges = [edge.id for edge in cases.city().edges]
    density = [row[f"normalized_density:{edge}"] for edge in edges]
    assert max(density) > 0
    assert [row[f"loaded_share:{edge}"] for edge in edges] == density
    queues = {name: value for name, value in row.items() if name.startswith("phase_queue")}
    assert max(queues.values()) > 0
    for name, value in queues.items():
        assert row[name.replace("phase_queue", "half_queue")] == pytest.approx(value / 2)
    ages = {name: value for name, value in row.items() if name.startswith("phase_age")}
    olds = [row[name.replace("phase_age", "is_old")] for name in ages]
    assert olds == [value * 120 > 15 for value in ages.values()]
    terms = info["reward_terms"]
    assert terms["longest_queue_veh"] > 0
    assert reward == pytest.approx(-2 * terms["longest_queue_veh"] - terms["backlog_veh"])


def test_each_signal_can_be_paid_and_seen_by_ones_own() -> None:
    reward = LocalRewardConfig(terms={"arrivals_veh": TermConfig(weight=3.0)})
    env = own_task(observation=OF_SIGNALS, reward=reward, end_s=180.0)
    env.reset()
    arrived = 0.0
    for number in range(18):
        rows, _, _, _, info = env.step(np.full(9, number % 3))
        paid = info["signal_rewards"]
        assert paid.tolist() == [3 * info["reward_terms"]["arrivals_veh"]] * 9
        np.testing.assert_allclose(rows[:, -2], paid / 3, rtol=1e-6)
        np.testing.assert_allclose(rows[:, -1], min(paid.sum() / 3, 10.0), rtol=1e-6)
        arrived += float(paid.sum()) / 3
    env.close()
    assert arrived > 0
    # Phases stand one behind the other: may be chosen, exists, then queue and place of each.
    assert rows[0, 16:22].reshape(3, 2)[:, 1].tolist() == pytest.approx([0.0, 0.1, 0.2])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("1 / 0", r"my\.py:9: longest_queue_veh failed: ZeroDivisionError: division by zero"),
        ("state.mean.queue_veh", r"my\.py: longest_queue_veh has to answer one number, got the sh"),
        ("float('nan')", r"longest_queue_veh has to answer finite numbers, got nan"),
        ("'many'", r"longest_queue_veh answers no numbers, but 'many'"),
    ],
)
def test_a_mistake_in_it_is_told_in_one_line(wrong: str, message: str) -> None:
    wrong_source = SOURCE.replace("(state.mean.queue_veh * groups.controlled).max()", wrong)
    with closing(own_task(wrong_source)) as env:
        env.reset()
        with pytest.raises(ConfigError, match=message) as told:
            env.step(np.zeros(9, np.int64))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return traffic.edges[0] /", "return traffic.edges[:, 0] /", r"loaded_share failed"),
        ("traffic.waiting(1) / (2", "traffic.waiting(1)[1:] + (0", r"half_queue failed: Value"),
        ("traffic.state.phase_age_s > 15", "[1]", r"is_old has to answer 9 numbers, got the sh"),
        ("import numpy as np", "import no_such_thing", r"my\.py:4: it failed: ModuleNotFoundError"),
        ('": loaded_share', '": 3', r"EDGE_FEATURES\['loaded_share'\] is no function"),
    ],
)
def test_a_feature_that_cannot_be_is_told_by_its_name(old: str, new: str, message: str) -> None:
    assert old in SOURCE
    with (
        pytest.raises(ConfigError, match=message),
        closing(own_task(SOURCE.replace(old, new))) as env,
    ):
        env.reset()


def test_what_no_file_has_is_refused_with_the_way_to_mend_it() -> None:
    with pytest.raises(ConfigError, match=r"terms: unknown 'longest_queue_veh'.*extensions=\[FILE"):
        build_reward(PAID, cases.city())
    with pytest.raises(ConfigError, match=r"edge_features: unknown 'loaded_share'.*EDGE_FEATURES"):
        build_encoder(SEEN, cases.NEXT_PHASE, cases.city(), end_s=60, step_s=1)
    with pytest.raises(ConfigError, match=r"phase_features: unknown 'place'.*LOCAL_PHASE_FEATURES"):
        build_encoder(OF_SIGNALS, cases.NEXT_PHASE, cases.city(), end_s=60, step_s=1)


def test_names_are_read_without_running_the_file(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    file = str(
        extension_file(tmp_path, f"__import__('pathlib').Path({str(ran)!r}).touch()\n{SOURCE}")
    )
    assert own_names([file])["EDGE_FEATURES"] == ["loaded_share"]
    check_names(PAID, SEEN, {}, [file])
    read_extensions([file])
    assert not ran.exists()
    env = own_task(Path(file).read_text())
    assert ran.exists()
    env.close()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1", r"my_terms\.py has none of the tables REWARD_TERMS, LOCAL_TERMS, EDGE_FEATURES"),
        ("def f(:", r"my_terms\.py:1: invalid syntax"),
        ("REWARD_TERMS = {'speed_kmh': 1}", r"REWARD_TERMS names 'speed_kmh', which is there alr"),
        ("\n\nREWARD_TERMS = dict(a=1)", r"my_terms\.py:3: REWARD_TERMS must be written as"),
        ("REWARD_TERMS = {'a b': 1}", r"REWARD_TERMS must be written as"),
        ("REWARD_TERMS = {**others}", r"REWARD_TERMS must be written as"),
        ("# \x00", r"my_terms\.py"),
    ],
)
def test_a_file_that_cannot_be_is_refused(source: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as told:
        own_names([str(extension_file(tmp_path, source))])
    assert "\n" not in str(told.value)


def test_a_name_of_two_files_is_refused(tmp_path: Path) -> None:
    file = str(extension_file(tmp_path))
    with pytest.raises(ConfigError, match="names 'longest_queue_veh', which is there already"):
        own_names([file, file])
