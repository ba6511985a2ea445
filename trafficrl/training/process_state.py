"""What a learner changes in its process, and a notebook that asked for a training wants back."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["process_state_kept"]


@contextmanager
def process_state_kept() -> Iterator[None]:
    """Afterwards the global random streams and torch's settings are what they were before.

    Stable-Baselines3 seeds the streams of Python, NumPy and torch, and the learner says how many
    threads torch has. Nothing of ours draws from them but the learner itself.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - that very stream
    threads, cudnn = torch.get_num_threads(), torch.backends.cudnn
    flags = cudnn.deterministic, cudnn.benchmark
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = range(torch.cuda.device_count()) if used else ()
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            cudnn.deterministic, cudnn.benchmark = flags
            torch.set_num_threads(threads)
            np.random.set_state(numpy)  # noqa: NPY002
            random.setstate(python)
