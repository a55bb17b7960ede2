"""Draws the pictures of docs/finish-steps.md: `python docs/figures.py`, where artlock is installed.

Each is made by artlock itself, from the demo's art: the picture before the step, an arrow, and after it.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageOps

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "docs" / "images" / "steps"
SIDE: Final = 216
GAP: Final = 16
ARROW: Final = 40
MOSS: Final = 108
SQUARE: Final = 8
GROUND: Final = ((86, 92, 112, 255), (98, 104, 126, 255))

STEPS: Final = {
    "trim": ("skeleton", "{ trim = 1 }"),
    "crop": ("chest", "{ crop = [20, 4, 64, 48] }"),
    "resize": ("dragon", '{ resize = { size = [24, 24], filter = "area" } }'),
    "pad": ("crown", '{ pad = { margin = [6], color = "#b98a3d" } }'),
    "quantize": ("ring", "{ quantize = 6 }"),
    "levels": ("chest", "{ levels = { gamma = 1.4, saturation = 1.6 } }"),
    "lut": ("castle", '{ lut = "moonlight.cube" }'),
    "outline": ("framed", '{ outline = { width = 3, color = "#f6e7c1" } }'),
    "alpha": ("green", "{ alpha = {} }"),
    "scale": ("witch", "{ scale = { up = 3 } }"),
    "grayscale": ("button", "{ grayscale = { contrast = 0.6, opacity = 0.85 } }"),
    "silhouette": ("spider", '{ silhouette = "#0b1024" }'),
    "tile": ("moss", "{ tile = {} }"),
    "normals": ("wall", "{ normals = { strength = 6, smooth = 1, wrap = true } }"),
}
"""For each step its picture, and what is shown of it. `encode` has none: no pixel changes."""

FROM: Final = {
    "skeleton": "creatures/skeleton",
    "dragon": "creatures/dragon",
    "crown": "items/crown",
    "ring": "items/ring",
    "chest": "items/chest",
    "castle": "map/castle",
    "witch": "creatures/witch",
    "button": "ui/button-play",
    "spider": "creatures/spider",
    "wall": "tiles/wall",
    "framed": "items/sword",
    "green": "items/potion-health",
}


def sources(folder: Path) -> None:
    """The pictures to begin with, out of the demo."""
    for name, asset in FROM.items():
        picture = Image.open(ROOT / "out" / f"{asset}.png").convert("RGBA")
        if name == "framed":  # room for the line
            wide = Image.new("RGBA", (picture.width + 12, picture.height + 12))
            wide.alpha_composite(picture, (6, 6))
            picture = wide
        if name == "green":  # as an engine without transparency would draw it
            flat = Image.new("RGBA", picture.size, (60, 180, 90, 255))
            flat.alpha_composite(picture)
            picture = flat.convert("RGB").convert("RGBA")
        picture.save(folder / f"{name}.png")


def moss(path: Path) -> None:
    """A texture that is no tile: noise of four sizes, in greens."""
    dice = random.Random(7)  # noqa: S311  # the same picture each time, no secret
    whole = Image.new("L", (MOSS, MOSS), 128)
    for cells, share in ((4, 0.6), (9, 0.5), (18, 0.4), (54, 0.25)):
        noise = Image.frombytes("L", (cells, cells), dice.randbytes(cells * cells))
        whole = Image.blend(whole, noise.resize(whole.size, Image.Resampling.BICUBIC), share)
    ImageOps.colorize(whole, "#16240f", "#a8c46a", "#4d7034").save(path)


def moonlight(path: Path) -> None:
    """A table of two colours a side: what is dark goes towards blue."""
    lines = ["LUT_3D_SIZE 2"]
    for blue, green, red in product((0, 1), repeat=3):
        lines.append(f"{0.04 + red * 0.55:.3f} {0.06 + green * 0.68:.3f} {0.20 + blue * 0.75:.3f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make(folder: Path) -> None:
    """Every step, by artlock."""
    art = folder / "art"
    art.mkdir()
    sources(art)
    moss(art / "moss.png")
    moonlight(folder / "moonlight.cube")
    tables = ['[project]\nname = "steps"\n']
    for step, (name, shown) in STEPS.items():
        tables.append(f'[assets.{step}]\nsource = "art/{name}.png"\nfinish = [{shown}]\n')
    (folder / "assets.toml").write_text("\n".join(tables), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "buildsys", "build"], cwd=folder, check=True)


def longest(path: Path) -> int:
    """The picture's longer side."""
    with Image.open(path) as picture:
        return max(picture.size)


def shown(path: Path, scale: int, copies: int) -> Image.Image:
    """So many copies of the picture each way, on squares, so that what is clear is seen."""
    single = Image.open(path).convert("RGBA")
    picture = Image.new("RGBA", (single.width * copies, single.height * copies))
    for left in range(0, picture.width, single.width):
        for top in range(0, picture.height, single.height):
            picture.paste(single, (left, top))
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    ground = Image.new("RGBA", picture.size, GROUND[0])
    draw = ImageDraw.Draw(ground)
    for top in range(0, picture.height, SQUARE):
        for left in range((top // SQUARE % 2) * SQUARE, picture.width, 2 * SQUARE):
            draw.rectangle((left, top, left + SQUARE - 1, top + SQUARE - 1), fill=GROUND[1])
    ground.alpha_composite(picture)
    return ground


def beside(before: Image.Image, after: Image.Image) -> Image.Image:
    """Both with an arrow between them."""
    height = max(before.height, after.height)
    sheet = Image.new("RGBA", (before.width + after.width + 2 * GAP + ARROW, height), (0, 0, 0, 0))
    sheet.alpha_composite(before, (0, (height - before.height) // 2))
    sheet.alpha_composite(after, (sheet.width - after.width, (height - after.height) // 2))
    draw = ImageDraw.Draw(sheet)
    left, middle = before.width + GAP, height // 2
    draw.rectangle((left, middle - 2, left + ARROW - 12, middle + 2), fill=(140, 140, 150, 255))
    tip = left + ARROW
    draw.polygon([(tip - 14, middle - 9), (tip - 14, middle + 9), (tip, middle)], fill=(140, 140, 150, 255))
    return sheet


def main() -> None:
    """Draw them."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder)
        for step, (name, _) in STEPS.items():
            paths = (folder / "art" / f"{name}.png", folder / "out" / f"{step}.png")
            copies = 2 if step == "tile" else 1
            scale = max(1, SIDE // max(copies * longest(path) for path in paths))
            before, after = (shown(path, scale, copies) for path in paths)
            beside(before, after).save(TARGET / f"{step}.png", optimize=True)


if __name__ == "__main__":
    main()
