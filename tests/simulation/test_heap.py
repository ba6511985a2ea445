"""Where memory lies that is asked for after much has been given back."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from trafficrl.simulation.heap import FreshHeap, c_library

LIBRARY = c_library()
SIZES = [int(size) for size in np.random.default_rng(2).integers(20, 3000, 500)]


def stir() -> list[bytes]:
    """Much has been given back between what is kept."""
    sizes = np.random.default_rng(1).integers(20, 5000, 20_000)
    return [bytes(int(size)) for size in sizes][::3]


def descents() -> int:
    """How often a piece of memory lies before the one that was asked for just before."""
    pieces = [0] * len(SIZES)
    for place, size in enumerate(SIZES):
        pieces[place] = LIBRARY.malloc(size)
    for piece in pieces:
        LIBRARY.free(piece)
    return sum(later < before for before, later in pairwise(pieces))


def stir_and_look() -> None:
    """What the test below asks of a process whose heap nothing else has stirred."""
    kept = stir()
    assert descents() > 100, "they fill gaps"
    heap = FreshHeap()
    assert descents() < 10, "but for the little that the interpreter itself gives back"
    heap.end()
    heap.end()
    assert descents() > 100
    assert kept


def test_what_was_given_back_is_not_given_out_before_the_end() -> None:
    code = "import test_heap; test_heap.stir_and_look()"
    words = [sys.executable, "-c", code]
    done = subprocess.run(
        words, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
