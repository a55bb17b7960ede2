"""Draws docs/images/review.png: `python docs/review_figure.py`, with artlock[test] and Chromium installed.

A copy of the demo gets a commit, then other prompts and seeds, as a pull request would; the picture is the
page that `artlock diff` makes of it.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser_kit import chromium  # noqa: E402 - from the tests, which lie elsewhere

TARGET: Final = ROOT / "docs" / "images" / "review.png"
SIZE: Final = (1440, 900)
COLORS: Final = 255
CHANGES: Final = (
    ('prompt = "iron shield"', 'prompt = "round wooden shield"'),
    ('prompt = "wizard staff"', 'prompt = "crystal wand"'),
    ('prompt = "steel helmet"', 'prompt = "winged helmet"'),
    ('The Drowned Gate"', 'The Flooded Gate"'),
)
SHOWN: Final = "items/shield"


def git(folder: Path, *words: str) -> None:
    """Run git as a painter."""
    named = ["-c", "user.name=A Painter", "-c", "user.email=painter@example.org"]
    then = {f"GIT_{who}_DATE": "2026-01-01T12:00:00Z" for who in ("AUTHOR", "COMMITTER")}
    subprocess.run(["git", *named, *words], cwd=folder, env={**os.environ, **then}, check=True)  # noqa: S603, S607 - our own words


def artlock(folder: Path, *words: str) -> None:
    """Run this checkout's artlock."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-P", "-m", "buildsys", *words], cwd=folder, env=environ, check=True)  # noqa: S603


def changed(folder: Path) -> None:
    """The demo in a repository of its own, with a working tree that differs from its commit."""
    for name in ("assets.toml", "assets.lock"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "out", folder / "out")
    (folder / ".gitignore").write_text(".artlock/\n", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Night falls over the keep")
    text = (folder / "assets.toml").read_text(encoding="utf-8")
    for old, new in CHANGES:
        if old not in text:
            sys.exit(f"the demo has no longer: {old}")
        text = text.replace(old, new)
    (folder / "assets.toml").write_text(text, encoding="utf-8")
    artlock(folder, "build")


def main() -> None:
    """Draw it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "moonlit-keep"
        folder.mkdir()
        changed(folder)
        page = Path(place) / "review.html"
        artlock(folder, "diff", "--html", str(page))
        with chromium(Path(place) / "profile") as tab:
            tab.window(*SIZE)
            tab.open(page.as_uri())
            tab.settled()
            tab.do(f"document.querySelector('.row[title=\"{SHOWN}\"]').click()")
            tab.press("2")
            tab.press("a")
            tab.press("j")
            tab.press("a")
            tab.press("k")
            tab.settled()
            shot = Image.open(io.BytesIO(tab.shot())).convert("RGB")
    shot.quantize(COLORS, dither=Image.Dither.NONE).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
