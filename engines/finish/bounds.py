"""How large a picture may become."""

from typing import Final

from engines.parameters import bad

LIMIT: Final = 8192
"""Pixels on a side: 256 MiB as RGBA, which a step may need several times over."""


def check(width: int, height: int) -> None:
    """Raise `EngineError` where a picture of this size is empty or too large; call before making it."""
    if width < 1 or height < 1:
        raise bad(f"the result would be {width} x {height} pixels: nothing is left", "ask for a larger one")
    if max(width, height) > LIMIT:
        message = f"the result would be {width} x {height} pixels; at most {LIMIT} on a side are made"
        raise bad(message, "ask for a smaller one")
