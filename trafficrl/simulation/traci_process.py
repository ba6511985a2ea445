"""SUMO in a process of its own, reached through a socket: several at once, or with a window."""

import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import sumo
import traci

from trafficrl.simulation.calls import FrequentCalls, Readings

__all__ = ["TRACI_ERRORS", "SumoProcess"]

# Not `traci.exceptions.TraCIException`: importing libsumo puts its own class in that place.
TRACI_ERRORS = (traci.TraCIException, traci.FatalTraCIError, OSError)
"""What a traci connection raises when SUMO refuses or dies."""
CONNECT_TIMEOUT_S = 60.0
CONNECT_RETRY_S = 0.02
END_TIMEOUT_S = 10.0


class SumoProcess:
    """A process that runs SUMO, and the connection to it.

    traci's own `start` prints to the terminal, waits whole seconds, starts SUMO twenty times over
    when an option is wrong and leaves the process of a failed start behind; hence this one.

    Raises:
        TRACI_ERRORS: SUMO refused its arguments or files; it has ended.
    """

    def __init__(self, arguments: list[str], *, gui: bool) -> None:
        program = Path(sumo.SUMO_HOME) / "bin" / ("sumo-gui" if gui else "sumo")
        port = _free_port()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
        self._process = subprocess.Popen(
            [str(program), *arguments, "--remote-port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )
        try:
            self.api = self._connect(port)
        except TRACI_ERRORS as error:
            words = self.last_words()
            self._end()
            raise traci.FatalTraCIError(words or str(error)) from error
        self.calls = FrequentCalls(
            step=self.api.simulationStep,
            arrived=self.api.simulation.getArrivedNumber,
            parameter=self.api.simulation.getParameter,
            lanes=_readings(self.api.lane),
            edges=_readings(self.api.edge),
            detected=self.api.lanearea.getLastStepVehicleNumber,
        )

    def last_words(self) -> str:
        """What SUMO has printed when it ended by itself; nothing while it runs."""
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return ""
        self._said.seek(0)
        words = self._said.read().decode(errors="replace")
        return words.replace("Error: ", "").replace("Quitting (on error).", "").strip()

    def close(self) -> None:
        """The process has ended.

        Raises:
            TRACI_ERRORS: it had ended before.
        """
        try:
            self.api.close(wait=False)
        finally:
            self._end()

    def _connect(self, port: int) -> Any:
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while True:
            try:
                connection = traci.connect(port, numRetries=0, proc=self._process)
                break
            except traci.FatalTraCIError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(CONNECT_RETRY_S)
        connection.getVersion()  # answered when the network is loaded
        return connection

    def _end(self) -> None:
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


def _readings(domain: Any) -> Readings:
    """Of traci's lanes or edges, which have one face."""
    return Readings(
        vehicles=domain.getLastStepVehicleNumber,
        queue=domain.getLastStepHaltingNumber,
        speed=domain.getLastStepMeanSpeed,
        waiting=domain.getWaitingTime,
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return int(listener.getsockname()[1])
