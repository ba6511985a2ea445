"""What a shared policy may choose, and what it makes of phases in any order and any number."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning_cases import equal_states, learner, other_city
from shared_cases import CENTRAL_VALUE, PAID, SEEN, SHARED
from stable_baselines3 import PPO
from torch import nn
from traffic_cases import city

from trafficrl.errors import CheckpointError
from trafficrl.training.models import load_model, write_model
from trafficrl.training.ppo import resume_ppo
from trafficrl.training.shared_policy import SharedPhasePolicy, SharedScorer, SignalRows

ROWS = SignalRows(max_phases=6, phase_features=3, signal_features=2)


def scorer(rows: SignalRows = ROWS, seed: int = 0) -> SharedScorer:
    torch.manual_seed(seed)
    return SharedScorer(rows, [16, 8], nn.Tanh)


def row(
    phases: torch.Tensor, signal: torch.Tensor, *, chosen: list[int], rows: SignalRows = ROWS
) -> torch.Tensor:
    """One row (1, K): the first places hold these phases (M, F), of which some may be chosen."""
    mask, exists = torch.zeros(rows.max_phases), torch.zeros(rows.max_phases)
    mask[chosen], exists[: len(phases)] = 1.0, 1.0
    table = torch.zeros(rows.max_phases, rows.phase_features)
    table[: len(phases)] = phases
    return torch.cat([mask, exists, table.flatten(), signal])[None]


def rows_of(model: PPO, number: int) -> torch.Tensor:
    """Rows (number, K) as the environments would show them, each with two phases to choose."""
    shape = model.observation_space.shape
    assert shape is not None
    rows = torch.rand(number, *shape)
    rows[:, :12] = 0.0
    rows[:, 6:9] = 1.0
    for one in rows:
        one[torch.randperm(3)[:2]] = 1.0
    return rows


def test_another_order_of_the_phases_gives_the_same_scores_in_that_order() -> None:
    module, phases, signal = scorer(), torch.rand(4, 3), torch.rand(2)
    order = [2, 0, 3, 1]
    one = row(phases, signal, chosen=[0, 1, 2, 3])
    other = row(phases[order], signal, chosen=[0, 1, 2, 3])
    scores, turned = module.forward_actor(one)[0], module.forward_actor(other)[0]
    assert torch.allclose(turned[:4], scores[order], atol=1e-6)
    assert len(set(scores[:4].tolist())) == 4
    assert torch.allclose(module.forward_critic(one), module.forward_critic(other), atol=1e-6)


def test_places_without_a_phase_change_nothing() -> None:
    wide = replace(ROWS, max_phases=11)
    one, other = scorer(), scorer(wide)
    assert equal_states(one.state_dict(), other.state_dict())
    phases, signal = torch.rand(3, 3), torch.rand(2)
    near, far = (
        row(phases, signal, chosen=[0, 2], rows=ROWS),
        row(phases, signal, chosen=[0, 2], rows=wide),
    )
    scores, more = one.forward_actor(near)[0], other.forward_actor(far)[0]
    assert torch.allclose(scores[:3], more[:3], atol=1e-6)
    assert torch.allclose(one.forward_critic(near), other.forward_critic(far), atol=1e-6)
    near[0, 12 + 3 * 3 : -2] = 7.0  # whatever stands where no phase is
    assert torch.equal(one.forward_actor(near)[0], scores)


def test_a_phase_counts_for_the_others_whether_it_may_be_chosen_or_not() -> None:
    module, phases, signal = scorer(), torch.rand(3, 3), torch.rand(2)
    before = module.forward_actor(row(phases, signal, chosen=[0]))[0, 0]
    phases[2] += 0.5
    assert not torch.isclose(module.forward_actor(row(phases, signal, chosen=[0]))[0, 0], before)


def test_what_only_the_value_sees_changes_the_value_alone() -> None:
    central = scorer(replace(ROWS, value_features=2))
    seen = row(torch.rand(3, 3), torch.rand(2), chosen=[0, 2])
    calm = torch.cat([seen, torch.zeros(1, 2)], dim=1)
    jammed = torch.cat([seen, torch.ones(1, 2)], dim=1)
    assert torch.equal(central.forward_actor(calm), central.forward_actor(jammed))
    assert not torch.allclose(central.forward_critic(calm), central.forward_critic(jammed))


def test_a_model_with_a_central_value_comes_back(tmp_path: Path) -> None:
    config = replace(SHARED, observation=CENTRAL_VALUE)
    with learner(tmp_path, config, reward=PAID) as model:
        file = tmp_path / "model.zip"
        write_model(model, file, algorithm=config, network=city())
        rows = rows_of(model, 30)
        expected = model.policy.predict_values(rows)
        with pytest.raises(CheckpointError, match=r"value_features was \['network_queue'"):
            resume_ppo(model, load_model(file), SHARED, city())
    with learner(tmp_path, config, reward=PAID, seed=2) as model:
        assert not torch.allclose(model.policy.predict_values(rows), expected)
        resume_ppo(model, load_model(file), config, city())
        assert torch.equal(model.policy.predict_values(rows), expected)
    plain = PPO.load(file, device="cpu")
    assert torch.equal(plain.policy.predict_values(rows), expected)


def test_what_may_not_be_chosen_never_is_and_has_no_probability(tmp_path: Path) -> None:
    with learner(tmp_path, SHARED, reward=PAID) as model:
        rows = rows_of(model, 500)
        allowed = rows[:, :6] > 0
        chances: Any = model.policy.get_distribution(rows).distribution
        assert (chances.probs[~allowed] == 0).all()
        assert (chances.probs[allowed] > 0.1).all(), "the first policy is close to uniform"
        with torch.no_grad():
            for deterministic in (False, True):
                actions, _, log_probs = model.policy(rows, deterministic=deterministic)
                assert allowed[torch.arange(500), actions].all()
                assert log_probs.isfinite().all()
        assert len(set(actions.tolist())) == 3


def test_the_loss_sees_only_what_may_be_chosen(tmp_path: Path) -> None:
    with learner(tmp_path, SHARED, reward=PAID) as model:
        rows = rows_of(model, 64)
        rows[:32, :6] = 0.0
        rows[:32, 1] = 1.0  # nothing to decide
        actions = rows[:, :6].argmax(1)
        _, log_probs, entropy = model.policy.evaluate_actions(rows, actions)
        assert entropy is not None
        assert (log_probs[:32] == 0).all()
        assert (entropy[:32].abs() < 1e-6).all()
        assert (entropy[32:] <= np.log(2) + 1e-6).all()
        torch.autograd.backward((log_probs[:32] + entropy[:32]).sum())
        actor = [p for n, p in model.policy.named_parameters() if "acting" in n or "score" in n]
        assert all(p.grad is None or p.grad.abs().max() < 1e-6 for p in actor)


def test_the_gradient_reaches_every_parameter(tmp_path: Path) -> None:
    with learner(tmp_path, SHARED, reward=PAID) as model:
        rows = rows_of(model, 64)
        values, log_probs, _ = model.policy.evaluate_actions(rows, rows[:, :6].argmax(1))
        torch.autograd.backward(values.sum() + log_probs.sum())
        weights = model.policy.named_parameters()
        still = [name for name, p in weights if p.grad is None or not p.grad.abs().max() > 1e-6]
        # Adding the same to all scores changes nothing.
        assert still == ["mlp_extractor.score.2.bias"]
        groups = model.policy.optimizer.param_groups
        optimised = {id(parameter) for group in groups for parameter in group["params"]}
        assert optimised == {id(parameter) for parameter in model.policy.parameters()}


def test_the_model_comes_back_here_and_in_stable_baselines(tmp_path: Path) -> None:
    with learner(tmp_path, SHARED, reward=PAID) as model:
        assert isinstance(model.policy, SharedPhasePolicy)
        file = tmp_path / "model.zip"
        write_model(model, file, algorithm=SHARED, network=city())
        rows = rows_of(model, 30).numpy()
        expected = model.predict(rows, deterministic=True)[0]
    assert np.array_equal(load_model(file).act(rows), expected)
    plain = PPO.load(file, device="cpu")
    assert np.array_equal(plain.predict(rows, deterministic=True)[0], expected)


def test_a_model_goes_on_in_another_city_but_not_with_too_many_phases(tmp_path: Path) -> None:
    few = replace(SHARED, observation=replace(SEEN, max_phases=3))
    tees = replace(city(), signals=tuple(s for s in city().signals if len(s.phases) == 3))
    with learner(tmp_path, few, reward=PAID, network=tees) as model:
        write_model(model, tmp_path / "model.zip", algorithm=few, network=tees)
        resume_ppo(model, load_model(tmp_path / "model.zip"), few, tees)
        with pytest.raises(CheckpointError) as error:
            resume_ppo(model, load_model(tmp_path / "model.zip"), few, city())
    assert f"{tmp_path / 'model.zip'}: algorithm.observation.max_phases must be >= 4" in str(
        error.value
    )
    with learner(tmp_path, SHARED, reward=PAID) as model:
        write_model(model, tmp_path / "model.zip", algorithm=SHARED, network=city())
    loaded, there = load_model(tmp_path / "model.zip"), other_city()
    with learner(tmp_path, SHARED, reward=PAID, seed=2, network=there) as model:
        assert not equal_states(model.policy.state_dict(), loaded.policy_state)
        resume_ppo(model, loaded, SHARED, there)
        assert equal_states(model.policy.state_dict(), loaded.policy_state)
        blind = replace(SHARED, observation=replace(SEEN, signal_features=[]))
        with pytest.raises(CheckpointError, match=r"signal_features was \['phase_age', .* is \[\]"):
            resume_ppo(model, loaded, blind, there)
