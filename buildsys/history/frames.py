"""The pictures of a history's page: each inlined once, however many versions show it.

A picture is defined as SVG at the top of the page, and used wherever it is shown, which takes no script.
Knows nothing of what they show.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape

from buildsys.comparison.pictures import SMALL, mime_of
from buildsys.digest import Digest
from buildsys.journal.words import printable
from buildsys.plan.record import Record


def store(records: Iterable[Record], kept: Mapping[Digest, bytes]) -> str:
    """Each picture once, out of sight."""
    shown = {record.picture.file: record for record in records if record.picture.file in kept}
    sizes = {(record.picture.width, record.picture.height) for record in shown.values()}
    grounds = "".join(_ground(*size) for size in sorted(sizes))
    images = "".join(_image(record, kept[file]) for file, record in shown.items())
    return f'<svg class="store" aria-hidden="true"><defs>{grounds}{images}</defs></svg>\n'


def shot(record: Record | None, kept: Mapping[Digest, bytes], lost: Mapping[Digest, str], name: str) -> str:
    """The frame of one version; `name` is what a reader who can't see it is told."""
    if record is None:
        return '<div class="shot none">removed</div>'
    picture = record.picture
    if picture.file not in kept:
        words = lost.get(picture.file, "not looked for")
        return f'<div class="shot none">{escape(printable(words))}</div>'
    return (
        f'<div class="shot"><svg role="img" aria-label="{escape(printable(name))}" '
        f'viewBox="0 0 {picture.width} {picture.height}"><use href="#p-{picture.file[:24]}"/></svg></div>'
    )


def _ground(width: int, height: int) -> str:
    """Squares on which what is clear is seen: eight along the longer side."""
    side = max(width, height) / 16
    return (
        f'<pattern id="g-{width}-{height}" width="{2 * side:g}" height="{2 * side:g}" '
        'patternUnits="userSpaceOnUse"><path fill="var(--check-b)" d="M0 0h9999v9999h-9999z"/>'
        f'<path fill="var(--check-a)" d="M0 0h{side:g}v{side:g}h-{side:g}z'
        f'M{side:g} {side:g}h{side:g}v{side:g}h-{side:g}z"/></pattern>'
    )


def _image(record: Record, data: bytes) -> str:
    width, height = record.picture.width, record.picture.height
    kind = ' class="small"' if max(width, height) <= SMALL else ""
    source = f"data:{mime_of(data)};base64,{base64.b64encode(data).decode()}"
    return (
        f'<g id="p-{record.picture.file[:24]}"><rect width="{width}" height="{height}" '
        f'fill="url(#g-{width}-{height})"/>'
        f'<image{kind} width="{width}" height="{height}" href="{source}"/></g>'
    )
