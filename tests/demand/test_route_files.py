import gzip
import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from route_cases import ROUTE, TRIP, WAY, due_in_sumo, flow, save, vehicle, way_of
from traffic_cases import city, scenario

from trafficrl.demand.route_files import Departures, read_route_files
from trafficrl.errors import DemandError


def read(
    *files: Path, begin_s: float = 0.0, end_s: float = 600.0, step_s: float = 1.0
) -> Departures:
    return read_route_files(files, city(), begin_s=begin_s, end_s=end_s, step_s=step_s)


def refusal(file: Path, *, begin_s: float = 0.0, end_s: float = 600.0) -> str:
    with pytest.raises(DemandError) as caught:
        read(file, begin_s=begin_s, end_s=end_s)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edge(index: int) -> str:
    return city().edges[index].id


MIXED = "\n".join(
    [
        '<vType id="car"/><vType id="van" vClass="delivery"/>',
        '<vTypeDistribution id="any" vTypes="car van" probabilities="0.5 0.5"/>',
        f'<route id="named" edges="{" ".join(WAY[:2])}"/>',
        f'<routeDistribution id="either"><route edges="{" ".join(WAY)}" probability="1"/>'
        f'<route edges="{" ".join(WAY[:2])}" probability="2"/></routeDistribution>',
        vehicle("before", 99.9),
        f'<trip id="trip" depart="100" {TRIP} type="van"/>',
        vehicle("clock", "0:02:30", 'type="car"'),
        '<vehicle id="named" depart="160.5" route="named" type="any"/>',
        f'<trip id="via" depart="200" from="{WAY[0]}" via="{WAY[2]}" to="{WAY[3]}"/>',
        '<vehicle id="either" depart="0:0:05:00" route="either"/>',
        f'<vehicle id="choice" depart="310"><routeDistribution>{ROUTE}{ROUTE}</routeDistribution>'
        "</vehicle>",
        f'<person id="walker" depart="320"><walk edges="{WAY[0]}"/></person>',
        vehicle("last", 499.5, 'line="7"'),
        vehicle("end", 500),
        vehicle("after", 501),
    ]
)


def test_vehicles_and_trips_are_those_that_sumo_lets_depart(tmp_path: Path) -> None:
    file = save(tmp_path / "mixed.rou.xml", MIXED)
    found = read(file, begin_s=100, end_s=500)
    due = due_in_sumo([file], begin_s=100, end_s=500)
    assert found.depart_s.tolist() == sorted(due_s for _, due_s in due)
    assert found.depart_s.tolist() == [100.0, 150.0, 160.5, 200.0, 300.0, 310.0, 499.5]
    assert found.exact
    assert found.num_others == 1
    names = [found.type_names[kind] for kind in found.vehicle_type]
    assert names == ["van", "car", "any", *["DEFAULT_VEHTYPE"] * 4]
    assert {edge(start) for start in found.from_edge} == {WAY[0]}
    last = WAY[-1]
    ends = [edge(end) if end >= 0 else None for end in found.to_edge]
    assert ends == [last, last, WAY[1], last, None, last, last]


def random_flows(seed: int, begin_s: float, end_s: float) -> list[dict[str, str]]:
    """Flows of every lawful kind, in and around the window; sorted by when they begin."""
    rng = random.Random(seed)
    flows = []
    for _ in range(150):
        values: dict[str, float] = {}
        if rng.random() < 0.9:
            values["begin"] = rng.choice([0, 100, 33.333, round(rng.uniform(0, end_s), 3)])
        starts_s = values.get("begin", begin_s)
        if rng.random() < 0.8:
            ends_s = rng.choice([end_s, end_s / 2, starts_s + 12, round(rng.uniform(0, 900), 3)])
            values["end"] = max(starts_s, ends_s)
        kind = rng.choice(["number", "period", "vehsPerHour", "perHour"])
        values[kind] = {
            "number": rng.choice([0, 1, 7, 9, 18, rng.randint(1, 50)]),
            "period": rng.choice([7, 85.714, 33.333, round(rng.uniform(5, 200), 4)]),
        }.get(kind, rng.choice([42, 108, 100, round(rng.uniform(5, 400), 2)]))
        if kind != "number" and "end" not in values and rng.random() < 0.5:
            values["number"] = rng.randint(0, 20)
        flows.append({name: f"{value}" for name, value in values.items()})
    return sorted(flows, key=lambda values: float(values.get("begin", begin_s)))


