"""A project of many assets in which manifest, lock and files agree, written without drawing anything.

The lock holds what a build would have written, the recipe digests included; only the pictures are not what
their prompts ask for, which `artlock check` has no way to know. Knows nothing of what is measured.
"""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import checkout

sys.path.insert(0, str(checkout.ROOT))

from buildsys import digest
from buildsys.lock import write
from buildsys.lock.model import Lock
from buildsys.manifest.model import Asset, AssetName, Manifest
from buildsys.manifest.read import read
from buildsys.plan import recipe
from buildsys.plan.record import Picture, Record

_HEAD = '[project]\nname = "agreed"\n\n[roles]\nsprite = "stock"\n'
_ASSET = """
[assets.s{number:05d}]
role = "sprite"
prompt = "apple number {number}"
seed = {number}
size = [16, 16]
"""


def write_project(folder: Path, count: int) -> None:
    """A project of `count` icons in `folder`, with a lock and a picture of 16 x 16 for each."""
    (folder / "out").mkdir(parents=True)
    assets = "".join(_ASSET.format(number=number) for number in range(count))
    (folder / "assets.toml").write_text(_HEAD + assets, encoding="utf-8")
    (folder / ".gitignore").write_text("/.artlock/\n", encoding="utf-8")
    manifest = read(folder)
    records = (_record(folder, manifest, asset) for asset in manifest.assets.values())
    write.save(folder / "assets.lock", Lock().updated(records))


def _record(folder: Path, manifest: Manifest, asset: Asset) -> Record:
    engine, finish = manifest.engines[asset.engine], manifest.engines["finish"].card
    parts = recipe.parts_of(asset, engine, finish, {}, engine.revision)
    data = _png(asset.seed or 0)
    output = f"{manifest.project.out}/{asset.path}"
    (folder / output).write_bytes(data)
    file = digest.of_bytes(data)
    picture = Picture(file=file, pixels=file, phash=file[:16], width=16, height=16)
    return Record(
        name=AssetName(asset.name),
        recipe=recipe.digest_of(parts),
        parts=parts,
        engine=engine.name,
        output=output,
        picture=picture,
        raw=file,
        environment={"pillow": "11.0.0", "python": "3.12.4"},
    )


def _png(number: int) -> bytes:
    """A PNG of 16 x 16 in one colour, and with bytes of its own: `number` is part of the colour."""
    colour = number.to_bytes(3, "big")
    rows = b"".join(b"\0" + colour * 16 for _ in range(16))
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
