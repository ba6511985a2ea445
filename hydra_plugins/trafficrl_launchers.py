"""What Hydra may instantiate for trafficrl: it takes plugins from this namespace alone."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from trafficrl.launch import local, slurm, sweeper
from trafficrl.launch.settings import LocalSettings, SlurmSettings


class SlurmLauncher(slurm.SlurmLauncher):
    """See `trafficrl.launch.slurm`."""


class LocalLauncher(local.LocalLauncher):
    """See `trafficrl.launch.local`."""


class BatchSweeper(sweeper.BatchSweeper):
    """See `trafficrl.launch.sweeper`."""


class OwnLaunchers(SearchPathPlugin):
    """`hydra/launcher=submitit_local` is ours alone.

    Submitit's own member of that name would be taken for a schema of it, with a warning for each
    user. It may be stored after this file was read; Hydra asks for search paths later still.
    """

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """No path changes."""
        ConfigStore.instance().repo["hydra"]["launcher"].pop("submitit_local.yaml", None)


_slurm = OmegaConf.structured(SlurmSettings)
OmegaConf.set_struct(_slurm.additional_parameters, False)  # sbatch says which names there are
for _name, _node in (("slurm", _slurm), ("local", LocalSettings)):
    ConfigStore.instance().store(group="schema/launcher", name=_name, node=_node)
