from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from learning_cases import ALGORITHM, equal_states, learner, small_task
from torch import nn
from traffic_cases import DURATIONS, city

from trafficrl.config.algorithm import ActionConfig, PolicyKind
from trafficrl.env.observations import ObservationEncoder
from trafficrl.training.distributions import PhaseChoices
from trafficrl.training.policies import PhaseScorePolicy, PhaseScorer, policy_layout

SCORING = replace(ALGORITHM, policy=PolicyKind.phase_scores)
SIGNAL_OF_PHASE = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3]
NUM_FEATURES = 30


def scorer(seed: int = 0) -> PhaseScorer:
    """Signals of three, four, three and one phases, of two features each in shuffled columns."""
    torch.manual_seed(seed)
    columns = torch.randperm(NUM_FEATURES)[: 2 * len(SIGNAL_OF_PHASE)].reshape(-1, 2)
    return PhaseScorer(
        NUM_FEATURES, columns.tolist(), SIGNAL_OF_PHASE, widths=[8, 4], activation=nn.Tanh
    )


def features_of(module: PhaseScorer, phases: torch.Tensor) -> torch.Tensor:
    """An observation (1, F) in which each phase has its row of (Q, K); noise elsewhere."""
    features = torch.rand(1, NUM_FEATURES)
    features[0, module.columns] = phases
    return features


def test_phases_that_look_alike_score_alike_at_every_signal() -> None:
    module = scorer()
    seen = torch.rand(3, 2)
    phases = torch.rand(len(SIGNAL_OF_PHASE), 2)
    phases[0:3] = seen  # signal 0
    phases[7:10] = seen[[2, 0, 1]]  # signal 2 sees the same in another order
    scores = module.forward_actor(features_of(module, phases))[0]
    assert torch.allclose(scores[7:10], scores[[2, 0, 1]], atol=1e-6)
    assert len(set(scores[0:3].tolist())) == 3


def test_a_signal_is_scored_by_itself_alone() -> None:
    module = scorer()
    phases = torch.rand(len(SIGNAL_OF_PHASE), 2)
    before = module.forward_actor(features_of(module, phases))[0]
    phases[3] += 0.5  # signal 1
    after = module.forward_actor(features_of(module, phases))[0]
    others = [phase for phase, signal in enumerate(SIGNAL_OF_PHASE) if signal != 1]
    assert torch.allclose(before[others], after[others], atol=1e-6)
    assert not torch.isclose(before[3:7], after[3:7], atol=1e-6).any(), "all see the new mean"


def test_a_batch_is_scored_row_by_row() -> None:
    module = scorer()
    rows = torch.rand(5, NUM_FEATURES)
    scores, embedding = module(rows)
    assert scores.shape == (5, len(SIGNAL_OF_PHASE))
    assert embedding.shape == (5, 4)
    for row in range(5):
        assert torch.allclose(module.forward_actor(rows[row : row + 1])[0], scores[row], atol=1e-6)


@pytest.mark.parametrize("action", [ALGORITHM.action, DURATIONS])
def test_the_gradient_reaches_every_parameter(tmp_path: Path, action: ActionConfig) -> None:
    with learner(tmp_path, replace(SCORING, action=action)) as model:
        observations = torch.rand(16, *model.observation_space.shape or ())
        actions = torch.stack([torch.as_tensor(model.action_space.sample()) for _ in range(16)])
        values, log_probability, _ = model.policy.evaluate_actions(observations, actions)
        torch.autograd.backward(values.sum() + log_probability.sum())
        still = [
            name
            for name, parameter in model.policy.named_parameters()
            if parameter.grad is None or not parameter.grad.abs().sum() > 0
        ]
        assert still == []
        optimised = {
            id(p) for group in model.policy.optimizer.param_groups for p in group["params"]
        }
        assert optimised == {id(parameter) for parameter in model.policy.parameters()}


def test_the_first_policy_is_close_to_uniform(tmp_path: Path) -> None:
    with learner(tmp_path, SCORING) as model:
        observations = torch.rand(64, *model.observation_space.shape or ())
        choices = model.policy.get_distribution(observations)
        assert isinstance(choices, PhaseChoices)
        signals = zip(city().signals, choices.log_chances.exp().unbind(1), strict=True)
        for signal, chances in signals:
            number = len(signal.phases)
            assert (number * chances[:, :number] - 1).abs().max() < 0.25
            assert not chances[:, number:].any()


def test_the_columns_of_a_phase_are_its_own() -> None:
    encoder = ObservationEncoder(ALGORITHM.observation, city(), end_s=60)
    layout = policy_layout(SCORING, small_task(SCORING))
    phases = [f"{s.id}/{p.name}" for s in city().signals for p in s.phases]
    signals = [s.id for s in city().signals for _ in s.phases]
    assert len({len(signal.phases) for signal in city().signals}) > 1
    for columns, signal, phase, index in zip(
        layout["phase_columns"], signals, phases, layout["signal_of_phase"], strict=True
    ):
        assert city().signals[index].id == signal
        assert [encoder.names[column] for column in columns] == [
            f"phase_queue:{phase}",
            f"phase_vehicles:{phase}",
            f"current_phase:{phase}",
            f"phase_age:{signal}",
        ]
    assert policy_layout(ALGORITHM, small_task()) == {}


def test_the_policy_survives_stable_baselines_own_saving(tmp_path: Path) -> None:
    with learner(tmp_path, SCORING) as model:
        assert isinstance(model.policy, PhaseScorePolicy)
        model.policy.save(str(tmp_path / "policy.pth"))
        model.save(tmp_path / "model.zip")
        loaded = type(model.policy).load(str(tmp_path / "policy.pth"))
        whole = type(model).load(tmp_path / "model.zip", device="cpu").policy
        observation = np.random.default_rng(0).random(model.observation_space.shape or ())
        expected = model.predict(observation.astype(np.float32), deterministic=True)[0]
        for policy in (loaded, whole):
            assert equal_states(policy.state_dict(), model.policy.state_dict())
            found = policy.predict(observation.astype(np.float32), deterministic=True)[0]
            assert np.array_equal(found, expected)


def test_scores_learn_what_is_worth_a_green(tmp_path: Path) -> None:
    """A few steps of supervised learning at one signal teach all signals, four phases or three."""
    task = small_task(SCORING)
    encoder = ObservationEncoder(SCORING.observation, task.network, end_s=60)
    layout = policy_layout(SCORING, small_task(SCORING))
    torch.manual_seed(3)
    module = PhaseScorer(encoder.size, **layout, widths=[16], activation=nn.Tanh)
    signal = torch.tensor(layout["signal_of_phase"])
    first, last = signal == 0, signal == signal.max()
    queue = module.columns[:, 0]
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    for _ in range(150):
        features = torch.rand(64, encoder.size)
        wanted = features[:, queue[first]].argmax(1)
        loss = nn.functional.cross_entropy(module.forward_actor(features)[:, first], wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    unseen = torch.rand(256, encoder.size)
    chosen = module.forward_actor(unseen)[:, last].argmax(1)
    assert (chosen == unseen[:, queue[last]].argmax(1)).float().mean() > 0.8
