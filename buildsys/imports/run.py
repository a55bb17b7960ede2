"""Importing: pictures become sources of new assets, or recipes for an engine.

Writes the copies first and the manifest last, so that the manifest never names what is not there. Knows
nothing of terminals.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from buildsys import art, files
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, ManifestError
from buildsys.imports import entry, said, texts
from buildsys.imports.entry import Entry
from buildsys.imports.found import Found
from buildsys.manifest import names
from buildsys.manifest.edit import Draft
from buildsys.manifest.model import AssetName, Manifest
from buildsys.manifest.source import Fault
from buildsys.plan import handmade

_SUFFIXES: Final = {".png": ".png", ".jpg": ".jpg", ".jpeg": ".jpg", ".webp": ".webp"}
_NAMELESS: Final = "picture"
_TAKEN: Final = "give the picture another name with `--name`"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    files: tuple[Path, ...]
    role: str = ""
    name: str = ""
    """Empty: after the file."""
    folder: str = art.FOLDER
    regenerate: bool = False
    """Have an engine make it anew, of what the picture says."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """One picture that becomes an asset, or one whose asset gets another table."""

    name: AssetName
    file: Path
    picture: str
    """Where it lies in the project, or will."""
    entry: Entry
    found: Found | None
    copied: Digest | None = None
    """Of a picture that is copied into the project."""
    workflow: str = ""
    """Where ComfyUI's graph goes; empty where there is none."""
    known: bool = False
    """Whether the asset is in the manifest already, made from this very picture."""


def plan(root: Path, manifest: Manifest, wanted: Wanted) -> tuple[Imported, ...]:
    """What an import would do. Writes nothing. Raises `ArtlockError`."""
    if wanted.name and len(wanted.files) > 1:
        raise ArtlockError("`--name` names one picture, and there are several", "import them one by one")
    if wanted.regenerate and not wanted.role:
        raise ArtlockError("`--regenerate` needs a role, which tells the engine", "add `--role ROLE`")
    out = root / manifest.project.out
    taken: dict[str, Path] = {}
    made = []
    for file in wanted.files:
        item = _import(root, out, manifest, file, wanted)
        first = taken.setdefault(item.name, file)
        if first is not file:
            raise ArtlockError(
                f"`{first}` and `{file}` would both be `{item.name}`", "import one with `--name`"
            )
        made.append(item)
    return tuple(made)


def carry_out(root: Path, items: Sequence[Imported]) -> tuple[str, ...]:
    """Copy the pictures and edit the manifest; the files of it that were written. Raises `ArtlockError`."""
    draft = Draft(root)
    for item in items:
        if item.known:
            for key, value in reversed([*item.entry.table.items()]):
                draft.set(item.name, key, value, first=True)
            draft.remove(item.name, "source")
        else:
            draft.add(item.name, item.entry.table, item.entry.remarks)
    draft.check()
    for item in items:
        _copy(root, item)
        if item.workflow and item.found:
            art.write(root, item.workflow, item.found.workflow.encode(), elsewhere=_TAKEN)
    return draft.save()


def _import(root: Path, out: Path, manifest: Manifest, file: Path, wanted: Wanted) -> Imported:
    found = said.read(texts.read(file))
    inside = _inside(root, out, file)
    known = _made_from(manifest, inside)
    name = known or _name(wanted.name or _cleaned(file.stem))
    if known and not wanted.regenerate:
        raise ManifestError(
            f"`{inside}` is the source of `{known}` already", "add `--regenerate` to have an engine make it"
        )
    if known and wanted.name not in ("", known):
        raise ManifestError(f"`{inside}` is the source of `{known}`", "leave `--name` out")
    suffix = _SUFFIXES.get(file.suffix.lower())
    if suffix is None:
        raise ArtlockError(f"`{file}` does not end in `.png`, `.jpg` or `.webp`", "rename it")
    picture = inside or f"{wanted.folder}/{name}{suffix}"
    workflow = ""
    if wanted.regenerate:
        if found is None or not (found.prompt or found.workflow):
            fact = f"`{file}` does not say how it was made"
            if found is not None and found.unread:
                fact = f"`{file}` was made with {found.tool}, but {found.unread}"
            raise ArtlockError(fact, "leave `--regenerate` out: it becomes a source")
        if found.workflow and entry.runs_graphs(wanted.role, manifest):
            workflow = f"{wanted.folder}/{name}.workflow.json"
        made = entry.recipe(found, wanted.role, manifest, workflow)
    else:
        made = entry.kept(picture, suffix, found, wanted.role)
    return Imported(
        name=name,
        file=file,
        picture=picture,
        entry=made,
        found=found,
        copied=None if inside or wanted.regenerate else files.digest_file(file),
        workflow=workflow,
        known=known is not None,
    )


def _inside(root: Path, out: Path, file: Path) -> str:
    """The path of `file` in the project, if a manifest may name it there; else an empty one."""
    path = file.resolve()
    if not path.is_relative_to(root.resolve()) or path.is_relative_to(out.resolve()):
        return ""
    inside = path.relative_to(root.resolve()).as_posix()
    try:
        names.check_path(inside)
    except Fault:
        return ""
    return "" if "{" in inside or "}" in inside else inside


def _made_from(manifest: Manifest, picture: str) -> AssetName | None:
    """The asset whose source `picture` is."""
    if not picture:
        return None
    for name, asset in manifest.assets.items():
        if handmade.source_of(asset) == picture:
            return name
    return None


def _cleaned(stem: str) -> str:
    """A file's name as one that an asset can have."""
    plain = "".join(
        letter if letter.isalnum() or letter in "-_." else " "
        for letter in unicodedata.normalize("NFC", stem)
    )
    return "-".join(plain.split()).strip("-.") or _NAMELESS


def _name(name: str) -> AssetName:
    try:
        names.check_name(name)
    except Fault as fault:
        raise ArtlockError(fault.fact, fault.hint) from None
    return AssetName(name)


def _copy(root: Path, item: Imported) -> None:
    if item.copied is None:
        return
    if not art.copy(root, item.file.resolve(), item.picture, item.copied, elsewhere=_TAKEN):
        raise DiskError(f"`{item.file}` changed while it was copied", "import it again")


def shown(item: Imported) -> Mapping[str, object]:
    """What becomes of a picture, for a program."""
    return {
        "name": item.name,
        "file": str(item.file),
        "picture": item.picture,
        "tool": item.found.tool if item.found else "",
        "table": dict(item.entry.table),
        "workflow": item.workflow,
    }
