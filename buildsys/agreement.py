"""A remembered agreement: that manifest, lock and files agreed, and all that this followed from.

While none of that has changed, `check` need not read the manifest and the lock again. What decides is held
against in three ways: the manifest's files, the cards beside it and the lock are hashed again, artlock's own
code is told by its files' times, and what an asset is or is made from by the stat index with its racy rule.

Nothing here is believed because it is written: a stranger may commit a memory file that says that all agrees.
So it also holds what no commit can carry: size, times and inode of the lock on this disk, down to the
nanosecond of its last change, which only the kernel sets. To ask git whether the file is tracked was refused:
that takes a process, and says nothing where there is no git. Knows nothing of plans and verdicts.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from buildsys import __version__, files
from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError
from buildsys.files import weights
from buildsys.files.index import TICK_NS, Key, key_of
from buildsys.places import LOCK, MANIFEST, PRIVATE

PLACE: Final = Path(PRIVATE, "agreement")
_HEADER: Final = b"artlock agreement 2 "
_CODE: Final = Path(__file__).resolve().parent
_KINDS: Final = (".py", ".toml")
"""Files of artlock that decide what it says: its code, and the cards and presets that come with it."""


class Agreement(NamedTuple):
    """All that decided that everything agreed. No struct: to load `msgspec` would take a hook 35 ms."""

    code: Digest
    """Of artlock itself."""
    profile: str | None
    """As it was asked for; None for the manifest's own default."""
    lock: Key
    """What only this disk knows of the lock."""
    texts: Mapping[str, Digest]
    """Manifest, lock and cards, which are few, and hashed again each time."""
    included: Mapping[str, tuple[str, ...]]
    """The files that each glob of `include` matched."""
    out: str
    """The output folder."""
    weights: Mapping[str, str]
    """Digest of each local model's folder, by the model as it is written."""
    files: Mapping[str, Digest | None]
    """What lay at each path that was asked for: outputs, inputs, files of gates."""
    reading: Digest
    """Of manifest and lock as they are kept: see `buildsys.recollection`."""
    assets: int


class Recalled(NamedTuple):
    """What an agreement says of today, where all that is text holds."""

    assets: int
    reading: Digest
    changed: tuple[str, ...]
    """The files of assets that are not what they were; all still agrees where there are none."""


class Seen(Protocol):
    """What was looked at beside texts; see the fields of `Agreement`."""

    @property
    def files(self) -> Mapping[str, Digest | None]:
        """What lay at each path."""
        ...

    @property
    def weights(self) -> Mapping[str, str]:
        """Digests of local models' folders."""
        ...


def recall(
    root: Path, profile: str | None, also: Callable[[Agreement], bool] | None = None
) -> Recalled | None:
    """What is still known of the project in `root` for `profile`; None where nothing is.

    `also`: what must hold beside.
    """
    try:
        found = _load(root / PLACE)
        asked = found is not None and found.profile == profile and (also is None or also(found))
        holds = found is not None and asked and _holds(found, root)
        if found is not None and holds and (changed := _changed(found, root)) is not None:
            return Recalled(found.assets, found.reading, changed)
    except (OSError, ValueError, RuntimeError, ArtlockError):
        pass  # the whole way tells what is wrong
    return None


def agreeing(root: Path, profile: str | None, also: Callable[[Agreement], bool] | None = None) -> int | None:
    """How many assets still agree; None where one may not."""
    found = recall(root, profile, also)
    return None if found is None or found.changed else found.assets


def remember(  # noqa: PLR0913 - all named where an agreement is noted
    root: Path,
    began: int,
    *,
    profile: str | None,
    texts: Collection[str],
    globs: Collection[str],
    out: str,
    seen: Seen,
    keep: Callable[[], Digest],
    assets: int,
    read: Mapping[str, Digest] | None = None,
) -> None:
    """Note that all agreed; a disk that says no costs the next check some time.

    Args:
        root: of the project.
        began: when the check did, in nanoseconds, before it read anything.
        profile: that was asked for.
        texts: the files of the manifest and of its adapters, relative to the project.
        globs: `include` of the manifest.
        out: the output folder.
        seen: what else was looked at.
        keep: keeps manifest and lock as they were read, and returns the digest of that.
        assets: how many there are.
        read: digests of those texts that were hashed as they were read; the age of others tells.
    """
    read = read or {}
    with suppress(OSError, ArtlockError):
        decided = {*texts, MANIFEST, LOCK}
        included = {glob: _matches(root, glob) for glob in globs}
        code, changed = _code()
        # Hashed before their age is asked for: what is written in between is younger than the check.
        found = {path: _digest(root, path) for path in sorted(decided)}
        if (
            not decided.issuperset(chain(*included.values()))
            or any(found[path] != digest for path, digest in read.items())
            or not _older(root, decided - read.keys(), began)
            or changed >= began - TICK_NS
        ):
            return  # written since it was read: what it says now may be something else
        _write(
            root / PLACE,
            Agreement(
                code=code,
                profile=profile,
                lock=key_of((root / LOCK).stat()),
                texts=found,
                included=included,
                out=out,
                weights=seen.weights,
                files=seen.files,
                reading=keep(),
                assets=assets,
            ),
        )


