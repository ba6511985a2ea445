"""A policy sees features of our own, which stand in `my_features.py`, beside those of trafficrl.

    python examples/custom_observation.py

A model knows its features by name only: whoever judges it elsewhere names the file as well.

    trafficrl-evaluate extensions=[examples/my_features.py] controllers=[fixed,RUN]
"""

import sys
from pathlib import Path

import trafficrl as tr

config = tr.compose(
    "algorithm.observation.phase_features=[phase_queue,phase_vehicles,phase_blocked]",
    "algorithm.observation.network_features=[served_share]",
    *sys.argv[1:],
    extensions=[Path(__file__).with_name("my_features.py")],
)

env = tr.make_env(config)
observation, _ = env.reset()
print(f"{len(observation)} numbers, the last of which is served_share: {observation[-1]:.2f}")
env.close()

run = tr.train(config, "outputs/examples/custom_observation")
table = tr.evaluate(config, ["fixed", run], "outputs/examples/custom_observation_judged")
print(table.verdict(table.controllers[-1]))
