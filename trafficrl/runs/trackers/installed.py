"""Which trackers there are, and whether their packages are."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec

from trafficrl.errors import ConfigError
from trafficrl.runs.trackers.mlflow_tracker import MlflowTracker
from trafficrl.runs.trackers.tracker import Tracker
from trafficrl.runs.trackers.wandb_tracker import WandbTracker

__all__ = ["FOLLOWERS", "check_installed"]

FOLLOWERS: dict[str, Callable[[], Tracker]] = {"mlflow": MlflowTracker, "wandb": WandbTracker}
"""Those of `execution.trackers` that have a package, an extra and a process of that name."""


def check_installed(trackers: Iterable[str]) -> None:
    """Return when every tracker that is asked for can be begun.

    Raises:
        ConfigError: the package of one is not installed.
    """
    for name in trackers:
        # A folder `wandb`, as that package leaves behind, can be imported too, as nothing.
        spec = find_spec(name) if name in FOLLOWERS else None
        if name in FOLLOWERS and (spec is None or spec.origin is None):
            raise ConfigError(
                f"execution.trackers: {name} is not installed: pip install 'trafficrl[{name}]', "
                "or leave it out"
            )
