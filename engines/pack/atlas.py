"""An atlas as its formats tell it: pages, where each sprite lies on them, and animations.

Knows nothing of pixels, of how places were found, or of any format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where one sprite lies. Counted in pixels from the top left."""

    name: str
    page: int
    x: int
    y: int
    width: int
    height: int
    """Of what is left of it after trimming, as it stands upright."""
    rotated: bool
    """Whether it lies on the page turned clockwise by 90 degrees, `height` wide and `width` high."""
    left: int
    top: int
    """How much was trimmed off there."""
    source: tuple[int, int]
    """Width and height before it was trimmed."""

    @property
    def right(self) -> int:
        """How much was trimmed off on the right."""
        return self.source[0] - self.left - self.width

    @property
    def bottom(self) -> int:
        """How much was trimmed off below."""
        return self.source[1] - self.top - self.height

    @property
    def trimmed(self) -> bool:
        """Whether anything was."""
        return self.source != (self.width, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas:
    """All that a format has to tell."""

    stem: str
    pages: tuple[tuple[int, int], ...]
    """Width and height of each."""
    frames: tuple[Frame, ...]
    """By name."""
    animations: Mapping[str, tuple[str, ...]]
    """Name to the names of its sprites, in the order in which they are shown; by name."""
    fps: float

    def picture(self, page: int) -> str:
        """The name of a page's file."""
        return f"{self.stem}{numbered(page)}.png"

    def frame(self, name: str) -> Frame:
        """The frame of the sprite `name`."""
        return next(frame for frame in self.frames if frame.name == name)


def numbered(page: int) -> str:
    """What stands behind the stem in the name of a page's files: nothing for the first one."""
    return f"-{page}" if page else ""
