"""Animations: which sprites are the numbered frames of one.

Knows names only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from engines.parameters import bad

_NUMBERED: Final = re.compile(r"(?P<stem>.*(?:[^-_.](?=[-_.])|[^-_.0-9]))[-_.]?(?P<number>[0-9]+)", re.DOTALL)
"""Digits at the end, behind a separator or a letter: the 2 of `level2-01` is none of them."""


def animations(names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Animation to its sprites by their numbers, of all `names` that end in one; at least two make one.

    `walk-01` and `walk-02` are frames of `walk`, and so are `walk_1`, `walk.1` and `walk1`. A name whose
    last part is a number alone, such as `walk/01`, is a frame of its folder. Raises `EngineError` where
    two frames have one number.
    """
    found: dict[str, dict[int, str]] = {}
    for name in sorted(names):
        stem, number = _parted(name)
        if not number:
            continue
        frames = found.setdefault(stem, {})
        other = frames.setdefault(int(number), name)
        if other != name:
            message = f"`{other}` and `{name}` would be one frame of the animation `{stem}`"
            raise bad(message, "rename one of them, or set `animations = false`")
    return {
        stem: tuple(frames[number] for number in sorted(frames))
        for stem, frames in sorted(found.items())
        if len(frames) > 1
    }


def _parted(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    if folder and last.isascii() and last.isdigit():
        return folder, last
    match = _NUMBERED.fullmatch(last)
    if match is None:
        return name, ""
    return f"{folder}/{match['stem']}" if folder else match["stem"], match["number"]
