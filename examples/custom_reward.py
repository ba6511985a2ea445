r"""A policy is paid for delay and for a term of our own, which stands in `my_reward.py`.

    python examples/custom_reward.py
    python examples/custom_reward.py reward.terms.longest_queue_veh.weight=-0.5

The same on the command line, also with -m and on a cluster:

    trafficrl-train extensions=[examples/my_reward.py] \
        '+reward.terms={longest_queue_veh:{weight:-0.1}}'
"""

import sys
from pathlib import Path

import trafficrl as tr

config = tr.compose(
    "+reward.terms={longest_queue_veh:{weight:-0.1}}",
    *sys.argv[1:],
    extensions=[Path(__file__).with_name("my_reward.py")],
)

run = tr.train(config, "outputs/examples/custom_reward")

paid = run.metrics["reward/longest_queue_veh"]
print(f"queue of the worst lane in training: {paid[1]:.1f} veh at first, {paid[-1]:.1f} at last")
print("the code that ran:", run.config.extensions[0])
