"""What a sweep or a chain would submit."""

import re
from pathlib import Path

import pytest
from command_cases import DRY, Command, command

__all__ = ["command"]


def test_everything_that_is_asked_for_stands_in_the_script(
    command: Command, tmp_path: Path
) -> None:
    said = command(
        *("-m", "seed=1,2,3", *DRY),
        "hydra.launcher.partition=gpu",
        "hydra.launcher.account=traffic",
        "hydra.launcher.qos=low",
        "hydra.launcher.gpus_per_node=1",
        "hydra.launcher.mem_gb=3",
        "hydra.launcher.cpus_per_task=4",
        "hydra.launcher.timeout_min=77",
        "hydra.launcher.signal_delay_s=33",
        "hydra.launcher.constraint=avx2",
        "hydra.launcher.array_parallelism=2",
        "hydra.launcher.modules=[sumo/1.28,odd name]",
        "hydra.launcher.setup=['export A=1']",
        "hydra.launcher.container='/images/my own.sif'",
        "hydra.launcher.additional_parameters={nice: 100}",
    )
    assert (said.code, said.errors) == (0, "")
    for asked in (
        *("partition=gpu", "account=traffic", "qos=low", "gpus-per-node=1", "mem=3GB"),
        *("cpus-per-task=4", "time=77", "signal=USR2@33", "constraint=avx2", "array=0-2%2"),
        *("requeue", "nice=100"),
    ):
        assert f"#SBATCH --{asked}\n" in said.out
    script = said.out.partition("# setup\n")[2]
    assert script.startswith("module load sumo/1.28\nmodule load 'odd name'\nexport A=1\n")
    assert "\nsrun " in script
    assert " --cpus-per-task=4 apptainer exec '/images/my own.sif' python3 -u -m submitit" in script
    assert list(tmp_path.iterdir()) == []


def test_a_job_has_a_processor_for_each_environment_and_may_be_requeued(command: Command) -> None:
    said = command("-m", *DRY, "execution.parallel_envs=6")
    assert said.code == 0
    assert "#SBATCH --cpus-per-task=6\n" in said.out
    assert "#SBATCH --requeue\n" in said.out
    assert "--array" not in said.out


def test_the_same_command_has_the_same_folder_whatever_it_asks_of_the_cluster(
    command: Command,
) -> None:
    words = ("-m", *DRY, "seed=1,2")
    first = command(*words)
    assert first.jobs == command(*words, "hydra.launcher.mem_gb=5").jobs
    assert first.jobs != command(*words, "execution.total_timesteps=20000").jobs
    assert [job.partition(": ")[2] for job in first.jobs] == ["seed=1", "seed=2"]


def test_a_chain_waits_batch_by_batch_for_each_seed_alone(command: Command) -> None:
    said = command("-m", *DRY, "batch=light,[rush_hour,heavy_load]", "seed=1,2")
    assert (said.code, said.errors) == (0, "")
    folder = said.jobs[0].partition("/0: ")[0]
    first, second = (f"resume_from='{folder}/{link}/final_model.zip'" for link in (0, 1))
    assert said.jobs == [
        f"{folder}/0: seed=1 scenarios=light",
        f"{folder}/1: seed=2 scenarios=light",
        f"{folder}/2: seed=1 scenarios=[rush_hour,heavy_load] {first}",
        f"{folder}/3: seed=2 scenarios=[rush_hour,heavy_load] {second}",
    ]
    assert said.out.count("#SBATCH --array=0-1") == 1
    for link in (0, 1):
        assert f"#SBATCH --dependency=afterok:JOB_OF_{link}\n" in said.out
    assert said.out.count("#SBATCH --kill-on-invalid-dep=yes\n") == 2


def test_a_chain_begins_with_the_model_that_is_given_to_it(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "city.zip").touch()
    said = command("-m", *DRY, "batch=light,rush_hour", "resume_from=city.zip")
    folder = said.jobs[0].partition("/0: ")[0]
    assert said.jobs == [
        f"{folder}/0: resume_from=city.zip scenarios=light",
        f"{folder}/1: scenarios=rush_hour resume_from='{folder}/0/final_model.zip'",
    ]


