"""Watching: a project's manifests, inputs and adapters, and a build after each change of one.

What is stale, the plan says, by content: a change only says when to look. So an event too many costs a
plan, and none is lost, for whatever is read is read after its folder is watched. Knows nothing of terminals.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from buildsys.errors import ArtlockError, DiskError, ManifestError
from buildsys.manifest import names, references, source
from buildsys.manifest.model import Manifest
from buildsys.manifest.read import MANIFEST
from buildsys.manifest.read import read as read_manifest

QUIET_MS: Final = 200
"""How long nothing may change before a round begins: an editor saves in several steps, git for a while."""

_MOST_MS: Final = 3000
"""A round begins after this long even where changes never cease."""


class Interest(msgspec.Struct, frozen=True):
    """What a build of a project reads."""

    files: frozenset[Path]
    globs: tuple[str, ...] = ()
    """Where more manifests may turn up."""

    def concerns(self, path: Path) -> bool:
        """Whether a change of `path` may make something stale; also of a folder on the way to a file."""
        return (
            path in self.files or any(file.is_relative_to(path) for file in self.files) or self._may_be(path)
        )

    def _may_be(self, path: Path) -> bool:
        return bool(self.globs) and (path.suffix == ".toml" or path.is_dir())


def watch(
    root: Path,
    profile: str | None,
    work: Callable[[], None],
    trouble: Callable[[ArtlockError], None],
    idle: Callable[[int], None] = lambda _: None,
) -> None:
    """Call `work` now, and again whenever something of the project `root` changed. Ends by an interrupt.

    Args:
        root: the project.
        profile: whose assets are looked at; None for the manifest's default.
        work: builds; what it reads, it reads anew. It is never interrupted by a change.
        trouble: told what is wrong with the manifest, or with a round; watching goes on.
        idle: told how many files are watched whenever the next change is waited for.
    """
    interest = Interest(frozenset({root / MANIFEST}))
    eyes: Eyes | None = None
    try:
        while True:
            try:
                interest, error = interest_of(root, read_manifest(root, profile)), None
            except ManifestError as wrong:
                interest, error = _without(root, interest), wrong
            folders = frozenset(_folders(root, interest))
            if eyes is None or eyes.folders != folders:
                # What was read before its folder was watched is read again.
                if eyes is not None:
                    eyes.close()
                eyes = _open(folders)
                continue
            if error is not None:
                trouble(error)
            else:
                _round(work, trouble)
            idle(len(interest.files))
            while not any(map(interest.concerns, eyes.changes())):
                pass
    finally:
        if eyes is not None:
            eyes.close()


def _open(folders: Collection[tuple[Path, int]]) -> Eyes | None:
    """Who watches `folders`; None where one is gone since, so that they are to be looked up again."""
    try:
        return Eyes(folders)
    except FileNotFoundError:
        return None


def _round(work: Callable[[], None], trouble: Callable[[ArtlockError], None]) -> None:
    try:
        work()
    except ArtlockError as error:
        trouble(error)


def interest_of(root: Path, manifest: Manifest) -> Interest:
    """What a build of `manifest` reads: its own files, inputs, files of gates, adapters with cards."""
    files = {root / file for file in manifest.files}
    for asset in manifest.assets.values():
        files.update(
            root / item.path
            for one in (asset, *asset.standins)
            for item in references.sources(one).values()
            if item.path and not item.path.startswith(names.BUNDLED)
        )
    for engine in manifest.engines.values():
        if engine.card.name.endswith(".py"):
            files |= {root / engine.card.name, (root / engine.card.name).with_suffix(".toml")}
    return Interest(frozenset(files), _included(root))


def _without(root: Path, last: Interest) -> Interest:
    """The interest while the manifest can't be read: what it was, and where it says that more files are."""
    return Interest(last.files | {root / MANIFEST}, _included(root) or last.globs)


def _included(root: Path) -> tuple[str, ...]:
    """The globs of `include`, as far as the root manifest can be read."""
    try:
        table = source.parse(MANIFEST, (root / MANIFEST).read_text(encoding="utf-8-sig")).table
        globs = table["project"]["include"]
    except (OSError, UnicodeDecodeError, ManifestError, LookupError, TypeError):
        return ()
    return tuple(glob for glob in globs if isinstance(glob, str)) if isinstance(globs, list) else ()


def _folders(root: Path, interest: Interest) -> Iterator[tuple[Path, int]]:
    """Each folder to watch, with its inode: a folder that was removed and made anew is another one.

    Folders, not files: an editor that saves by renaming puts another file in the place of the watched one.
    """
    wanted = {file.parent for file in interest.files}
    for glob in interest.globs:
        wanted.update(_along(root, glob))
    for folder in wanted:
        place = next((each for each in (folder, *folder.parents) if each.is_dir()), root)
        try:
            yield place, place.stat().st_ino
        except OSError:
            continue  # gone in this very moment, which is an event of its own


def _along(root: Path, glob: str) -> Iterator[Path]:
    """The folders in which a file may turn up that matches `glob`, or a folder on the way to one."""
    yield root
    parts = PurePosixPath(glob).parts[:-1]
    for length in range(1, len(parts) + 1):
        try:
            yield from (path for path in root.glob("/".join(parts[:length])) if path.is_dir())
        except (ValueError, OSError):
            return  # no glob: the manifest's own reader says so


class Eyes:
    """Watches folders, from the moment that it is made.

    Raises `FileNotFoundError` where one is gone, and `DiskError` where the system can't.
    """

    def __init__(self, folders: Collection[tuple[Path, int]]) -> None:
        import watchfiles  # noqa: PLC0415 - only who watches pays for it

        self.folders = frozenset(folders)
        self._found = watchfiles.watch(
            *sorted(os.fspath(folder) for folder, _ in folders),
            watch_filter=None,
            debounce=_MOST_MS,
            step=QUIET_MS,
            rust_timeout=1,
            yield_on_timeout=True,
            debug=False,
            recursive=False,
            ignore_permission_denied=False,
        )
        try:
            # A generator: it watches from its first step on, which ends after one quiet moment.
            self._first = next(self._found)
        except FileNotFoundError:
            raise
        except OSError as error:
            hint = "raise the system's limit: `sysctl fs.inotify.max_user_watches`"
            raise DiskError(f"the project's folders can't be watched: {error}", hint) from error

    def changes(self) -> set[Path]:
        """What changed since the last call, once it has been quiet for a while. Waits for something.

        Raises `KeyboardInterrupt`.
        """
        found, self._first = self._first, set()
        while not found:
            found = next(self._found)
        return {Path(path) for _, path in found}

    def close(self) -> None:
        """Watch no longer."""
        self._found.close()
