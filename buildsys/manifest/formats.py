"""The formats of outputs: pictures, and the texts that tell where the sprites of an atlas lie.

Knows nothing of how one is written: the finish and the pack adapter do that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PICTURES: Final = ("png", "webp")

PAGES: Final = 100
"""The most pages of one atlas."""

ATLASES: Final[Mapping[str, tuple[str, ...]]] = {
    "texturepacker": (".json", *(f"-{page}.json" for page in range(1, PAGES))),
    "godot": (".tres",),
    "unity": (".unity.json",),
    "css": (".css",),
}
"""The files of each format of an atlas, by what stands in place of the picture's suffix."""
