"""Editing the manifest: one key or table changed, all else byte for byte as it was, or nothing at all.

Knows nothing of why. An edit is made in memory, read back, and held against what it should be: it reaches
the disk only if the one thing changed that was asked for, and every profile can still be read.
"""

from __future__ import annotations

import copy
import re
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import rtoml

from buildsys import toml
from buildsys.errors import DiskError, ManifestError, did_you_mean
from buildsys.files import write_durably
from buildsys.files.durable import disk_error
from buildsys.manifest import read, rewrite
from buildsys.manifest.read import MANIFEST

Json: TypeAlias = Any

_ASSETS: Final = "assets"
_BOM: Final = b"\xef\xbb\xbf"
_BRACES: Final = re.compile(r"\{[^{}]*\}")


def set_key(root: Path, asset: str, key: str, value: Json) -> str:
    """Set `key` of the table of `asset` in the project `root`; the manifest file that holds it.

    Raises `ManifestError` where the asset has no table of its own or the manifest would be wrong;
    `DiskError`. Nothing is written then, nor where the key has this value already.
    """
    draft = Draft(root)
    file = draft.set(asset, key, value)
    draft.save()
    return file


def remove_key(root: Path, asset: str, key: str) -> str:
    """Remove `key`, if it is there, from the table of `asset`; see `set_key`."""
    draft = Draft(root)
    file = draft.remove(asset, key)
    draft.save()
    return file


