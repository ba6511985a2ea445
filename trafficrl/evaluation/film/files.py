"""Pictures into one file: a GIF, or an MP4 where ffmpeg is there."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile

from PIL import Image

from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.film.canvas import COLOURS
from trafficrl.files import replacing

__all__ = ["check_film", "save_film"]

FFMPEG = "ffmpeg"
MOST_COLOURS, LEAST_APART = 256, 12
BLENDS = 5
"""Colours of a GIF between each two of ours, for smooth edges."""


def check_film(file: Path) -> None:
    """Return when a film of that name can be made here.

    Raises:
        ConfigError: it cannot.
    """
    if file.suffix.lower() == ".mp4" and shutil.which(FFMPEG) is None:
        raise ConfigError(
            f"render.out: {file} needs ffmpeg, which is not on the PATH: install it, or name a .gif"
        )


def save_film(pictures: Iterable[Image.Image], file: Path, *, fps: float, drawn: bool) -> int:
    """The file holds the film, or is as it was before; how many pictures it has is returned.

    Args:
        pictures: of one size, as they come.
        file: its ending says what it will be.
        fps: pictures shown in a second [1/s].
        drawn: with our own colours, which a GIF then has exactly.

    Raises:
        RunError: the file cannot be written.
    """
    save = _save_mp4 if file.suffix.lower() == ".mp4" else _save_gif
    counted = Counted(pictures)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file, durable=False) as temporary:
            save(counted, temporary, fps, drawn=drawn)
    except OSError as error:
        raise RunError(f"{file} cannot be written: {error.strerror or error}") from error
    return counted.number


class Counted:
    """The same pictures, counted."""

    def __init__(self, pictures: Iterable[Image.Image]) -> None:
        self._pictures = pictures
        self.number = 0

    def __iter__(self) -> Iterator[Image.Image]:
        for picture in self._pictures:
            self.number += 1
            yield picture


def _save_gif(pictures: Iterable[Image.Image], file: Path, fps: float, *, drawn: bool) -> None:
    colours = palette() if drawn else None
    with_few = (
        picture.quantize(palette=colours, dither=Image.Dither.NONE)
        if colours
        else picture.quantize(colors=128, dither=Image.Dither.NONE)
        for picture in pictures
    )
    first = next(with_few)
    first.save(
        file,
        format="GIF",
        save_all=True,
        append_images=with_few,
        duration=round(1000 / fps),
        loop=0,
        optimize=False,
    )


def palette() -> Image.Image:
    """Our colours, and those on the way from each to each: as many as a GIF can have."""
    whole = [tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in COLOURS]
    pairs = [(a, b) for i, a in enumerate(whole) for b in whole[i + 1 :]]
    blends = (
        tuple(round(x + (y - x) * share / (BLENDS + 1)) for x, y in zip(a, b, strict=True))
        for share in (3, 1, 5, 2, 4)
        for a, b in pairs
    )
    chosen: list[tuple[int, ...]] = []
    for colour in chain(whole, blends):
        if len(chosen) < MOST_COLOURS and all(apart(colour, other) for other in chosen):
            chosen.append(colour)
    found = Image.new("P", (1, 1))
    found.putpalette([part for colour in chosen for part in colour])
    return found


def apart(one: Sequence[int], other: Sequence[int]) -> bool:
    """Pillow looks colours up in steps: of two that are closer it may take either."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) >= LEAST_APART


def _save_mp4(pictures: Iterable[Image.Image], file: Path, fps: float, *, drawn: bool) -> None:
    rest = iter(pictures)
    first = next(rest)
    size = f"{first.width // 2 * 2}x{first.height // 2 * 2}"  # as the usual encoding wants it
    words = [
        *(FFMPEG, "-y", "-loglevel", "error"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{first.width}x{first.height}"),
        *("-r", str(fps), "-i", "-", "-s", size, "-pix_fmt", "yuv420p", "-crf", "20", str(file)),
    ]
    with TemporaryFile() as said:
        encoding = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=said, stderr=said)
        assert encoding.stdin is not None
        try:
            for picture in chain([first], rest):
                encoding.stdin.write(picture.convert("RGB").tobytes())
            encoding.stdin.close()
        except BrokenPipeError:  # it has ended, and says why below
            pass
        finally:
            code = encoding.wait()
        said.seek(0)
        if code:
            why = " ".join(said.read().decode(errors="replace").split())
            raise OSError(f"ffmpeg failed: {why}")
