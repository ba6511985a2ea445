"""The tracker `tensorboard`: event files of the run, written beside `metrics.csv`."""

import logging
from typing import Any

from stable_baselines3.common.logger import TensorBoardOutputFormat
from torch.utils.tensorboard.writer import SummaryWriter

from trafficrl.runs.paths import RunPaths

__all__ = ["TensorBoardEvents"]

log = logging.getLogger(__name__)


class TensorBoardEvents(TensorBoardOutputFormat):
    """Writes each row of Stable-Baselines3's logger, and the configuration as a text.

    The file begins with the first row. It tells TensorBoard to forget what earlier files of the run
    say of that step and later ones: a training that was cut does those again.
    """

    def __init__(self, paths: RunPaths) -> None:
        self._paths = paths
        self._failed = False
        self._is_closed = True

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        """The row is on its way; after a failure no row is, and a warning says so once."""
        if self._failed:
            return
        try:
            if self._is_closed:
                self._begin(step)
            super().write(key_values, key_excluded, step)
        except Exception as error:  # noqa: BLE001 - a tracker's troubles stop no training
            self._fail(error)

    def close(self) -> None:
        """What was told is in the file."""
        if self._is_closed:
            return
        try:
            super().close()
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _begin(self, step: int) -> None:
        self.writer = SummaryWriter(log_dir=str(self._paths.tensorboard), purge_step=step)
        self._is_closed = False
        if self._paths.resolved_config.is_file():
            text = self._paths.resolved_config.read_text(encoding="utf-8")
            lines = "\n".join(f"    {line}" for line in text.splitlines())  # as Markdown: verbatim
            self.writer.add_text("resolved_config.yaml", lines, step)

    def _fail(self, error: Exception) -> None:
        if not self._failed:
            log.warning("tensorboard: %s; the training goes on without it", error)
        self._failed = True
