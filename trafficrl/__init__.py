"""Train, sweep, resume and honestly judge reinforcement-learning signal control on SUMO.

The names below are those of `trafficrl.app.api`, whose docstring shows their use. They are imported
when they are first asked for: `import trafficrl` alone takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Run",
    "TrafficRLError",
    "build_network",
    "collect",
    "compose",
    "evaluate",
    "load_run",
    "make_env",
    "train",
]

if TYPE_CHECKING:
    from trafficrl.app.api import (
        Run,
        build_network,
        collect,
        compose,
        evaluate,
        load_run,
        make_env,
        train,
    )
    from trafficrl.errors import TrafficRLError
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        place = "trafficrl.errors" if name == "TrafficRLError" else "trafficrl.app.api"
        return getattr(import_module(place), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "import_module"})
