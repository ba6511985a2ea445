"""What a user may say of the jobs: submitit's own names, and a few that it has no word for."""

from dataclasses import dataclass, field

from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf, SlurmQueueConf

__all__ = ["LocalSettings", "SlurmSettings"]

ENDLESS = 100_000
"""Time limits after which a job goes on again: a training ends when it has learned, not before."""


@dataclass
class SlurmSettings(SlurmQueueConf):
    """`hydra.launcher.*` of `hydra/launcher=slurm`; each is handed to sbatch unless told here."""

    _target_: str = "hydra_plugins.trafficrl_launchers.SlurmLauncher"
    wait: bool | None = None
    """Whether the command ends when its jobs have; null: unless they are a chain (`batch=`)."""
    dry_run: bool = False
    """Print what sbatch would get, submit nothing, leave nothing."""
    sweep_dir: str = ""
    """Folder of the sweep unless `hydra.sweep.dir` is given."""
    max_num_timeout: int = ENDLESS
    modules: list[str] = field(default_factory=list)
    """Environment modules that a job loads before anything else."""
    container: str | None = None
    """Image in which a job runs; it must have trafficrl, and see the folder of the command."""
    container_command: str = "apptainer exec"
    """What runs a command in the image."""


@dataclass
class LocalSettings(BaseQueueConf):
    """`hydra.launcher.*` of `hydra/launcher=submitit_local`: processes on this machine."""

    _target_: str = "hydra_plugins.trafficrl_launchers.LocalLauncher"
    sweep_dir: str = ""
    """Folder of the sweep unless `hydra.sweep.dir` is given."""
    max_num_timeout: int = ENDLESS
    signal_delay_s: int = 120
    """A job saves and goes on anew so long before its time is over [s]."""
    array_parallelism: int = 0
    """Jobs at once; 0: as many as the processors suffice for."""
