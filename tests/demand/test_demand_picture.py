from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib import colors, image
from route_cases import WAY, flow, save, vehicle
from traffic_cases import city, scenario

from trafficrl.demand.picture import TRIPS, TYPE_COLOURS, draw_demand
from trafficrl.demand.route_files import Departures, read_route_files
from trafficrl.errors import DemandError

Pixels = npt.NDArray[np.float32]


def drawn(departures: Departures, file: Path, clock_s: float = 0.0) -> Pixels:
    draw_demand(departures, city(), file, name="a demand", clock_s=clock_s)
    return np.asarray(image.imread(file)[::2, ::2, :3], dtype=np.float32)


def between(
    folder: Path, starts: Sequence[str], ends: Sequence[str], depart_s: float = 1.0
) -> Departures:
    """Trips of one type from edge to edge."""
    trips = (
        f'<trip id="{i}" depart="{depart_s}" from="{start}" to="{end}"/>'
        for i, (start, end) in enumerate(zip(starts, ends, strict=True))
    )
    file = save(folder / "between.rou.xml", "\n".join(trips))
    return read_route_files([file], city(), begin_s=0, end_s=600)


def painted(pixels: Pixels, colour: str) -> npt.NDArray[np.bool_]:
    wanted = np.asarray(colors.to_rgb(colour)).astype(np.float32)
    return np.asarray(np.abs(pixels - wanted).max(axis=2) < 0.03)


def of_share(share: float) -> str:
    """The colour of an edge with that share of the trips of the busiest one."""
    return colors.to_hex(TRIPS(share**0.5))


def halves(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """The two maps, without their colourbars, which hold every colour."""
    middle = pixels.shape[1] // 2
    below = pixels[pixels.shape[0] // 3 :]
    return below[:, : int(0.85 * middle)], below[:, middle : int(1.85 * middle)]


def test_a_map_shows_where_trips_start_and_another_where_they_end(tmp_path: Path) -> None:
    streets = [street.tail for street in city().streets]
    one = drawn(between(tmp_path, [WAY[0]] * 4, [streets[-1]] * 4), tmp_path / "one.png")
    back = drawn(between(tmp_path, [streets[-1]] * 4, [WAY[0]] * 4), tmp_path / "back.png")
    most = of_share(1.0)
    places = []
    for pixels in (*halves(one), *halves(back)):
        rows, columns = np.nonzero(painted(pixels, most))
        assert 50 < len(rows) < 0.02 * pixels[:, :, 0].size
        places.append((rows.mean() / pixels.shape[0], columns.mean() / pixels.shape[1]))
    start, end, back_start, back_end = np.array(places)
    assert np.abs(start - end).max() > 0.3
    assert np.abs(start - back_end).max() < 0.05
    assert np.abs(end - back_start).max() < 0.05


def test_a_street_with_more_trips_is_darker_and_wider(tmp_path: Path) -> None:
    tails = [street.tail for street in city().streets]
    starts = [tails[0]] * 100 + [tails[5]] * 10
    left, right = halves(drawn(between(tmp_path, starts, [tails[9]] * 110), tmp_path / "d.png"))
    many, few = painted(left, of_share(1.0)), painted(left, of_share(0.1))
    assert many.sum() > 1.5 * few.sum() > 50
    assert not painted(right, of_share(0.1)).any()


def test_times_are_stacked_by_type_and_follow_the_clock(tmp_path: Path) -> None:
    body = '<vType id="car"/><vType id="bus"/>' + "".join(
        [
            flow("cars", 'begin="0" end="300" period="2" type="car"'),
            flow("buses", 'begin="0" end="300" period="10" type="bus"'),
            vehicle("late", 590, 'type="bus"'),
        ]
    )
    file = save(tmp_path / "r.rou.xml", body)
    departures = read_route_files([file], city(), begin_s=0, end_s=600)
    pixels = drawn(departures, tmp_path / "d.png")
    above = pixels[: pixels.shape[0] // 3]
    under_legend = painted(above[above.shape[0] // 3 :], TYPE_COLOURS[1])
    bars = above[:, : np.nonzero(under_legend)[1].max() + 1]
    cars, buses = (painted(bars, colour) for colour in TYPE_COLOURS[:2])
    # Cars below, all of it in the first half of the axis but the last bus.
    assert cars.sum() > 4 * buses.sum() > 1000
    assert not cars[: np.nonzero(buses.any(axis=1))[0].min()].any()
    low, high = (np.nonzero(cars)[1].min(), np.nonzero(cars)[1].max())
    assert np.isclose(np.nonzero(buses)[1].max() - low, 2 * (high - low), rtol=0.05)
    later = drawn(departures, tmp_path / "later.png", clock_s=8 * 3600)
    moved = painted(later[: above.shape[0], : bars.shape[1]], TYPE_COLOURS[0]) != cars
    assert moved.sum() < 0.05 * cars.sum()
    ticks = np.any(pixels != later, axis=2)
    assert ticks.any()
    assert not ticks[pixels.shape[0] // 3 :].any()


def test_many_types_and_unknown_starts_can_be_drawn(tmp_path: Path) -> None:
    few = between(tmp_path, [WAY[0]] * 40, [WAY[2]] * 40)
    many = replace(
        few,
        vehicle_type=np.repeat(np.arange(8), 5),
        type_names=tuple(f"type {i}" for i in range(8)),
    )
    unknown = replace(many, from_edge=np.full(40, -1), exact=False)
    pixels = drawn(unknown, tmp_path / "d.png")
    assert all(painted(pixels, colour).sum() > 50 for colour in (*TYPE_COLOURS[:5], "#BBBBBB"))
    assert not painted(pixels, TYPE_COLOURS[5]).any()
    left, right = halves(pixels)
    assert not painted(left, of_share(1.0)).any()
    assert painted(right, of_share(1.0)).sum() > 50


def test_generated_demand_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    departures = read_route_files(scenario().route_files, city(), begin_s=0, end_s=120)
    files = [tmp_path / name for name in ("a.png", "b.png")]
    for file in files:
        draw_demand(departures, city(), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == files


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    departures = between(tmp_path, [WAY[0]], [WAY[2]])
    with pytest.raises(DemandError, match="cannot be written: No such file"):
        draw_demand(departures, city(), tmp_path / "missing" / "d.png")
