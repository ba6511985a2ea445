"""Demonstrations come back as they were, and nothing else passes for them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trafficrl.env.demonstrations import Demonstrations, load_demonstrations, save_demonstrations
from trafficrl.errors import ConfigError
from trafficrl.runs.seeding import Split, demand_seed


def some(**changes: Any) -> Demonstrations:
    episode = {"scenario": "light", "demand_seed": None, "sumo_seed": 5, "decisions": 3}
    values: dict[str, Any] = {
        "observations": np.arange(6, dtype=np.float32).reshape(3, 2),
        "actions": np.array([[0], [1], [0]]),
        "rewards": np.array([-1.0, -2.0, -0.5]),
        "exact": np.ones((3, 1), dtype=bool),
        "episodes": np.zeros(3, dtype=np.int64),
        "masks": np.zeros((3, 0), dtype=bool),
        "facts": {"teacher": "fixed", "episodes": [episode]},
    }
    return Demonstrations(**(values | changes))


class Boom:
    """Whoever unpickles it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_they_come_back_with_where_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / "one.npz"
    save_demonstrations(file, some())
    found = load_demonstrations(file)
    assert found.facts == some().facts
    for name in ("observations", "actions", "rewards", "exact", "episodes", "masks"):
        assert np.array_equal(getattr(found, name), getattr(some(), name))
        assert getattr(found, name).dtype == getattr(some(), name).dtype
    assert "sumo_seed: 5" in (tmp_path / "one.yaml").read_text()


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    file, boom = tmp_path / "one.npz", tmp_path / "boom"
    arrays = {name: getattr(some(), name) for name in ("actions", "rewards", "exact", "masks")}
    evil = np.array([Boom(boom)], dtype=object)
    facts = np.array(json.dumps({"format": 1, **some().facts}))
    np.savez(file, facts=facts, observations=evil, episodes=some().episodes, **arrays)
    with pytest.raises(ConfigError, match="no whole demonstrations"):
        load_demonstrations(file)
    assert not boom.exists()
    np.load(file, allow_pickle=True)["observations"]
    assert boom.exists()  # so it would have been run


@pytest.mark.parametrize("split", [Split.validation, Split.test])
@pytest.mark.parametrize("key", ["sumo_seed", "demand_seed"])
def test_demand_that_policies_are_judged_on_is_refused(
    split: Split, key: str, tmp_path: Path
) -> None:
    facts = json.loads(json.dumps(some().facts))
    facts["episodes"][0][key] = demand_seed(split, 3)
    save_demonstrations(tmp_path / "one.npz", some(facts=facts))
    with pytest.raises(ConfigError, match=r"one\.npz: seed \d+ is no training seed"):
        load_demonstrations(tmp_path / "one.npz")


def test_what_is_damaged_or_missing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "one.npz"
    with pytest.raises(ConfigError, match=r"cloning\.demonstrations: .*cannot be read"):
        load_demonstrations(file)
    save_demonstrations(file, some())
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(ConfigError, match="no whole demonstrations"):
        load_demonstrations(file)
    with pytest.raises(ValueError, match="not finite"):
        some(rewards=np.array([0.0, np.nan, 0.0]))
    with pytest.raises(ValueError, match="arrays of"):
        some(rewards=np.zeros(2))
