"""A real browser without a window, cut off from every network."""

import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

__all__ = ["dump_dom", "shown_images", "text_of"]

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
MEASURE = """<script>addEventListener("load", () => {
document.querySelectorAll("img").forEach((image) => { const box = image.getBoundingClientRect();
image.alt += `|${image.naturalWidth}|${Math.round(box.width)}|${Math.round(box.height)}`; });
});</script>"""


def dump_dom(page: Path, folder: Path) -> str:
    """The page as the browser has it after loading; its profile lies in the folder."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium here to open the page with")
    flags = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000"),
    )
    done = subprocess.run(
        [CHROMIUM, *flags, "--dump-dom", page.resolve().as_uri()],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown_images(page: Path, folder: Path) -> list[tuple[str, int, int, int]]:
    """Title, own width, and width and height on the screen [px] of every image.

    The page itself runs no script, so a copy measures.
    """
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    copy = folder / "measured.html"
    copy.write_text(text.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    found = re.findall(r'alt="([^"]*)\|(\d+)\|(\d+)\|(\d+)"', dump_dom(copy, folder))
    return [(unescape(title), int(own), int(x), int(y)) for title, own, x, y in found]


def text_of(dom: str) -> str:
    """What can be read on the page, in one line."""
    body = re.sub(r"<(style|script)\b.*?</\1>", " ", dom, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
