"""A real browser without a window, cut off from every network."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

__all__ = ["after", "dump_dom", "shown_images", "text_of"]

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
MEASURE = """[...document.querySelectorAll("img")].map((image) => {
const box = image.getBoundingClientRect();
return [image.alt, image.naturalWidth, Math.round(box.width), Math.round(box.height)]; })"""


def dump_dom(page: Path, folder: Path, *, width_px: int = 1280, budget_ms: int = 5000) -> str:
    """The page as the browser has it after loading; its profile lies in the folder."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium here to open the page with")
    flags = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
        f"--window-size={width_px},900",
        *(f"--user-data-dir={folder / 'profile'}", f"--virtual-time-budget={budget_ms}"),
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


def after(page: Path, folder: Path, script: str, *, width_px: int = 1280) -> Any:
    """What a script finds once the page has loaded; its last expression, as JSON.

    The page runs no script but its own, so a copy that allows any is asked.
    """
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    tell = (
        '<script>addEventListener("load", () => { const found = eval('
        f"{json.dumps(script)}); const told = document.createElement('template'); "
        "told.id = 'told'; told.setAttribute('data-found', JSON.stringify(found)); "
        "document.body.append(told); });</script>"
    )
    copy = folder / "asked.html"
    copy.write_text(text.replace("</body>", f"{tell}</body>"), encoding="utf-8")
    dom = dump_dom(copy, folder, width_px=width_px)
    found = re.search(r'<template id="told" data-found="([^"]*)"', dom)
    assert found is not None, "the script failed"
    return json.loads(unescape(found.group(1)))


def shown_images(page: Path, folder: Path) -> list[tuple[str, int, int, int]]:
    """Title, own width, and width and height on the screen [px] of every image."""
    return [(title, own, x, y) for title, own, x, y in after(page, folder, MEASURE)]


def text_of(dom: str) -> str:
    """What can be read on the page, in one line."""
    body = re.sub(r"<(style|script)\b.*?</\1>", " ", dom, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
