"""Words of a command line that stand for many: `sumocfg=FILE` and `legacy=FILE`."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from trafficrl.config.legacy.migration import migrate
from trafficrl.config.legacy.outcomes import Fate
from trafficrl.config.legacy.sources import one_source
from trafficrl.config.legacy.writing import origins, overrides
from trafficrl.config.sumocfg import load_sumocfg
from trafficrl.errors import ConfigError

__all__ = ["ORIGINS", "spelled_out"]

ORIGINS: dict[str, str] = {}
"""Of the overrides that the last `legacy=` stood for: what is before `=`, and whence its value."""


def spelled_out(words: list[str], command: str) -> list[str]:
    """The overrides with such a word as all that its file says; whatever stands beside it wins.

    Raises:
        ConfigError: one stands twice, both stand there, or a file cannot be used.
    """
    ORIGINS.clear()
    stands = [word for word in words if word.partition("=")[0] in STAND_INS]
    if not stands:
        return words
    name, _, file = stands[0].partition("=")
    if len(stands) > 1:
        others = " and ".join(word.partition("=")[2] for word in stands)
        if any(not word.startswith(f"{name}=") for word in stands):
            raise ConfigError(f"{' and '.join(stands)} both say the network: give one of them")
        raise ConfigError(f"{name} may be given once, got {others}")
    own = [word for word in words if word not in stands]
    return STAND_INS[name](file, own, command) + own


def _of_sumocfg(file: str, beside: Sequence[str], command: str) -> list[str]:
    configuration = load_sumocfg(Path(file))
    if configuration.left_out:
        names = ", ".join(configuration.left_out)
        print(f"{command}: {file}: left out, since a run decides them: {names}", file=sys.stderr)
    return configuration.overrides(beside)


def _of_legacy(file: str, beside: Sequence[str], command: str) -> list[str]:
    """Nothing runs on half a file: unknown keys are refused, what else is not kept is told."""
    experiment = next((word for word in beside if word.startswith("experiment=")), None)
    if experiment is not None:
        raise ConfigError(f"legacy={file} and {experiment} are both whole experiments: give one")
    migration = migrate(one_source(file))
    migration.refuse_unknown()
    told = [f"{len(migration.fates(Fate.kept))} keys kept"]
    for fate in (Fate.changed, Fate.dropped):
        names = ", ".join(one.entry.path for one in migration.fates(fate))
        told += [f"{fate.value}: {names}"] if names else []
    again = f"trafficrl-migrate {file} --check says how and why"
    print(f"{command}: {file}: {'; '.join(told)} ({again})", file=sys.stderr)
    ORIGINS.update(origins(migration, beside))
    return overrides(migration, beside)


STAND_INS: dict[str, Callable[[str, Sequence[str], str], list[str]]] = {
    "sumocfg": _of_sumocfg,
    "legacy": _of_legacy,
}
