"""PPO begins as a copy of max-pressure control: demonstrations first, then it learns by itself.

    python examples/teacher.py

`algorithm.kickstart.teacher=max_pressure` is the other way to be taught: a loss towards the teacher
that fades while the policy learns, and no file.
"""

import sys

import trafficrl as tr

WORDS = (
    "algorithm=ppo_shared",
    "reward=local_queue",
    "controller.max_pressure.interval_s=5",
    "execution.total_timesteps=5000",
    *sys.argv[1:],
)

file = tr.collect(tr.compose(*WORDS), "max_pressure", "outputs/examples/teacher/shown", episodes=2)
config = tr.compose(*WORDS, f"algorithm.cloning.demonstrations=[{file}]")
run = tr.train(config, "outputs/examples/teacher/learned")

first_s, last_s = run.metrics["validation/delay_s"][[0, -1]]
print(f"delay of the copy {first_s:.1f} s, after learning {last_s:.1f} s")
print(run.record["verdict"])
