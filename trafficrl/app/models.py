"""trafficrl-models: names for models, whether models are whole, and archives of models and runs.

0  done          1  something is damaged or cannot be read or written
2  wrong usage   130  interrupted
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from trafficrl.app.arguments import CommandParser, command_parser, exit_codes
from trafficrl.app.model_facts import facts_of, print_facts, print_models, read_models
from trafficrl.errors import CheckpointError, ConfigError, RunError, unknown_name
from trafficrl.runs.archive import Packing
from trafficrl.runs.model_names import Registered
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.registry import ModelRegistry
from trafficrl.runs.restore import restore
from trafficrl.runs.run_models import best_model
from trafficrl.runs.sidecars import sidecar_file, verify_model
from trafficrl.training.models import load_model

__all__ = ["main", "run"]

COMMAND = "trafficrl-models"
REGISTRY = Path("outputs/models")
WHAT = "a registered NAME@TAG (NAME: its newest), a model file, or a run folder"
Command = Callable[[argparse.Namespace, ModelRegistry], int]


def main() -> None:
    """Entry point of the console script."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)  # progress, where no bar can be
    sys.exit(run(sys.argv[1:]))


@exit_codes(COMMAND)
def run(words: Sequence[str]) -> int:
    """The command has run on these arguments; the exit code is returned."""
    arguments = _arguments(words)
    code: int = arguments.command(arguments, ModelRegistry(arguments.registry))
    return code


def list_models(arguments: argparse.Namespace, registry: ModelRegistry) -> int:
    """Every model that has a name is shown."""
    models = read_models(registry)
    if arguments.json:
        print(json.dumps([asdict(one) for one in models], indent=2))
    else:
        print_models(models, registry)
    return 0


def show(arguments: argparse.Namespace, registry: ModelRegistry) -> int:
    """All that is known of one model is shown."""
    found = find(arguments.what, registry)
    entry = found if isinstance(found, Registered) else None
    file = model_of(found)
    sidecar = entry.verify() if entry else verify_model(file)
    facts = facts_of(file, sidecar, entry, registry.labels_of(sidecar.sha256))
    if arguments.json:
        print(json.dumps(facts, indent=2))
    else:
        print_facts(facts)
    return 0


def tag(arguments: argparse.Namespace, registry: ModelRegistry) -> int:
    """The model has the name."""
    model = model_of(find(arguments.model, registry))
    entry = registry.tag(model, arguments.name, move=arguments.move)
    print(f"{entry.label}: {model}, {entry.verify().timesteps} steps")
    return 0


def verify(arguments: argparse.Namespace, registry: ModelRegistry) -> int:
    """A line for each model says whether it is whole; 1 if any is not."""
    code = 0
    for model in list(every_model(arguments.what, registry)):
        whole, text = judged(model)
        print(f"{'whole' if whole else 'damaged':<8} {text}")
        code = code if whole else 1
    return code


def export(arguments: argparse.Namespace, registry: ModelRegistry) -> int:
    """The archive holds the models and runs."""
    if arguments.archive.exists():
        raise ConfigError(f"{arguments.archive} exists already: choose another name")
    packing = Packing()
    found = [find(word, registry) for word in arguments.what]
    for one in found:
        if isinstance(one, Registered):
            packing.add_registered(one)
        elif one.is_dir():
            packing.add_run(one)
        else:
            packing.add_model(one)
    for note in packing.save(arguments.archive):
        print(f"note: {note}")
    print(f"{arguments.archive}: {len(packing.files)} files, {len(packing.named)} names")
    return 0


def restore_archive(arguments: argparse.Namespace, registry: ModelRegistry) -> int:
    """What the archive holds is back."""
    restored = restore(arguments.archive, arguments.to, registry)
    print(f"{arguments.to}: {restored.num_files} files")
    for label in restored.labels:
        print(f"{label}: has its name in {registry.folder}")
    return 0


