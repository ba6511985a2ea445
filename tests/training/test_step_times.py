"""What a step of training takes is told apart by its parts."""

import time
from pathlib import Path

from learning_cases import learner
from stable_baselines3.common.callbacks import BaseCallback

from trafficrl.training.step_times import StepTimes


class SlowSteps(BaseCallback):
    def _on_step(self) -> bool:
        time.sleep(0.02)
        return True


def test_a_slow_step_is_seen_in_the_rollout_and_not_in_the_update(tmp_path: Path) -> None:
    times = StepTimes()
    assert times.median_ms() == {}
    with learner(tmp_path) as model:
        start = time.perf_counter()
        for _ in range(3):
            model.learn(8, callback=[SlowSteps(), times], reset_num_timesteps=False)
        wall_ms = 1000 * (time.perf_counter() - start)
    found = times.median_ms()
    assert found["rollout"] >= 20.0
    assert 0.0 < found["update"] < found["rollout"]
    assert 2 * 8 * (found["rollout"] + found["update"]) < 1.5 * wall_ms
