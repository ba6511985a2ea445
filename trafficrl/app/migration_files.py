"""Where migrated experiments go, and how a training finds them there."""

from pathlib import Path

from trafficrl.config.legacy.outcomes import Migration
from trafficrl.config.legacy.writing import experiment_file
from trafficrl.config.store import conf_dir
from trafficrl.errors import ConfigError, RunError
from trafficrl.files import save_text

__all__ = ["YAML", "file_of", "training_words", "write"]

OUT = Path("conf/experiment")
YAML = (".yaml", ".yml")


def write(migration: Migration, out: Path | None, *, overwrite: bool) -> Path:
    """The file holds the experiment.

    Raises:
        ConfigError: another file is there.
        RunError: it cannot be written.
    """
    file = file_of(migration, out)
    text = experiment_file(migration)
    try:
        if file.exists() and not overwrite and file.read_text(encoding="utf-8") != text:
            raise ConfigError(
                f"{file} is there already and says something else: give another --out, or "
                "--overwrite"
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        save_text(file, text)
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{file} cannot be written: {error}") from error
    return file


def file_of(migration: Migration, out: Path | None) -> Path:
    """Where the experiment goes: the file that was named, or one of its name in a folder."""
    place = out or OUT
    return place if place.suffix in YAML else place / f"{migration.name}.yaml"


def training_words(file: Path) -> list[str]:
    """What trafficrl-train finds the experiment by.

    Raises:
        ConfigError: it cannot, where the file lies.
    """
    place = file.resolve()
    if place.parent.name != "experiment":
        raise ConfigError(
            f"{file}: trafficrl-train finds it in a folder of the name experiment only"
        )
    words = [f"experiment={file.stem}"]
    if place.parent.parent != conf_dir():
        words = ["--config-dir", str(file.parent.parent), *words]
    return words
