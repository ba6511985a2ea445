"""Every example as its reader runs it: a script, in a folder of its own, here with small sizes.

The notebook and `custom_observation.py` are also run in `test_api.py`, within a minute.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from run_cases import SCENARIOS, TRAINING
from traffic_cases import scratch

import trafficrl as tr

EXAMPLES = Path(tr.__file__).parents[1] / "examples"
QUICK = (
    *TRAINING,
    "execution.end_time=120",
    "evaluation.seeds=2",
    "evaluation.workers=1",
)
WORDS = {
    "own_network": QUICK,  # its demand is given
    "chain": QUICK,  # it chooses the scenarios itself
    "train_td3": (
        *QUICK,
        *SCENARIOS,
        "algorithm.n_steps=8",
        "algorithm.learning_starts=16",
        "execution.end_time=180",
    ),
}
SAYS = {
    "train_ppo": r"9 signals, 24 streets.*\n +0 +\d+\.\d\n +32 +\d+\.\d\n +64 +\d+\.\d\npolicy ",
    "train_td3": r"sees Box.*and decides Box.*policy .* than fixed|told apart.*s of delay",
    "custom_reward": r"queue of the worst lane in training: \d+\.\d veh at first, \d+\.\d at last",
    "custom_observation": r"138 numbers, the last of which is served_share: 0\.00",
    "own_network": r"signal A0: 2 phases\nsignal B0: 2 phases\nsignal C0: 2 phases",
    "sweep": r"of each seed\n +[13]e-3  +\d+\.\d  \d+\.\d, \d+\.\d\n +[13]e-3 ",
    "chain": r"light: 64 steps so far.*rush_hour: 128 steps so far.*s of delay on all scenarios",
    "teacher": r"delay of the copy \d+\.\d s, after learning \d+\.\d s",
}
"""Example -> what it prints of its own, however it ends."""


@cache
def printed(name: str) -> str:
    """What the script printed; one place for all, so that they find each other's episodes."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *WORDS.get(name, (*QUICK, *SCENARIOS))],
        cwd=scratch(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_and_says_what_came_of_it(name: str) -> None:
    assert re.search(SAYS[name], printed(name), re.DOTALL), printed(name)


def test_every_example_is_run_and_has_a_paragraph() -> None:
    scripts = {file.stem for file in EXAMPLES.glob("*.py")}
    own_code = {"my_features", "my_reward"}
    assert scripts == {*SAYS, *own_code}
    told = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = {file.name for file in EXAMPLES.iterdir() if file.suffix in (".py", ".ipynb")}
    assert {name for name in files if f"`{name}`" not in told} == set()
