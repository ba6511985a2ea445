"""A shared policy on the small city, paid signal by signal."""

from dataclasses import replace
from typing import Any

from learning_cases import ALGORITHM, small_task
from traffic_cases import NEXT_PHASE

from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.reward import LocalRewardConfig, TermConfig
from trafficrl.config.shared_policy import (
    LOCAL_PHASE_FEATURES,
    LOCAL_SIGNAL_FEATURES,
    LOCAL_VALUE_FEATURES,
    SharedPPOConfig,
    SignalObservationConfig,
)
from trafficrl.env.task import Task

SEEN = SignalObservationConfig(
    max_phases=6,
    phase_features=list(LOCAL_PHASE_FEATURES),
    signal_features=list(LOCAL_SIGNAL_FEATURES),
)
CENTRAL_VALUE = replace(SEEN, value_features=list(LOCAL_VALUE_FEATURES))
CENTRAL_ONLY = {"kind", "observation", "action", "policy", "log_std_init", "normalize_observation"}
SHARED = SharedPPOConfig(
    action=replace(NEXT_PHASE, interval_s=5),
    observation=SEEN,
    **{
        name: getattr(ALGORITHM, name)
        for name in PPOConfig.__dataclass_fields__
        if name not in CENTRAL_ONLY
    },
)
PAID = LocalRewardConfig(terms={"local_queue_veh": TermConfig(weight=-1.0)}, neighbour_share=0.5)


def shared_task(**changes: Any) -> Task:
    """The small task, seen and paid signal by signal."""
    return small_task(SHARED, **({"reward": PAID} | changes))
