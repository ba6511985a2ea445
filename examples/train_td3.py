"""TD3 learns how long the greens of a cycle last: continuous actions, and a memory of decisions.

python examples/train_td3.py
python examples/train_td3.py algorithm.learning_starts=512 execution.total_timesteps=8000
"""

import sys

import trafficrl as tr

config = tr.compose("algorithm=td3_default", "execution.total_timesteps=3000", *sys.argv[1:])

env = tr.make_env(config)
print("sees", env.observation_space, "and decides", env.action_space)
env.close()

run = tr.train(config, "outputs/examples/td3")

print(run.record["verdict"])
for name in run.results.by_delay:
    print(f"{name:14} {run.results.mean(name, 'delay_s'):6.1f} s of delay")
