"""A game of many small pictures whose lock and store are full, as after a build; no engine was started.

Knows nothing of what is measured with it.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import checkout
import msgspec

sys.path.insert(0, str(checkout.ROOT))

from buildsys import digest as digests
from buildsys.lock.write import LockFile
from buildsys.make.recording import record_of
from buildsys.make.results import Finished, Raw
from buildsys.plan.record import Picture
from buildsys.session import LOCK, Session

SIDE: Final = 16

_MANIFEST: Final = """\
[project]
name = "gallery"
{project}
[roles]
sprite = "stock"

[assets."tiles/{{row}}/{{column}}"]
role = "sprite"
prompt = "tile {{row}} {{column}}"
seed = 1
size = [16, 16]

[assets."tiles/{{row}}/{{column}}".matrix]
row = [{rows}]
column = [{columns}]
"""

_COLUMNS: Final = 100


def fill(folder: Path, cache: Path, number: int, project: str = "") -> Session:
    """A game of `number` pictures in `folder`: manifest, lock, and `cache` with all that they name.

    `project`: further lines of `[project]`, and tables after it.
    """
    folder.mkdir(parents=True)
    columns = min(number, _COLUMNS)
    rows = -(-number // columns)
    named = {"rows": ", ".join(f'"{row}"' for row in range(rows)), "columns": _listed(columns)}
    (folder / "assets.toml").write_text(_MANIFEST.format(project=project, **named), encoding="utf-8")
    with _cache(cache):
        session = Session.open(folder)
    records = {}
    for order, step in enumerate(session.plan().steps.values()):
        if step.parts is None:
            sys.exit(f"`{step.name}` has no recipe")
        data, pixels = picture(order)
        file = session.store.put_bytes(data, sync=False)
        shape = Picture(file=file, pixels=pixels, phash=f"{order:016x}", width=SIDE, height=SIDE)
        record = record_of(step, step.parts, Raw(raw=file), Finished(picture=shape))
        session.store.record_action(record.recipe, msgspec.to_builtins(record), sync=False)
        records[step.name] = record
    LockFile(folder / LOCK).save(msgspec.structs.replace(session.lock, records=records))
    return session


def picture(order: int) -> tuple[bytes, digests.Digest]:
    """A PNG that no other number has, and the digest of its pixels."""
    colour = struct.pack(">I", order * 2654435761 % 2**32 | 0xFF)
    row = b"".join(colour if (order >> bit) & 1 else b"\0\0\0\xff" for bit in range(SIDE))
    pixels = digests.of_bytes(b"RGBA\0" + struct.pack(">II", SIDE, SIDE) + row * SIDE)
    body = zlib.compress((b"\0" + row) * SIDE)
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks), pixels


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _listed(number: int) -> str:
    return ", ".join(f'"{item}"' for item in range(number))


@contextmanager
def _cache(folder: Path) -> Iterator[None]:
    """The store in `folder`, for what is opened in this process."""
    before = os.environ.get("ARTLOCK_CACHE_DIR")
    os.environ["ARTLOCK_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["ARTLOCK_CACHE_DIR"]
        else:
            os.environ["ARTLOCK_CACHE_DIR"] = before
