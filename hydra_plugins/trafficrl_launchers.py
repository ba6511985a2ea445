"""What Hydra may instantiate for trafficrl: it takes plugins from this namespace alone."""

from hydra.core.config_store import ConfigStore

from trafficrl.launch import local, slurm, sweeper
from trafficrl.launch.settings import LocalSettings, SlurmSettings


class SlurmLauncher(slurm.SlurmLauncher):
    """See `trafficrl.launch.slurm`."""


class LocalLauncher(local.LocalLauncher):
    """See `trafficrl.launch.local`."""


class BatchSweeper(sweeper.BatchSweeper):
    """See `trafficrl.launch.sweeper`."""


for _name, _node in (("slurm", SlurmSettings), ("local", LocalSettings)):
    ConfigStore.instance().store(group="schema/launcher", name=_name, node=_node)
