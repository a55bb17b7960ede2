"""The manifest, read from a project's folder, or from texts already in memory.

The one module of this folder that touches the disk for manifests; cards are read by `cards`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from buildsys.errors import ManifestError
from buildsys.manifest import names, source
from buildsys.manifest.cards import BUNDLED, Cards
from buildsys.manifest.expand import expand
from buildsys.manifest.model import Manifest
from buildsys.manifest.source import Fault, Problems, Source
from buildsys.places import MANIFEST as MANIFEST  # noqa: PLC0414 - whoever reads it has its name from here


def read(root: Path, profile: str | None = None, *, bundled: Path = BUNDLED) -> Manifest:
    """The manifest of the project in the folder `root`, for `profile` or its default.

    `bundled`: the folder of the bundled adapters. Raises `ManifestError`.
    """
    manifest = expand(sources(root), Cards(root, bundled), profile)
    if not (root / manifest.project.out).resolve().is_relative_to(root.resolve()):
        fact = f"{MANIFEST}: the output folder `{manifest.project.out}` leads out of the project"
        raise ManifestError(fact, "make it a folder of the project instead of a link")
    return manifest


def sources(root: Path) -> list[Source]:
    """The manifest's files in the folder `root`, `assets.toml` first. Raises `ManifestError`."""
    first = source.parse(MANIFEST, _text(root, MANIFEST))
    return [first, *(source.parse(file, _text(root, file)) for file in _included(root, first))]


def parse(
    texts: Mapping[str, str], profile: str | None = None, *, root: Path, bundled: Path = BUNDLED
) -> Manifest:
    """The manifest in `texts`, file name to text, of which the first is `assets.toml`.

    Nothing is looked for on the disk but adapters' cards and bundled files. Raises `ManifestError`.
    """
    return expand([source.parse(file, text) for file, text in texts.items()], Cards(root, bundled), profile)


def _text(root: Path, file: str) -> str:
    path = root / file
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ManifestError(f"there is no `{file}` here", "run `artlock init`") from None
    except IsADirectoryError:
        raise ManifestError(f"`{file}` is a folder, not a file", "move it away") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ManifestError(f"{file}:{line}: not UTF-8", "save the file as UTF-8") from None
    except OSError as error:
        fact = f"`{file}` can't be read: {error.strerror}"
        raise ManifestError(fact, "check its permissions") from None


def _included(root: Path, first: Source) -> list[str]:
    """The files that the root manifest includes, sorted. What is not well-formed is left to `join`."""
    project = first.table.get("project")
    globs = project.get("include") if isinstance(project, dict) else None
    problems = Problems()
    files: set[str] = set()
    for index, glob in enumerate(globs if isinstance(globs, list) else ()):
        if isinstance(glob, str):
            try:
                files.update(_matches(root, glob))
            except Fault as fault:
                problems.add(first, fault.under("project", "include", index))
    problems.check()
    return sorted(files - {MANIFEST})


def _matches(root: Path, glob: str) -> list[str]:
    names.check_path(glob)
    try:
        found = [path for path in root.glob(glob) if path.is_file()]
    except ValueError as error:
        raise Fault(f"`{glob}` is not a glob: {error}", 'write it like "assets/*.toml"') from None
    if not found:
        raise Fault(f"`{glob}` matches no file", "correct it, or remove it from `include`")
    home = root.resolve()
    for path in found:
        if not path.resolve().is_relative_to(home):
            fact = f"`{path.relative_to(root).as_posix()}` leads out of the project"
            raise Fault(fact, "copy the file into the project")
    return [path.relative_to(root).as_posix() for path in found]
