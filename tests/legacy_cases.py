"""Experiments as the earlier program wrote them, one in each of its formats, on a small grid."""

from pathlib import Path

FLAT = """\
name: small flat
description: all of the learner, little of the rest
config_version: 1
learning_rate: 1e-3
clip_range: 0.1
batch_size: 8
n_steps: 8
n_epochs: 2
gamma: 0.9
gae_lambda: 0.8
max_grad_norm: 0.4
ent_coef: 0.02
log_std_init: -0.5
lr_schedule: linear
lr_final: 1e-4
lr_decay_rate: 0.999
ent_schedule: false
net_arch: [16, 16]
activation: tanh
reward_function: empirical
reward_params:
  throughput_bonus: 0.3
edge_features: [speed_ratio, density_simple, speed_trend]
junction_features: [phase_normalized]
network_features: [bottleneck_ratio]
action_mode: continuous
phases_per_junction: 4
action_low: -10.0
action_high: 10.0
total_timesteps: 16
checkpoint_freq: 16
early_stopping_patience: 10
early_stopping_min_delta: 5
parallel_envs: 1
single_env: true
grid_dimension: 3
lane_count: 2
block_size_m: 150
network_seed: 7
num_vehicles: 40
private_seed: 11
public_seed: 12
routing_strategy: realtime 100
vehicle_types: passenger 100
departure_pattern: uniform
end_time: 180
"""

MODULAR = {
    "network/small.yaml": "grid_dimension: 3\nlane_count: 2\nblock_size_m: 150\nnetwork_seed: 7\n",
    "scenarios/two.yaml": """\
scenarios:
  - name: morning
    num_vehicles: 40
    private_seed: 11
    public_seed: 12
    start_time_hour: 8.0
  - name: evening
    num_vehicles: 50
    start_time_hour: 17.0
    routing_strategy: {shortest: 70, realtime: 30}
""",
    "algorithm/ppo.yaml": "learning_rate: 0.001\nn_steps: 8\nbatch_size: 8\nnet_arch: [16, 16]\n",
    "reward/throughput.yaml": """\
reward_function: throughput
reward_params: {per_vehicle: 40, waiting_penalty_weight: 0.2}
""",
    "execution/short.yaml": """\
total_timesteps: 32
checkpoint_freq: 16
parallel_envs: 2
end_time: 180
""",
}

SECTIONED = """\
network:
  grid_dimension: 3
  junctions_to_remove: 1
  lane_count: 2
  block_size_m: 150
  network_seed: 7
traffic:
  num_vehicles: 40
  vehicle_types: passenger 90 public 10
  end_time: 180
  private_traffic_seed: 11
  public_traffic_seed: 12
  traffic_control: rl
algorithm:
  n_steps: 8
  batch_size: 8
  net_arch: [16, 16]
reward:
  function: empirical
  throughput_bonus: 0.4
execution:
  total_timesteps: 16
  checkpoint_freq: 16
  eval_freq: 16
  early_stopping_patience: 3
"""

COMMAND = (
    "python simulate.py --network-seed 24208 --grid_dimension 6 --junctions_to_remove 2 "
    "--block_size_m=280 --num-vehicles 22000 --routing_strategy 'realtime 100' "
    "--vehicle_types 'passenger 100' --private-traffic-seed 72632 --public-traffic-seed 27031 "
    "--passenger-routes 'in 0 out 0 inner 100 pass 0' --start_time_hour 8.0 --end-time 7300"
)


def write_all(folder: Path) -> dict[str, Path]:
    """Format -> what a user names to have that experiment."""
    folder.mkdir(exist_ok=True)
    (folder / "flat.yaml").write_text(FLAT)
    for name, text in MODULAR.items():
        file = folder / "modular" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "night").mkdir(exist_ok=True)
    (folder / "night" / "config.yaml").write_text(SECTIONED)
    (folder / "s0.txt").write_text(COMMAND)
    return {
        "flat": folder / "flat.yaml",
        "modular": folder / "modular",
        "sectioned": folder / "night" / "config.yaml",
        "command": folder / "s0.txt",
    }
