"""Commands in processes of their own, forked from one that has imported everything already.

A command that begins anew spends most of a short run's time on imports: 1 s of processor time, and
4 s where it trains. Each still has a process, a folder, an environment and output of its own. What
is told of imports, of signals and of terminals has to be shown by a command that begins anew.
"""

import atexit
import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

__all__ = ["forked"]

PRELOADED = (
    *("train", "learn", "origin", "evaluate", "generate", "collect", "compare", "models"),
    *("migrate", "render", "report", "doctor"),
)
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    [*(f"trafficrl.app.{name}" for name in PRELOADED), "torch._dynamo", "submitit"]
)
PATIENCE_S = 300.0


def forked(
    command: str | Path,
    *words: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    strict: bool = False,
) -> subprocess.CompletedProcess[str]:
    """What `trafficrl-COMMAND WORDS` in that folder ended with, or a script in place of a command.

    Args:
        command: NAME of `trafficrl.app.NAME`, or a file.
        words: its arguments.
        folder: it works in.
        environment: of the process; None for this one's.
        strict: whether a warning is an error.
    """
    with tempfile.TemporaryDirectory() as place:
        files = [str(Path(place, name)) for name in ("out", "err")]
        known = dict(os.environ if environment is None else environment)
        process = SERVER.Process(target=_run, args=(command, words, folder, known, strict, *files))
        process.start()
        process.join(PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        out, err = (Path(file).read_text(encoding="utf-8") for file in files)
    assert process.exitcode is not None
    return subprocess.CompletedProcess([str(command), *words], process.exitcode, out, err)


def _run(
    command: str | Path,
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    strict: bool,
    *files: str,
) -> None:
    """All that a process has from the one that starts it, then the command, then its ends."""
    gc.freeze()
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if strict:
        warnings.simplefilter("error")
    try:
        if isinstance(command, Path):
            sys.argv = [str(command), *words]
            runpy.run_path(str(command), run_name="__main__")
        else:
            sys.argv = ["-c", *words]
            import_module(f"trafficrl.app.{command}").main()
    finally:
        atexit._run_exitfuncs()
