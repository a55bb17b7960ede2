"""The packed library: its index, its icons' bodies and its word vectors, read as they are needed.

The container is a zip with four members: `icons.json` (the index), `words.txt`, `vectors.npy`, and
`bodies`, in which each icon is a raw deflate stream of its own that starts from a shared dictionary.
Knows nothing of search or drawing.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

PATH: Final = Path(__file__).with_name("icons.zip")
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_COLLECTIONS: Final = {
    "game-icons": "https://game-icons.net",
    "fluent": "https://github.com/microsoft/fluentui-emoji",
    "noto": "https://github.com/googlefonts/noto-emoji",
}


@dataclass(frozen=True, slots=True)
class Icon:
    """One icon, without its body."""

    name: str
    """As its set names it: `crossed-swords`."""
    collection: str
    """`game-icons`, `fluent` or `noto`."""
    view: tuple[float, float, float]
    """Left, top and side of the square that it fills."""
    author: str
    licence: str
    keywords: tuple[str, ...]
    offset: int
    length: int

    @property
    def title(self) -> str:
        """Its name as a person reads it: `crossed swords`."""
        return self.name.replace("-", " ")

    @property
    def key(self) -> str:
        """How to pin it: `game-icons/crossed-swords`."""
        return f"{self.collection}/{self.name}"

    @property
    def source(self) -> str:
        """The address of its set."""
        return _COLLECTIONS[self.collection]


class Library:
    """A pack, open. Reading the index is the only cost until an icon is asked for."""

    def __init__(self, path: Path = PATH) -> None:
        self._zip = zipfile.ZipFile(path)
        index = json.loads(self._zip.read("icons.json"))
        self._dictionary = index["dictionary"].encode()
        authors: list[tuple[str, str]] = [(author, licence) for author, licence in index["authors"]]
        self.icons = tuple(
            Icon(
                name=name,
                collection=collection,
                view=(view[0], view[1], view[2]),
                author=authors[author][0],
                licence=authors[author][1],
                keywords=(*keywords,),
                offset=offset,
                length=length,
            )
            for name, collection, view, author, keywords, offset, length in index["icons"]
        )

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word that has a vector."""
        return tuple(self._zip.read("words.txt").decode().split("\n"))

    @cached_property
    def vectors(self) -> NDArray[np.int8]:
        """(words, dimensions): directions, all of about the same length."""
        array: NDArray[np.int8] = np.load(io.BytesIO(self._zip.read("vectors.npy")))
        return array

    @cached_property
    def _bodies(self) -> bytes:
        return self._zip.read("bodies")

    def body(self, icon: Icon) -> str:
        """SVG elements of `icon`, or, for `game-icons`, the layers that `layers.separate` wrote."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS, self._dictionary)
        return inflate.decompress(self._bodies[icon.offset : icon.offset + icon.length]).decode()


def write(
    path: Path,
    icons: Iterable[tuple[Icon, str]],
    words: Sequence[str],
    vectors: NDArray[np.int8],
    dictionary: str,
) -> None:
    """Write a pack of `icons` and their bodies; offsets and lengths are filled in here."""
    bodies = bytearray()
    authors: dict[tuple[str, str], int] = {}
    rows: list[list[object]] = []
    for icon, body in icons:
        author = authors.setdefault((icon.author, icon.licence), len(authors))
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, 0, dictionary.encode())
        data = deflate.compress(body.encode()) + deflate.flush()
        rows.append([icon.name, icon.collection, icon.view, author, icon.keywords, len(bodies), len(data)])
        bodies += data
    index = {"dictionary": dictionary, "authors": list(authors), "icons": rows}
    array = io.BytesIO()
    np.save(array, vectors, allow_pickle=False)
    with zipfile.ZipFile(path, "w") as file:
        for name, data, method in (
            ("icons.json", json.dumps(index, separators=(",", ":")).encode(), zipfile.ZIP_DEFLATED),
            ("words.txt", "\n".join(words).encode(), zipfile.ZIP_DEFLATED),
            ("vectors.npy", array.getvalue(), zipfile.ZIP_DEFLATED),
            ("bodies", bytes(bodies), zipfile.ZIP_STORED),
        ):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = method
            file.writestr(entry, data)