class Draft:
    """The files of the manifest in `root` with edits that are not written yet. Raises as `set_key` does."""

    def __init__(self, root: Path) -> None:
        self._root = root
        sources = read.sources(root)
        self._old = {source.file: source.text for source in sources}
        self._new = dict(self._old)
        self._tables: dict[str, Mapping[str, Json]] = {source.file: source.table for source in sources}
        self._manifest = read.parse(self._old, root=root)

    def table(self, asset: str) -> Mapping[str, Json]:
        """What the manifest says of `asset`, as it is written."""
        return self._declared(self.file_of(asset))[asset]

    def file_of(self, asset: str) -> str:
        """The file with the table of `asset`."""
        for file in self._new:
            if asset in self._declared(file):
                return file
        if asset not in self._manifest.assets and asset not in self._manifest.elsewhere:
            hint = did_you_mean(asset, self._manifest.assets) or "run `artlock status` for the list"
            raise ManifestError(f"asset `{asset}` is not in the manifest", hint)
        main = asset.partition("@")[0]
        if main != asset:
            raise ManifestError(f"`{asset}` is one of several files of `{main}`", f"name `{main}`")
        file, key = self._template_of(asset)
        fact = f"asset `{asset}` comes from the matrix of `{key}` and has no table of its own"
        raise ManifestError(fact, f"edit `[assets.{toml.key(key)}]` in `{file}` by hand")

    def set(
        self, asset: str, key: str, value: Json, *, first: bool = False, within: tuple[str, ...] = ()
    ) -> str:
        """Set `key` of `asset` in the draft.

        `first`: a new key goes to the top of the table; `within`: the tables in the asset's that lead to it.
        """
        file = self.file_of(asset)
        value = _plain(value)
        table = inner = copy.deepcopy({**self._declared(file)[asset]})
        for name in within:
            inner = inner[name]
        if key in inner and inner[key] == value:
            return file
        inner[key] = value
        wanted, text, place = self._wanted(file, asset, table), self._new[file], (_ASSETS, asset, *within)
        self._take(file, lambda: rewrite.put(text, place, key, value, first=first), wanted)
        return file

    def remove(self, asset: str, key: str) -> str:
        """Remove `key` of `asset` from the draft."""
        file = self.file_of(asset)
        kept = {name: value for name, value in self._declared(file)[asset].items() if name != key}
        text = self._new[file]
        self._take(file, lambda: rewrite.drop(text, (_ASSETS, asset, key)), self._wanted(file, asset, kept))
        return file

    def add(self, asset: str, table: Mapping[str, Json], remarks: Iterable[str] = ()) -> str:
        """Add a table to the draft, at the end of `assets.toml`."""
        if any(asset in self._declared(file) for file in self._new):
            hint = "choose another name with `--name`"
            raise ManifestError(f"asset `{asset}` is in the manifest already", hint)
        text = self._new[MANIFEST]
        values = {key: _plain(value) for key, value in table.items()}
        wanted = self._wanted(MANIFEST, asset, values)
        self._take(MANIFEST, lambda: rewrite.append(text, (_ASSETS, asset), values, remarks), wanted)
        return MANIFEST

    def retire(self, asset: str, keep: Collection[str], note: str) -> str:
        """Make comments of every key of `asset` but `keep`, under `note`."""
        file = self.file_of(asset)
        kept = {name: value for name, value in self._declared(file)[asset].items() if name in keep}
        text = self._new[file]
        self._take(
            file, lambda: rewrite.retire(text, (_ASSETS, asset), keep, note), self._wanted(file, asset, kept)
        )
        return file

    def save(self) -> tuple[str, ...]:
        """Write what changed, each file in one step; the files that were written."""
        changed = [file for file, text in self._new.items() if text != self._old[file]]
        if changed:
            self.check()
        for file in changed:
            self._write(file)
        return tuple(changed)

    def _declared(self, file: str) -> Mapping[str, Mapping[str, Json]]:
        found: Mapping[str, Mapping[str, Json]] = self._tables[file].get(_ASSETS, {})
        return found

    def _template_of(self, asset: str) -> tuple[str, str]:
        """The file and the name, with braces, of the table that stands for `asset` and others."""
        for file in self._new:
            for key in self._declared(file):
                if "{" in key and _likeness(key).fullmatch(asset):
                    return file, key
        raise AssertionError(asset)

    def _wanted(self, file: str, asset: str, table: Mapping[str, Json]) -> dict[str, Json]:
        """The tables of `file` as they should be, with `table` for `asset`."""
        wanted = dict(copy.deepcopy(self._tables[file]))
        wanted[_ASSETS] = {**wanted.get(_ASSETS, {}), asset: table}
        return wanted

    def _take(self, file: str, edit: Callable[[], str], wanted: Mapping[str, Json]) -> None:
        """Take an edited text in if it says what it should, and nothing else."""
        hint = "make this change by hand"
        try:
            text = edit()
            found = rtoml.loads(text)
        except rewrite.Unfit as error:
            raise ManifestError(f"{file}: the asset's table {error}", hint) from None
        except (ValueError, rtoml.TomlParsingError) as error:
            raise ManifestError(f"`{file}` can't be edited: {error}", hint) from error
        if found != wanted:
            raise ManifestError(f"`{file}` is laid out in a way that can't be edited safely", hint)
        self._new[file], self._tables[file] = text, found

    def check(self) -> None:
        """Raise `ManifestError` if a profile could be read before, and no longer can; `save` does it, too."""
        for profile in (None, *self._manifest.profiles):
            try:
                read.parse(self._old, profile, root=self._root)
            except ManifestError:
                continue  # it was wrong before
            try:
                read.parse(self._new, profile, root=self._root)
            except ManifestError as error:
                fact = f"the manifest was left as it is, for it would be wrong: {error.message}"
                raise ManifestError(fact, error.hint) from error

    def _write(self, file: str) -> None:
        # A link to the manifest stays one, and a file that only its owner may read stays so.
        path = (self._root / file).resolve()
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            data = path.read_bytes()
        except OSError as error:
            raise disk_error("read", path, error) from error
        mark = _BOM if data.startswith(_BOM) else b""
        if data.removeprefix(_BOM) != self._old[file].encode():
            raise DiskError(f"`{file}` was changed by someone else meanwhile", "run the command again")
        write_durably(path, mark + self._new[file].encode())
        try:
            path.chmod(mode)
        except OSError as error:
            raise disk_error("set the mode of", path, error) from error
        self._old[file] = self._new[file]


def _likeness(name: str) -> re.Pattern[str]:
    """What the names that a name with braces can stand for look like."""
    return re.compile(".+".join(map(re.escape, _BRACES.split(name))))


def _plain(value: Json) -> Json:
    """`value` as TOML gives it back: arrays as lists."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
