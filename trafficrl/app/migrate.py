"""trafficrl-migrate: experiments of the earlier program as files of conf/experiment/.

What becomes of each key: docs/legacy.md, or --keys.

0  done          1  a file cannot be written      3  --validate: they do not agree
2  wrong usage, or an experiment that is refused  130  interrupted
"""

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from trafficrl.app.arguments import command_parser, exit_codes
from trafficrl.app.migration_check import check, differences
from trafficrl.app.migration_files import YAML, training_words, write
from trafficrl.app.migration_report import Row, print_differences, print_table
from trafficrl.app.migration_runs import validate
from trafficrl.config.legacy.commands import read_command
from trafficrl.config.legacy.migration import migrate
from trafficrl.config.legacy.outcomes import Fate, Migration
from trafficrl.config.legacy.reading import Legacy
from trafficrl.config.legacy.sources import Source, find_sources
from trafficrl.config.legacy.table import key_tables
from trafficrl.errors import ConfigError
from trafficrl.runs.progress import ProgressReport

__all__ = ["main", "run"]

COMMAND = "trafficrl-migrate"


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


@exit_codes(COMMAND)
def run(words: Sequence[str]) -> int:
    """The command has run on these arguments; the exit code is returned."""
    arguments = _arguments(words)
    if arguments.keys:
        print(key_tables(), end="")
        return 0
    sources = _sources(arguments)
    if arguments.validate:
        return validate(arguments.legacy, arguments.out, arguments.overrides)
    if len(sources) > 1 or len(loaded := sources[0].read()) > 1:
        return migrate_all(sources, arguments)
    migrate_one(loaded[0], arguments)
    return 0


def migrate_one(legacy: Legacy, arguments: argparse.Namespace) -> None:
    """It is told key by key, and written unless it is only checked."""
    migration = migrate(legacy)
    if arguments.strict:
        migration.refuse_unknown()
    config = check(migration)
    found = differences(migration, config)
    print_differences(migration, found, everything=arguments.check)
    warn(migration)
    if arguments.check and not arguments.out:
        print(f"{migration.name} composes and passes every check; nothing was written (--check)")
        return
    file = write(migration, arguments.out, overwrite=arguments.overwrite)
    print(f"{file}: {how_to_train(file)}")


def migrate_all(sources: Sequence[Source], arguments: argparse.Namespace) -> int:
    """Each has its line in a table; what is refused does not keep the others from being written."""
    if arguments.out and arguments.out.suffix in YAML:
        raise ConfigError(f"--out {arguments.out}: name a folder, there are several experiments")
    rows: list[Row] = []
    taken: set[str] = set()
    with ProgressReport("migrating", total=len(sources), unit="files") as progress:
        for number, source in enumerate(sources, start=1):
            rows += migrated(source, arguments, taken)
            progress.advance_to(number)
    print_table(rows)
    for row in rows:
        if row.migration is not None:
            warn(row.migration)
    written = [row.file for row in rows if row.file is not None]
    if written:
        print(f"{written[0].parent}: {how_to_train(written[0].with_stem('EXPERIMENT'))}")
    return 2 if any(row.migration is None for row in rows) else 0


def migrated(source: Source, arguments: argparse.Namespace, taken: set[str]) -> Iterator[Row]:
    """A row for each experiment; names that are taken are added to."""
    try:
        legacies = source.read()
    except ConfigError as error:
        yield Row(source.name, str(error))
        return
    for legacy in legacies:
        yield _row(source.name, legacy, arguments, taken)


def _row(name: str, legacy: Legacy, arguments: argparse.Namespace, taken: set[str]) -> Row:
    try:
        migration = migrate(legacy)
        if arguments.strict:
            migration.refuse_unknown()
        check(migration)
        if migration.name in taken:
            raise ConfigError(f"{name}: another one has the name {migration.name}")
        taken.add(migration.name)
        if arguments.check and not arguments.out:
            return Row(name, "checked", migration)
        file = write(migration, arguments.out, overwrite=arguments.overwrite)
        return Row(name, "written", migration, file)
    except ConfigError as error:
        return Row(name, str(error))


def warn(migration: Migration) -> None:
    """What was left out without anybody knowing why is told on stderr as well."""
    for one in migration.fates(Fate.unknown):
        left = f"{one.entry.place}: {one.entry.path} is left out"
        print(f"{COMMAND}: warning: {left}: {one.why}", file=sys.stderr)


def how_to_train(file: Path) -> str:
    """What to do next with the file."""
    try:
        return f"trafficrl-train {shlex.join(training_words(file))}"
    except ConfigError:
        return "put it into a folder of the name experiment, where trafficrl-train finds it"


def _sources(arguments: argparse.Namespace) -> list[Source]:
    if arguments.command is not None:
        return [Source("--command", lambda: [read_command(arguments.command)])]
    return find_sources([Path(name).expanduser() for name in arguments.legacy])


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The checked command line.

    Raises:
        ConfigError: wrong usage.
    """
    parser = command_parser(COMMAND, __doc__)
    add = parser.add_argument
    add(
        "legacy",
        nargs="*",
        metavar="OLD",
        help="a YAML file, a text file of commands, the five files of a modular experiment, or a "
        "folder of YAML files; with --validate also overrides KEY=VALUE of both trainings",
    )
    add("--command", metavar="TEXT", help="options of the earlier program instead of a file")
    add("--out", type=Path, metavar="FILE", help="file or folder (conf/experiment/NAME.yaml)")
    add("--check", action="store_true", help="tell every difference; write only with --out")
    add("--strict", action="store_true", help="refuse keys that the earlier program did not have")
    add("--overwrite", action="store_true", help="replace a file that says something else")
    add(
        "--validate",
        action="store_true",
        help="train from the old and from the new file for 1,000 steps each, and compare them "
        "within 5%%",
    )
    add("--keys", action="store_true", help="tell what becomes of each legacy key, and end")
    arguments = parser.parse_intermixed_args(list(words))
    arguments.overrides = [word for word in arguments.legacy if is_override(word)]
    arguments.legacy = [word for word in arguments.legacy if not is_override(word)]
    _check(arguments)
    return arguments


def is_override(word: str) -> bool:
    """Whether it is meant for the trainings, and no file."""
    return "=" in word and not Path(word).exists()


def _check(arguments: argparse.Namespace) -> None:
    if arguments.keys:
        return
    if bool(arguments.legacy) == (arguments.command is not None):
        raise ConfigError("name what to migrate: OLD.yaml, a folder, or --command TEXT")
    if arguments.overrides and not arguments.validate:
        raise ConfigError(f"{arguments.overrides[0]} is for the trainings of --validate")
    out = arguments.out
    if out and out.suffix and out.suffix not in YAML and not out.is_dir():
        raise ConfigError(f"--out {out}: name a file that ends in .yaml, or a folder")
    for name in ("check", "strict", "overwrite"):
        if arguments.validate and getattr(arguments, name):
            raise ConfigError(f"--{name} has no meaning beside --validate")
    if arguments.validate and arguments.command is not None:
        raise ConfigError("--validate trains from a file: put the command into one")


if __name__ == "__main__":
    main()
