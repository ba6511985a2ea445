"""A plot as it goes into a page: drawn without a screen, the same bytes for the same numbers."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["Picture", "Style", "picture", "plain_axes", "plain_text", "style"]

# Paul Tol's "bright" scheme: told apart by all kinds of colour vision. Each line has its own dashes
# and marks as well, so that nothing is told by colour alone: 6, 5 and 7 of them make 210 styles.
COLOURS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377")
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
MARKS = ("o", "s", "^", "D", "v", "P", "X")
PNG_DPI = 110
Dash = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot, its title, and how to read it."""

    title: str
    help: str
    """One sentence."""
    type: str
    """`image/svg+xml` or `image/png`."""
    content: bytes

    @property
    def source(self) -> str:
        """The whole picture as a URL, so that a page needs no other file."""
        return f"data:{self.type};base64,{b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Style:
    """How one controller or run is drawn in every plot."""

    colour: str
    dash: Dash
    mark: str


def style(index: int) -> Style:
    """The style of the controller with that place."""
    return Style(
        COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], MARKS[index % len(MARKS)]
    )


@contextmanager
def plain_text() -> Iterator[None]:
    """Names are drawn as they are: a `$` in one begins no formula."""
    with rc_context(
        {
            "text.parse_math": False,
            "svg.hashsalt": "trafficrl",
            "font.size": 9.0,
            "axes.titlesize": 10.0,
        }
    ):
        yield


def plain_axes(axes: Axes) -> None:
    """Less ink: no box, a faint grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def picture(figure: Figure, title: str, help: str, *, pixels: bool = False) -> Picture:
    """The figure in a page: as lines, or as pixels where it has very many of them."""
    stream = BytesIO()
    with plain_text():
        if pixels:
            figure.savefig(stream, format="png", dpi=PNG_DPI, metadata={"Software": None})
        else:
            figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return Picture(title, help, "image/png" if pixels else "image/svg+xml", stream.getvalue())
