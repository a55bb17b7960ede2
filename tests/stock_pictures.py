"""Prints the digest of every golden picture of the stock engine as JSON; run by `test_stock_bitwise`.

A program of its own, so that it can run with another CPU level or number of threads.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys

from engines.protocol import Request
from engines.stock import raster
from engines.stock.choose import choose
from engines.stock.draw import draw
from engines.stock.engine import Stock

_PROMPTS = (
    "sword",
    "red health potion",
    "old wooden treasure chest",
    "green dragon head",
    "golden crown",
    "fire spell",
    "ice crystal",
    "#3366cc gem",
)
_STYLES = ("painted", "flat", "pixel", "sticker", "emblem", "glow")
_MORE: tuple[tuple[str, tuple[int, int], dict[str, object]], ...] = (
    ("blue mushroom", (96, 96), {"set": "fluent"}),
    ("golden apple", (64, 48), {"set": "noto", "style": "sticker"}),
    ("castle", (32, 32), {"set": "noto", "style": "pixel"}),
    ("rocket", (200, 120), {"set": "fluent", "style": "emblem", "backdrop": "burst"}),
    ("crystal ball", (48, 48), {"set": "fluent", "style": "pixel", "backdrop": "shield"}),
    ("skull", (1024, 1024), {"palette": "arcana", "outline": "thick", "shadow": "hard"}),
    ("key", (17, 33), {"colors": ["bronze", "#ff0088"], "mirror": "yes", "padding": 3}),
    ("moon", (300, 300), {"style": "glow", "backdrop": "banner", "outline_color": "#112233"}),
)


def everything() -> dict[str, str]:
    """SHA-256 of the pixels of every golden request, by what was asked for."""
    requests: list[tuple[str, tuple[int, int], dict[str, object]]] = [
        (prompt, size, {"style": style})
        for style in _STYLES
        for prompt, size in zip(_PROMPTS, ((64, 64), (16, 16), (128, 128), (48, 32)) * 2, strict=True)
    ]
    stock = Stock()
    found: dict[str, str] = {}
    for seed, (prompt, size, parameters) in enumerate([*requests, *_MORE]):
        request = Request(
            id="1", asset="a", output="a.png", prompt=prompt, seed=seed, size=size, parameters=parameters
        )
        choice = choose(stock.searcher, stock.library.icons, request)
        pixels = draw(choice.icon, stock.library.body(choice.icon), choice.look, size)
        found[f"{prompt} {size[0]}x{size[1]} {parameters}"] = hashlib.sha256(pixels.tobytes()).hexdigest()
    return found


def library(step: int) -> str:
    """SHA-256 over the rendering of every `step`-th icon at 64 pixels."""
    stock = Stock()
    total = hashlib.sha256()
    for icon in stock.library.icons[::step]:
        left, top, side = icon.view
        body = stock.library.body(icon)
        if icon.collection == "game-icons":
            body = "".join(f'<path d="{data}"/>' for data in body.split("\n") if data)
        total.update(raster.render(body, f"{left} {top} {side} {side}", 64).tobytes())
    return total.hexdigest()


def sines() -> str:
    """A digest of the maths library's answers: it differs where the CPU level really was lowered."""
    values = [
        (math.sin(step * 0.37), math.exp(step * 0.011), math.pow(1.1, step * 0.7)) for step in range(5000)
    ]
    return hashlib.sha256(repr(values).encode()).hexdigest()


if __name__ == "__main__":
    result = {"pictures": everything(), "library": library(int(sys.argv[1])), "sines": sines()}
    sys.stdout.write(json.dumps(result, indent=1, sort_keys=True))
