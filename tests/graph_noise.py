"""An engine of noise that is made of the seed, the prompt and the bytes of its inputs, and of nothing else.

Neither `effort` nor a `, please` in the prompt changes a pixel: they make another recipe of the same picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from PIL import Image

from engines.protocol import Done, Open, Report, Request

IDLE = ", please"


def load(opening: Open) -> Noise:
    return Noise(Path(opening.staging))


class Noise:
    def __init__(self, staging: Path) -> None:
        self._staging = staging

    def environment(self) -> Mapping[str, str]:
        return {"noise": "1"}

    def render(self, requests: Sequence[Request], report: Report) -> Iterator[Done]:
        del report
        for request in requests:
            assert request.size is not None
            width, height = request.size
            read = {field: Path(path).read_bytes() for field, path in request.inputs.items()}
            told = repr((request.seed, request.prompt.removesuffix(IDLE), sorted(read.items())))
            data = hashlib.shake_256(told.encode()).digest(width * height * 3)
            Image.frombytes("RGB", (width, height), data).save(self._staging / request.output)
            yield Done(id=request.id, output=request.output)
