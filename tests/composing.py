"""Experiments as the command line composes them."""

from hydra import compose, initialize_config_dir

from trafficrl.config.experiment import EvaluateConfig, ExperimentConfig
from trafficrl.config.load import to_experiment
from trafficrl.config.store import conf_dir, register_configs


def experiment(*overrides: str, config_name: str = "train") -> ExperimentConfig:
    """What a command would be given for these overrides."""
    register_configs()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose(config_name, list(overrides))
    schema = EvaluateConfig if config_name == "evaluate" else ExperimentConfig
    return to_experiment(cfg, schema)
