"""Drift of environments: which assets were made with other versions than those that are here now.

Reads what package installers wrote down; starts no engine and no interpreter. So it knows of packages and of
Python, as the adapters' cards name them, and of no driver, device or setting.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec

from buildsys.errors import ManifestError
from buildsys.manifest.cards import FINISH, PACK, Cards
from buildsys.manifest.model import AssetName, Card
from buildsys.manifest.source import Fault
from buildsys.plan.record import Record
from buildsys.session import Session

PYTHON: Final = "python"
"""The package of a card that is the interpreter itself, told as major and minor version."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One package: its version when an asset was made, and the one that is here now."""

    package: str
    then: str
    now: str


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """What differs for one asset."""

    name: AssetName
    changes: tuple[Change, ...]


def drifted(session: Session, names: Collection[AssetName] | None = None) -> tuple[Drift, ...]:
    """The assets of the manifest, or those of `names`, whose recorded environment is not the one here now.

    A package that is not here is left out: then its engine can't run, and the plan says so.
    """
    here = _Here(session)
    wanted = session.manifest.assets if names is None else names
    found = [
        Drift(name=name, changes=changes)
        for name in sorted(wanted)
        if (record := session.lock.records.get(name)) is not None and (changes := here.changes(record))
    ]
    return tuple(found)


class _Here:
    """The versions that are here, each looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cards = Cards(session.root)
        self._versions: dict[tuple[str, str], str | None] = {}
        self._known: dict[tuple[str, str], Mapping[str, str]] = {}
        self._changes: dict[tuple[object, ...], tuple[Change, ...]] = {}

    def changes(self, record: Record) -> tuple[Change, ...]:
        # Few environments made many assets.
        key = (record.engine, record.parts.adapter, *record.environment.items())
        if key not in self._changes:
            now = self._environment(record.engine, record.parts.adapter)
            self._changes[key] = tuple(
                Change(package=package, then=then, now=now[package])
                for package, then in sorted(record.environment.items())
                if package in now and not _same(then, now[package])
            )
        return self._changes[key]

    def _environment(self, name: str, adapter: str) -> Mapping[str, str]:
        """What an engine and the finishing of its pictures would say now, as far as cards tell packages."""
        if (name, adapter) not in self._known:
            engine = self._session.manifest.engines.get(name)
            python = engine.python if engine is not None and engine.card.name == adapter else ""
            found = (
                {} if adapter == PACK else dict(self._told(self._session.manifest.engines[FINISH].card, ""))
            )
            # As in a record: what the engine says of a package counts.
            found.update(self._told(card, python) if (card := self._card(adapter)) is not None else ())
            self._known[name, adapter] = found
        return self._known[name, adapter]

    def _card(self, adapter: str) -> Card | None:
        try:
            return self._cards.load(adapter)
        except (Fault, ManifestError):
            return None

    def _told(self, card: Card, python: str) -> Iterator[tuple[str, str]]:
        for name, distribution in card.packages.items():
            key = (python, distribution)
            if key not in self._versions:
                self._versions[key] = _version(distribution, self._session.root, python)
            if (version := self._versions[key]) is not None:
                yield name, version


def _version(distribution: str, root: Path, python: str) -> str | None:
    """The version of a distribution that the interpreter `python` of a project would import."""
    places = _site_packages(root, python) if python else None
    if distribution == PYTHON:
        if places is None:
            return ".".join(platform.python_version_tuple()[:2])
        return places[0].parent.name.removeprefix("python") if places else None
    try:
        if places is None:
            return metadata.version(distribution)
        found = metadata.distributions(name=distribution, path=[str(place) for place in places])
        return next((item.version for item in found), None)
    except metadata.PackageNotFoundError:
        return None


def _site_packages(root: Path, python: str) -> list[Path]:
    """Where the packages of an interpreter lie, if it is that of a virtual environment.

    To run it and ask was refused: `status` runs nothing that a manifest names.
    """
    if os.sep not in python:
        return []
    home = (root / Path(python).expanduser()).parent.parent
    return sorted(home.glob("lib/python3.*/site-packages")) if (home / "pyvenv.cfg").is_file() else []


def _same(then: str, now: str) -> bool:
    """Whether two versions are one: a library may tell its build, `2.9.0+cu130`, and its package not."""
    if ("+" in then) == ("+" in now):
        return then == now
    return then.partition("+")[0] == now.partition("+")[0]
