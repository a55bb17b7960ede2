"""The JSON hash of TexturePacker, which Phaser, PixiJS and many others read: a file for each page.

Knows nothing of pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engines.pack.atlas import Atlas, Frame, numbered


def write(atlas: Atlas) -> Mapping[str, str]:
    """Suffix to text: `.json` for the first page, `-1.json` for the next.

    `frame.w` and `frame.h` are those of the upright sprite, also where it lies turned: so TexturePacker
    does, and Phaser and PixiJS expect. PixiJS loads the further pages, which `related_multi_packs` names,
    by itself. An animation is told of by the page that has all of its frames.
    """
    return {f"{numbered(page)}.json": _page(atlas, page) for page in range(len(atlas.pages))}


def _page(atlas: Atlas, page: int) -> str:
    frames = {frame.name: frame for frame in atlas.frames if frame.page == page}
    animations = {
        name: list(names) for name, names in atlas.animations.items() if all(item in frames for item in names)
    }
    width, height = atlas.pages[page]
    others = [f"{atlas.stem}{numbered(other)}.json" for other in range(len(atlas.pages)) if other != page]
    meta = {
        "app": "artlock",
        "version": "1.0",
        "image": atlas.picture(page),
        "format": "RGBA8888",
        "size": {"w": width, "h": height},
        "scale": "1",
        **({"related_multi_packs": others} if others else {}),
    }
    parts = [_table("frames", ((name, _frame(frame)) for name, frame in frames.items()))]
    if animations:
        parts.append(_table("animations", animations.items()))
    parts.append(f'"meta": {_line(meta)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _frame(frame: Frame) -> Mapping[str, Any]:
    return {
        "frame": {"x": frame.x, "y": frame.y, "w": frame.width, "h": frame.height},
        "rotated": frame.rotated,
        "trimmed": frame.trimmed,
        "spriteSourceSize": {"x": frame.left, "y": frame.top, "w": frame.width, "h": frame.height},
        "sourceSize": {"w": frame.source[0], "h": frame.source[1]},
    }


def _table(name: str, items: Iterable[tuple[str, Any]]) -> str:
    """A row for each item, so that a diff shows the sprite that moved."""
    return f'"{name}": {{\n' + ",\n".join(_rows(items)) + "\n}"


def _rows(items: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for name, value in items:
        yield f"{_line(name)}: {_line(value)}"


def _line(value: Any) -> str:  # noqa: ANN401 - whatever JSON can carry
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
