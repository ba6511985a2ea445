"""trafficrl-doctor: what this machine has for trainings, what is missing, and what to do about it.

states:
  ok     as it should be
  -      not there, and not needed to train
  warn   a training can run; something may be slow, or fail later
  FAIL   no training can run

--json prints {"format": 1, "version", "folder", "can_train", "findings": [...]}; each finding has
  name, state ("ok", "absent", "warning" or "failure"), found, advice, facts

exit code: 0 when a training can run, 1 when not, 2 for wrong usage, 130 interrupted
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import trafficrl
from trafficrl.app.arguments import command_parser, exit_codes
from trafficrl.app.doctor_finding import Finding, State
from trafficrl.app.doctor_machine import examine_machine
from trafficrl.app.doctor_software import examine_software

__all__ = ["main", "run"]

COMMAND = "trafficrl-doctor"
FORMAT = 1


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


@exit_codes(COMMAND)
def run(words: Sequence[str]) -> int:
    """The command has run on these arguments; the exit code is returned."""
    as_json = _arguments(words).json
    folder = Path.cwd()
    software = examine_software()
    first = next(software)  # what takes time goes on while the machine is looked at
    machine = list(examine_machine(folder))
    findings = [first, *software, *machine]
    can_train = all(one.state is not State.failure for one in findings)
    if as_json:
        document = {
            "format": FORMAT,
            "version": trafficrl.__version__,
            "folder": str(folder),
            "can_train": can_train,
            "findings": [asdict(one) | {"state": one.state.name} for one in findings],
        }
        print(json.dumps(document, indent=2))
    else:
        print("\n".join(_lines(findings, can_train=can_train)))
    return 0 if can_train else 1


def _lines(findings: Sequence[Finding], *, can_train: bool) -> list[str]:
    lines = []
    for one in findings:
        lines.append(f"{one.state.value:<5}{one.name:<10} {one.found}")
        if one.advice:
            lines.append(f"{'':<16}-> {one.advice}")
    failed = [one.name for one in findings if one.state is State.failure]
    warned = [one.name for one in findings if one.state is State.warning]
    minded = f"; mind {', '.join(warned)}" if warned else ""
    verdict = "trainings can run here" if can_train else f"no training can run: {', '.join(failed)}"
    return [*lines, "", f"trafficrl {trafficrl.__version__}: {verdict}{minded}"]


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The checked command line.

    Raises:
        ConfigError: wrong usage.
    """
    parser = command_parser(COMMAND, __doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser.parse_args(list(words))


if __name__ == "__main__":
    main()
