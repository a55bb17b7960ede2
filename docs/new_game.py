"""Draws the pictures of docs/getting-started.md: `python docs/new_game.py`, where artlock is installed.

Does what that page tells its reader to do, in a temporary folder, with what it tells to add to the manifest.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "getting-started.md"
TARGET: Final = ROOT / "docs" / "images"
FIRST: Final = ("gems/red", "gems/green", "gems/blue", "hero", "hero-icon", "title")
GROUND: Final = (44, 50, 72, 255)
GAP: Final = 16


def added() -> list[str]:
    """What the page adds at the end of the manifest, in its order."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(r"<!-- append -->\n```toml\n(.*?)```", text, re.DOTALL)


def artlock(folder: Path, *words: str, code: int = 0) -> None:
    """Run it, and hold its exit code against `code`."""
    done = subprocess.run([sys.executable, "-m", "buildsys", *words], cwd=folder, check=False)  # noqa: S603  # words of ours
    if done.returncode != code:
        sys.exit(f"artlock {' '.join(words)}: exit code {done.returncode}, not {code}")


def row(paths: list[Path], scale: int) -> Image.Image:
    """The pictures side by side."""
    pictures = [Image.open(path).convert("RGBA") for path in paths]
    pictures = [
        each.resize((each.width * scale, each.height * scale), Image.Resampling.NEAREST) for each in pictures
    ]
    size = (sum(each.width + GAP for each in pictures) + GAP, max(each.height for each in pictures) + 2 * GAP)
    sheet = Image.new("RGBA", size, GROUND)
    left = GAP
    for each in pictures:
        sheet.alpha_composite(each, (left, (sheet.height - each.height) // 2))
        left += each.width + GAP
    return sheet


def main() -> None:
    """Walk through the page, and draw what it shows."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "castle"
        folder.mkdir()
        artlock(folder, "init")
        artlock(folder, "build")
        out = folder / "out"
        row([out / f"{name}.png" for name in FIRST], 1).save(TARGET / "new-game.png", optimize=True)
        gated, mended, candidates, atlas = added()
        manifest = folder / "assets.toml"
        for text, code in ((gated, 1), (mended, 0), (candidates, 0)):
            manifest.write_text(manifest.read_text(encoding="utf-8") + text, encoding="utf-8")
            artlock(folder, "build", code=code)
        shutil.copy(folder / ".artlock" / "candidates" / "lantern.png", TARGET / "candidates.png")
        artlock(folder, "pick", "lantern", "2")
        manifest.write_text(manifest.read_text(encoding="utf-8") + atlas, encoding="utf-8")
        artlock(folder, "build")
        row([out / "atlas" / "items.png"], 2).save(TARGET / "atlas.png", optimize=True)


if __name__ == "__main__":
    main()
