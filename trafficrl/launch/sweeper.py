"""`batch=A,B,C`: one model learns one batch of scenarios after the other.

    trafficrl-train -m hydra/launcher=slurm batch=light,rush_hour,heavy_load seed=1,2

makes six jobs: 0 and 1 learn `light` with seed 1 and 2; 2 and 3 go on with their final models on
`rush_hour`, 4 and 5 on `heavy_load`. Each value is what `scenarios=` takes. `batch=auto` splits
the scenarios of the configuration into batches of as many as there are environments.
"""

from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from trafficrl.errors import ConfigError
from trafficrl.launch.launcher import JobLauncher
from trafficrl.runs.paths import RunPaths

__all__ = ["BatchSweeper", "quoted"]

BATCH = "batch"
AUTO = "auto"


class BatchSweeper(Sweeper):
    """What Hydra's basic sweeper does, and chains.

    No subclass of that one: Hydra reads its file twice, after which a subclass of the first
    reading does not know itself any more.

    Args:
        batch: as the command line has it; None where no chain is asked for.
        max_batch_size: as that of the basic sweeper.
        params: sweeps of the configuration, key -> values.
    """

    def __init__(
        self, *, batch: str | None, max_batch_size: int | None, params: dict[str, str] | None
    ) -> None:
        self.batch = batch
        self.max_batch_size = max_batch_size
        self.params = params or {}

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Hydra calls it before `sweep`."""
        self.parser = OverridesParser.create(config_loader=hydra_context.config_loader)
        self.hydra_context = hydra_context
        self.config = self.master = config
        self.launcher = self.sender = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """All jobs have been launched.

        Raises:
            ConfigError: a batch that cannot be.
        """
        if any(word.startswith("hydra.run.") for word in self.master.hydra.overrides.hydra):
            raise ConfigError(
                "hydra.run.dir is for one run: the folder of a multirun is hydra.sweep.dir"
            )
        given = [f"{key}={value}" for key, value in self.params.items()]
        overrides = self.parser.parse_overrides([*given, *arguments])
        waves = BasicSweeper.split_arguments(overrides, self.max_batch_size)
        if self.batch is not None:
            batch = self.parser.parse_override(f"{BATCH}={self.batch}")
            waves = [self._chained(self._scenarios(batch, overrides), waves)]
        if not (self.master.hydra.launcher.get("dry_run") or self.master.execution.dry_run):
            folder = Path(self.master.hydra.sweep.dir)
            folder.mkdir(parents=True, exist_ok=True)
            OmegaConf.save(self.master, folder / "multirun.yaml")
        returned, first = [], 0
        for wave in waves:
            if not isinstance(self.sender, JobLauncher):  # which composes each job anyway
                self.validate_batch_is_legal(wave)
            jobs = self.sender.launch(wave, initial_job_idx=first)
            for job in jobs:
                _ = job.return_value  # raises what the job did
            returned.append(jobs)
            first += len(wave)
        return returned

    def _chained(self, batches: list[list[str]], waves: list[list[list[str]]]) -> list[list[str]]:
        """All jobs of all batches in the order of their numbers, each after the one it needs."""
        singles = [words for wave in waves for words in wave]
        jobs: list[list[str]] = []
        for batch in batches:
            for words in singles:
                before = len(jobs) - len(singles)
                own = [*words, *batch]
                if before >= 0:
                    own = [word for word in own if not word.startswith("resume_from=")]
                    own.append(f"resume_from={quoted(str(self._model_of(before)))}")
                jobs.append(own)
        return jobs

    def _model_of(self, number: int) -> Path:
        return RunPaths(Path(self.master.hydra.sweep.dir, str(number))).final_model

    def _scenarios(self, batch: Override, others: list[Override]) -> list[list[str]]:
        """For each batch the overrides that choose its scenarios."""
        if any(
            word.startswith("hydra.sweep.subdir=") for word in self.master.hydra.overrides.hydra
        ):
            raise ConfigError(
                "batch: the folders of a chain are numbered: leave hydra.sweep.subdir out"
            )
        if not batch.is_sweep_override():
            values = [batch.get_value_element_as_str()]
        elif batch.is_discrete_sweep():
            values = list(batch.sweep_string_iterator())
        else:
            raise ConfigError(f"batch must list members of scenarios, got {self.batch}")
        if values == [AUTO]:
            return self._split()
        for other in others:
            if other.key_or_group == "scenarios":
                raise ConfigError(
                    f"batch={self.batch} chooses the scenarios of each batch: leave "
                    f"{other.input_line} out, or split it with batch={AUTO}"
                )
        return [[f"scenarios={value}"] for value in values]

    def _split(self) -> list[list[str]]:
        """The scenarios of the configuration in batches of as many as there are environments."""
        names = list(self.master.scenarios)
        size = int(self.master.execution.parallel_envs)
        groups = [names[i : i + size] for i in range(0, len(names), size)]
        return [[f"~scenarios.{name}" for name in names if name not in group] for group in groups]


def quoted(value: str) -> str:
    """Any text as a value in Hydra's grammar."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
