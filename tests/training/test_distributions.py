"""What actors draw from has Stable-Baselines3's numbers, and no weight becomes no number unseen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from learning_cases import ALGORITHM, EXECUTION, equal_states, learner, trainer_of
from stable_baselines3 import PPO
from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    DiagGaussianDistribution,
    MultiCategoricalDistribution,
)
from traffic_cases import DURATIONS, city

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.errors import ConfigError
from trafficrl.training.distributions import NumberChoices, PhaseChoice, PhaseChoices
from trafficrl.training.models import load_model, write_model

SIZES = [3, 4, 1, 3, 2]
"""Phases of five signals."""
BATCH = 500
DURATION_PPO = replace(ALGORITHM, action=DURATIONS)


def random_logits() -> torch.Tensor:
    """(BATCH, Q) from nearly equal ones to those that leave one phase alone."""
    torch.manual_seed(1)
    return torch.randn(BATCH, sum(SIZES)) * torch.logspace(-2, 2, BATCH)[:, None]


def random_phases() -> torch.Tensor:
    """(BATCH, S), as float: so a rollout keeps them."""
    return torch.stack([torch.randint(size, (BATCH,)) for size in SIZES], 1).float()


def test_all_signals_at_once_have_the_numbers_of_each_alone() -> None:
    phases, found = random_phases(), []
    for kind in (MultiCategoricalDistribution, PhaseChoices):
        logits = random_logits().requires_grad_()
        choices = kind(SIZES).proba_distribution(logits)
        chances, entropy = choices.log_prob(phases), choices.entropy()
        torch.autograd.backward((chances + entropy).sum())
        assert logits.grad is not None
        found.append((choices.mode(), chances, entropy, logits.grad))
    assert torch.equal(found[0][0], found[1][0])
    for theirs, ours in zip(found[0][1:], found[1][1:], strict=True):
        assert theirs.shape == ours.shape
        assert torch.allclose(theirs, ours, rtol=1e-5, atol=1e-5)
    assert found[0][1].min() < -100, "that is no easy case"


def test_phases_are_drawn_as_often_as_their_chances_say() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0, 0.0, 0.5, 0.0, 3.0, 0.0, -40.0, 0.0, 1.0, 0.0])
    torch.manual_seed(2)
    drawn = PhaseChoices(SIZES).proba_distribution(logits.expand(40_000, -1)).sample()
    assert drawn.shape == (40_000, len(SIZES))
    for signal, alone in enumerate(torch.split(logits, SIZES)):
        share = torch.bincount(drawn[:, signal], minlength=len(alone)) / len(drawn)
        assert torch.allclose(share, alone.softmax(0), atol=0.01)
    both = torch.corrcoef(drawn[:, [0, 1]].T.float())[0, 1]
    assert abs(both) < 0.02, "signals are drawn independently"


def test_without_checks_the_other_distributions_are_bit_for_bit_the_same() -> None:
    logits, log_std = random_logits(), torch.linspace(-3, 1, sum(SIZES))
    found = []
    for one, numbers in (
        (CategoricalDistribution, DiagGaussianDistribution),
        (PhaseChoice, NumberChoices),
    ):
        torch.manual_seed(3)
        phase = one(sum(SIZES)).proba_distribution(logits)
        number = numbers(sum(SIZES)).proba_distribution(logits, log_std)
        for choices in (phase, number):
            drawn = choices.sample()
            entropy = choices.entropy()
            assert entropy is not None
            found.append((drawn, choices.mode(), choices.log_prob(drawn), entropy))
    theirs, ours = found[:2], found[2:]
    for before, after in zip([*theirs[0], *theirs[1]], [*ours[0], *ours[1]], strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize(
    ("algorithm", "kind"), [(ALGORITHM, PhaseChoices), (DURATION_PPO, NumberChoices)]
)
def test_a_learner_and_its_model_draw_from_them_and_plain_loading_acts_alike(
    tmp_path: Path, algorithm: CommonPPOConfig, kind: type
) -> None:
    file = tmp_path / "model.zip"
    with learner(tmp_path, algorithm) as model:
        assert isinstance(model.policy.action_dist, kind)
        write_model(model, file, algorithm=algorithm, network=city())
    ours, plain = load_model(file), PPO.load(file, device="cpu")
    assert isinstance(ours.policy.action_dist, kind)
    assert not isinstance(plain.policy.action_dist, kind)
    assert equal_states(ours.policy_state, plain.policy.state_dict())
    seen = np.random.default_rng(4).random((50, ours.num_features), dtype=np.float32)
    assert np.array_equal(ours.act(seen), plain.predict(seen, deterministic=True)[0])


@pytest.mark.parametrize("algorithm", [ALGORITHM, DURATION_PPO])
def test_weights_that_become_no_numbers_stop_a_training_before_they_are_kept(
    tmp_path: Path, algorithm: CommonPPOConfig
) -> None:
    algorithm = replace(algorithm, vf_coef=1e39)  # more than the numbers of weights can hold
    with learner(tmp_path, algorithm) as model:
        before = {name: value.clone() for name, value in model.policy.state_dict().items()}
        trainer = trainer_of(model, tmp_path, algorithm, EXECUTION)
        with pytest.raises(ConfigError, match=r"at 8 steps .* no finite numbers .*learning_rate"):
            trainer.run()
        assert equal_states(model.policy.state_dict(), before)
    assert not list(tmp_path.rglob("*.zip"))
