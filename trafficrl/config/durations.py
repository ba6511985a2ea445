"""Wall-clock times as people and Slurm write them."""

import re

from trafficrl.errors import ConfigError

__all__ = ["parse_duration_s"]

FORM = re.compile(r"(?:(?:(?P<d>\d+)-)?(?P<h>\d+):(?P<m>\d{1,2}):)?(?P<s>\d+(?:\.\d+)?)")


def parse_duration_s(key: str, text: str) -> float:
    """Seconds of `7200`, `2:00:00` or `1-12:00:00` (days-hours:minutes:seconds).

    Raises:
        ConfigError: anything else, or no time at all.
    """
    found = FORM.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            f"{key}: cannot read {text!r} [s]: write seconds, hours:minutes:seconds or "
            "days-hours:minutes:seconds"
        )
    days, hours, minutes, seconds = (float(found[name] or 0) for name in "dhms")
    duration_s = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not duration_s > 0:
        raise ConfigError(f"{key} must be > 0 s, got {text!r}")
    return duration_s
