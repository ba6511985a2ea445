"""A network and a demand from files of our own; without any, a street with three signals is made.

python examples/own_network.py
python examples/own_network.py network.file=my.net.xml scenarios.route_file.file=my.rou.xml
"""

import subprocess
import sys
from pathlib import Path

import sumo

import trafficrl as tr

NET_FILE = Path("outputs/examples/street.net.xml")
ROUTE_FILE = Path("outputs/examples/street.rou.xml")
FLOWS = {
    "west_to_east": ("left0A0", "C0right0", 900),
    "east_to_west": ("right0C0", "A0left0", 700),
    "first_side_street": ("bottom0A0", "A0top0", 300),
    "second_side_street": ("top1B0", "B0bottom1", 400),
    "third_side_street": ("bottom2C0", "C0top2", 200),
}
"""Name -> first edge, last edge, vehicles an hour."""


def make_street() -> None:
    """SUMO's netgenerate draws the street; the flows along and across it are written by hand."""
    NET_FILE.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "grid.x-number": 3,
        "grid.y-number": 1,
        "grid.length": 250,
        "grid.attach-length": 200,
        "default.lanenumber": 2,
        "default-junction-type": "traffic_light",
        "output-file": NET_FILE,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    binary = Path(sumo.SUMO_HOME, "bin", "netgenerate")
    subprocess.run([binary, "--grid", *words], check=True, capture_output=True)
    flows = [
        f'<flow id="{name}" begin="0" end="1800" vehsPerHour="{vph}" from="{first}" to="{last}"/>'
        for name, (first, last, vph) in FLOWS.items()
    ]
    ROUTE_FILE.write_text("\n".join(["<routes>", *flows, "</routes>\n"]), encoding="utf-8")


make_street()
config = tr.compose(
    "network=net_file",
    f"network.file={NET_FILE}",
    "scenarios=route_file",
    f"scenarios.route_file.file={ROUTE_FILE}",
    "execution.end_time=1800",
    "execution.total_timesteps=5000",
    *sys.argv[1:],
)

for signal in tr.build_network(config).signals:
    print(f"signal {signal.id}: {len(signal.phases)} phases")

run = tr.train(config, "outputs/examples/own_network")
print(run.record["verdict"])
