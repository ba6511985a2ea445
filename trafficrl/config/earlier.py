"""Keys that run folders of earlier versions hold, by the names that they have now."""

from typing import Any

__all__ = ["in_todays_words"]


def in_todays_words(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a `resolved_config.yaml`, old or new; what was composed now is as it was."""
    execution = values.get("execution")
    if not isinstance(execution, dict) or "trackers" in execution or "tensorboard" not in execution:
        return values
    kept = {name: value for name, value in execution.items() if name != "tensorboard"}
    trackers = ["csv", "tensorboard"] if execution["tensorboard"] else ["csv"]
    return values | {"execution": kept | {"trackers": trackers}}
