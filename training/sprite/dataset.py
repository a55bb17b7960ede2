"""The training set as two files: `pictures.npy` (N, 32, 32, 4) and `captions.jsonl`, a line a picture.

Knows nothing of tokens or of the model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing import Pool
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.sprite import pictures
from training.sprite.drawings import Drawing, read

_PICTURES: Final = "pictures.npy"
_CAPTIONS: Final = "captions.jsonl"


@dataclass(frozen=True, slots=True)
class Caption:
    """What one picture shows."""

    key: str
    style: str
    name: str
    aliases: tuple[str, ...]
    keywords: tuple[str, ...]
    color: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """Pictures and their captions, in one order."""

    pictures: NDArray[np.uint8]
    captions: tuple[Caption, ...]


def _made(drawing: Drawing) -> list[tuple[Caption, pictures.Picture]]:
    return [
        (
            Caption(drawing.key, drawing.style, drawing.name, drawing.aliases, drawing.keywords, one.color),
            one.picture,
        )
        for one in pictures.shown(drawing)
    ]


def make(drawings: Iterable[Drawing], processes: int = 2) -> Dataset:
    """Every picture of `drawings`; their order does not depend on `processes`."""
    with Pool(processes) as pool:
        made = [one for several in pool.imap(_made, drawings, chunksize=16) for one in several]
    return Dataset(np.stack([picture for _, picture in made]), tuple(caption for caption, _ in made))


def write(dataset: Dataset, folder: Path) -> None:
    """Write both files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / _PICTURES, dataset.pictures, allow_pickle=False)
    lines = (json.dumps(asdict(caption), separators=(",", ":")) for caption in dataset.captions)
    (folder / _CAPTIONS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def load(folder: Path) -> Dataset:
    """Read what `write` wrote."""
    return Dataset(np.load(folder / _PICTURES), tuple(_captions(folder / _CAPTIONS)))


def _captions(path: Path) -> Iterator[Caption]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        row["aliases"], row["keywords"] = tuple(row["aliases"]), tuple(row["keywords"])
        yield Caption(**row)


def build(node_modules: Path, folder: Path, processes: int = 2) -> Dataset:
    """Make the whole training set from the packages and write it."""
    dataset = make(read(node_modules), processes)
    write(dataset, folder)
    return dataset


def digest(folder: Path) -> str:
    """SHA-256 over both files, so that two training sets can be told apart."""
    both = hashlib.sha256((folder / _PICTURES).read_bytes())
    both.update((folder / _CAPTIONS).read_bytes())
    return both.hexdigest()
