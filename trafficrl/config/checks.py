"""The few checks that all configuration dataclasses share, each one raising one clear line."""

from collections.abc import Iterable, Mapping
from typing import Any

from trafficrl.errors import ConfigError, unknown_name

__all__ = ["check_choice", "check_range", "parse_shares"]


def check_range(
    field: str, value: float, low: float, high: float | None = None, *, unit: str = ""
) -> None:
    """Return when low <= value <= high; otherwise name field, value, unit and range.

    Raises:
        ConfigError: the value lies outside, or is not a number at all (nan).
    """
    if value >= low and (high is None or value <= high):
        return
    shown = f" [{unit}]" if unit else ""
    wanted = f">= {low}" if high is None else f"in {low}..{high}"
    raise ConfigError(f"{field} must be {wanted}{shown}, got {value!r}")


def check_choice(field: str, value: object, choices: Iterable[str]) -> None:
    """Return when value is one of choices.

    Raises:
        ConfigError: naming the nearest choice and all of them.
    """
    names = list(choices)
    if value not in names:
        raise ConfigError(unknown_name(field, value, names))


def parse_shares(field: str, value: Any, choices: Iterable[str]) -> dict[str, float]:
    """Percentages by name, from a mapping or from a plain string such as "realtime 70 shortest 30".

    Names that are not given have a share of 0. The result holds every choice, in their order.

    Raises:
        ConfigError: an unknown or repeated name, a share that is no number or negative,
            or a sum that is not 100 [%].
    """
    names = list(choices)
    shares = dict.fromkeys(names, 0.0)
    pairs = list(value.items()) if isinstance(value, Mapping) else _pairs(field, value)
    seen: set[str] = set()
    for name, share in pairs:
        check_choice(field, name, names)
        if name in seen:
            raise ConfigError(f"{field}: {name!r} is given twice in {value!r}")
        seen.add(name)
        shares[name] = _share(field, name, share)
    total = sum(shares.values())
    if abs(total - 100.0) > 1e-6:
        raise ConfigError(f"{field}: shares must sum to 100 [%], got {total:g} in {value!r}")
    return shares


def _pairs(field: str, value: Any) -> list[tuple[str, str]]:
    words = value.split() if isinstance(value, str) else []
    if not words or len(words) % 2:
        raise ConfigError(
            f'{field} must be a mapping name: percent or a string "name percent ...", got {value!r}'
        )
    return list(zip(words[::2], words[1::2], strict=True))


def _share(field: str, name: str, share: Any) -> float:
    try:
        number = float(share)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{field}: the share of {name!r} must be a number [%], got {share!r}"
        ) from error
    check_range(f"{field}.{name}", number, 0.0, 100.0, unit="%")
    return number
