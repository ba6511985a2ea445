"""Demonstrations: what a controller saw, did and was paid, in one file that holds no code.

A file is NumPy's npz, read with `allow_pickle=False`. It holds its own provenance as JSON, and the
sidecar beside it (`.yaml`) says the same for people to read.

Shapes: T decisions, S signals, K features of one, F features of the network, A numbers of an
action, P most phases of a shared policy.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from trafficrl.errors import ConfigError, RunError
from trafficrl.files import replacing, save_text
from trafficrl.runs.seeding import Split
from trafficrl.runs.sidecars import file_sha256

__all__ = [
    "Demonstrations",
    "check_training",
    "load_arrays",
    "load_demonstrations",
    "save_arrays",
    "save_demonstrations",
]

FORMAT = 1
KEY = "algorithm.cloning.demonstrations"
ARRAYS = ("observations", "actions", "rewards", "exact", "episodes", "masks")


@dataclass(frozen=True, slots=True)
class Demonstrations:
    """Decisions of a teacher, episode by episode."""

    observations: NDArray[np.float32]  # (T, F) of the network, or (T, S, K) of each signal
    actions: NDArray[Any]  # (T, A)
    rewards: NDArray[np.float64]  # (T,), or (T, S) where each signal is paid
    exact: NDArray[np.bool_]  # (T, S) the action says all that the signal did
    episodes: NDArray[np.int64]  # (T,) index in facts["episodes"]
    masks: NDArray[np.bool_]  # (T, S, P) phases that could be chosen; (T, 0) where none is masked
    facts: dict[str, Any]
    """Provenance: controller, algorithm, seeds, versions."""

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, name)) for name in ARRAYS}
        if len(lengths) != 1 or lengths == {0}:
            raise ValueError(f"arrays of {sorted(lengths)} decisions")
        numbers = (self.observations, self.actions, self.rewards)
        if not all(np.isfinite(array).all() for array in numbers):
            raise ValueError("numbers that are not finite")
        told = len(self.facts["episodes"])
        if self.episodes.min() < 0 or self.episodes.max() >= told:
            raise ValueError(f"decisions of an episode that is none of {told}")


def save_demonstrations(file: Path, demonstrations: Demonstrations) -> None:
    """The file and its sidecar stand there.

    Raises:
        RunError: they cannot be written.
    """
    facts = {"format": FORMAT, **demonstrations.facts}
    arrays: dict[str, Any] = {name: getattr(demonstrations, name) for name in ARRAYS}
    try:
        with replacing(file) as temporary:
            np.savez_compressed(temporary, facts=np.array(json.dumps(facts)), **arrays)
        text = yaml.safe_dump({**facts, "sha256": file_sha256(file)}, sort_keys=False)
        save_text(file.with_suffix(".yaml"), text)
    except OSError as error:
        raise RunError(f"{file} cannot be written: {error.strerror}") from error


def load_demonstrations(file: Path) -> Demonstrations:
    """What the file holds; nothing in it is run.

    Raises:
        ConfigError: it is missing, damaged or none of ours, or was made of demand that policies are
            judged on.
    """
    try:
        # NumPy itself would leave a damaged file open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            if facts.pop("format") != FORMAT:
                raise ValueError(f"another format than {FORMAT}")
            found = Demonstrations(**{name: archive[name] for name in ARRAYS}, facts=facts)
        for episode in facts["episodes"]:
            check_training(f"{KEY}: {file}", episode["sumo_seed"], episode["demand_seed"])
    except OSError as error:
        raise ConfigError(f"{KEY}: {file} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{KEY}: {file} holds no whole demonstrations: {error}") from error
    return found


def save_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """The file holds one episode's arrays, or is as it was before.

    Raises:
        RunError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise RunError(f"{file} cannot be written: {error.strerror}") from error


def load_arrays(file: Path) -> dict[str, np.ndarray] | None:
    """What the file holds; None where it is not there, or damaged."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None  # the episode can be driven again


def check_training(where: str, *seeds: int | None) -> None:
    """Return when all seeds are of training demand; None stands for a scenario's own.

    Raises:
        ConfigError: one is of validation or test.
    """
    first, count = Split.training.value
    for seed in seeds:
        if seed is not None and not first <= seed < first + count:
            raise ConfigError(
                f"{where}: seed {seed} is no training seed ({first}..{first + count - 1}): nothing "
                "may be learned from demand that policies are judged on"
            )
