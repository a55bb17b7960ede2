"""The contact sheet of a review: the pictures most worth a look, drawn by the adapter `measure`.

Knows nothing of pixels: no picture is decoded here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.journal.words import count
from buildsys.make.pool import Pool
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.read import MANIFEST, parse
from buildsys.plan.step import shorten
from buildsys.review import told
from buildsys.review.model import Change, Kind, Pictures, Review, Side
from buildsys.workbench import interruptible
from engines.protocol import Json, Request

MARK: Final = "Software\0artlock diff --sheet"
"""Tells a sheet of ours, which may be written over, from a picture of the game."""
MOST: Final = 24
"""Changes on a sheet: more can't be told apart in a comment."""
COLUMNS: Final = 6
"""Three changes to a row."""
_SIDE: Final = 160
_HEAD: Final = 33
"""Bytes of a PNG before its second chunk."""
_NAME: Final = 14
"""Letters that fit below a picture."""
_SEEN: Final = frozenset({Kind.CHANGED, Kind.ADDED, Kind.REMOVED})


def draw(review: Review, pictures: Pictures, work: Path) -> bytes:
    """The sheet as a PNG: for each change, before and after side by side. Raises `MakeError`.

    `work`: a folder for the copies that the engine reads, and for its log. There has to be a change.
    """
    with interruptible(), Pool(work, root=work, jobs=1) as pool:
        parameters, wanted = layout(review)
        inputs = dict(_lent(wanted, pictures, pool.inputs))
        told_of = parameters["cells"]
        for name in wanted.keys() - inputs.keys():
            told_of[name.removeprefix("cell.")]["message"] = "no bytes of this picture could be had"
        engine = parse({MANIFEST: '[project]\nname = "review"\n'}, root=work).engines[MEASURE]
        request = Request(
            id="sheet", asset="artlock-review", output="sheet.png", parameters=parameters, inputs=inputs
        )
        return _signed(Path(pool.render(engine, request).output).read_bytes())


def _signed(png: bytes) -> bytes:
    """`png` with `MARK` in a text chunk behind its head: no pixel is looked at."""
    said = b"tEXt" + MARK.encode()
    chunk = struct.pack(">I", len(said) - 4) + said + struct.pack(">I", zlib.crc32(said))
    return png[:_HEAD] + chunk + png[_HEAD:]


def layout(review: Review) -> tuple[dict[str, Json], Mapping[str, Digest]]:
    """The parameters of the sheet, and its pictures by input name. Raises `MakeError` where nothing differs.

    What looks the same on both sides is left out, unless there is nothing else.
    """
    if not review.changes:
        raise MakeError("nothing differs, so there is nothing for a sheet", "leave `--sheet` out")
    seen = [change for change in review.changes if change.kind in _SEEN] or list(review.changes)
    cells: dict[str, Json] = {}
    wanted: dict[str, Digest] = {}
    for place, change in enumerate(seen[:MOST]):
        for number, side in enumerate((change.before, change.after)):
            if side is None:
                continue
            at = str(2 * place + number)
            cells[at] = _cell(change, side)
            if not side.lost:
                wanted[f"cell.{at}"] = side.shown
    title = f"{review.project}: {count(len(seen), 'picture')}"
    if len(seen) > MOST:
        title += f", {MOST} of them here"
    return {"work": "sheet", "title": title, "columns": COLUMNS, "side": _SIDE, "cells": cells}, wanted


def _cell(change: Change, side: Side) -> dict[str, Json]:
    if change.before is None or change.after is None:
        line = f"{told.KINDS[change.kind]} · {told.size_told(side)}"
    else:
        line = f"before · {told.size_told(side)}" if side is change.before else f"after · {_much(change)}"
    return {"title": _called(side.record.name), "lines": [line], "message": side.lost}


def _called(name: str) -> str:
    """The name, or of one that would be cut its last part, which tells more than its first."""
    return name if len(name) <= _NAME else shorten(name.rpartition("/")[2])


def _much(change: Change) -> str:
    """A new size shorter than in words, for a line is cut at the picture's width."""
    return told.size_told(change.after) if change.after and told.resized(change) else told.headline(change)


def _lent(wanted: Mapping[str, Digest], pictures: Pictures, folder: Path) -> Iterator[tuple[str, str]]:
    """Private copies for the engine, each picture once; those that nobody has are left out."""
    written: dict[Digest, str] = {}
    for name, file in wanted.items():
        if file not in written:
            data = pictures.read(file)
            if data is None:
                continue
            path = folder / f"{file[:16]}-shown"
            path.write_bytes(data)
            written[file] = str(path)
        yield name, written[file]
