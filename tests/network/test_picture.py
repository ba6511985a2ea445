from pathlib import Path

import numpy as np
import pytest
from matplotlib import colors, image

from trafficrl.errors import NetworkError
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
