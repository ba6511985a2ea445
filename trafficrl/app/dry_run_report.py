"""What a dry run tells of the training that it stands for."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gymnasium import spaces
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from trafficrl.app.amounts import duration_text, size_text
from trafficrl.app.trial import Trial
from trafficrl.config.algorithm import ActionKind
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import read_departures
from trafficrl.env.actions import build_action
from trafficrl.env.encoding import task_encoder
from trafficrl.env.task import Task
from trafficrl.runs.processors import processors

__all__ = ["report_lines"]

LABEL = 13
SMALL = 1 << 20
"""Less memory is not worth a word [byte]."""
GB = 10**9
"""As hydra.launcher.mem_gb counts."""


def report_lines(trial: Trial) -> Iterator[str]:
    """Sizes, memory and time, a line each."""
    rows = {
        "network": [_network(trial.task)],
        "scenarios": [_scenarios(trial)],
        "environments": [_environments(trial)],
        "observation": [_observation(trial.task)],
        "action": [_action(trial.task)],
        "learner": _learner(trial),
        "memory": _memory(trial),
        "time": _time(trial),
        "measured": _measured(trial),
        "launcher": _launcher(trial),
    }
    cache = trial.config.execution.cache_dir
    yield f"dry run: nothing was trained; of it only the network stays, in {cache}"
    for name, told in rows.items():
        for place, line in enumerate(told):
            yield f"  {'' if place else name:<{LABEL}} {line}"


def _network(task: Task) -> str:
    network = task.network
    signals = f"{len(network.signals)} signals"
    return f"{signals}, {len(network.streets)} streets, {len(network.lanes)} lanes"


def _scenarios(trial: Trial) -> str:
    counts = {}
    for name, scenario in trial.config.scenarios.items():
        if isinstance(scenario, GeneratedScenarioConfig):
            counts[name] = str(scenario.num_vehicles)
        else:
            given = build_scenario(
                name,
                scenario,
                trial.task.network,
                seeds=None,
                end_s=trial.task.end_s,
                folder=Path(),
            )
            found = read_departures(given, trial.task.network, step_s=trial.task.step_s)
            counts[name] = f"{'' if found.exact else 'about '}{len(found)}"
    return ", ".join(f"{name} ({count} vehicles)" for name, count in counts.items())


def _environments(trial: Trial) -> str:
    episodes = f"episodes of {trial.task.end_s:g} s, {trial.decisions} decisions each"
    if trial.config.execution.single_env:
        return f"1 in the learner's process; {episodes}"
    return f"{trial.effort.num_envs} side by side; {episodes}"


def _observation(task: Task) -> str:
    space = task_encoder(task).space
    *signals, numbers = space.shape or ()
    if signals:
        return f"{numbers} numbers of each of {signals[0]} signals, one policy for all of them"
    return f"{numbers} numbers of the whole network, one agent for all signals"


def _action(task: Task) -> str:
    space = build_action(task.action, task.network, task.step_s).space
    phases = [len(signal.phases) for signal in task.network.signals]
    choice = f"{min(phases)}" + (f" to {max(phases)}" if max(phases) > min(phases) else "")
    if task.action.kind is ActionKind.phase_durations:
        assert isinstance(space, spaces.Box)
        numbers = f"{space.shape[0]} numbers"
        return f"{numbers}: the greens of the next {task.action.cycle_s:g} s of all signals"
    each = f"the next of {choice} phases for each of {len(phases)} signals"
    return f"{each}, every {task.action.interval_s:g} s"


def _learner(trial: Trial) -> list[str]:
    kind = trial.config.algorithm.kind
    lines = [f"{kind} on {trial.device}, {trial.effort.parameters} parameters"]
    if trial.goes_on is not None:
        lines.append(f"goes on in {trial.goes_on}, where {trial.done} of its steps are done")
    elif trial.coming is not None:
        lines.append(f"new here; in the chain it starts from {trial.coming}")
    elif trial.config.resume_from is not None:
        lines.append(f"starts from {trial.config.resume_from}, at {trial.first} steps")
    if trial.demonstrations:
        lines.append(f"imitates {trial.demonstrations} rows first, which the time below leaves out")
    if trial.episodes_to_drive:
        lines.append(
            f"imitates {trial.episodes_to_drive} episodes of its teacher first; the time below has "
            "their driving, not the imitation"
        )
    return lines


def _memory(trial: Trial) -> list[str]:
    effort = trial.effort
    parts = [f"learner {size_text(effort.learner_bytes)}"]
    if effort.experience_bytes >= SMALL:
        parts.append(f"what it learns from {size_text(effort.experience_bytes)}")
    if effort.environment_bytes:
        parts.append(f"{effort.num_envs} x environment {size_text(effort.environment_bytes)}")
    evaluating = size_text(trial.worker_bytes + effort.simulation_bytes)
    parts.append(f"{trial.workers} x worker of evaluations {evaluating}")
    return [
        f"about {size_text(trial.memory_bytes)} in all, where shared pages count once",
        f"peaks, with shared pages: {', '.join(parts)}",
    ]


def _time(trial: Trial) -> list[str]:
    parts = {name: part_s for name, part_s in trial.parts_s.items() if part_s > 0}
    stops = trial.config.execution.early_stopping_patience
    sooner = "; early stopping may end it sooner" if stops else ""
    return [
        f"about {duration_text(sum(parts.values()))} for {trial.left} steps{sooner}",
        ", ".join(f"{name} {duration_text(part_s)}" for name, part_s in parts.items()),
    ]


def _measured(trial: Trial) -> list[str]:
    effort, seen = trial.effort, len(trial.effort.steps_s)
    took = f"{seen} steps of all environments in {sum(effort.steps_s):.1f} s"
    late = f"of {trial.decisions} of an episode: fuller roads take longer"
    how = "a whole episode of each" if effort.whole_episode else late
    load, gradient_ms = os.getloadavg()[0], 1000 * effort.gradient_s
    return [
        f"{took}, {how}; {gradient_ms:.1f} ms a gradient step",
        f"on {processors()} processors of this machine, whose load was {load:.1f}",
    ]


def _launcher(trial: Trial) -> list[str]:
    """What the job of a launcher would have, beside what it needs."""
    if not HydraConfig.initialized() or HydraConfig.get().mode is not RunMode.MULTIRUN:
        return []
    asked: Any = HydraConfig.get().launcher
    lines = []
    if asked.get("mem_gb") is not None:
        enough = asked.mem_gb * GB >= trial.memory_bytes
        told = "is enough" if enough else "IS TOO LITTLE"
        lines.append(f"hydra.launcher.mem_gb={asked.mem_gb} {told}")
    if asked.get("timeout_min") is not None:
        times = int(sum(trial.parts_s.values()) / (60 * asked.timeout_min))
        told = f"cuts the job about {times} times, and it goes on" if times else "is enough"
        lines.append(f"hydra.launcher.timeout_min={asked.timeout_min} {told}")
    return lines
