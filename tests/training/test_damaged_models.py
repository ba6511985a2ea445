"""Model files that were cut, changed or forged: refused in one line, and no code in them is run."""

import base64
import io
import json
import pickle
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning_cases import ALGORITHM, equal_states, learner
from stable_baselines3 import PPO
from traffic_cases import city

from trafficrl.config.algorithm import PolicyKind
from trafficrl.errors import CheckpointError
from trafficrl.training.models import load_model, write_model
from trafficrl.training.restoring import restore_model

DESCRIPTION = "trafficrl.json"
MEMBERS = ("policy.pth", "policy.optimizer.pth", DESCRIPTION)
RICH = replace(ALGORITHM, policy=PolicyKind.phase_scores, normalize_observation=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    with learner(folder, RICH) as learned:
        learned.learn(8)
        write_model(learned, folder / "model.zip", algorithm=RICH, network=city())
    return folder / "model.zip"


def rewritten(model: Path, changes: Mapping[str, bytes | None]) -> Path:
    """A copy whose members hold other bytes (sums included), or are left out where None."""
    forged = model.with_name("forged.zip")
    with zipfile.ZipFile(model) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return forged


def content(model: Path, name: str) -> bytes:
    with zipfile.ZipFile(model) as archive:
        return archive.read(name)


def described(model: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A copy whose description was changed in place."""
    description = json.loads(content(model, DESCRIPTION))
    change(description)
    return rewritten(model, {DESCRIPTION: json.dumps(description).encode()})


def refusal(file: Path) -> str:
    with pytest.raises(CheckpointError) as error:
        load_model(file)
    message = str(error.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PPO]:
    with learner(tmp_path_factory.mktemp("fresh"), RICH) as new:
        yield new


def load_or_refuse(file: Path, fresh: PPO) -> bool:
    """Whether it loads, acts and restores; or is refused in one line: all else fails the test."""
    try:
        loaded = load_model(file)
        loaded.act(np.ones(loaded.num_features, np.float32))
        restore_model(fresh, loaded)
    except CheckpointError as error:
        return check_line(error)
    return True


def check_line(error: CheckpointError) -> bool:
    assert "\n" not in str(error)
    return False


class Writes:
    """Unpickled, it makes a file: what an attacker would do worse."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_code_in_the_pickled_data_is_not_run(model: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    data = json.loads(content(model, "data"))
    encoded = base64.b64encode(pickle.dumps(Writes(trace))).decode()
    data["policy_class"] = {":type:": "x", ":serialized:": encoded}
    forged = rewritten(model, {"data": json.dumps(data).encode()})
    assert equal_states(load_model(forged).policy_state, load_model(model).policy_state)
    assert not trace.exists()
    with pytest.raises(Exception, match=r".*"):  # whatever Stable-Baselines3 makes of it
        PPO.load(forged)
    assert trace.exists(), "the attack would have worked"


@pytest.mark.parametrize("member", MEMBERS[:2])
@pytest.mark.parametrize("legacy", [True, False])
def test_code_in_the_tensors_is_refused(
    model: Path, tmp_path: Path, member: str, legacy: bool
) -> None:
    trace = tmp_path / "trace"
    stream = io.BytesIO()
    attack = {"a": Writes(trace)}
    if legacy:
        pickle.dump(attack, stream)
    else:
        torch.save(attack, stream)
    forged = rewritten(model, {member: stream.getvalue()})
    assert "damaged" in refusal(forged)
    assert not trace.exists()
    stream.seek(0)
    pickle.load(stream) if legacy else torch.load(stream, weights_only=False)  # noqa: S301
    assert trace.exists(), "the attack would have worked"


def test_an_interpolation_in_the_description_asks_nothing(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "0.5")
    forged = described(model, lambda d: d["algorithm"].update(gamma="${oc.env:SECRET}"))
    assert "gamma" in refusal(forged)


def test_what_is_no_model_is_refused(model: Path, tmp_path: Path) -> None:
    assert "there is no such model file" in refusal(tmp_path / "absent.zip")
    (tmp_path / "empty.zip").touch()
    assert "damaged" in refusal(tmp_path / "empty.zip")
    (tmp_path / "text.zip").write_text("no zip at all")
    assert "damaged" in refusal(tmp_path / "text.zip")


@pytest.mark.parametrize("member", MEMBERS)
def test_a_missing_member_is_refused(model: Path, member: str) -> None:
    assert member in refusal(rewritten(model, {member: None}))


def test_swapped_members_are_refused(model: Path, fresh: PPO) -> None:
    weights, optimizer = (content(model, name) for name in MEMBERS[:2])
    for changes in (
        {MEMBERS[0]: optimizer, MEMBERS[1]: weights},
        {MEMBERS[0]: optimizer},
        {MEMBERS[1]: weights},
        {DESCRIPTION: weights},
    ):
        assert not load_or_refuse(rewritten(model, changes), fresh)


def test_a_cut_file_is_refused(model: Path) -> None:
    whole = model.read_bytes()
    rng = random.Random(1)
    cut = model.with_name("cut.zip")
    for length in [*range(30), *(rng.randrange(len(whole)) for _ in range(40)), len(whole) - 1]:
        cut.write_bytes(whole[:length])
        refusal(cut)


def test_a_flipped_bit_is_refused_or_changes_nothing(model: Path) -> None:
    whole, rng = model.read_bytes(), random.Random(2)
    flipped = model.with_name("flipped.zip")
    original = load_model(model)
    refused = 0
    for _ in range(100):
        position = rng.randrange(len(whole))
        changed = bytearray(whole)
        changed[position] ^= 1 << rng.randrange(8)
        flipped.write_bytes(changed)
        try:
            loaded = load_model(flipped)
        except CheckpointError as error:
            refused += not check_line(error)
            continue
        assert equal_states(loaded.policy_state, original.policy_state)
        assert loaded.algorithm == original.algorithm
    assert refused > 10


@pytest.mark.parametrize("member", MEMBERS)
def test_flips_below_a_right_checksum_raise_nothing_else(
    model: Path, fresh: PPO, member: str
) -> None:
    whole, rng = content(model, member), random.Random(3)
    for _ in range(25):
        changed = bytearray(whole)
        # the first kilobytes hold the structure: names, pickles, headers
        changed[rng.randrange(min(len(whole), 4000))] ^= 1 << rng.randrange(8)
        load_or_refuse(rewritten(model, {member: bytes(changed)}), fresh)


WRONG: tuple[Any, ...] = (None, -1, "x", [], {}, [[]], [1.5], float("nan"), 10**400)


def put(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda values: values.update({name: value})


def test_a_wrong_value_in_the_description_raises_nothing_else(model: Path, fresh: PPO) -> None:
    for name in json.loads(content(model, DESCRIPTION)):
        refusal(described(model, methodcaller("pop", name)))
        for wrong in WRONG:
            load_or_refuse(described(model, put(name, wrong)), fresh)


@pytest.mark.parametrize("key", ["mean", "var", "count", "clip", "epsilon"])
def test_a_wrong_normaliser_is_refused(model: Path, key: str) -> None:
    normaliser = json.loads(content(model, DESCRIPTION))["normaliser"]
    for wrong in WRONG:
        refusal(described(model, put("normaliser", normaliser | {key: wrong})))


@pytest.mark.parametrize("key", ["phase_columns", "signal_of_phase"])
def test_a_wrong_layout_is_refused(model: Path, key: str) -> None:
    refusal(described(model, lambda d: d["policy_layout"].pop(key)))
    refusal(described(model, lambda d: d["policy_layout"][key].pop()))
    refusal(described(model, lambda d: d["policy_layout"].update({key: [10**6]})))


def test_another_format_is_named(model: Path) -> None:
    message = refusal(described(model, lambda d: d.update(format=2)))
    assert "format 2" in message
    assert "format 1" in message


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(model: Path, broken: float) -> None:
    weights = torch.load(io.BytesIO(content(model, "policy.pth")), weights_only=True)
    name = next(iter(weights))
    weights[name].view(-1)[0] = broken
    stream = io.BytesIO()
    torch.save(weights, stream)
    assert name in refusal(rewritten(model, {"policy.pth": stream.getvalue()}))
