"""Learning rates times seeds: a loop of trainings, and which rate had the least delay in the mean.

    python examples/sweep.py

A loop trains one after the other, and goes on where it was interrupted when it is called again.
Several at once, here or as a job array of a cluster, are for the command line:

    trafficrl-train -m algorithm.learning_rate=1e-3,3e-3 seed=1,2 hydra/launcher=submitit_local
"""

import sys
from statistics import mean

import trafficrl as tr

delays_s: dict[str, list[float]] = {}
for rate in ("1e-3", "3e-3"):
    for seed in (1, 2):
        words = (f"algorithm.learning_rate={rate}", f"seed={seed}", *sys.argv[1:])
        run = tr.train(tr.compose(*words), f"outputs/examples/sweep/{rate}_{seed}")
        delays_s.setdefault(rate, []).append(run.results.mean("policy", "delay_s"))

print("learning rate, mean delay on test demand [s], of each seed")
for rate, found in sorted(delays_s.items(), key=lambda item: mean(item[1])):
    print(f"{rate:>13}  {mean(found):6.1f}  {', '.join(f'{delay:.1f}' for delay in found)}")
