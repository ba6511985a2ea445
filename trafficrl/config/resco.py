"""The published RESCO scenarios, where the optional package `sumo-rl` is installed.

Nothing of that package is imported or copied: its folders are looked up and their files are read.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from trafficrl.config.sumocfg import SumoConfiguration, load_sumocfg

__all__ = ["INSTALL_RESCO", "resco_scenarios"]

INSTALL_RESCO = "the published scenarios come with an extra: pip install 'trafficrl[resco]'"


@cache
def resco_scenarios() -> dict[str, SumoConfiguration]:
    """Name -> network, demand and times of every scenario of the package; empty without it.

    Raises:
        ConfigError: a scenario's .sumocfg is damaged.
    """
    package = find_spec("sumo_rl")
    if package is None or package.origin is None:
        return {}
    folder = Path(package.origin).parent / "nets" / "RESCO"
    files = sorted(folder.glob("*/*.sumocfg"))
    return {file.parent.name: load_sumocfg(file) for file in files}
