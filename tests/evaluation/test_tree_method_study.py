"""The study that introduced the tree method, repeated by one command, beside what it published.

With SUMO 1.12.0 and its default seed, our decisions repeat all six published runs to the vehicle.
Two things are to be known for that, and neither is ours to imitate: the study counted a vehicle as
arrived when it was teleported, and as a new one afterwards (arrivals + 0.5..2.2 %, mean times
- 0.5..1.8 %); and its list of streets had 710 m for one that is 720 m long in its network (in the
heavier demand that one meter in seventy decides between 407 and 336 s). What is left here is SUMO,
whose routing counts empty lanes since 1.13, and that each number is a single run.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(
    os.environ.get("TREE_METHOD_STUDY")
    or Path(__file__).resolve().parents[3] / "shared" / "data" / "tree_method"
)
COMMAND = (sys.executable, "-c", "from trafficrl.app.evaluate import main; main()")
# Its actuated control is the plan in its network file.
CONTROLLERS = ("fixed", "uniform", "tree_method_original")
# Arrived, and their mean time in the network [s].
PUBLISHED = {
    "moderate_41": ((15_488, 315.2), (14_008, 445.4), (16_439, 267.1)),
    "high_1": ((14_136, 678.5), (15_388, 603.0), (18_441, 406.7)),
}
# What is not within 5 % on SUMO 1.28, and what it is there. The published run is at the unlucky end
# of gridlock: with another seed, SUMO 1.12.0 itself has 14,957 arrived in 627 s.
MISSED = {("high_1", "fixed"): (15_139, 611.8)}


@pytest.mark.slow
@pytest.mark.skipif(not STUDY.is_dir(), reason="needs the study's files: set TREE_METHOD_STUDY")
@pytest.mark.parametrize("demand", PUBLISHED)
def test_the_study_is_repeated(demand: str, tmp_path: Path) -> None:
    files = STUDY / f"realistic_{demand}"
    overrides = (
        "experiment=tree_method_study",
        f"network.file={files / 'network.net.xml'}",
        f"scenarios.route_file.file={files / 'vehicles.trips.xml.gz'}",
        f"controllers=[{','.join(CONTROLLERS)}]",
        "evaluation.seeds=1",
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    subprocess.run([*COMMAND, *overrides], cwd=tmp_path, check=True)
    results = json.loads((tmp_path / "run" / "evaluation" / "results.json").read_text())
    found = {
        episode["controller"]: (
            episode["metrics"]["arrived"],
            episode["metrics"]["arrived_duration_s"],
        )
        for episode in results["episodes"]
    }
    published = dict(zip(CONTROLLERS, PUBLISHED[demand], strict=True))
    assert found.keys() == published.keys()
    for name, values in published.items():
        expected = MISSED.get((demand, name), values)
        assert found[name] == pytest.approx(expected, rel=0.05), name
    missed = {name for name in found if found[name] != pytest.approx(published[name], rel=0.05)}
    assert missed == {name for of, name in MISSED if of == demand}
