"""A sheet as JSON in the terms of Unity's `Sprite.Create`, laid out as its `JsonUtility` can read it.

Knows nothing of pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engines.pack.atlas import Atlas, Frame


def write(atlas: Atlas) -> Mapping[str, str]:
    """Suffix to text: one `.unity.json`.

    Lists of objects, no tables by name: `JsonUtility` knows none. No `.meta`: that is Unity's own, with
    identities that it draws. `rect` is counted from the bottom left, as Unity counts. `pivot` is the middle
    of the sprite before it was trimmed, as a share of `rect`, so that an animation stands still. Unity
    can't turn a sprite of a sheet, so no frame may be rotated.
    """
    pages = [
        {"image": atlas.picture(page), "width": width, "height": height}
        for page, (width, height) in enumerate(atlas.pages)
    ]
    animations = [
        {"name": name, "frameRate": atlas.fps, "loop": True, "sprites": list(names)}
        for name, names in atlas.animations.items()
    ]
    parts = [
        _list("pages", pages),
        _list("sprites", [_sprite(frame, atlas.pages[frame.page][1]) for frame in atlas.frames]),
        _list("animations", animations),
    ]
    return {".unity.json": '{\n"version": 1,\n' + ",\n".join(parts) + "\n}\n"}


def _sprite(frame: Frame, height: int) -> Mapping[str, Any]:
    return {
        "name": frame.name,
        "page": frame.page,
        "rect": {
            "x": frame.x,
            "y": height - frame.y - frame.height,
            "width": frame.width,
            "height": frame.height,
        },
        "pivot": {
            "x": round((frame.source[0] / 2 - frame.left) / frame.width, 6),
            "y": round((frame.source[1] / 2 - frame.bottom) / frame.height, 6),
        },
        "offset": {"x": frame.left, "y": frame.bottom},
        "size": {"x": frame.source[0], "y": frame.source[1]},
    }


def _list(name: str, items: list[Any]) -> str:
    """A row for each item, so that a diff shows the sprite that moved."""
    rows = ",\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items)
    return f'"{name}": [\n{rows}\n]' if rows else f'"{name}": []'
