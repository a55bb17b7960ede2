"""The two sides that `git difftool` hands over, as a review.

Git hands over files or folders, and no revision: what a lock tells of their bytes is found by these. Knows
nothing of pages and browsers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys import lfs
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, LockError
from buildsys.files.durable import disk_error
from buildsys.githooks.origin import texts_with
from buildsys.journal.words import count
from buildsys.lock.model import Lock
from buildsys.lock.read import parse
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record
from buildsys.review.changes import Snapshot, compare
from buildsys.review.known import Pair
from buildsys.review.measured import measured
from buildsys.review.model import Change, Kind, Measure, Pictures, Review, Revision
from buildsys.review.rank import attention

_PICTURES: Final = (".png", ".webp")
_SAME: Final = "identical-pixels"


def review_of(before: Path, after: Path, folder: Path = Path()) -> tuple[Review, Pictures]:
    """What changed between two files, or two folders of them; `folder`: in the repository.

    A side that is not there, as `/dev/null` is not, has nothing. Raises `ArtlockError` where no lock tells of
    any of them.
    """
    old, new = _found(before), _found(after)
    pictures = _Files({**old, **new}, folder)
    known = _Known(folder)
    first, second, unknown = _snapshots(old, new, known)
    changes, unchanged = compare(first, second)
    if not changes and unknown:
        raise ArtlockError("no lock tells of these pictures", "run `git diff` to read their facts")
    looked = _measured(changes, pictures)
    ranked = [msgspec.structs.replace(change, attention=attention(change)) for change in looked]
    ranked.sort(key=lambda change: (-change.attention, change.name))
    notes = (f"{count(unknown, 'file')} left out, of which no lock tells",) if unknown else ()
    return Review(
        before=Revision(asked="before", commit="before"),
        after=Revision(asked="after", commit="after"),
        changes=tuple(ranked),
        unchanged=unchanged,
        counts={kind: number for kind in Kind if (number := sum(one.kind is kind for one in ranked))},
        project=folder.resolve().name,
        notes=notes,
    ), pictures


class _Files:
    """The bytes of the pictures, from where git put them."""

    def __init__(self, paths: Mapping[Digest, Path], folder: Path) -> None:
        self._paths = paths
        self._fetched = lfs.Fetched(folder)

    def read(self, file: Digest) -> bytes | None:
        """As `Pictures` promises it."""
        path = self._paths.get(file)
        try:
            data = path.read_bytes() if path else None
        except OSError:
            data = None
        # A pointer of Git LFS is there under the digest of its file.
        return data if data is not None and digests.of_bytes(data) == file else self._fetched.read(file)


class _Known:
    """The records of pictures, from the locks that tell of them, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: dict[Digest, Record] = {}

    def record(self, file: Digest) -> Record | None:
        """The record of the picture `file`; None where no lock tells of it."""
        if file not in self._records:
            for text in texts_with(file, self._folder):
                try:
                    records = parse(text).records.values()
                except LockError:
                    continue  # another version may be whole
                found = {record.picture.file: record for record in records}
                self._records = {**found, **self._records}
                if file in found:
                    break
        return self._records.get(file)


def _found(side: Path) -> dict[Digest, Path]:
    """The pictures of one side, by what they are."""
    paths = [side]
    if side.is_dir():
        paths = sorted(path for path in side.rglob("*") if path.suffix in _PICTURES)
    return {_digest(path): path for path in paths if path.is_file()}


def _digest(path: Path) -> Digest:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise disk_error("read", path, error) from error
    return lfs.meant_by(data) or digests.of_bytes(data)


def _snapshots(
    old: Mapping[Digest, Path], new: Mapping[Digest, Path], known: _Known
) -> tuple[Snapshot, Snapshot, int]:
    """Both sides as locks of nothing but these pictures; and of how many no lock tells."""
    sides = [{file: known.record(file) for file in side} for side in (old, new)]
    locks = [{record.name: record for record in side.values() if record is not None} for side in sides]
    edited: list[dict[AssetName, Digest]] = [{}, {}]
    unknown = 0
    for number, side in enumerate(sides):
        for file in (file for file, record in side.items() if record is None):
            # One file against one: what no lock knows is what a hand made of the other.
            alone = len(old) == len(new) == 1
            other = next(iter(sides[1 - number].values()), None) if alone else None
            if other is None:
                unknown += 1
            else:
                locks[number][other.name] = other
                edited[number][other.name] = file
    first, second = (
        Snapshot(lock=Lock(records=records), edited=others)
        for records, others in zip(locks, edited, strict=True)
    )
    return first, second, unknown


def _measured(changes: tuple[Change, ...], pictures: Pictures) -> Iterator[Change]:
    pairs = {
        change.name: Pair(change.before.shown, change.after.shown)
        for change in changes
        if change.kind in (Kind.CHANGED, Kind.ENCODING) and change.before and change.after
    }
    found: dict[Pair, Measure | str] = {}
    if pairs:
        with TemporaryDirectory(prefix="artlock-difftool-") as work:
            found = dict(measured(pairs.values(), pictures, Path(work), jobs=1))
    for change in changes:
        measure = found.get(pairs[change.name]) if change.name in pairs else None
        if isinstance(measure, Measure):
            kind = Kind.ENCODING if measure.likeness == _SAME else Kind.CHANGED
            yield msgspec.structs.replace(change, measure=measure, kind=kind)
        else:
            told = (f"not measured: {measure}",) if measure else ()
            yield msgspec.structs.replace(change, notes=(*change.notes, *told))
