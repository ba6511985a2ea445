"""What no legacy file says and the earlier program decided as it went."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from trafficrl.config.legacy.given import Given
from trafficrl.config.legacy.outcomes import Setting
from trafficrl.config.network import ClearanceConfig
from trafficrl.config.reward import RewardConfig

__all__ = ["environments", "fitted", "unsaid"]

MOST_ENVS = 16


def environments(given: Given) -> int:
    """How many the earlier program would have had side by side."""
    if given.value("single_env", False):
        return 1
    return int(given.value("parallel_envs", min(len(given.scenarios), MOST_ENVS)))


def unsaid(given: Given, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """The settings that are missing among these."""
    drawn = "was drawn anew each time; one value, so that a run can be had again"
    found = {
        "network.network_seed": Setting(1, why=drawn),
        "execution.parallel_envs": Setting(
            environments(given), why=f"one for each scenario, {MOST_ENVS} at most"
        ),
        "execution.eval_freq": replace(
            settings["execution.checkpoint_freq"], why="with every checkpoint"
        ),
        "execution.score": Setting("reward", why="the best model was chosen by its reward"),
    }
    for name in given.scenarios:
        where = f"scenarios.{name}"
        seeded = f"{where}.private_traffic_seed" in settings
        demand, why = ("fixed", "its seeds are given") if seeded else ("fresh", "it has no seeds")
        found |= {
            f"{where}.private_traffic_seed": Setting(1, why=drawn),
            f"{where}.public_traffic_seed": Setting(2, why=drawn),
            f"{where}.demand": Setting(demand, why=why),
            f"{where}.public_stop_spacing_m": Setting(0, why="public transport did not stop"),
        }
    found |= _whole_steps(settings["network.step_length"].value)
    return {name: setting for name, setting in found.items() if name not in settings}


def fitted(given: Given, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Defaults of the earlier program that would undo here what the file says, as they fit it.

    Neither schedule acted there, so that a file could leave them as they were.
    """
    found: dict[str, Setting] = {}
    if given.value("ent_coef") is not None and given.value("ent_schedule") is None:
        why = "ent_coef is said, and a falling bonus would not look at it"
        found["algorithm.ent_schedule"] = Setting(False, why=why)
    rate, final = settings["algorithm.learning_rate"].value, settings["algorithm.lr_final"].value
    if given.value("lr_final") is None and final > rate:
        why = f"no higher than learning_rate: {final:g} then, which was never reached"
        found["algorithm.lr_final"] = Setting(rate, why=why)
    return found


def _whole_steps(step_s: float) -> dict[str, Setting]:
    """Times of ours that do not fit a longer simulation step, rounded up."""
    signals = ClearanceConfig()
    times = {
        **{f"network.signals.{name}": value for name, value in vars(signals).items()},
        "reward.sample_s": RewardConfig.sample_s,
    }
    rounded = {key: ceil(time_s / step_s - 1e-9) * step_s for key, time_s in times.items()}
    why = f"in whole steps of {step_s:g} s"
    return {key: Setting(new, why=why) for key, new in rounded.items() if new != times[key]}
