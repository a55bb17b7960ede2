"""The contact sheet of a review: the pictures most worth a look, drawn by the adapter `measure`.

Knows nothing of pixels: no picture is decoded here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.make.pool import Pool
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.read import MANIFEST, parse
from buildsys.plan.step import shorten
from buildsys.review import told
from buildsys.review.model import Change, Pictures, Review, Side
from buildsys.workbench import interruptible
from engines.protocol import Json, Request

MOST: Final = 24
"""Changes on a sheet: more can't be told apart in a comment."""
COLUMNS: Final = 4
_SIDE: Final = 160
_NAME: Final = 60


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
        return Path(pool.render(engine, request).output).read_bytes()


def layout(review: Review) -> tuple[dict[str, Json], Mapping[str, Digest]]:
    """The parameters of the sheet, and its pictures by input name. Raises `MakeError` where nothing differs."""
    if not review.changes:
        raise MakeError("nothing differs, so there is nothing for a sheet", "leave `--sheet` out")
    cells: dict[str, Json] = {}
    wanted: dict[str, Digest] = {}
    for place, change in enumerate(review.changes[:MOST]):
        for number, (words, side) in enumerate((("before", change.before), ("after", change.after))):
            at = str(2 * place + number)
            cells[at] = _cell(change, words, side)
            if side is not None and not side.lost:
                wanted[f"cell.{at}"] = side.shown
    parameters = {
        "work": "sheet", "title": _title(review), "columns": COLUMNS, "side": _SIDE, "cells": cells,
    }  # fmt: skip
    return parameters, wanted


def _title(review: Review) -> str:
    counts = ", ".join(f"{number} {words}" for words, number in told.counts_told(review))
    over = len(review.changes) - MOST
    return f"{counts}; {over} not shown" if over > 0 else counts


def _cell(change: Change, words: str, side: Side | None) -> dict[str, Json]:
    if side is None:
        missing = "it was not there" if words == "before" else "it is gone"
        return {"title": shorten(change.name, _NAME), "lines": [told.KINDS[change.kind]], "message": missing}
    line = f"{words} · {told.size_told(side)}" if words == "before" else f"after · {told.headline(change)}"
    return {"title": shorten(side.record.name, _NAME), "lines": [line], "message": side.lost}


def _lent(
    wanted: Mapping[str, Digest], pictures: Pictures, folder: Path
) -> Iterator[tuple[str, str]]:
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
