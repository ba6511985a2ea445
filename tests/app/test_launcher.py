"""The cluster's launcher by its short name."""

import subprocess
import sys
from pathlib import Path

import yaml


def test_slurm_is_submitit_with_more_time_and_memory(tmp_path: Path) -> None:
    code = "from trafficrl.app.evaluate import main; main()"
    words = ("hydra/launcher=slurm", "--cfg", "hydra", "-p", "hydra.launcher")
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    launcher = yaml.safe_load(done.stdout)
    assert launcher["_target_"].endswith("submitit_launcher.SlurmLauncher")
    assert (launcher["timeout_min"], launcher["cpus_per_task"], launcher["mem_gb"]) == (240, 8, 16)