def find(word: str, registry: ModelRegistry) -> Path | Registered:
    """What the user means: a run folder or model file, if there is one, or else a name.

    Raises:
        ConfigError: nothing has the name.
        CheckpointError: what says so is damaged.
    """
    path = Path(word)
    if path.is_dir() or path.is_file() or path.suffix == ".zip":
        return path
    entry = registry.find(word)
    if entry is None:
        choices = [*registry.labels(), "PATH/model.zip", "RUN_FOLDER"]
        raise ConfigError(unknown_name("model", word, choices))
    return entry


def model_of(found: Path | Registered) -> Path:
    """The one model that is meant; of a run the best.

    Raises:
        CheckpointError: a run that has none.
    """
    if isinstance(found, Registered):
        return found.file
    return best_model(found) if found.is_dir() else found


def every_model(words: Sequence[str], registry: ModelRegistry) -> Iterator[Path | Registered]:
    """All models that are meant; of a run every one that is there, or of which a part is left.

    Raises:
        RunError: a folder that holds none.
    """
    for word in words:
        found = find(word, registry)
        if isinstance(found, Registered) or not found.is_dir():
            yield found
            continue
        paths = RunPaths(found)
        ends = (paths.best_model, paths.final_model)
        places = (*paths.checkpoints.glob("step_*"), *ends, *map(sidecar_file, ends))
        models = sorted({place.with_suffix(".zip") for place in places if place.exists()})
        if not models:
            raise RunError(f"{found} holds no models")
        yield from models


def judged(model: Path | Registered) -> tuple[bool, str]:
    """Whether the model is whole and can be loaded, and what it is or what is wrong with it."""
    try:
        sidecar = model.verify() if isinstance(model, Registered) else verify_model(model)
        loaded = load_model(model_of(model))
    except CheckpointError as error:
        return False, " ".join(str(error).split())
    named = model.label if isinstance(model, Registered) else model
    if (loaded.timesteps, loaded.network_hash) != (sidecar.timesteps, sidecar.network_hash):
        return False, f"{named}: its sidecar tells of another model"
    return True, f"{named}: {sidecar.timesteps} steps"


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The checked command line.

    Raises:
        ConfigError: wrong usage.
    """
    everywhere = CommandParser(add_help=False)
    everywhere.add_argument(
        "--registry",
        type=Path,
        default=REGISTRY,
        metavar="FOLDER",
        help=f"where the names are ({REGISTRY})",
    )
    parser = command_parser(COMMAND, __doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Command, help: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, parents=[everywhere], help=help, allow_abbrev=False)
        one.set_defaults(command=command)
        return one

    _add_commands(add)
    return parser.parse_args(list(words))


def _add_commands(add: Callable[[str, Command, str], argparse.ArgumentParser]) -> None:
    listing = add("list", list_models, "the models that have names")
    showing = add("show", show, "all about a model, with what it was resumed from")
    for one in (listing, showing):
        one.add_argument("--json", action="store_true", help="for scripts")
    showing.add_argument("what", metavar="WHAT", help=WHAT)
    tagging = add("tag", tag, "give a model a name; the registry keeps a copy of it")
    tagging.add_argument("model", metavar="MODEL", help=WHAT)
    tagging.add_argument("name", metavar="NAME@TAG")
    tagging.add_argument("--move", action="store_true", help="take the name from another model")
    verifying = add("verify", verify, "is every model there whole?")
    verifying.add_argument("what", nargs="+", metavar="WHAT", help=WHAT)
    exporting = add("export", export, "pack models and whole runs into one file")
    exporting.add_argument("archive", type=Path, metavar="ARCHIVE", help="the zip file to make")
    exporting.add_argument("what", nargs="+", metavar="WHAT", help=WHAT)
    importing = add("import", restore_archive, "unpack such a file, names included")
    importing.add_argument("archive", type=Path, metavar="ARCHIVE")
    importing.add_argument(
        "--to", type=Path, default=Path(), metavar="FOLDER", help="where to (the current folder)"
    )


if __name__ == "__main__":
    main()