def test_more_scenarios_than_environments_are_split_into_batches(command: Command) -> None:
    words = ("scenarios=[light,heavy_load]", "execution.parallel_envs=3", "batch=auto")
    said = command("-m", *DRY, *words)
    assert (said.code, said.errors) == (0, "")
    left_out = [re.findall(r"~scenarios\.(\w+)", job) for job in said.jobs]
    names = ["morning", "evening", "heavy_realtime_s1", "heavy_mixed_s1", "heavy_evening_s1"]
    assert left_out == [names[3:], names[:3]]
    assert "resume_from=" in said.jobs[1]


def test_slurm_long_brings_its_launcher_with_a_sweep_and_without(command: Command) -> None:
    one = command("execution=slurm_long", DRY[1])
    assert len(one.jobs) == 1
    assert "#SBATCH --cpus-per-task=8\n" in one.out
    assert len(command("-m", "execution=slurm_long", DRY[1], "seed=1,2,3").jobs) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("batch=light,rush_hour",), "batch=light,rush_hour makes a chain of trainings: add -m"),
        (("hydra/launcher=slurm",), "hydra/launcher=slurm sends jobs away: add -m"),
        (("hydra/launcher=submitit_local",), "hydra/launcher=submitit_local sends jobs away"),
        (("-m", *DRY, "batch=light", "scenarios=heavy_load"), "leave scenarios=heavy_load out"),
        (("-m", *DRY, "batch=light", "hydra.sweep.subdir=a"), "leave hydra.sweep.subdir out"),
        (("-m", *DRY, "batch=interval(1,2)"), "batch must list members of scenarios"),
        (("-m", *DRY, "batch=light,nowhere"), "scenarios: unknown 'nowhere'; choices: heavy_load"),
        (("-m", *DRY, "hydra.sweep.dir='a,b'"), "hydra.sweep.dir=a,b: SUMO, submitit and sbatch"),
        (("execution=slurm_long", "hydra.run.dir=a"), "hydra.run.dir is for one run"),
        (("-m", *DRY, "hydra.launcher.mem_gb=-1"), "hydra.launcher.mem_gb must be >= 0 GB"),
        (("-m", *DRY, "hydra.launcher.timeout_min=0"), "timeout_min must be >= 1 minute"),
        (("-m", *DRY, "hydra.launcher.timeout_min=2"), "signal_delay_s must lie within the 120 s"),
        (("-m", *DRY, "hydra.launcher.gpus_per_node=-2"), "gpus_per_node must be >= 0 GPUs"),
        (("-m", *DRY, "hydra.launcher.partitoin=gpu"), "hydra.launcher.partitoin"),
        (("-m", *DRY, "seed=1,x"), "seed"),
        (
            ("-m", "hydra/launcher=submitit_local", "hydra.launcher.array_parallelism=-1"),
            "hydra.launcher.array_parallelism must be >= 0 jobs, got -1",
        ),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    command: Command, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    said = command(*words)
    assert said.code == 2
    (line,) = said.errors.splitlines()
    assert told in line
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not list(tmp_path.glob("*/*/*"))  # a run folder


def test_a_machine_outside_a_cluster_is_told(command: Command, tmp_path: Path) -> None:
    said = command("-m", "hydra/launcher=slurm")
    assert said.code == 1
    (line,) = said.errors.splitlines()
    assert "this machine has no srun" in line
    assert not list(tmp_path.glob("multirun/*/*/job.json"))


def test_an_evaluation_is_sent_away_alike_but_has_no_batches(command: Command) -> None:
    said = command("-m", *DRY, "evaluation.seeds=2,3", name="evaluate")
    assert (said.code, said.errors) == (0, "")
    assert "#SBATCH --job-name=trafficrl-evaluate\n" in said.out
    for asked in ("array=0-1", "time=240", "mem=16GB", "cpus-per-task=2"):
        assert f"#SBATCH --{asked}" in said.out
    refused = command("-m", *DRY, "batch=light,rush_hour", name="evaluate")
    assert refused.code == 2
    assert "batch" in refused.errors.splitlines()[-1]
