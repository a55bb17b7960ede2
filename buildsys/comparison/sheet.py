"""The contact sheet of a comparison: which picture goes where, and what stands below it.

Knows nothing of pixels; the adapter `measure` draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.comparison.model import Distance, Entry, Question
from buildsys.comparison.words import alpha_told, cost_words, row_told
from buildsys.digest import Digest
from buildsys.errors import ArtlockError
from buildsys.journal.words import seconds_told
from buildsys.plan.step import shorten

Json: TypeAlias = Any

_SIDE: Final = 288
_WRAP: Final = 4
_MOST: Final = 24
_EDGE: Final = 8000
"""Pixels that the cells may have in all, in either direction."""
_ROOM: Final = 206
"""Pixels of caption and gap below a picture."""
_GAP: Final = 20


def check(rows: int, columns: int, names: tuple[str, str] = ("engines", "seeds")) -> None:
    """Raise `ArtlockError` where no sheet holds so many pictures."""
    for number, what in zip((rows, columns), names, strict=True):
        if number > _MOST:
            raise ArtlockError(f"{number} {what} are more than a sheet holds", f"give at most {_MOST}")


def layout(
    question: Question, entries: tuple[Entry, ...]
) -> tuple[Mapping[str, Json], Mapping[str, Digest | None]]:
    """The parameters of the sheet, and its pictures by input name; None is the reference file.

    A row for each engine and a column for each seed, or as many columns as asked for; with one seed, rows
    of a few engines.
    """
    grid = question.columns or (len(question.seeds) if len(question.seeds) > 1 else 0)
    columns = grid or min(_WRAP, len(entries) + 1)
    cells: dict[str, Json] = {}
    pictures: dict[str, Digest | None] = {}
    first = 0
    if question.reference_file:
        cells["0"] = {"title": "reference", "lines": [question.reference_file]}
        pictures["cell.0"] = None
        first = grid or 1
    for number, entry in enumerate(entries, first):
        cells[str(number)] = {"title": title(entry), "lines": _lines(entry), "message": entry.message}
        if entry.picture is not None:
            pictures[f"cell.{number}"] = entry.picture.file
    rows = -(-(first + len(entries)) // columns)
    side = min(_SIDE, _EDGE // columns - _GAP, _EDGE // rows - _ROOM)
    subject = question.subject
    heading = shorten(subject.name or subject.prompt or subject.text, 120)
    return {
        "work": "sheet", "title": heading, "columns": columns, "side": side, "cells": cells,
    }, pictures  # fmt: skip


def title(entry: Entry) -> str:
    """The engine, what was tried on it, and its seed if it takes one."""
    return row_told(entry) if entry.seed is None else f"{row_told(entry)} · {entry.seed}"


def _lines(entry: Entry) -> list[str]:
    notes = _notes(entry)
    if entry.picture is None:
        return notes
    size = f"{entry.picture.width} x {entry.picture.height}"
    took = "from the store" if entry.from_store else seconds_told(entry.make_seconds)
    alpha = alpha_told(entry) if entry.alpha else "no alpha"
    lines = [f"{size} · {took}", f"{cost_words(entry)} · {alpha}"]
    if entry.is_reference:
        lines.append("the reference")
    elif entry.distance is not None:
        lines += _distance(entry.distance)
    return [*lines, *notes]


def _notes(entry: Entry) -> list[str]:
    """What the engine ignored: two lines at most, the page has all."""
    first, *others = entry.notes or ("",)
    if len(others) > 1:
        return [first, f"… and {len(others)} notes more"]
    return [note for note in (first, *others) if note]


def _distance(distance: Distance) -> list[str]:
    if distance.likeness != "different":
        return [distance.likeness.replace("-", " ")]
    ratio = [] if distance.psnr is None else [f"PSNR {distance.psnr:.1f} dB"]
    return [f"hash {distance.hash_bits} · SSIM {distance.ssim:.3f}", *ratio]
