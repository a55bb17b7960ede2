"""The page of a review: one HTML file that needs no network, or one with a folder of pictures beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from buildsys.digest import Digest
from buildsys.files.durable import disk_error, make_folder, publish, staged, write_all
from buildsys.journal.words import printable
from buildsys.review.model import Pictures, Review
from buildsys.review.page import data, document, plates
from buildsys.review.page.document import MARK
from buildsys.review.page.plates import MOST_INSIDE, folder_of

__all__ = ["MARK", "MOST_INSIDE", "folder_of", "write"]


def write(review: Review, pictures: Pictures, path: Path, *, folder: bool | None = None) -> None:
    """Write the page of `review` to `path`. Raises `DiskError`.

    Args:
        review: what changed.
        pictures: asked for one picture after the other; no two are held at once.
        path: the page; what lies there is replaced.
        folder: whether pictures lie in a folder beside it. None: where they are more than `MOST_INSIDE`.
    """
    path = path.absolute()
    outside = plates.too_many(review, pictures) if folder is None else folder
    try:
        make_folder(path.parent)
        with staged(path.parent) as (descriptor, temporary):
            for piece in _pieces(review, pictures, path, folder=outside):
                write_all(descriptor, piece)
            publish(descriptor, temporary, path)
    except OSError as error:
        raise disk_error("write", path, error) from error


def _pieces(review: Review, pictures: Pictures, path: Path, *, folder: bool) -> Iterator[bytes]:
    yield document.head(printable(review.project), folder=folder)
    found: dict[Digest, str] = {}
    if folder:
        plates.beside(review, pictures, path, found)
    else:
        yield from plates.inside(review, pictures, found)
    yield document.tail(data.encoded(review, found, folder_of(path).name if folder else ""))
