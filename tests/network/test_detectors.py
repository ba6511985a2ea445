"""Where lane-area detectors lie: by hand on a short road, and on every lane of a city."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import traffic_cases as cases
from test_surroundings import LENGTHS_M, network

from trafficrl.network.detectors import CELLS, Detector, place_detectors, save_detectors
from trafficrl.network.surroundings import Surroundings


def placed(cell_m: float) -> dict[tuple[str, int], tuple[float, float]]:
    names = list(LENGTHS_M)
    found = place_detectors(network(), cell_m)
    assert len({detector.id for detector in found}) == len(found)
    return {(names[d.lane], d.cell): (d.begin_m, d.end_m) for d in found}


def test_cells_reach_over_the_sections_of_a_street() -> None:
    assert placed(70.0) == {
        ("first", 0): (0.0, 50.0),  # its stop line is nearer than the one behind it
        ("head", 0): (0.0, 30.0),
        ("tail", 0): (60.0, 100.0),
        ("tail", 1): (0.0, 60.0),
        # 130 m from the stop line: ten are left.
        ("side", 1): (70.0, 80.0),
        ("loop", 1): (30.0, 40.0),
    }


def test_short_cells_stay_near() -> None:
    assert placed(20.0) == {
        ("first", 0): (30.0, 50.0),
        ("first", 1): (10.0, 30.0),
        ("head", 0): (10.0, 30.0),
        ("head", 1): (0.0, 10.0),
        ("tail", 1): (90.0, 100.0),
    }


def test_in_a_city_they_cover_what_leads_to_a_stop_line() -> None:
    city, cell_m = cases.city(), 70.0
    around = Surroundings.of(city, CELLS * cell_m)
    by_lane: dict[int, list[Detector]] = {}
    for detector in place_detectors(city, cell_m):
        by_lane.setdefault(detector.lane, []).append(detector)
    for lane, end_m in around.end_m.items():
        length_m = city.lanes[lane].length_m
        covered_m = sum(d.end_m - d.begin_m for d in by_lane.get(lane, ()))
        assert covered_m == pytest.approx(min(length_m, CELLS * cell_m - end_m), abs=0.5)
        for detector in by_lane.get(lane, ()):
            assert 0 <= detector.begin_m < detector.end_m <= length_m
            far_m = end_m + length_m - detector.begin_m
            assert detector.cell * cell_m < far_m <= (detector.cell + 1) * cell_m + 1e-9
    assert by_lane.keys() == {lane for phase in around.stop for lane in phase} | {
        lane for phase in around.behind for lane in phase if around.end_m[lane] < CELLS * cell_m
    }


def test_the_file_names_their_lanes(tmp_path: Path) -> None:
    road = network()
    save_detectors(place_detectors(road, 70.0), road, tmp_path / "detectors.add.xml")
    rows = list(ElementTree.parse(tmp_path / "detectors.add.xml").getroot())  # noqa: S314 - ours
    assert {row.tag for row in rows} == {"laneAreaDetector"}
    assert [(row.get("lane"), row.get("pos"), row.get("endPos")) for row in rows][:2] == [
        ("first_0", "0.00", "50.00"),
        ("tail_0", "60.00", "100.00"),
    ]
    assert {row.get("file") for row in rows} == {"NUL"}
