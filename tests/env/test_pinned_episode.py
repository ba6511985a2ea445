"""What two episodes were, to the last bit: work on speed has to leave them as they are.

Where a change is meant to alter what is observed or paid, the digests are to be written anew, and
the commit says so.
"""

from hashlib import sha256
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases
from env_cases import environment
from gymnasium import spaces
from numpy.typing import NDArray

from trafficrl.config.algorithm import ActionConfig
from trafficrl.config.reward import REWARD_TERMS

SUMO = "1.28."
DENSE = {"dense": cases.scenario_config(num_vehicles=500)}


def action(space: spaces.Space[NDArray[Any]], rng: np.random.Generator) -> NDArray[Any]:
    """Any of the space, by a generator that stays the same with every version of Gymnasium."""
    if isinstance(space, spaces.MultiDiscrete):
        return rng.integers(space.nvec)
    return rng.uniform(-2, 2, space.shape or ())


@pytest.mark.skipif(
    not version("eclipse-sumo").startswith(SUMO), reason=f"the digests are those of SUMO {SUMO}x"
)
@pytest.mark.parametrize(
    ("kind", "pinned"),
    [
        (cases.NEXT_PHASE, "dfad9a5c76f83930bafbbc3050557050f270a9bed199a5798d8745e3bbfee781"),
        (cases.DURATIONS, "e5649219778d950b410a941e76a1cc06ba080bd1b252788e023dc8b89ce0e57f"),
    ],
)
def test_an_episode_is_what_it_was(kind: ActionConfig, pinned: str) -> None:
    """As float32, as a learner gets it: in what order sums are taken does not show in that."""
    rng, digest, paid = np.random.default_rng(5), sha256(), []
    with environment(scenarios=DENSE, end_s=120.0, action=kind) as env:
        observation, _ = env.reset(seed=3)
        over = False
        while not over:
            digest.update(observation.tobytes())
            observation, _, terminated, truncated, info = env.step(action(env.action_space, rng))
            over = terminated or truncated
            paid.append([info["reward_terms"][name] for name in REWARD_TERMS])
        digest.update(observation.tobytes())
    digest.update(np.array(paid, np.float32).tobytes())
    assert len(paid) == round(120 / kind.decision_s)
    assert np.all(np.array(paid)[-1] > 0), "a term that is 0 throughout would not be pinned"
    assert digest.hexdigest() == pinned
