"""The trackers of a run as the run sees them: processes that it starts, and lets go of at its end.

They read what the run leaves in its folder anyway. So the training neither loads their packages nor
waits for them while it learns, and ends with the same bytes whether they work, fail or hang.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable

from trafficrl.runs.paths import RunPaths
from trafficrl.runs.stop import Stopped
from trafficrl.runs.trackers.follower import IGNORED, MOST_S
from trafficrl.runs.trackers.installed import FOLLOWERS

__all__ = ["Tracking"]

log = logging.getLogger(__name__)
SHORT_S = 10.0
"""For the last of it where the run was asked to stop, for a cluster kills soon; and where the
tracker is in trouble, or has not even begun."""
QUIET_S = 2.0
"""Waiting that long is not worth a line."""
LOOK_S = 0.1


class Tracking:
    """Followers of a run, one a tracker; a context manager that closes behind the run's last word.

    Args:
        paths: of the run.
    """

    def __init__(self, paths: RunPaths) -> None:
        self._paths = paths
        self._followers: list[_Process] = []

    def begin(self, trackers: Iterable[str], *, config_hash: str, goes_on: bool) -> None:
        """Their processes are on the way; `resolved_config.yaml` and `run.json` are there.

        Args:
            trackers: of `execution.trackers`; those that need no process are left out.
            config_hash: SHA-256 of the configuration.
            goes_on: the training will go on from a checkpoint.
        """
        how = "goes-on" if goes_on else "begins"
        for name in trackers:
            if name in FOLLOWERS:
                self._followers.append(_Process(name, self._paths, config_hash, how))

    def __enter__(self) -> "Tracking":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """All that could be told is; a follower that takes longer than its time is ended."""
        stopped = kind is not None and issubclass(kind, Stopped)
        begun = time.monotonic()
        for follower in self._followers:
            follower.dismiss()
        for follower in self._followers:
            follower.wait(begun, patience_s=SHORT_S if stopped else MOST_S)


class _Process:
    """A follower, and a thread that logs what it says."""

    def __init__(self, name: str, paths: RunPaths, config_hash: str, how: str) -> None:
        self._name = name
        self.warned = False
        """Something has gone wrong, and the log says what."""
        self._heard = self._dismissed = False
        self._process: subprocess.Popen[bytes] | None = None
        folder = paths.root.resolve()
        module = "trafficrl.runs.trackers.follower"
        words = [sys.executable, "-m", module, str(folder), name, config_hash, how]
        # What this process imports from that one does too, and nothing that merely lies about.
        found = os.pathsep.join(filter(None, sys.path))
        environment = {**os.environ, "PYTHONPATH": found, "PYTHONSAFEPATH": "1"}
        # It inherits what is blocked: until it ignores these signals itself they cannot end it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
        try:
            paths.trackers.mkdir(exist_ok=True)
            with (paths.trackers / f"{name}.log").open("ab") as printed:
                self._process = subprocess.Popen(
                    words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=printed,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            self._warn(f"{error}; the training goes on without it")
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if self._process is not None:
            self._listener = threading.Thread(
                target=self._listen, args=(self._process,), name=f"tracker-{name}", daemon=True
            )
            self._listener.start()

    def dismiss(self) -> None:
        """It hears that the run has ended."""
        self._dismissed = True
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def wait(self, since: float, *, patience_s: float) -> None:
        """It has ended, by itself or not: nobody waits longer than that, or after Ctrl-C.

        Args:
            since: when it was dismissed [s of the monotonic clock].
            patience_s: from then on [s].
        """
        if self._process is None:
            return
        try:
            said = False
            while self._process.poll() is None:
                waited_s = time.monotonic() - since
                most_s = SHORT_S if self.warned or not self._heard else patience_s
                if waited_s >= most_s:
                    self._give_up("did not end in its time")
                elif waited_s >= QUIET_S and not said:
                    log.info("%s: waiting until all is told, %.0f s at most", self._name, most_s)
                    said = True
                time.sleep(LOOK_S)
        except KeyboardInterrupt:  # the run itself has said its last word
            self._give_up("not waited for any longer")
        self._listener.join()
        if self._process.returncode:
            self._warn(f"its process ended with code {self._process.returncode}")

    def _give_up(self, why: str) -> None:
        assert self._process is not None
        self._warn(f"{why}: not all was told")
        self._process.kill()
        self._process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            level, text = json.loads(line)
            self._heard = True
            if level == "warning":
                self._warn(text)
            else:
                log.info("%s: %s", self._name, text)
        process.stdout.close()
        if not self._dismissed:
            self._warn(f"its process has ended with code {process.wait()}; the training goes on")

    def _warn(self, text: str) -> None:
        if not self.warned:
            log.warning("%s: %s (trackers/%s.log)", self._name, text, self._name)
        self.warned = True
