"""A frame with what belongs around it: controller, clock and counts above, the legend below."""

from dataclasses import dataclass
from functools import cached_property

from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from trafficrl.evaluation.film.canvas import INK, PAPER, draw_signal, draw_vehicle
from trafficrl.evaluation.film.frame import DRIVING_MPS, STANDING_MPS, Frame

__all__ = ["FilmPage"]

BAR_M = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
TITLE_SHARE, TEXT_SHARE = 0.026, 0.019
"""Sizes of letters, as shares of the width."""
LARGER = 2


@dataclass(frozen=True)
class FilmPage:
    """The frame of a film's pictures."""

    title: str
    """Who controls, and what is driven."""
    clock_s: float
    """Clock time of simulation second 0 [s]."""
    width_px: int
    px_per_m: float
    legend: bool = True
    """What marks mean; SUMO's own window has others."""

    def draw(self, picture: Image.Image, frame: Frame) -> Image.Image:
        """The picture with all that stands around it."""
        head = round(1.3 * self._title.size + 1.9 * self._text.size)
        foot = self._foot.height if self.legend else 0
        height_px = picture.height + head + foot
        page = Image.new("RGB", (self.width_px, height_px + height_px % 2), PAPER)
        page.paste(picture.resize((self.width_px, picture.height)), (0, head))
        if self.legend:
            page.paste(self._foot, (0, head + picture.height))
        pen, edge = ImageDraw.Draw(page), round(self.width_px * 0.012)
        time_s = self.clock_s + frame.time_s
        clock = f"{int(time_s // 3600) % 24}:{int(time_s // 60) % 60:02d}:{time_s % 60:02.0f}"
        right = self.width_px - edge
        room = right - 2 * edge - self._title.getlength(clock)
        pen.text((edge, edge // 2), self._cut(room), INK, self._title)
        pen.text((right, edge // 2), clock, INK, self._title, anchor="ra")
        counts = (
            f"{frame.running_veh} vehicles, {frame.standing_veh} of them standing; "
            f"{frame.backlog_veh} wait to be let in"
        )
        below = round(1.35 * self._title.size)
        pen.text((edge, below), counts, INK, self._text)
        return page

    def _cut(self, room_px: float) -> str:
        """The title, as much of it as has room beside the clock."""
        shown = self.title
        while shown and self._title.getlength(shown) > room_px:
            shown = shown.rstrip("…")[:-1].rstrip() + "…"
        return shown

    @cached_property
    def _foot(self) -> Image.Image:
        """Marks and what they mean, in as many lines as they need; a bar for the scale."""
        size = self._text.size
        entries: list[tuple[str, float | str, str]] = [
            ("vehicle", 0.0, f"stands (below {STANDING_MPS:g} m/s)"),
            ("vehicle", 1.0, f"slow (below {DRIVING_MPS:g} m/s)"),
            ("vehicle", 9.0, "drives"),
            ("signal", "r", "red"),
            ("signal", "y", "yellow"),
            ("signal", "G", "green"),
            ("signal", "g", "green, yields"),
            ("scale", self._bar_m, f"{self._bar_m} m"),
        ]
        places, x, y = [], 0.6 * size, 0.4 * size
        for entry in entries:
            wide = self._mark_px(entry[0]) + 0.4 * size + self._text.getlength(entry[2])
            if x > size and x + wide > self.width_px:
                x, y = 0.6 * size, y + 1.5 * size
            places.append((entry, x, y))
            x += wide + 1.4 * size
        height = round(y + 1.7 * size)
        large = Image.new("RGB", (LARGER * self.width_px, LARGER * height), PAPER)
        pen = ImageDraw.Draw(large)
        for (kind, value, _), left, top in places:
            self._mark(pen, kind, value, LARGER * left, LARGER * (top + 0.62 * size))
        foot = large.resize((self.width_px, height), Image.Resampling.LANCZOS)
        pen = ImageDraw.Draw(foot)
        for (kind, _, text), left, top in places:
            pen.text((left + self._mark_px(kind) + 0.4 * size, top), text, INK, self._text)
        return foot

    def _mark_px(self, kind: str) -> float:
        return self._bar_m * self.px_per_m if kind == "scale" else 1.5 * self._text.size

    def _mark(
        self, pen: ImageDraw.ImageDraw, kind: str, value: float | str, x: float, y: float
    ) -> None:
        size = LARGER * self._text.size
        if kind == "vehicle":
            draw_vehicle(
                pen, (x + 1.4 * size, y), (1.0, 0.0), (1.3 * size, 0.6 * size), float(value)
            )
        elif kind == "signal":
            draw_signal(pen, (x + 0.4 * size, y), (1.0, 0.0), str(value), 0.8 * size)
        else:
            end = x + LARGER * self._mark_px("scale")
            ticks = [(x, y - size / 4), (x, y), (end, y), (end, y - size / 4)]
            pen.line(ticks, INK, LARGER)

    @cached_property
    def _bar_m(self) -> int:
        """About a seventh of the width."""
        most_m = self.width_px / self.px_per_m / 7
        return max((bar for bar in BAR_M if bar <= most_m), default=BAR_M[0])

    @cached_property
    def _title(self) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(findfont("DejaVu Sans:bold"), self._letters(TITLE_SHARE))

    @cached_property
    def _text(self) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(findfont("DejaVu Sans"), self._letters(TEXT_SHARE))

    def _letters(self, share: float) -> int:
        return max(11, round(share * self.width_px))
