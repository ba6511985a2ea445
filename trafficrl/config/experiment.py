"""One experiment: the six groups, the seed, and the checks that need more than one group."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Optional

from omegaconf import MISSING

from trafficrl.config.algorithm import ActionKind, AlgorithmConfig, CommonPPOConfig
from trafficrl.config.checks import check_range
from trafficrl.config.controllers import standard_controllers
from trafficrl.config.execution import (
    Backend,
    EvaluationConfig,
    ExecutionConfig,
    Simulator,
    refuse_dry_run,
)
from trafficrl.config.extensions import check_names
from trafficrl.config.network import NetworkConfig
from trafficrl.config.observation import check_places
from trafficrl.config.reward import RewardConfig
from trafficrl.config.scenarios import (
    GeneratedScenarioConfig,
    RouteFileScenarioConfig,
    ScenarioConfig,
)
from trafficrl.config.simulation import SimulationConfig
from trafficrl.config.sumo_options import is_microscopic
from trafficrl.errors import ConfigError

__all__ = ["CollectConfig", "EvaluateConfig", "ExperimentConfig"]


@dataclass(kw_only=True)
class ExperimentConfig:
    """Everything that decides a training's result, checked."""

    learns: ClassVar[bool] = True
    """`algorithm` is asked for; elsewhere models bring what they see."""

    network: NetworkConfig = MISSING
    scenarios: dict[str, ScenarioConfig] = field(default_factory=dict)
    algorithm: AlgorithmConfig = MISSING
    reward: RewardConfig = MISSING
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    execution: ExecutionConfig = MISSING
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    controller: dict[str, Any] = field(default_factory=standard_controllers)
    """Classical controllers by name, each a `ControllerConfig` (of any kind: Any lets the command
    line add entries whose kind only the loader knows)."""
    seed: int = 1
    """The one seed that all random streams of the run come from."""
    resume_from: Optional[str] = None  # noqa: UP045 - OmegaConf reads typing.Optional only
    """A model.zip, a run folder or the name of a model, `NAME@TAG`, whose model, schedules and
    step count go on."""
    extensions: list[str] = field(default_factory=list)
    """Python files with reward terms, features and controllers of the user's own.
    Their code runs only where the command line or a call names them."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Written into a run folder's resolved_config.yaml: versions, commit, network hash."""

    def __post_init__(self) -> None:
        check_range("seed", self.seed, 0, 2**32 - 1)
        if not self.scenarios:
            raise ConfigError("scenarios is empty: choose at least one, such as scenarios=light")
        for name in self.scenarios:
            if not re.fullmatch(r"\w[\w-]*", name):  # names become file names
                raise ConfigError(
                    f"scenarios: a name may hold letters, digits, _ and -, got {name!r}"
                )
        for name in self.controller:
            if not re.fullmatch(r"\w[\w-]*", name):  # no path, which would be a model's
                raise ConfigError(
                    f"controller: a name may hold letters, digits, _ and -, got {name!r}"
                )
        if not self.extensions:  # else when their files have been found: see `config/inputs.py`
            check_names(self.reward, self.algorithm.observation, self.controller, ())
        self._check_clocks()
        self._check_scale()
        self._check_teacher()
        self._check_simulator()
        if self.execution.gui and self.execution.backend is not Backend.traci:
            raise ConfigError("execution.gui=true needs execution.backend=traci, got libsumo")

    @property
    def has_learned_before(self) -> bool:
        """Its model knows something before the first step."""
        algorithm = self.algorithm
        cloned = isinstance(algorithm, CommonPPOConfig) and algorithm.cloning.imitates
        return cloned or self.resume_from is not None

    def _check_teacher(self) -> None:
        """One of the episodes that are imitated is held out."""
        algorithm = self.algorithm
        if not isinstance(algorithm, CommonPPOConfig) or algorithm.cloning.teacher is None:
            return
        if algorithm.cloning.episodes * len(self.scenarios) < 2:
            raise ConfigError(
                "algorithm.cloning.episodes must be >= 2 with one scenario, because one episode "
                f"is held out, got {algorithm.cloning.episodes}"
            )

    def _check_scale(self) -> None:
        """SUMO's own scaling would contradict a demand that says how many vehicles it has."""
        for name, scenario in self.scenarios.items():
            if "scale" in self.simulation.options and isinstance(scenario, GeneratedScenarioConfig):
                raise ConfigError(
                    f"simulation.options.scale does not go with scenarios.{name}, which is "
                    f"generated: set scenarios.{name}.num_vehicles"
                )

    def _check_simulator(self) -> None:
        """The mesoscopic model takes in silence what it cannot do."""
        if self.execution.simulator is not Simulator.meso:
            return
        chosen = self.simulation
        given = [name for name in ("depart_speed", "depart_lane") if getattr(chosen, name)]
        given += [f"options.{name}" for name in chosen.options if is_microscopic(name)]
        if given:
            raise ConfigError(
                f"simulation.{given[0]} does not go with execution.simulator=meso, which has no "
                "lanes and no following: leave it out, or take execution.simulator=micro"
            )
        if self.network.signals.all_red_hold_s:
            raise ConfigError(
                f"network.signals.all_red_hold_s={self.network.signals.all_red_hold_s:g} [s] does "
                "not go with execution.simulator=meso, in which nobody stands inside a junction: "
                "set 0, or take execution.simulator=micro"
            )
        if self.learns:
            check_places(self.algorithm.observation.cells_m, self.execution.simulator)

    def _check_clocks(self) -> None:
        """The three clocks fit: step <= sample <= decision <= episode, in whole multiples."""
        step_s = self.network.step_length
        decision_s = self.algorithm.action.decision_s
        name = (
            "cycle_s" if self.algorithm.action.kind is ActionKind.phase_durations else "interval_s"
        )
        for where, value in (
            (f"algorithm.action.{name}", decision_s),
            ("reward.sample_s", self.reward.sample_s),
            ("execution.end_time", self.execution.end_time),
            *self._begins(),
        ):
            if abs(value / step_s - round(value / step_s)) > 1e-9:
                raise ConfigError(
                    f"{where} must be a whole multiple of network.step_length {step_s:g} [s], "
                    f"got {value:g}"
                )
        if decision_s > self.execution.end_time:
            raise ConfigError(
                f"execution.end_time must be >= algorithm.action.{name} {decision_s:g} [s], "
                f"got {self.execution.end_time:g}"
            )

    def _begins(self) -> Iterator[tuple[str, float]]:
        for name, scenario in self.scenarios.items():
            if isinstance(scenario, RouteFileScenarioConfig):
                yield f"scenarios.{name}.begin_s", scenario.begin_s


@dataclass(kw_only=True)
class EvaluateConfig(ExperimentConfig):
    """An experiment whose policies are judged, not trained."""

    learns: ClassVar[bool] = False

    controllers: list[str] = field(default_factory=lambda: ["fixed"])
    """What is judged, the first being the one that the others are compared with: names of
    `controller`, paths of a model.zip or of a run folder, whose best model counts, or names of
    models, `NAME@TAG`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_dry_run(self.execution)
        if not self.controllers:
            raise ConfigError("controllers is empty: name at least one, such as [fixed]")
        if len(set(self.controllers)) != len(self.controllers):
            raise ConfigError(f"controllers: one is named twice in {self.controllers}")


@dataclass(kw_only=True)
class CollectConfig(ExperimentConfig):
    """An experiment whose training episodes a controller drives, to be imitated."""

    teacher: str = MISSING
    """What demonstrates: a name of `controller`, a model.zip, a run folder, whose best model
    counts, or the name of a model, `NAME@TAG`."""
    episodes: int = 10
    """Training episodes of each scenario."""

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_dry_run(self.execution)
        check_range("episodes", self.episodes, 1, 100_000)
