"""Draws docs/images/demo.png from the demo's art: `python docs/sheet.py`, with Pillow installed.

Knows only file names; sizes up to 64 are shown at a multiple, with crisp pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

ROOT: Final = Path(__file__).resolve().parent.parent
OUT: Final = ROOT / "out"
WIDTH: Final = 1280
GAP: Final = 14
BOX: Final = 102
TILES: Final = ("wall", "wall-normal", "floor", "floor-normal")
SKY: Final = ((20, 24, 52), (58, 66, 110))


def rows() -> list[list[Path]]:
    """The pictures, row by row."""
    ui = OUT / "ui"
    buttons = [ui / f"button-{label}.png" for label in ("play", "options", "quit")]
    return [
        [ui / "logo.png", ui / "title-card.png"],
        sorted((OUT / "items").glob("*.png")),
        sorted((OUT / "creatures").glob("*.png")),
        sorted((OUT / "sprites").glob("*.png")),
        [*buttons, *sorted((OUT / "map").glob("*.png"))],
        sorted((OUT / "icons").glob("*.png")),
        [*sorted(ui.glob("button-*-off.png")), *sorted((OUT / "bestiary").glob("*.png"))],
        [*sorted((OUT / "props").glob("*.png")), *(OUT / "tiles" / f"{name}.png" for name in TILES)],
    ]


def shown(path: Path) -> Image.Image:
    """The picture, scaled by a whole number where it is small."""
    picture = Image.open(path).convert("RGBA")
    scale = max(1, BOX // max(picture.size))
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def lines(row: list[Image.Image]) -> list[list[Image.Image]]:
    """The row, broken into lines of equal length where it is too wide."""
    count = -(-sum(item.width + GAP for item in row) // (WIDTH - GAP))
    length = -(-len(row) // count)
    return [row[start : start + length] for start in range(0, len(row), length)]


def main() -> None:
    """Draw it."""
    laid = [line for row in rows() for line in lines([shown(path) for path in row])]
    height = sum(max(item.height for item in line) + GAP for line in laid) + GAP
    sheet = Image.new("RGBA", (WIDTH, height))
    draw = ImageDraw.Draw(sheet)
    for y in range(height):
        share = y / height
        colour = tuple(round(a + (b - a) * share) for a, b in zip(*SKY, strict=True))
        draw.line([(0, y), (WIDTH, y)], fill=(*colour, 255))
    top = GAP
    for line in laid:
        tall = max(item.height for item in line)
        left = (WIDTH - sum(item.width + GAP for item in line) + GAP) // 2
        for item in line:
            sheet.alpha_composite(item, (left, top + (tall - item.height) // 2))
            left += item.width + GAP
        top += tall + GAP
    target = ROOT / "docs" / "images" / "demo.png"
    target.parent.mkdir(exist_ok=True)
    sheet.convert("RGB").save(target, optimize=True)


if __name__ == "__main__":
    main()
