"""What every command shares: Hydra composes around it, one clear line is left when it fails.

Hydra prints reports of its own and leaves with code 1 whatever happened. Here it is told to let
exceptions out (HYDRA_FULL_ERROR, put back afterwards), so that each becomes a line and a code:

0  done       1  the run failed      2  the user wrote something wrong      130  interrupted
75  a training stopped as it was asked to: the same command goes on

HYDRA_FULL_ERROR=1 in the user's environment shows the traceback as well.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import hydra
from hydra._internal.utils import get_args_parser
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from trafficrl.app.arguments import CommandParser
from trafficrl.app.config_debug import tell_sources
from trafficrl.app.failures import Failure
from trafficrl.app.hydra_errors import explain_composition
from trafficrl.app.job import Job, never
from trafficrl.app.stand_ins import spelled_out
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.store import conf_dir, register_configs
from trafficrl.errors import ConfigError, RunError, TrafficRLError
from trafficrl.launch.sweeper import quoted
from trafficrl.runs.stop import STOPPED_EXIT_CODE, Stopped

__all__ = ["run_app"]

E = TypeVar("E", bound=ExperimentConfig)
FULL_ERROR = "HYDRA_FULL_ERROR"


def run_app(
    task: Callable[[E, Path], None],
    schema: type[E],
    *,
    config_name: str,
    finished: Callable[[E, Path, Sequence[str]], bool] = never,
) -> int:
    """The command has run on the command line's arguments; the exit code is returned.

    The task gets the checked experiment and the folder of its run: once, or once for each job of a
    multirun, where the other jobs still run after one has failed. A configuration that fails its
    checks leaves no folder. An exception that is no TrafficRLError is a bug: its traceback shows.

    Args:
        task: a function of the command's module; the module's name names the log file.
        schema: the dataclass of the primary config.
        config_name: the primary config in `conf/`; the command is `trafficrl-CONFIG_NAME`.
        finished: whether a run folder holds all that a configuration and its overrides ask for.
    """
    command = f"trafficrl-{config_name}"
    full_error = os.environ.get(FULL_ERROR) == "1"
    job = Job(task, schema, finished)
    failures = job.failures
    interrupt: KeyboardInterrupt | None = None
    try:
        with _hydra_lets_exceptions_out(), _log_handlers_put_back():
            _compose_and_run(job, command, config_name)
    except KeyboardInterrupt as error:
        interrupt = error
    except TrafficRLError as error:
        failures.append(Failure(error))
    for failure in failures:
        failure.report(command, full_error=full_error)
    if isinstance(interrupt, Stopped):
        again = f"the same command goes on with {interrupt.again}"
        print(f"{command}: stopped ({interrupt}): {again}", file=sys.stderr)
        return STOPPED_EXIT_CODE
    if interrupt is not None:
        print(f"{command}: interrupted", file=sys.stderr)
        return 130
    return max((failure.exit_code for failure in failures), default=0)


def _compose_and_run(job: Callable[[DictConfig], None], command: str, config_name: str) -> None:
    """Hydra has done what the flags say; its own exceptions are ours now.

    Raises:
        ConfigError: whatever Hydra refused.
        RunError: the run folder cannot be made, or nobody reads what is printed.
    """
    overrides = _read_overrides(command)
    register_configs()
    main = hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=config_name)
    try:
        main(job)()
        if any(word.split("=")[0] in ("-c", "--cfg") for word in sys.argv[1:]):
            tell_sources()  # of a configuration that is carried out the job tells
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(explain_composition(error)) from error
    except ValueError as error:  # Hydra's own, which does not name its place; a job keeps its own
        raise ConfigError(f"{error}; got {' '.join(overrides)}") from error
    except OSError as error:
        raise RunError(f"{error.filename or 'output'}: {error.strerror}") from error


def _read_overrides(command: str) -> list[str]:
    """The command line without its flags, and Hydra finds them in an order that it understands.

    Flags may stand anywhere: Hydra alone refuses `network=grid3 -m seed=1,2`.

    Raises:
        ConfigError: an unknown flag or value, for which Hydra would print a page of usage.
    """
    parser = get_args_parser()
    parser.__class__, parser.prog = CommandParser, command
    overrides: list[str] = parser.parse_intermixed_args().overrides
    flags = sys.argv[1:]
    for word in overrides:
        flags.remove(word)
    overrides = spelled_out(overrides, command)
    if command == "trafficrl-train":
        overrides = [_for_sweeper(word) for word in overrides]
    sys.argv[1:] = flags + overrides
    return overrides


def _for_sweeper(word: str) -> str:
    """`batch=` is no value of a configuration: it tells the sweeper what jobs to make."""
    key, _, value = word.partition("=")
    return f"hydra.sweeper.batch={quoted(value)}" if key == "batch" else word


@contextmanager
def _hydra_lets_exceptions_out() -> Iterator[None]:
    before = os.environ.get(FULL_ERROR)
    os.environ[FULL_ERROR] = "1"
    try:
        yield
    finally:
        os.environ.pop(FULL_ERROR)
        if before is not None:
            os.environ[FULL_ERROR] = before


@contextmanager
def _log_handlers_put_back() -> Iterator[None]:
    """Log files are closed at the end, and the process logs as it did before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
