"""One model learns one batch of scenarios after the other, each run going on with the last model.

    python examples/chain.py

As jobs of a cluster, each waiting for the one before:

    trafficrl-train -m hydra/launcher=slurm batch=light,rush_hour
"""

import sys

import trafficrl as tr

BATCHES = ("light", "rush_hour")

runs: list[tr.Run] = []
for number, batch in enumerate(BATCHES):
    before = [f"resume_from={runs[-1].paths.final_model}"] if runs else []
    config = tr.compose(f"scenarios={batch}", *before, *sys.argv[1:])
    runs.append(tr.train(config, f"outputs/examples/chain/{number}_{batch}"))
    print(f"{batch}: {runs[-1].record['timesteps']} steps so far")

config = tr.compose(f"scenarios=[{','.join(BATCHES)}]", *sys.argv[1:])
table = tr.evaluate(config, ["fixed", *runs], "outputs/examples/chain/judged")
for name in table.by_delay:
    print(f"{name:14} {table.mean(name, 'delay_s'):6.1f} s of delay on all scenarios")
