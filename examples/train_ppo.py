"""PPO learns a small city and is judged beside classical control on demand that it never saw.

python examples/train_ppo.py
python examples/train_ppo.py network=grid6_realistic execution=long_run seed=2
"""

import sys

import numpy as np

import trafficrl as tr

config = tr.compose("algorithm=ppo_quick", "network=grid3", "scenarios=light", *sys.argv[1:])

network = tr.build_network(config)
print(f"{len(network.signals)} signals, {len(network.streets)} streets, {len(network.lanes)} lanes")

run = tr.train(config, "outputs/examples/ppo")

print("environment steps, delay on validation demand [s]")
steps, delays_s = run.metrics["timesteps"], run.metrics["validation/delay_s"]
for number in np.flatnonzero(np.isfinite(delays_s)):  # most updates have no validation
    print(f"{steps[number]:8.0f}  {delays_s[number]:6.1f}")
print(run.record["verdict"])
