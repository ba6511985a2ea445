from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colors, image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from trafficrl.errors import NetworkError
from trafficrl.network.canvas import lay_out, new_figure, set_map
from trafficrl.network.junction_marks import draw_junctions, short_name, signal_places
from trafficrl.network.model import Network
from trafficrl.network.picture import COLOURS, draw_network

SIGNAL_RED = np.array(colors.to_rgb("#CC3311"))


def test_a_picture_shows_land_use_and_signals(tmp_path: Path, realistic: Network) -> None:
    file = tmp_path / "network.png"
    draw_network(realistic, file)
    pixels = image.imread(file)[::2, ::2, :3]
    assert pixels.shape[0] > 500
    assert np.isclose(pixels, SIGNAL_RED, atol=0.02).all(axis=2).mean() > 0.003
    for colour in COLOURS.values():
        light = 0.75 * np.array(colors.to_rgb(colour)) + 0.25
        assert np.isclose(pixels, light, atol=0.02).all(axis=2).mean() > 0.01
    assert [entry.name for entry in tmp_path.iterdir()] == ["network.png"]


@pytest.mark.parametrize("city", ["a line", "dead ends"], indirect=True)
def test_every_city_can_be_drawn(tmp_path: Path, city: Network) -> None:
    draw_network(city, tmp_path / "city.png")
    assert image.imread(tmp_path / "city.png").std() > 0.05


@pytest.mark.parametrize("city", ["a line"], indirect=True)
def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path, city: Network) -> None:
    with pytest.raises(NetworkError, match="cannot be written: No such file"):
        draw_network(city, tmp_path / "missing" / "network.png")


def imported(network: Network) -> Network:
    """The same roads as if they came from a map: long names, no land use, own names of signals."""

    def long(name: str) -> str:
        return f"cluster_26718385_738066527_{name}_738066531{name}"

    return replace(
        network,
        land_use=(),
        junctions=tuple(replace(j, id=long(j.id)) for j in network.junctions),
        edges=tuple(
            replace(e, from_node=long(e.from_node), to_node=long(e.to_node)) for e in network.edges
        ),
        signals=tuple(replace(s, id=f"joinedS_{long(s.id)}") for s in network.signals),
    )


def legend_of(network: Network, file: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the legend of its picture tells."""
    told: list[str] = []
    drawn = Figure.legend

    def legend(figure: Figure, **given: object) -> object:
        told.extend(handle.get_label() for handle in given["handles"])  # type: ignore[attr-defined]
        return drawn(figure, **given)

    monkeypatch.setattr(Figure, "legend", legend)
    draw_network(network, file)
    return told


def marked(network: Network) -> Axes:
    figure = new_figure(8, 8)
    axes = figure.add_subplot()
    set_map(axes, network)
    lay_out(figure)
    draw_junctions(axes, network)
    return axes


@pytest.mark.parametrize("city", ["dead ends"], indirect=True)
def test_only_signals_are_named_in_a_network_of_long_names(tmp_path: Path, city: Network) -> None:
    network = imported(city)
    assert len(network.signals) < len(network.junctions)
    names = [label.get_text() for label in marked(network).texts]
    assert names == [short_name(signal.id) for signal in network.signals]
    assert max(map(len, names)) <= 18
    assert len(set(names)) == len(names)
    assert {label.get_text() for label in marked(city).texts} == {j.id for j in city.junctions}
    files = tmp_path / "long.png", tmp_path / "short.png"
    for drawn, file in zip((network, city), files, strict=True):
        draw_network(drawn, file)
    red_share, roads_share = ([], [])
    for file in files:
        pixels = image.imread(file)[::2, ::2, :3]
        red_share.append(np.isclose(pixels, SIGNAL_RED, atol=0.02).all(axis=2).mean())
        dark = np.isclose(pixels, colors.to_rgb("#333333"), atol=0.02).all(axis=2)
        roads_share.append(dark.mean())
    assert 0 < red_share[0] < red_share[1]
    assert roads_share[0] > 0.5 * roads_share[1]


@pytest.mark.parametrize("city", ["dead ends", "five lanes"], indirect=True)
def test_a_legend_tells_what_is_there(
    tmp_path: Path, city: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = legend_of(imported(city), tmp_path / "network.png", monkeypatch)
    others = ["Other junction"] if len(city.signals) < len(city.junctions) else []
    assert told == ["Lane", "Signal", *others]


@pytest.mark.parametrize("city", ["five lanes"], indirect=True)
def test_ways_across_a_junction_are_thinner_than_lanes(tmp_path: Path, city: Network) -> None:
    network = imported(city)
    dark = []
    # Where nothing is known as a junction, every connection is a lane that goes on.
    for name, drawn in (("known", network), ("unknown", replace(network, junctions=()))):
        draw_network(drawn, tmp_path / f"{name}.png")
        pixels = image.imread(tmp_path / f"{name}.png")[::2, ::2, :3]
        dark.append(np.isclose(pixels, colors.to_rgb("#333333"), atol=0.02).all(axis=2).mean())
    assert 0.1 < dark[0] < 0.9 * dark[1]


@pytest.mark.parametrize("city", ["five lanes"], indirect=True)
def test_names_that_would_lie_on_each_other_are_left_out(city: Network) -> None:
    network = imported(city)
    near = tuple(replace(j, x_m=1 + 0.01 * i, y_m=1.0) for i, j in enumerate(network.junctions))
    assert len(marked(replace(network, junctions=near)).texts) == 4 < len(network.signals)


@pytest.mark.parametrize("city", ["five lanes"], indirect=True)
def test_a_signal_may_control_several_junctions(city: Network) -> None:
    first, second, *others = city.signals
    both = replace(
        first,
        id="both",
        incoming_lanes=first.incoming_lanes + second.incoming_lanes,
        outgoing_lanes=first.outgoing_lanes + second.outgoing_lanes,
    )
    network = replace(city, signals=(both, *others))
    where = {junction.id: (junction.x_m, junction.y_m) for junction in city.junctions}
    assert signal_places(network)["both"] == {
        signal.id: where[signal.id] for signal in (first, second)
    }
    texts = {label.get_text(): label for label in marked(network).texts}
    middle = np.mean([where[signal.id] for signal in (first, second)], axis=0)
    label = texts["both"]
    assert isinstance(label, Annotation)
    assert tuple(label.xy) == pytest.approx(tuple(middle))