@pytest.mark.parametrize(
    ("seed", "begin_s", "end_s", "step_s"),
    [(1, 0, 600, 1.0), (2, 100, 700, 1.0), (3, 99, 500.5, 0.5), (4, 200, 600, 2.0)],
)
def test_flows_have_the_vehicles_that_sumo_makes_of_them(
    tmp_path: Path, seed: int, begin_s: float, end_s: float, step_s: float
) -> None:
    flows = [
        flow(f"f{i}", " ".join(f'{name}="{value}"' for name, value in values.items()))
        for i, values in enumerate(random_flows(seed, begin_s, end_s))
    ]
    file = save(tmp_path / "flows.rou.xml", "\n".join(flows))
    found = read(file, begin_s=begin_s, end_s=end_s, step_s=step_s)
    due = due_in_sumo([file], begin_s=begin_s, end_s=end_s, step_s=step_s)
    assert len(due) > 500
    assert found.exact
    assert found.depart_s.round(3).tolist() == sorted(due_s for _, due_s in due)


def test_of_a_random_flow_the_expected_number_is_told(tmp_path: Path) -> None:
    kinds = [
        'begin="20" probability="0.05" number="15"',
        'begin="40" end="500" period="exp(0.06)"',
        'end="500" probability="0.04"',
        'begin="150" period="exp(0.05)" number="15"',
    ]
    body = "\n".join(flow(f"f{i}", kinds[i // 20]) for i in range(80))
    file = save(tmp_path / "random.rou.xml", body)
    found = read(file, begin_s=100)
    assert not found.exact
    assert len(found) == 20 * (15 + 24 + 16 + 15)
    due = due_in_sumo([file], begin_s=100, end_s=600)
    # 1300 or so Poisson arrivals: four standard deviations.
    assert abs(len(due) - len(found)) < 4 * len(found) ** 0.5
    assert np.all((found.depart_s >= 100) & (found.depart_s < 600))


@pytest.mark.parametrize("depart", ["triggered", "containerTriggered", "split"])
def test_a_departure_that_somebody_else_decides_is_not_exact(tmp_path: Path, depart: str) -> None:
    file = save(tmp_path / "r.rou.xml", vehicle("v", depart) + vehicle("w", 20))
    found = read(file, begin_s=10)
    assert (found.exact, found.depart_s.tolist()) == (False, [10.0, 20.0])
    many = save(tmp_path / "f.rou.xml", flow("f", f'begin="{depart}" number="3"'))
    assert (read(many).exact, len(read(many))) == (False, 3)


def test_begin_is_when_the_simulation_begins(tmp_path: Path) -> None:
    file = save(tmp_path / "r.rou.xml", vehicle("v", "begin") + vehicle("w", 60))
    found = read(file, begin_s=50)
    assert found.depart_s.tolist() == [50.0, 60.0]
    assert found.exact
    assert len(due_in_sumo([file], begin_s=50, end_s=600)) == 2


def test_an_interval_gives_its_flows_their_times(tmp_path: Path) -> None:
    inner = flow("f", 'number="4"') + flow("g", 'number="2" begin="120"')
    file = save(tmp_path / "r.rou.xml", f'<interval begin="100" end="200">{inner}</interval>')
    expected = [100.0, 120.0, 125.0, 150.0, 160.0, 175.0]
    assert read(file).depart_s.tolist() == expected
    assert sorted(due for _, due in due_in_sumo([file], begin_s=0, end_s=600)) == expected


def test_files_belong_together_and_may_be_packed(tmp_path: Path) -> None:
    named = f'<vType id="car"/><route id="r" edges="{" ".join(WAY)}"/>'
    more = save(
        tmp_path / "types.add.xml", named + vehicle("x", 40) + vehicle("y", 30), "additional"
    )
    first = save(tmp_path / "a.rou.xml", '<vehicle id="a" depart="50" route="r" type="car"/>')
    packed = tmp_path / "b.rou.xml.gz"
    with gzip.open(packed, "wt") as out:
        out.write("<routes>" + vehicle("b", 20, 'type="car"') + "</routes>")
    found = read_route_files(
        [first, packed], city(), begin_s=25, end_s=600, additional=[more], step_s=1.0
    )
    due = due_in_sumo([first, packed], begin_s=25, end_s=600, additional=[more])
    assert found.depart_s.tolist() == sorted(due_s for _, due_s in due) == [30.0, 40.0, 50.0]
    with pytest.raises(DemandError, match=r"a\.rou\.xml: vehicle 'a': its type 'car' is not defin"):
        read_route_files([first, packed], city(), begin_s=25, end_s=600)


def test_each_file_has_an_order_of_its_own(tmp_path: Path) -> None:
    first = save(tmp_path / "a.rou.xml", vehicle("a", 0) + vehicle("b", 300))
    second = save(tmp_path / "b.rou.xml", vehicle("c", 0) + vehicle("d", 100))
    due = due_in_sumo([first, second], begin_s=0, end_s=600)
    assert {name for name, _ in due} == {"a", "b", "c", "d"}
    assert read(first, second).depart_s.tolist() == [0.0, 0.0, 100.0, 300.0]


def test_generated_demand_is_read_like_any_other() -> None:
    built = scenario(60, 120.0)
    found = read(*built.route_files, end_s=120)
    assert (len(found), found.exact) == (built.num_scheduled, True)
    assert (found.from_edge >= 0).all()
    assert (found.to_edge >= 0).all()
    tails = {street.tail for street in city().streets}
    assert {edge(start) for start in found.from_edge} <= tails


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (vehicle("a", 300) + vehicle("b", 100) + vehicle("c", 400), {"a", "c"}),
        (flow("f", 'begin="300" end="400" number="1"') + vehicle("b", 299), {"f.0"}),
        (vehicle("a", 300) + flow("f", 'end="400" number="4"'), {"a"}),
        (vehicle("a", 300) + vehicle("b", 100, 'line="7"'), {"a"}),
        (
            f'<person id="p" depart="300"><walk edges="{WAY[0]}"/></person>'
            + vehicle("b", 100)
            + vehicle("c", 300),
            {"c"},
        ),
    ],
)
def test_a_vehicle_that_sumo_would_drop_is_told(tmp_path: Path, body: str, kept: set[str]) -> None:
    file = save(tmp_path / "unsorted.rou.xml", body)
    assert {name for name, _ in due_in_sumo([file], begin_s=0, end_s=600)} == kept
    message = refusal(file)
    assert "stands behind one that departs at 300 s: SUMO would drop it; sort" in message
    assert str(file) in message


@pytest.mark.parametrize(
    ("body", "begin_s"),
    [
        (vehicle("a", 300, 'line="7"') + vehicle("b", 100), 0),
        (vehicle("b", 100) + vehicle("t", "triggered") + vehicle("c", 300), 0),
        (vehicle("a", 90) + vehicle("b", 50) + vehicle("c", 300) + vehicle("d", 301), 100),
        (vehicle("a", 100) + vehicle("b", 300) + vehicle("c", 700) + vehicle("d", 650), 0),
    ],
)
def test_what_sumo_takes_in_any_order_is_taken(tmp_path: Path, body: str, begin_s: float) -> None:
    file = save(tmp_path / "r.rou.xml", body)
    due = due_in_sumo([file], begin_s=begin_s, end_s=600)
    assert len(read(file, begin_s=begin_s)) == len(due) >= 2


def test_nobody_in_the_window_is_told_with_the_times_of_the_file(tmp_path: Path) -> None:
    body = vehicle("a", 25205) + flow("f", 'begin="26000" end="28800" period="600"')
    file = save(tmp_path / "r.rou.xml", body)
    message = refusal(file)
    assert "no vehicle departs within the simulation, 0 to 600 s" in message
    assert "they depart from 25205 to 28400 s: set begin_s, to 25200 for instance" in message
    empty = save(tmp_path / "none.rou.xml", '<vType id="car"/>')
    assert refusal(empty).endswith("none.rou.xml: it holds no vehicle, trip or flow")


GAP = f"{WAY[0]} {WAY[2]}"
LAST_LANE = len(city().edge_by_id[WAY[0]].lanes) - 1
WRONG = {
    "edge": (
        f'<vehicle id="v" depart="3"><route edges="{WAY[0]} {WAY[1]}x"/></vehicle>',
        f"vehicle 'v': edge 2 of its route is '{WAY[1]}x': the network has no such road "
        f"(did you mean '{WAY[1]}'?)",
    ),
    "far edge": (
        f'<vehicle id="v" depart="3"><route edges="{WAY[0]} ######"/></vehicle>',
        "vehicle 'v': edge 2 of its route is '######': the network has no such road",
    ),
    "gap": (
        f'<vehicle id="v" depart="3"><route edges="{GAP}"/></vehicle>',
        f"vehicle 'v': no connection leads from edge '{WAY[0]}' to '{WAY[2]}' of its route",
    ),
    "gap in a named route": (
        f'<route id="r" edges="{GAP}"/><flow id="f" number="2" route="r"/>',
        f"flow 'f': no connection leads from edge '{WAY[0]}' to '{WAY[2]}' of its route",
    ),
    "from": (f'<trip id="t" depart="3" from="nowhere" to="{WAY[0]}"/>', "trip 't': from is 'nowhe"),
    "via": (f'<trip id="t" depart="3" {TRIP} via="nowhere"/>', "trip 't': via is 'nowhere': the"),
    "depart": (f'<trip id="t" {TRIP}/>', "trip 't': it has no depart"),
    "no time": (vehicle("v", "1:30"), "vehicle 'v': depart='1:30' is no time [s, or h:mm:ss]"),
    "negative": (vehicle("v", "-5"), "vehicle 'v': depart='-5' is no time [s, or h:mm:ss]"),
    "no route": ('<vehicle id="v" depart="3"/>', "vehicle 'v': it has no route"),
    "no way": ('<trip id="t" depart="3"/>', "trip 't': it has no route, or from and to"),
    "empty route": (
        '<vehicle id="v" depart="3"><route edges=""/></vehicle>',
        "vehicle 'v': a route without edges",
    ),
    "unknown route": (
        f'<route id="way1" edges="{WAY[0]}"/><vehicle id="v" depart="3" route="way2"/>',
        "vehicle 'v': its route 'way2' is not defined before it (did you mean 'way1'?)",
    ),
    "type afterwards": (
        vehicle("v", 3, 'type="car"') + '<vType id="car"/>',
        "vehicle 'v': its type 'car' is not defined before it",
    ),
    "no type": (
        '<vType id="car"/><vTypeDistribution id="d"><vType refId="car"/></vTypeDistribution>'
        + vehicle("v", 3, 'type=""'),
        "vehicle 'v': its type '' is not defined before it",
    ),
    "scale": ('<vType id="car" scale="2"/>', "vType 'car': scale='2' is not supported"),
    "include": ('<include href="more.xml"/>', "it includes 'more.xml', which is not supported"),
    "same id": (vehicle("right", 90), "vehicle 'right': another one has the same id"),
    "same trip": (f'<trip id="right" depart="9" {TRIP}/>', "trip 'right': another one has the sa"),
    "same flow": (
        flow("f", 'begin="1" number="2"') + flow("f", 'begin="2" number="2"'),
        "flow 'f': another one has the same id",
    ),
    "lane": (
        vehicle("v", 3, 'departLane="7"'),
        f"vehicle 'v': departLane='7': the edge on which it departs has the lanes 0 to {LAST_LANE}",
    ),
    "no rate": (flow("f", 'begin="0" end="9"'), "flow 'f': it says not how many vehicles: one of"),
    "two rates": (flow("f", 'period="4" perHour="4"'), "'f': period and perHour do not go toget"),
    "three bounds": (flow("f", 'period="4" end="9" number="4"'), "end and number do not go toget"),
    "backwards": (flow("f", 'begin="9" end="3" number="1"'), "flow 'f': it ends at 3 s, before it"),
    "zero rate": (flow("f", 'vehsPerHour="0"'), "vehsPerHour must be a number above 0, got '0'"),
    "period": (flow("f", 'period="0"'), "flow 'f': period='0' leaves no millisecond from vehicle"),
    "unsure": (
        flow("f", 'probability="1.5"'),
        "probability must be a number above 0 and at most 1",
    ),
    "exp": (flow("f", 'period="exp(x)"'), "the rate of period=exp(...) must be a number above 0"),
    "number": (
        flow("f", 'number="-3"'),
        "flow 'f': number must be a whole number from 0, got '-3'",
    ),
    "end": (flow("f", 'end="late" number="3"'), "flow 'f': end='late' is no time [s, or h:mm:ss]"),
    "begin": (flow("f", 'begin="soon" number="3"'), "flow 'f': begin='soon' is no time"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_told_with_its_file_and_vehicle(tmp_path: Path, case: str) -> None:
    body, words = WRONG[case]
    file = save(tmp_path / "wrong.rou.xml", vehicle("right", 0) + body)
    message = refusal(file)
    assert message.startswith(f"route file {file}: ")
    assert words in message
    assert len(message) < len(str(file)) + 200


def test_a_gap_counts_only_on_the_way_of_somebody_who_drives(tmp_path: Path) -> None:
    gap = f'<vehicle id="v" depart="3"><route edges="{GAP}"/></vehicle>'
    file = save(tmp_path / "r.rou.xml", gap + vehicle("w", 100))
    assert len(read(file, begin_s=50)) == len(due_in_sumo([file], begin_s=50, end_s=600)) == 1


def test_an_id_may_come_again_when_sumo_skips_the_first(tmp_path: Path) -> None:
    others = flow("w", 'begin="200" number="1"')  # vehicles and flows have names of their own
    named = f'<route id="r" edges="{" ".join(WAY)}"/>' + "".join(
        f'<vehicle id="{name}" depart="{depart_s}" route="r"/>'
        for name, depart_s in (("v", 3), ("v", 70), ("w", 80))
    )
    file = save(tmp_path / "r.rou.xml", named + others)
    assert len(read(file, begin_s=50)) == len(due_in_sumo([file], begin_s=50, end_s=600)) == 3


def test_the_last_lane_is_one_to_depart_on(tmp_path: Path) -> None:
    file = save(tmp_path / "r.rou.xml", vehicle("v", 3, f'departLane="{LAST_LANE}"'))
    assert len(read(file)) == len(due_in_sumo([file], begin_s=0, end_s=600)) == 1


def test_a_named_route_is_looked_at_when_somebody_drives_it(tmp_path: Path) -> None:
    early, late = (f'<vehicle id="{t}" depart="{t}" route="r"/>' for t in (3, 70))
    file = save(tmp_path / "r.rou.xml", f'<route id="r" edges="{GAP}"/>{early}{late}')
    assert "vehicle '70': no connection leads from" in refusal(file, begin_s=50)


def test_only_roads_are_known_so_others_may_drive_elsewhere(tmp_path: Path) -> None:
    body = '<vType id="tram" vClass="tram"/>' + "".join(
        f'<trip id="{i}" depart="{i}" from="rails" to="{WAY[0]}" type="{kind}"/>'
        for i, kind in enumerate(("tram", "DEFAULT_BIKETYPE"))
    )
    found = read(save(tmp_path / "r.rou.xml", body))
    assert found.from_edge.tolist() == [-1, -1]
    assert {edge(end) for end in found.to_edge} == {WAY[0]}
    car = save(tmp_path / "c.rou.xml", body.replace('vClass="tram"', 'vClass="taxi"'))
    assert "trip '0': from is 'rails': the network has no such road" in refusal(car)


@pytest.mark.parametrize(
    "members",
    [
        '<vType id="car"/><vType id="tram" vClass="tram"/>',
        '<vType id="car"/><vType refId="old"/>',
    ],
)
def test_a_mixture_is_held_to_roads_when_all_of_it_drives_there(
    tmp_path: Path, members: str
) -> None:
    trip = f'<trip id="t" depart="0" from="rails" to="{WAY[0]}" type="mixed"/>'
    mixed = f'<vTypeDistribution id="mixed">{members}</vTypeDistribution>{trip}'
    old = '<vType id="old" vClass="tram"/>'
    assert len(read(save(tmp_path / "r.rou.xml", old + mixed))) == 1
    roads = (old + mixed).replace("tram", "taxi")
    assert "from is 'rails': the network has" in refusal(save(tmp_path / "c.rou.xml", roads))


def test_a_type_and_a_route_may_stand_for_another(tmp_path: Path) -> None:
    body = (
        f'<vType id="old" vClass="taxi"/><route id="named" edges="{" ".join(WAY)}"/>'
        '<vTypeDistribution id="some"><vType refId="old"/></vTypeDistribution>'
        '<routeDistribution id="either"><route refId="named"/></routeDistribution>'
        '<vehicle id="v" depart="5" type="some" route="either"/>'
    )
    file = save(tmp_path / "r.rou.xml", body)
    found = read(file)
    assert len(due_in_sumo([file], begin_s=0, end_s=600)) == len(found) == 1
    assert [edge(index) for index in found.ways[0]] == WAY
    assert [edge(found.from_edge[0]), edge(found.to_edge[0])] == [WAY[0], WAY[-1]]


def test_trips_between_zones_have_no_known_edges(tmp_path: Path) -> None:
    body = f"""<taz id="z"><tazSource id="{WAY[0]}" weight="1"/>
        <tazSink id="{WAY[3]}" weight="1"/></taz>"""
    zones = save(tmp_path / "zones.add.xml", body, "additional")
    file = save(tmp_path / "r.rou.xml", '<trip id="t" depart="60" fromTaz="z" toTaz="z"/>')
    found = read_route_files([file], city(), begin_s=50, end_s=600, additional=[zones])
    assert (found.from_edge.tolist(), found.to_edge.tolist()) == ([-1], [-1])
    assert len(due_in_sumo([file], begin_s=50, end_s=600, additional=[zones])) == 1


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    assert "its root is <net>, not <routes> or <additional>" in refusal(
        save(tmp_path / "n.xml", "", "net")
    )
    half = tmp_path / "half.rou.xml"
    half.write_text(f"<routes>{vehicle('v', 0)}", encoding="utf-8")
    assert refusal(half).startswith(f"route file {half} is damaged: ")
    typed = tmp_path / "typed.rou.xml"
    typed.write_text(f"<!DOCTYPE routes []>\n<routes>{vehicle('v', 0)}</routes>", encoding="utf-8")
    assert "a document type (routes) is not allowed" in refusal(typed)
    assert "missing.rou.xml cannot be read: No such file" in refusal(tmp_path / "missing.rou.xml")


FOREIGN = {
    "program": ('<tlLogic id="t" programID="x"/>', "it holds a signal program (tlLogic 't')"),
    "switch": ('<WAUT id="w" startProg="x"/>', "it holds a signal program (WAUT 'w')"),
    "switched": ('<wautJunction wautID="w" junctionID="j"/>', "program (wautJunction 'j')"),
    "edgeData": ('<edgeData id="e" file="/x/y.xml"/>', "edgeData 'e' names another file, file='/x"),
    "calibrator": ('<calibrator id="c" output="c.xml"/>', "names another file, output='c.xml'"),
    "saved": ('<timedEvent type="SaveTLSStates" dest="t.xml"/>', "timedEvent names another file"),
    "device": (
        '<vType id="car"><param key="device.ssm.file" value="s.xml"/></vType>',
        "vType 'car' names another file, device.ssm.file='s.xml'",
    ),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_demand_may_not_drive_signals_or_touch_other_files(tmp_path: Path, case: str) -> None:
    body, words = FOREIGN[case]
    more = save(tmp_path / "more.add.xml", body, "additional")
    file = save(tmp_path / "r.rou.xml", vehicle("v", 0))
    with pytest.raises(DemandError) as caught:
        read_route_files([file], city(), begin_s=0, end_s=600, additional=[more])
    assert str(caught.value).startswith(f"route file {more}: ")
    assert words in str(caught.value)
    assert words in refusal(save(tmp_path / "same.rou.xml", vehicle("v", 0) + body))


def test_a_detector_that_writes_nowhere_is_taken(tmp_path: Path) -> None:
    loop = f'<inductionLoop id="d" lane="{WAY[0]}_0" pos="5" period="60" file="NUL"/>'
    more = save(tmp_path / "more.add.xml", loop, "additional")
    file = save(tmp_path / "r.rou.xml", vehicle("v", 0))
    found = read_route_files([file], city(), begin_s=0, end_s=600, additional=[more])
    assert len(found) == len(due_in_sumo([file], begin_s=0, end_s=600, additional=[more])) == 1
    assert not (tmp_path / "NUL").exists()


@pytest.mark.slow  # a time, which a busy machine does not keep
def test_a_long_file_is_read_at_once(tmp_path: Path) -> None:
    ways = [way_of(8, start=start) for start in range(12)]
    routes = [f'<route edges="{" ".join(way)}"/>' for way in ways]
    vehicles = [
        f'<vehicle id="{i}" depart="{i / 40:.3f}">{routes[i % 12]}</vehicle>' for i in range(20_000)
    ]
    file = save(tmp_path / "long.rou.xml", "\n".join(vehicles))
    start_s = time.perf_counter()
    found = read(file, end_s=400.0)
    assert time.perf_counter() - start_s < 3.0
    assert len(found) == 16_000
    assert Counter(edge(i) for i in found.from_edge).keys() == {way[0] for way in ways}
