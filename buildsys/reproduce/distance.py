"""The distance of two pictures, measured by the adapter `measure` in a process of its own.

Knows nothing of locks or verdicts.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from buildsys.make.made import Engines
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.model import Manifest
from buildsys.plan.record import Record
from buildsys.reproduce.model import Distance
from engines.protocol import Request


class Gauge:
    """Measures pictures; `folder` is for the copies that the engine reads."""

    def __init__(self, manifest: Manifest, engines: Engines, folder: Path) -> None:
        self._engine = manifest.engines[MEASURE]
        self._engines = engines
        self._folder = folder

    def distance(self, old: Record, new: Record, before: bytes | None, after: bytes | None) -> Distance:
        """How far `new` is from `old`; only by their hashes where the bytes of one are lost.

        Raises `MakeError`.
        """
        bits = (int(old.picture.phash, 16) ^ int(new.picture.phash, 16)).bit_count()
        if before is None or after is None:
            return Distance(hash_bits=bits)
        # Names of ours: the format in a stranger's lock may be a path. Who decodes them looks at the bytes.
        self._folder.mkdir(parents=True, exist_ok=True)
        reference, image = self._folder / "then", self._folder / "now"
        reference.write_bytes(before)
        image.write_bytes(after)
        request = Request(
            id="compare",
            asset=old.name,
            output="compared.png",
            parameters={"work": "compare"},
            inputs={"image": str(image), "reference": str(reference)},
        )
        facts = self._engines.render(self._engine, request).facts
        known = {field: facts[field] for field in Distance.__struct_fields__ if field in facts}
        return msgspec.convert(known, Distance)
