"""Packs the library: `python -m engines.stock.pack NODE_MODULES WORDS [OUTPUT]`.

NODE_MODULES is the folder that these commands fill:

    npm install @iconify-json/game-icons@1.2.4 @iconify-json/noto@1.2.9 \
        @iconify-json/fluent-emoji@1.2.7 emojibase-data@17.0.0 emojilib@4.0.3

WORDS is the file that `python -m engines.stock.vectors` makes, or an earlier pack, whose vectors are
taken over. The same inputs, zlib and liblzma
give the same bytes; the digest printed at the end goes into `adapter.toml`.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.stock import layers, library, raster, sources, svgpath
from engines.stock.library import Icon
from engines.stock.sources import Source

_DECIMALS: Final = {"noto": 2, "fluent": 3}
_PATH: Final = re.compile(r'(?<= d=")[^"]+')
_ROTATE: Final = re.compile(r"(rotate|skewX|skewY)\(([^)]*)\)")
_IDENTIFIER: Final = re.compile(r'id="([^"]+)"')
_DIMENSIONS: Final = 128
_LENGTH: Final = 320
"""Length of every vector: components reach 127 for all but a few, which are cut."""
_SIDE: Final = 256
_SMALLEST: Final = 72
"""Hundredths of its box: an icon that fills less is not enlarged further."""
_SAMPLE: Final = 24
"""Every so many icons one lends its body's beginning to the dictionary."""


def pack(node_modules: Path, words: Path, output: Path) -> str:
    """Write the library and return its SHA-256."""
    entries: list[tuple[Icon, str]] = []
    for source in sources.read(node_modules):
        icon = Icon(
            source.name,
            source.collection,
            _view(source),
            source.author,
            source.licence,
            source.keywords,
            0,
            0,
        )
        entries.append((icon, _body(source)))
    known, vectors = _vectors(words)
    library.write(output, entries, known, vectors, _dictionary(entries))
    return hashlib.sha256(output.read_bytes()).hexdigest()


def _vectors(path: Path) -> tuple[Sequence[str], NDArray[np.int8]]:
    if path.suffix == ".zip":
        earlier = library.Library(path)
        return earlier.words, earlier.vectors
    with np.load(path) as data:
        return bytes(data["words"]).decode().split("\n"), quantise(data["emb"])


def quantise(vectors: NDArray[np.float16]) -> NDArray[np.int8]:
    """Each row as a direction of one length in whole numbers; cosines keep their order to about 1 %."""
    rows = vectors[:, :_DIMENSIONS].astype(np.float64)
    rows *= _LENGTH / np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.clip(np.rint(rows), -127, 127).astype(np.int8)


def _view(source: Source) -> tuple[float, float, float]:
    """The square around what is drawn, so that every icon fills its picture; small ones stay smaller."""
    pixels = raster.render(source.body, f"0 0 {source.box} {source.box}", _SIDE)
    rows, columns = (np.flatnonzero((pixels[..., 3] > 0).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = (int(edge) for edge in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    side = max(bottom - top, right - left, _SIDE * _SMALLEST // 100)
    scale = source.box / _SIDE
    x, y = (left + right - side) / 2 * scale, (top + bottom - side) / 2 * scale
    return round(x, 2), round(y, 2), round(side * scale, 2)


def _body(source: Source) -> str:
    if source.collection == "game-icons":
        return layers.separate(source.name, source.body)
    decimals = _DECIMALS[source.collection]
    body = _PATH.sub(lambda match: svgpath.write(svgpath.parse(match[0]), decimals), source.body)
    body = _ROTATE.sub(_matrix, body)
    # Short names for gradients: the sets' own are random and don't compress.
    for number, name in enumerate(_IDENTIFIER.findall(body)):
        body = re.sub(rf'(id="|#){re.escape(name)}(?=["\)])', rf"\g<1>i{number}", body)
    return body


def _matrix(match: re.Match[str]) -> str:
    """A rotation or skew as the matrix that it is, so that no renderer asks for a sine."""
    numbers = [float(word) for word in match[2].replace(",", " ").split()]
    angle = np.radians(numbers[0])
    if match[1] == "skewX":
        values = [1.0, 0.0, float(np.tan(angle)), 1.0, 0.0, 0.0]
    elif match[1] == "skewY":
        values = [1.0, float(np.tan(angle)), 0.0, 1.0, 0.0, 0.0]
    else:
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        x, y = numbers[1:] or (0.0, 0.0)
        values = [cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y]
    return f"matrix({' '.join(f'{value:.6g}' for value in values)})"


def _dictionary(entries: list[tuple[Icon, str]]) -> str:
    """Markup that many bodies share, for the deflate streams to start from."""
    samples = [body[:1200] for icon, body in entries[::_SAMPLE] if icon.collection != "game-icons"]
    return "".join(samples)[-32000:]


if __name__ == "__main__":
    _, folder, vectors_file, *rest = sys.argv
    print(pack(Path(folder), Path(vectors_file), Path(rest[0]) if rest else library.PATH))  # noqa: T201 - a program
