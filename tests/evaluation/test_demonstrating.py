"""Demonstrations that were cut, in real worker processes."""

from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from teaching_cases import choosing_task
from traffic_cases import scratch

from trafficrl.env.demonstrations import ARRAYS, Demonstrations
from trafficrl.evaluation.demonstrating import demonstrate_all
from trafficrl.evaluation.pool import WorkerPool


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with closing(WorkerPool(choosing_task(), scratch(), 1, hang_timeout_s=0)) as workers:
        yield workers


class CutError(Exception):
    """Whatever ends a process amid its work."""


def drive(pool: WorkerPool, kept: Path, *, cut_after: int | None = None) -> list[int]:
    """How many episodes were there, each time that was told."""
    told: list[int] = []

    def report(done: int) -> None:
        told.append(done)
        if done == cut_after:
            raise CutError

    found = demonstrate_all(
        "max_pressure", choosing_task(), seed=1, episodes=3, pool=pool, kept=kept, report=report
    )
    for name in ARRAYS:
        assert np.array_equal(getattr(found, name), getattr(whole(pool), name)), name
    assert found.facts == whole(pool).facts
    return told


@cache
def whole(pool: WorkerPool) -> Demonstrations:
    return demonstrate_all("max_pressure", choosing_task(), seed=1, episodes=3, pool=pool)


def test_what_was_driven_before_a_cut_is_not_driven_again(pool: WorkerPool, tmp_path: Path) -> None:
    assert drive(pool, tmp_path / "whole") == [0, 1, 2, 3]
    with pytest.raises(CutError):
        drive(pool, tmp_path / "cut", cut_after=2)
    assert len(list((tmp_path / "cut").glob("episode_*.npz"))) == 2
    assert drive(pool, tmp_path / "cut") == [2, 3]


def test_a_damaged_episode_is_driven_again(pool: WorkerPool, tmp_path: Path) -> None:
    drive(pool, tmp_path)
    one, other, _ = sorted(tmp_path.glob("episode_*.npz"))
    one.write_bytes(one.read_bytes()[:-50])
    other.write_bytes(b"")
    assert drive(pool, tmp_path) == [1, 2, 3]
