"""SUMO's own netconvert, found beside the installed package: XML in, raw net file out."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import sumo

from trafficrl.errors import NetworkError

__all__ = ["run_netconvert", "sumo_version"]

LONGEST_S = 300
NO_VALIDATION = ("--xml-validation=never", "--xml-validation.net=never")


def sumo_version() -> str:
    """Version of the installed SUMO, such as 1.28.0: networks of two versions differ."""
    return version("eclipse-sumo")


def run_netconvert(inputs: Mapping[str, Path], net_file: Path, options: Sequence[str]) -> None:
    """Build net_file from input files (option -> file) as the options say.

    Raises:
        NetworkError: netconvert is missing, refuses its input or does not end; its first error.
    """
    binary = Path(sumo.SUMO_HOME) / "bin" / ("netconvert.exe" if os.name == "nt" else "netconvert")
    files = [f"--{option}={file}" for option, file in inputs.items()]
    command = [str(binary), *files, *NO_VALIDATION, *options, f"--output-file={net_file}"]
    environment = {**os.environ, "SUMO_HOME": sumo.SUMO_HOME}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NetworkError(f"netconvert ({binary}) could not be run: {error}") from error
    if done.returncode or not net_file.is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        first = next((line for line in lines if line.startswith("Error")), lines[0])
        raise NetworkError(f"netconvert failed with exit code {done.returncode}: {first.strip()}")
