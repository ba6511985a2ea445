"""Whose code may run: that of files which the user named, here and now, and of no others.

A configuration may come from anywhere: a run folder, an archive, a colleague. That it lists files
in `extensions` lets nobody run them. They run where the command line (`extensions=[FILE.py]`) or a
call (`compose("extensions=[FILE.py]")`) names them, and what was named is their text: a run folder
that keeps another text under the same name is refused until that one is named.
"""

from collections.abc import Iterable

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.extensions import Extension, read_extensions
from trafficrl.errors import ConfigError

__all__ = ["allow_named", "allowed_extensions"]

_named: set[str] = set()
"""SHA-256 of the texts that were named in this process."""


def allow_named(config: ExperimentConfig, overrides: Iterable[str]) -> None:
    """The extensions of the configuration may run if one of its overrides is what names them.

    Raises:
        ConfigError: a file cannot be read.
    """
    if any(word.lstrip("+").partition("=")[0] == "extensions" for word in overrides):
        _named.update(extension.sha256 for extension in read_extensions(config.extensions))


def allowed_extensions(config: ExperimentConfig) -> tuple[Extension, ...]:
    """The extensions of the configuration, each of which the user has named.

    Raises:
        ConfigError: one was not named, or cannot be read.
    """
    found = read_extensions(config.extensions)
    unknown = [extension.file for extension in found if extension.sha256 not in _named]
    if unknown:
        raise ConfigError(
            f"extensions: {', '.join(unknown)}: code that the configuration brings and nobody has "
            f"named: read it, then allow it with extensions=[{','.join(config.extensions)}]"
        )
    return found
