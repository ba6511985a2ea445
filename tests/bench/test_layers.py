"""The layers that are counted: all of them drive the same trips, to the same second."""

from dataclasses import replace
from pathlib import Path

import libsumo
import pytest

from bench.cases import CASES, prepare
from bench.fixed_plan import compare_instructions
from bench.instructions import Part, has_valgrind
from bench.layers import LAYERS, Drive
from trafficrl.simulation.options import SimulationOptions

END_S = 120.0


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Drive:
    folder = tmp_path_factory.mktemp("drive")
    case = CASES["grid3"]
    return Drive(prepare(case, folder, horizon_s=case.whole_s), folder)


def test_bare_sumo_drives_the_same_trips(drive: Drive) -> None:
    drive.check(END_S)


class Reseeded(Drive):
    """Its bare SUMO has other drivers."""

    def options(self, output_dir: Path | None = None) -> SimulationOptions:
        same = super().options(output_dir)
        return replace(same, seed=same.seed + (output_dir == self.folder / "theirs"))


def test_other_trips_are_noticed(drive: Drive, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="other trips"):
        Reseeded(drive.task, tmp_path).check(END_S)


@pytest.mark.parametrize("layer", [name for name, run in LAYERS.items() if run])
def test_each_layer_goes_to_the_horizon(
    drive: Drive, layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[float] = []
    close = libsumo.close

    def note() -> None:
        ends.append(libsumo.simulation.getTime())
        close()

    monkeypatch.setattr(libsumo, "close", note)
    run = LAYERS[layer]
    assert run is not None
    run(drive, END_S)
    assert ends == [END_S]


@pytest.mark.slow
@pytest.mark.skipif(not has_valgrind(), reason="valgrind is not installed")
def test_the_environment_is_counted_beside_the_bare_program(drive: Drive, tmp_path: Path) -> None:
    row = compare_instructions(CASES["grid3"], Drive(drive.task, tmp_path), Part(10, 40, 9.0))
    assert 1e6 < row.raw["sumo"] < 1e9
    assert 1 < row.value < 9
    assert row.value == row.raw["environment"] / row.raw["sumo"]
    assert str(row.target) == "<= 9"
