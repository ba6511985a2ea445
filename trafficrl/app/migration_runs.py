"""Whether a migrated experiment learns what the old file would: both are trained and compared."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from trafficrl.app.compare import agree
from trafficrl.app.migration_check import check
from trafficrl.app.migration_files import file_of, training_words, write
from trafficrl.config.algorithm import LearnerConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.legacy.migration import migrate
from trafficrl.config.legacy.sources import one_source
from trafficrl.errors import RunError

__all__ = ["validate"]

STEPS = 1000
UPDATES = 4
TOLERANCE = 0.05
RUNS = Path("outputs/migration")


def validate(legacy: Sequence[str], out: Path | None, overrides: Sequence[str]) -> int:
    """Old and new file have been trained on, one after the other, and compared.

    A file that is there already is the new one, whatever somebody changed in it: that is what is
    to be found out. The code of `trafficrl-compare --tolerance 5%` is returned; how long a step
    takes does not count, since no configuration is faster than itself.

    Args:
        legacy: the old file, or five of them.
        out: the new file or its folder; None for `conf/experiment/NAME.yaml`.
        overrides: of both trainings.

    Raises:
        ConfigError: the old file is refused, or a training does not find the new one.
        RunError: a training failed.
    """
    text = legacy[0] if len(legacy) == 1 else f"[{','.join(legacy)}]"
    migration = migrate(one_source(text))
    migration.refuse_unknown()
    config = check(migration)
    file = file_of(migration, out)
    if file.exists():
        print(f"{file} is there: it is what is compared")
    else:
        write(migration, out, overwrite=False)
    said = {word.partition("=")[0] for word in overrides}
    words = [f"{key}={value}" for key, value in short(config).items() if key not in said]
    words += overrides
    folder = RUNS / migration.name / f"{datetime.now():%Y-%m-%d-%H-%M-%S-%f}"
    runs = {"old": [f"legacy={text}"], "new": training_words(file)}
    for name, which in runs.items():
        train([*which, *words, f"hydra.run.dir={folder / name}"])
    return agree([folder / "old", folder / "new"], TOLERANCE, times=False)


def short(config: ExperimentConfig) -> dict[str, int | str]:
    """Overrides for a training of `STEPS` decisions with some updates, judged in little time."""
    algorithm, execution = config.algorithm, config.execution
    assert isinstance(algorithm, LearnerConfig)
    envs = 1 if execution.single_env else execution.parallel_envs
    n_steps = min(algorithm.n_steps, max(2, STEPS // UPDATES // envs))
    return {
        "execution.total_timesteps": STEPS,
        "execution.checkpoint_freq": STEPS,
        "execution.eval_freq": STEPS // 2,
        "execution.validation_seeds": 1,
        "algorithm.n_steps": n_steps,
        "algorithm.batch_size": min(algorithm.batch_size, n_steps * envs),
        "evaluation.seeds": 2,
        "evaluation.baselines": "[fixed]",
    }


def train(words: Sequence[str]) -> None:
    """The training has run, in a process of its own that shows its progress.

    Raises:
        RunError: it did not come to its end.
    """
    print(f"trafficrl-train {shlex.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "trafficrl.app.train", *words], check=False)
    if done.returncode:
        raise RunError(f"this training ended with code {done.returncode}; see above")
