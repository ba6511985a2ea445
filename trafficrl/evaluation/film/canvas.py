"""Our own drawing of a frame: who cannot tell colours still tells all by its shape.

It is drawn in double size and then made smaller, so that slanted lines are smooth.
"""

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw

from trafficrl.evaluation.film.frame import DRIVING_MPS, STANDING_MPS, Frame
from trafficrl.network.canvas import LANE_WIDTH_M
from trafficrl.network.model import Network
from trafficrl.network.signals import GREEN

__all__ = ["AREA", "COLOURS", "INK", "PAPER", "MapCanvas", "draw_signal", "draw_vehicle"]

# Paul Tol's "bright" scheme, as in every plot here.
PAPER, ROAD, LINK, INK = "#FFFFFF", "#D5D5D5", "#E6E6E6", "#222222"
STANDING, SLOW, DRIVING = "#CC3311", "#EECC66", "#4477AA"
RED, YELLOW, FREE = "#AA1122", "#EE9900", "#117733"
COLOURS = (PAPER, ROAD, LINK, INK, STANDING, SLOW, DRIVING, RED, YELLOW, FREE)
LARGER = 2
"""How many times as large it is drawn."""
LANE_SHARE = 0.88
VEHICLE_WIDTH_M = 2.0
LEAST_VEHICLE_PX, LEAST_SIGNAL_PX = 3.0, 4.0
LEAST_HEIGHT_SHARE = 0.3
Point = tuple[float, float]
AREA = tuple[float, float, float, float]
"""Lowest and highest x, lowest and highest y [m]."""


class MapCanvas:
    """A network from above, on which frames are drawn.

    Args:
        network: that is shown.
        area: which part of it.
        width_px: of the pictures.
    """

    def __init__(self, network: Network, area: AREA, width_px: int) -> None:
        self._network = network
        self._low_x, high_x, low_y, self._high_y = area
        width_m, height_m = high_x - self._low_x, self._high_y - low_y
        self.px_per_m = width_px / width_m
        height_m = max(height_m, LEAST_HEIGHT_SHARE * width_m)
        self.size_px = (width_px, round(height_m * self.px_per_m))

    def draw(self, frame: Frame) -> Image.Image:
        """The traffic on the roads."""
        picture = self._roads.copy()
        pen = ImageDraw.Draw(picture)
        for place, ahead, letter in self._lights(frame):
            draw_signal(pen, place, ahead, letter, self._large(LANE_WIDTH_M, LEAST_SIGNAL_PX))
        x_m, y_m, speed_mps, heading, length_m = frame.vehicles
        angle = np.radians(heading)
        for x, y, speed, right, up, length in zip(
            x_m, y_m, speed_mps, np.sin(angle), np.cos(angle), length_m, strict=True
        ):
            front = self._point((float(x), float(y)))
            if self._inside(front):
                size = (
                    self._large(float(length), 1.6 * LEAST_VEHICLE_PX),
                    self._large(VEHICLE_WIDTH_M, LEAST_VEHICLE_PX),
                )
                draw_vehicle(pen, front, (float(right), -float(up)), size, float(speed))
        return picture.resize(self.size_px, Image.Resampling.LANCZOS)

    @cached_property
    def _roads(self) -> Image.Image:
        width_px, height_px = self.size_px
        picture = Image.new("RGB", (LARGER * width_px, LARGER * height_px), PAPER)
        pen = ImageDraw.Draw(picture)
        width = max(1, round(self._large(LANE_SHARE * LANE_WIDTH_M, 0.0)))
        lanes = self._network.lanes
        index = self._network.lane_index
        for link in self._network.connections:
            ends = lanes[index[link.from_lane]].shape[-1], lanes[index[link.to_lane]].shape[0]
            pen.line([self._point(end) for end in ends], LINK, width)
        for lane in lanes:
            pen.line([self._point(point) for point in lane.shape], ROAD, width, joint="curve")
        return picture

    def _lights(self, frame: Frame) -> Iterator[tuple[Point, Point, str]]:
        """Where each link of a signal stops, which way it leads, and its letter: the links of a
        lane side by side."""
        for place, ahead, links in self._stops:
            letters = [frame.shown[signal][link] for signal, link in links]
            share = self._large(LANE_WIDTH_M, LEAST_SIGNAL_PX) / len(letters)
            if len(set(letters)) == 1:
                yield place, ahead, letters[0]
                continue
            for i, letter in enumerate(letters):
                aside = (i - (len(letters) - 1) / 2) * share
                yield (place[0] - aside * ahead[1], place[1] + aside * ahead[0]), ahead, letter

    @cached_property
    def _stops(self) -> list[tuple[Point, Point, list[tuple[str, int]]]]:
        links: dict[str, list[tuple[str, int]]] = {}
        for signal in self._network.signals:
            for index, lanes in enumerate(signal.incoming_lanes):
                for lane in lanes:
                    links.setdefault(lane, []).append((signal.id, index))
        found = []
        for lane, of_lane in links.items():
            *_, before, end = self._network.lanes[self._network.lane_index[lane]].shape
            place, back = self._point(end), self._point(before)
            length = math.hypot(place[0] - back[0], place[1] - back[1]) or 1.0
            ahead = (place[0] - back[0]) / length, (place[1] - back[1]) / length
            if self._inside(place):
                found.append((place, ahead, of_lane))
        return found

    def _point(self, place: Point) -> Point:
        """Where a place [m] is in the larger picture."""
        scale = LARGER * self.px_per_m
        return (place[0] - self._low_x) * scale, (self._high_y - place[1]) * scale

    def _inside(self, point: Point) -> bool:
        width_px, height_px = self.size_px
        return 0 <= point[0] <= LARGER * width_px and 0 <= point[1] <= LARGER * height_px

    def _large(self, length_m: float, least_px: float) -> float:
        """A length in the larger picture, which may not be too small to be seen."""
        return LARGER * max(length_m * self.px_per_m, least_px)


