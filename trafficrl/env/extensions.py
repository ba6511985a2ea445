"""Terms, features and controllers of the user's own: what a file's functions are given and answer.

    extensions=[my_terms.py] '+reward.terms={longest_queue_veh:{weight:-1}}'

| table in the file | function | answers |
|---|---|---|
| `REWARD_TERMS` | `(TrafficState, LaneGroups)` | one number, integrated over the decision |
| `EDGE_FEATURES` | `(GroupedTraffic)` | (E,) one number an edge, 1 being full |
| `PHASE_FEATURES` | `(GroupedTraffic)` | (Q,) one a phase of all signals |
| `SIGNAL_FEATURES` | `(GroupedTraffic)` | (S,) one a signal |
| `NETWORK_FEATURES` | `(GroupedTraffic)` | one number |
| `LOCAL_TERMS` | `(Network)` | `(TrafficState)` -> (S,) |
| `LOCAL_PHASE_FEATURES` | `(Network)` | `(TrafficState)` -> (Q,) |
| `LOCAL_SIGNAL_FEATURES` | `(Network)` | `(TrafficState)` -> (S,) |
| `LOCAL_VALUE_FEATURES` | `(Network)` | `(TrafficState)` -> one number |
| `CONTROLLERS` | `(Network, step_s=, ...)` | `Controller`: see `own_controller.py` |

The first five are for what sees and pays the network as a whole; the local ones, for a policy that
each signal asks, are called once with the network, to find their lanes. What is seen is cut to 0..1
(local: 0..10) and must be the same in every process, so a function keeps nothing between calls and
draws no random numbers.

A file stands alone: what it imports has to be installed. It travels as text, so worker processes
and jobs of a cluster run what the main process read, whatever is edited meanwhile. A run keeps a
copy in `inputs/extensions`, and the copy's SHA-256 in `resolved_config.yaml`.
"""

import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trafficrl.config.extensions import TABLES, unknown_own
from trafficrl.errors import ConfigError

__all__ = ["Extension", "OwnFunction", "find_function", "read_extensions"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extension:
    """The text of a file of the user's own, as it was when it was read."""

    file: str
    source: str

    @property
    def sha256(self) -> str:
        """Of the text."""
        return sha256(self.source.encode()).hexdigest()

    def function(self, table: str, name: str) -> "OwnFunction | None":
        """What the file has under that name; None where it has nothing. Its code runs now.

        Raises:
            ConfigError: the code fails, or what it has there is no function.
        """
        found = getattr(run_code(self), table, {})
        if name not in found:
            return None
        if not callable(found[name]):
            raise ConfigError(f"extensions: {self.file}: {table}[{name!r}] is no function")
        return OwnFunction(self.file, name, found[name])


class OwnFunction:
    """A function of the user's own: its answers are checked, its mistakes are told in one line.

    Args:
        file: that it stands in.
        name: in its table.
        function: to be called.
    """

    def __init__(self, file: str, name: str, function: Callable[..., Any]) -> None:
        self._file, self._name, self._function = file, name, function

    def number(self, *arguments: Any) -> float:
        """One finite number.

        Raises:
            ConfigError: the function fails or answers something else.
        """
        return float(self._checked(self._call(self._function, *arguments), ()))

    def numbers(self, count: int, *arguments: Any) -> FloatArray:
        """(count,) finite numbers.

        Raises:
            ConfigError: the function fails or answers something else.
        """
        return self._checked(self._call(self._function, *arguments), (count,))

    def for_network(self, network: Any, count: int) -> Callable[[Any], FloatArray]:
        """The function of a state that this one makes for a network; it answers (count,) numbers.

        Raises:
            ConfigError: the function fails; so may what it made, or answer something else.
        """
        made = self._call(self._function, network)
        if not callable(made):
            raise self.mistake(f"answers no function of a state, but {made!r}")
        return lambda state: self._checked(self._call(made, state), (count,))

    def method(self, made: Any, name: str) -> "OwnFunction":
        """A function of what this one made, told of by its name.

        Raises:
            ConfigError: there is none.
        """
        found = getattr(made, name, None)
        if not callable(found):
            raise self.mistake(f"has to make something with a function {name}, got {made!r}")
        return OwnFunction(self._file, f"{self._name}.{name}", found)

    def call(self, *arguments: Any, **named: Any) -> Any:
        """Whatever it answers.

        Raises:
            ConfigError: it fails.
        """
        return self._call(self._function, *arguments, **named)

    def _call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        # Every exception: whatever a user's code does wrong, its place in the file is told.
        except Exception as error:
            raise ConfigError(failed(self._file, self._name, error)) from error

    def _checked(self, answer: Any, shape: tuple[int, ...]) -> FloatArray:
        try:
            values = np.asarray(answer, np.float64)
        except (TypeError, ValueError) as error:
            raise self.mistake(f"answers no numbers, but {answer!r}") from error
        wanted = f"{shape[0]} numbers" if shape else "one number"
        if values.shape != shape and not (shape in ((), (1,)) and values.size == 1):
            raise self.mistake(f"has to answer {wanted}, got the shape {values.shape}")
        if not np.isfinite(values).all():
            raise self.mistake(f"has to answer finite numbers, got {answer!r}")
        return values.reshape(shape)

    def mistake(self, what: str) -> ConfigError:
        """One line: which function of which file does what it must not."""
        return ConfigError(" ".join(f"extensions: {self._file}: {self._name} {what}".split())[:400])


def read_extensions(files: Sequence[str]) -> tuple[Extension, ...]:
    """The text of these files; no code is run.

    Raises:
        ConfigError: one cannot be read.
    """
    try:
        return tuple(Extension(file, Path(file).read_text(encoding="utf-8")) for file in files)
    except OSError as error:
        raise ConfigError(
            f"extensions: {error.filename} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"extensions: a file of {list(files)} is no text: {error}") from error


def find_function(
    where: str, name: str, table: str, extensions: Sequence[Extension]
) -> OwnFunction:
    """The function of that name in one of the files.

    Args:
        where: the key of the configuration that names it.
        name: of the function.
        table: in which it is looked for.
        extensions: the files.

    Raises:
        ConfigError: no file has it, or its code fails.
    """
    for extension in extensions:
        function = extension.function(table, name)
        if function is not None:
            return function
    raise unknown_own(where, name, table, TABLES[table])


@cache
def run_code(extension: Extension) -> ModuleType:
    """The module that the file is, once a process."""
    module = ModuleType(f"trafficrl.own.{Path(extension.file).stem}")
    module.__file__ = extension.file
    sys.modules[module.__name__] = module  # where dataclasses look for the types that they name
    try:
        exec(compile(extension.source, extension.file, "exec"), vars(module))  # noqa: S102 - see app/consent.py
    # Every exception: whatever a user's code does wrong, its place in the file is told.
    except Exception as error:
        raise ConfigError(failed(extension.file, "it", error)) from error
    return module


def failed(file: str, name: str, error: Exception) -> str:
    """One line: where in the file which error was raised."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)]
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    own = [line for line, other in zip(lines, files, strict=True) if other == file]
    place = f"{file}:{own[-1]}" if own else file
    what = f"{type(error).__name__}: {error}"
    return " ".join(f"extensions: {place}: {name} failed: {what}".split())
