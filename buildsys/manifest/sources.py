"""Pictures that were made by hand: files of the project that an asset is made of.

Knows nothing of the disk: a file that is missing is told when its bytes are wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias

from buildsys.manifest.names import BUNDLED, check_path
from buildsys.manifest.source import Fault

Json: TypeAlias = Any

CREDITS: Final = ("author", "licence", "source_type")
"""Keys that only such an asset has: of any other, its engine says whom it owes a mention, and what it is."""

_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")


def check(path: str, out: str) -> None:
    """Raise `Fault` unless `path` can be a picture of the project outside its output folder `out`."""
    check_path(path)
    if path.startswith(BUNDLED):
        raise Fault(f"`{path}` is no picture of the project", "copy the picture into the project")
    if PurePosixPath(path).suffix.lower() not in _SUFFIXES:
        raise Fault(f"`{path}` is no picture that artlock reads", "save it as PNG, JPEG or WebP")
    # What a build writes would be its own reason to build again; letters' case is for disks that ignore it.
    if path.lower().startswith(f"{out.lower()}/"):
        fact = f"`{path}` lies in the output folder, where only builds write"
        raise Fault(fact, "move it to another folder, or name the asset with `from`")


def check_credits(name: str, table: Mapping[str, Json]) -> None:
    """Raise `Fault` where `table`, of an asset that an engine draws, tells whom it owes a mention."""
    for key in CREDITS:
        if key in table:
            fact = f"asset `{name}` has no `source`, so its engine says what its `{key}` is"
            raise Fault(fact, f"remove `{key}`", (key,), at_key=True)
