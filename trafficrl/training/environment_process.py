"""An environment in a process of its own: what that process does, and its handle over here.

A request is a function that is called over there with the environment and further arguments; its
answer is what the function returned, or a `Failure`. There is no request to end: a process ends by
itself as soon as the other end of its pipe is closed, so also when whoever held it was killed.

Each episode is served by a fork of the process, straight from the pipe. So none finds what another
has left, in SUMO or in memory, and all are the same in whatever process and order they run.
"""

import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import gymnasium
import psutil

from trafficrl.errors import SimulationError
from trafficrl.training.forking import Failure, attempt, in_fork, prepare_forks
from trafficrl.training.shielding import ignore_signals, shielded_children

__all__ = [
    "Env",
    "EnvironmentProcess",
    "MakeEnv",
    "begin_episode",
    "call_method",
    "is_wrapped",
    "make_decision",
    "set_attribute",
]

Env = gymnasium.Env[Any, Any]
MakeEnv = Callable[..., Env]
"""Makes an environment that keeps its files in `folder`."""
Request = tuple[Callable[..., Any], tuple[Any, ...]]
KILL_TIMEOUT_S = 10.0


class EnvironmentProcess:
    """The process, with a pipe and a folder that go with it.

    Args:
        make: called in the process; what it raises is the answer to the first request.
        folder: below it lies the folder of the process.
        name: of the process and its folder.
    """

    def __init__(self, make: MakeEnv, folder: Path, name: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
        context = multiprocessing.get_context("spawn")
        self._ended = ""
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, make, self._folder), name=name, daemon=True
        )
        with theirs, shielded_children():
            self._process.start()
        assert self._process.pid is not None
        self.id = self._process.pid

    def ask(self, function: Callable[..., Any], *arguments: Any) -> None:
        """The request is on its way.

        Raises:
            OSError: the process is gone.
        """
        self.pipe.send((function, arguments))

    def answer(self) -> Any:
        """The answer to the oldest request that has none.

        Raises:
            EOFError, OSError: the process is gone.
        """
        return self.pipe.recv()

    def call(self, function: Callable[..., Any], *arguments: Any, patience_s: float | None) -> Any:
        """What the function returned; nothing else may be under way.

        Args:
            function: called with the environment first.
            arguments: further ones.
            patience_s: how long to wait [s]; None for ever.

        Raises:
            SimulationError: the process is gone, or hangs.
            Exception: what was raised over there.
        """
        try:
            self.ask(function, *arguments)
            if not self.pipe.poll(patience_s):
                raise SimulationError(f"{self._process.name}: no answer for {patience_s:g} s")
            answer = self.answer()
        except (EOFError, OSError) as error:
            raise SimulationError(f"{self._process.name}: its process died") from error
        if isinstance(answer, Failure):
            raise answer.error
        return answer

    def dismiss(self) -> None:
        """The process will end by itself when it has answered."""
        self.pipe.close()

    def end(self, *, at_once: bool = True, by: float = 0.0) -> str:
        """The process is gone, with all that it had started, and its folder; how it ended.

        Args:
            at_once: it is killed; otherwise it was dismissed and may end by itself.
            by: until when [s of the monotonic clock].
        """
        if self._ended:
            return self._ended
        self.pipe.close()
        if not at_once:
            self._process.join(max(0.0, by - time.monotonic()))
        # Its id is that of its group too. Once it has been collected the id may have become that
        # of a stranger, but only if nothing was left of the group.
        if self._process.exitcode is None or not psutil.pid_exists(self.id):
            with suppress(ProcessLookupError):
                os.killpg(self.id, signal.SIGKILL)
        self._process.kill()  # it may not have come to found its group
        self._process.join(KILL_TIMEOUT_S)
        code = self._process.exitcode
        if code is not None:  # else the kernel holds it, amid a read that never ends
            self._process.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        if code is not None and code < 0:
            self._ended = f"killed by {signal.Signals(-code).name}"
        else:
            self._ended = f"exit code {code}"
        return self._ended


def serve(pipe: Connection, make: MakeEnv, folder: Path) -> None:
    """Answers requests until the other end of the pipe is closed; then all is closed here too."""
    ignore_signals()
    os.setpgid(0, 0)  # whoever kills this process can kill with it what it has started
    with suppress(EOFError, OSError):
        answer = attempt(partial(make, folder=folder))
        if isinstance(answer, Failure):
            pipe.send(answer)
        else:
            with closing(answer) as env:
                pipe.send((env.observation_space, env.action_space))
                prepare_forks()
                request: Request | None = pipe.recv()
                while request is not None:
                    if request[0] is begin_episode:
                        attempt(prepare_episode, env, *request[1])  # the fork tells what fails
                        lasting, request = in_fork(partial(serve_episode, pipe, env, request))
                        for function, arguments in lasting:
                            attempt(function, env, *arguments)
                    else:
                        pipe.send(attempt(request[0], env, *request[1]))
                        request = pipe.recv()
    shutil.rmtree(folder, ignore_errors=True)


def serve_episode(
    pipe: Connection, env: Env, request: Request
) -> tuple[list[Request], Request | None]:
    """Answers requests up to the one that begins the next episode; all is closed here then.

    Returns:
        Those that hold for later episodes too, and the one that begins the next; None when the
        other end of the pipe is closed.
    """
    lasting: list[Request] = []
    answer = attempt(request[0], env, *request[1])
    with suppress(EOFError, OSError):
        while True:
            pipe.send(answer)
            request = pipe.recv()
            if request[0] is begin_episode:
                answer = attempt(env.close)
                if not isinstance(answer, Failure):
                    return lasting, request
            else:
                answer = attempt(request[0], env, *request[1])
            if request[0] is set_attribute:
                lasting.append(request)
    env.close()
    return lasting, None


def begin_episode(env: Env, seed: int | None, episode: int) -> Any:
    """A request: the first observation and info of that episode."""
    return env.reset(seed=seed, options={"episode": episode})


def prepare_episode(env: Env, seed: int | None, episode: int) -> None:
    """What the environment can do for that episode without SUMO is done, once for its forks."""
    if env.has_wrapper_attr("prepare"):
        env.get_wrapper_attr("prepare")(seed, episode)


def make_decision(env: Env, action: Any) -> Any:
    """A request: what a decision brought."""
    return env.step(action)


def call_method(env: Env, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A request: what that method of the environment returned."""
    return env.get_wrapper_attr(name)(*args, **kwargs)


def set_attribute(env: Env, name: str, value: Any) -> None:
    """A request: that attribute of the environment has a new value, in later episodes too."""
    env.set_wrapper_attr(name, value)


def is_wrapped(env: Env, module: str, name: str) -> bool:
    """A request: whether a wrapper of the class of that name is about the environment.

    The class itself would bring its library along, which takes longer than all else here.
    """
    while isinstance(env, gymnasium.Wrapper):
        if any(
            (kind.__module__, kind.__qualname__) == (module, name) for kind in type(env).__mro__
        ):
            return True
        env = env.env
    return False