def _holds(found: Agreement, root: Path) -> bool:
    """Whether nothing that decided has changed; what is cheap to ask first."""
    return (
        found.lock == key_of((root / LOCK).stat())
        and found.code == _code()[0]
        and files.inside(root, root / found.out)
        and all(_matches(root, glob) == paths for glob, paths in found.included.items())
        and all(_digest(root, path) == digest for path, digest in found.texts.items())
    )


def _changed(found: Agreement, root: Path) -> tuple[str, ...] | None:
    """The files that are not what they were; None where local weights are not, which concern many assets."""
    index = files.StatIndex(root)
    # A pointer of Git LFS has the digest of its file, but whoever checks is told of it.
    changed = tuple(
        path for path, digest in found.files.items() if index.digest(path) != digest or index.is_pointer(path)
    )
    hold = all(
        weights.digest_of(weights.folder_of(root, model), index) == digest
        for model, digest in found.weights.items()
    )
    index.save()
    return changed if hold else None


def _matches(root: Path, glob: str) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(root).as_posix() for path in root.glob(glob) if path.is_file()))


def _digest(root: Path, path: str) -> Digest:
    """Of a file whose text decides, wherever a link on its way leads. Raises `DiskError`."""
    if path not in (MANIFEST, LOCK) and not files.inside(root, root / path):
        raise DiskError(f"`{path}` leads out of the project")
    return files.digest_file(root / path)


def _older(root: Path, paths: Collection[str], began: int) -> bool:
    """Whether all of `paths` are as they were when the check began; see the racy rule of the stat index."""
    found = [(root / path).stat() for path in paths]
    return all(max(status.st_mtime_ns, status.st_ctime_ns) < began - TICK_NS for status in found)


def _code() -> tuple[Digest, int]:
    """Digest of what artlock is here, and when that changed: a version alone tells of no work on it."""
    found = [(path, *key_of(status)[:3]) for path, status in sorted(_own_files())]
    changed = max(max(modified, changed) for _, _, modified, changed in found)
    return digests.of_value([__version__, sys.version, found]), changed


def _own_files() -> Iterator[tuple[str, os.stat_result]]:
    for start in (_CODE, _CODE.parent / "engines"):
        for folder, folders, names in os.walk(start):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                if name.endswith(_KINDS):
                    path = os.path.join(folder, name)  # noqa: PTH118 - hundreds of files; see `StatIndex`
                    yield path, os.stat(path)  # noqa: PTH116


def _load(file: Path) -> Agreement | None:
    """What is remembered; None where it is absent, torn or not ours."""
    header, _, body = file.read_bytes().partition(b"\n")
    if header != _HEADER + digests.of_bytes(body).encode():
        return None
    return _decoded(body)


def _decoded(body: bytes) -> Agreement:
    """The agreement in `body`. Raises `ValueError`, `RecursionError`."""
    told = json.loads(body.decode())
    if not isinstance(told, dict) or told.keys() != set(Agreement._fields):
        detail = "no agreement"
        raise ValueError(detail)
    if not (
        _are([told["code"], told["out"], told["reading"]], str)
        and _are([told["profile"]], str, type(None))
        and _are([told["assets"]], int)
        and _are([told["lock"]], list)
        and _are(told["lock"], int)
        and _table(told["texts"], str)
        and _table(told["weights"], str)
        and _table(told["files"], str, type(None))
        and _table(told["included"], list)
        and all(_are(paths, str) for paths in told["included"].values())
    ):
        detail = "a field of another kind"
        raise ValueError(detail)
    size, modified, changed, inode = told["lock"]
    included = {glob: tuple(paths) for glob, paths in told["included"].items()}
    return Agreement(**{**told, "lock": (size, modified, changed, inode), "included": included})


def _table(value: object, *kinds: type) -> bool:
    return isinstance(value, dict) and _are(value.values(), *kinds)


def _are(values: Iterable[Any], *kinds: type) -> bool:
    """Whether each value is of just one of `kinds`: True is no number here."""
    return set(map(type, values)) <= set(kinds)


def _write(file: Path, found: Agreement) -> None:
    body = json.dumps(found._asdict(), ensure_ascii=False, separators=(",", ":")).encode()
    files.write_durably(file, _HEADER + digests.of_bytes(body).encode() + b"\n" + body)
