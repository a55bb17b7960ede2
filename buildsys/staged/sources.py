"""Manifest and lock as they are staged.

Knows nothing of what differs between the two.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from buildsys.errors import DiskError, GitError, LockError, ManifestError
from buildsys.lock.model import Lock
from buildsys.lock.read import parse as parse_lock
from buildsys.manifest import source
from buildsys.manifest.cards import Cards
from buildsys.manifest.expand import expand
from buildsys.manifest.model import Manifest
from buildsys.manifest.source import Source
from buildsys.places import LOCK, MANIFEST
from buildsys.staged.index import Index

_STAGED: Final = "staged "


def manifest(index: Index, profile: str | None) -> tuple[Manifest, tuple[str, ...]]:
    """The staged manifest, and the files of it and of its adapters. Raises `ManifestError`."""
    found = list(_sources(index))
    own = sorted(_adapters(found))
    texts = (*(item.file for item in found), *own, *(_card_of(adapter) for adapter in own))
    with _cards(index, own) as cards:
        try:
            return expand(found, cards, profile), texts
        except ManifestError as error:
            if all(index.same(path) for path in texts):
                raise
            # Its lines are not those that an editor shows.
            raise ManifestError(_STAGED + error.message, error.hint) from error


def lock(index: Index) -> Lock:
    """The staged lock; an empty one where none is staged. Raises `LockError`."""
    try:
        data = index.read(LOCK)
    except DiskError as error:
        hint = "run `artlock resolve`" if LOCK in index.unmerged else error.hint
        raise LockError(error.message, hint) from error
    if data is None:
        return Lock()
    try:
        found = parse_lock(data.decode(), origin=_STAGED + LOCK)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LockError(
            f"{_STAGED}{LOCK}:{line}: not UTF-8", f"run `artlock build`, then `git add {LOCK}`"
        ) from error
    if found.marked and not found.conflicts:
        fact = f"{_STAGED}{LOCK}: git's marks of a merge are in it"
        raise LockError(fact, f"run `artlock build`, then `git add {LOCK}`")
    return found


def _sources(index: Index) -> Iterator[Source]:
    first = source.parse(MANIFEST, _text(index, MANIFEST))
    yield first
    project = first.table.get("project")
    globs = project.get("include") if isinstance(project, dict) else None
    wanted = [glob.split("/") for glob in globs if isinstance(glob, str)] if isinstance(globs, list) else []
    for path in sorted(index.entries) if wanted else ():
        if path != MANIFEST and any(_matches(path.split("/"), glob) for glob in wanted):
            yield source.parse(path, _text(index, path))


def _text(index: Index, file: str) -> str:
    try:
        data = index.read(file)
    except DiskError as error:
        raise ManifestError(error.message, error.hint) from error
    if data is None:
        raise ManifestError(f"`{file}` is not staged", f"run `git add {file}`")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ManifestError(f"{_STAGED}{file}:{line}: not UTF-8", "save the file as UTF-8") from error


def _matches(path: list[str], glob: list[str]) -> bool:
    """Whether `Path.glob` would find it: a star stays within one name, `**` is any number of folders."""
    if not glob or not path:
        return not glob and not path
    if glob[0] == "**":
        return any(_matches(path[start:], glob[1:]) for start in range(len(path)))
    return fnmatch.fnmatchcase(path[0], glob[0]) and _matches(path[1:], glob[1:])


def _adapters(found: list[Source]) -> set[str]:
    """The project's own adapters, as far as the tables are well-formed."""
    tables = [item.table.get("engines") for item in found]
    engines = [engine for table in tables if isinstance(table, dict) for engine in table.values()]
    named = [engine.get("adapter") for engine in engines if isinstance(engine, dict)]
    return {adapter for adapter in named if isinstance(adapter, str) and adapter.endswith(".py")}


def _card_of(adapter: str) -> str:
    return adapter.removesuffix(".py") + ".toml"


@contextmanager
def _cards(index: Index, own: list[str]) -> Iterator[Cards]:
    """The cards of the staged adapters; from the checkout, where the same lie there."""
    if all(index.same(path) for adapter in own for path in (adapter, _card_of(adapter))):
        yield Cards(index.root)
        return
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - a hook has 200 ms, and mostly needs none

    with TemporaryDirectory(prefix="artlock-staged-") as folder:
        for path in (path for adapter in own for path in (adapter, _card_of(adapter))):
            place = Path(folder, path).resolve()
            if not place.is_relative_to(Path(folder).resolve()):
                continue  # it leads out of the project, which is told where it is read
            try:
                data = index.read(path)
            except (DiskError, GitError):
                continue
            if data is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        yield Cards(Path(folder))
