"""A training set of a dozen plain shapes, and packages that hold some of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from training.sprite import dataset as datasets
from training.sprite import pictures
from training.sprite.dataset import Caption, Dataset
from training.sprite.drawings import PACKAGES, Drawing
from training.sprite.material import Material, Plan
from training.sprite.model import Sizes
from training.sprite.train import Run

BOX = "0 0 64 64"
SHAPES = {
    "shield": "M8 8h48v24q0 24-24 28q-24-4-24-28z",
    "sword": "M30 4h4v40h8v4h-8v12h-4v-12h-8v-4h8z",
    "gem": "M16 12h32l12 16l-28 32l-28-32z",
    "key": "M4 20h20v8h36v8h-4v8h-8v-8h-24v8h-20z",
}
FILLS = {"glossy": "#d02030", "flat": "#2040d0", "cartoon": "#20a040", "simple": "#d0a020"}
SMALL = Sizes(latents=12, width=24, depth=2, condition=16, token=16, words=20)
SETS = tuple(package.removeprefix("@iconify-json/") for package in PACKAGES if package.startswith("@"))


def body(name: str, style: str = "glossy") -> str:
    return f'<path fill="{FILLS[style]}" d="{SHAPES[name]}"/>'


def drawing(name: str, style: str = "glossy") -> Drawing:
    return Drawing(f"{style}/{name}", style, name, (), (f"{name} thing",), body(name, style), BOX)


def dataset() -> Dataset:
    """Every shape in every style, in its own colours and in two more."""
    made = [
        (Caption(f"{style}/{name}", style, name, (), (f"{name} metal",), one.color), one.picture)
        for name in SHAPES
        for style in FILLS
        for one in pictures.shown(drawing(name, style))
    ]
    return Dataset(np.stack([picture for _, picture in made]), tuple(caption for caption, _ in made))


def packages(root: Path) -> Path:
    """A folder as npm fills it, with a sword and a shield in each set and two emoji that no game needs."""
    for package, version in PACKAGES.items():
        put(root / package / "package.json", {"name": package, "version": version})
    for name in SETS:
        icons = {
            "crossed-swords": {"body": body("sword")},
            "crossed-swords-1": {"body": body("sword", "flat")},
            "shield": {"body": body("shield"), "width": 128, "height": 128},
            "shield-medium-skin-tone": {"body": body("shield")},
            "four-oclock": {"body": body("gem")},
        }
        put(root / f"@iconify-json/{name}/icons.json", {"icons": icons, "width": 64, "height": 64})
    put(root / "@iconify-json/noto/chars.json", {"2694": "crossed-swords", "1f6e1": "shield"})
    emoji = [
        {"label": "crossed swords", "hexcode": "2694", "emoji": "\u2694", "tags": ["weapon"], "group": 7},
        {"label": "shield", "hexcode": "1F6E1", "emoji": "\U0001f6e1", "tags": [], "group": 7},
        {"label": "four oclock", "hexcode": "1F553", "emoji": "\U0001f553", "group": 5, "subgroup": 1},
    ]
    put(root / "emojibase-data/en/data.json", emoji)
    put(root / "emojibase-data/en/messages.json", {"subgroups": [{"key": "time", "order": 1}]})
    put(root / "emojilib/dist/emoji-en-US.json", {"\u2694": ["crossed_swords", "battle"]})
    return root


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def trained(folder: Path, steps: int) -> dict[str, Any]:
    """The state of a small model after `steps` steps on the shapes; `folder` takes the training set."""
    datasets.write(dataset(), folder)
    plan = Plan(batch=16, warm=4)
    run = Run(Material(folder, SMALL, plan), SMALL, plan)
    for _ in range(steps):
        run.advance(3e-3)
    return run.state()