def draw_vehicle(
    pen: ImageDraw.ImageDraw,
    front: Point,
    ahead: Point,
    size: tuple[float, float],
    speed_mps: float,
) -> None:
    """A block where it stands, an arrow where it drives: light while slow.

    Args:
        pen: that draws.
        front: of the vehicle.
        ahead: which way it looks, of length 1.
        size: length and width of the mark.
        speed_mps: of the vehicle.
    """
    length, width = size
    standing, slow = speed_mps < STANDING_MPS, speed_mps < DRIVING_MPS
    nose = 0.0 if standing else min(0.6 * length, width)
    outline = [(0.0, 0.0), (-nose, 0.5), (-length, 0.5), (-length, -0.5), (-nose, -0.5)]
    points = [along(front, ahead, back, aside * width) for back, aside in outline]
    colour = STANDING if standing else SLOW if slow else DRIVING
    pen.polygon(points, fill=colour, outline=INK)


def draw_signal(
    pen: ImageDraw.ImageDraw, stop: Point, ahead: Point, letter: str, width: float
) -> None:
    """A bar across the lane for red, two dots for yellow, an arrow ahead for green: hollow where
    the link yields.

    Args:
        pen: that draws.
        stop: the end of the lane.
        ahead: which way it leads, of length 1.
        letter: of SUMO's state: G, g, y, s, r, o.
        width: of the mark.
    """
    half = width / 2
    if letter in GREEN:
        corners = ((width, 0.0), (0.0, half), (0.0, -half))
        tip = [along(stop, ahead, *corner) for corner in corners]
        pen.polygon(tip, fill=FREE if letter == "G" else PAPER, outline=FREE)
        if letter == "g":
            pen.line([*tip, tip[0]], FREE, max(1, round(width / 6)))
    elif letter in "yY":
        radius = width / 4
        for aside in (-radius, radius):
            x, y = along(stop, ahead, radius, aside)
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), YELLOW, INK)
    else:
        deep = width / 2.5
        bar = ((0.0, half), (0.0, -half), (deep, -half), (deep, half))
        pen.polygon([along(stop, ahead, *corner) for corner in bar], fill=RED)


def along(origin: Point, ahead: Point, forward: float, aside: float) -> Point:
    """So far ahead of the origin, and so far to the side."""
    return (
        origin[0] + forward * ahead[0] - aside * ahead[1],
        origin[1] + forward * ahead[1] + aside * ahead[0],
    )
