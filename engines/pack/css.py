"""A style sheet: a class for each sprite, and one for each animation, which moves without a script.

Knows nothing of pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from engines.pack.atlas import Atlas, Frame

_PLAIN: Final = re.compile(r"[A-Za-z_\u0080-\U0010ffff-][A-Za-z0-9_\u0080-\U0010ffff-]*")
_SPECIAL: Final = re.compile(r"[^A-Za-z0-9_\u0080-\U0010ffff-]")


def write(atlas: Atlas) -> Mapping[str, str]:
    """Suffix to text: one `.css`.

    A class is called exactly as its sprite: `class="items/sword"`. What was trimmed off is padding, which
    the background leaves free, so an element has the size that the sprite had. CSS can't turn a part of a
    picture, so no frame may be rotated.
    """
    return {".css": "".join(f"{line}\n" for line in _lines(atlas))}


def _lines(atlas: Atlas) -> Iterator[str]:
    yield '@charset "UTF-8";'
    for frame in atlas.frames:
        yield f".{identifier(frame.name)} {{ {_base()} {_look(atlas, frame)} }}"
    frames = {frame.name: frame for frame in atlas.frames}
    for name, names in atlas.animations.items():
        word, seconds = identifier(name), _number(len(names) / atlas.fps)
        first = _look(atlas, frames[names[0]])
        # `step-end`: a frame stays until the next, and no size is blended into another.
        moved = f"animation: {word} {seconds}s step-end infinite;"
        yield f".{word} {{ {_base()} {first} {moved} }}"
        yield f"@keyframes {word} {{"
        for number, item in enumerate(names):
            yield f"  {_number(100 * number / len(names))}% {{ {_look(atlas, frames[item])} }}"
        yield "}"


def _base() -> str:
    return (
        "display: inline-block; box-sizing: content-box; background-repeat: no-repeat; "
        "background-origin: content-box; background-clip: content-box;"
    )


def _look(atlas: Atlas, frame: Frame) -> str:
    padding = f"{frame.top}px {frame.right}px {frame.bottom}px {frame.left}px"
    return (
        f"width: {frame.width}px; height: {frame.height}px; padding: {padding}; "
        f'background-image: url("{atlas.picture(frame.page)}"); '
        f"background-position: {-frame.x}px {-frame.y}px;"
    )


def identifier(name: str) -> str:
    """`name` as an identifier of CSS, escaped as its Object Model says (`CSS.escape`)."""
    if _PLAIN.fullmatch(name) and not re.match(r"-(?:[0-9]|$)", name):
        return name
    head = re.match(r"-?[0-9]", name)
    if head:
        digit = head[0]
        start = ("-" if digit[0] == "-" else "") + f"\\{ord(digit[-1]):x} "
        return start + _escaped(name[len(digit) :])
    return f"\\{name}" if name == "-" else _escaped(name)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text)


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
