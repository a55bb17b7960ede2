"""Versions of the lock's schema: every released one is read for ever, and a newer one is told.

A folder of `schemas` is a manifest and the lock that a build made of it, named by version and revision.
Who raises `REVISION` adds a folder, made by a build, and changes none of the others.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from game import Game
from test_lock import RESTORE, locked, record

from buildsys.errors import LockError
from buildsys.lock import model
from buildsys.lock.read import load, parse
from buildsys.lock.write import dump
from buildsys.manifest.read import read as read_manifest

SCHEMAS = Path(__file__).parent / "schemas"
FOLDERS = sorted(SCHEMAS.iterdir())
CURRENT = f"{model.VERSION}.{model.REVISION}"
GEM = dump(locked(record("gem")))


def test_the_present_schema_is_kept() -> None:
    assert (SCHEMAS / CURRENT).is_dir(), f"add tests/schemas/{CURRENT}: a manifest and the lock built from it"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_manifest_and_a_lock_of_every_schema_are_read(folder: Path) -> None:
    manifest = read_manifest(folder)
    lock = load(folder / "assets.lock")
    assert lock.records.keys() == manifest.assets.keys() != set()
    assert (lock.version, lock.revision) == tuple(map(int, folder.name.split(".")))
    # Whatever a later writer makes of it says the same.
    assert parse(dump(lock)).records == lock.records


def test_what_a_lock_of_the_first_revision_names_is_made_again(tmp_path: Path) -> None:
    """By the engines of today, from its recipes: an empty store has nothing to bring back."""
    game = Game.lying(tmp_path / "game", tmp_path / "cache", tmp_path / "count.txt")
    shutil.copytree(SCHEMAS / "1.1", game.folder)
    found = json.loads(game.run("reproduce", "gems/blue", "logo", "small-shield", "--json").stdout)
    assert {item["name"]: item["verdict"] for item in found} == {
        "gems/blue": "identical-bytes",
        "logo": "identical-bytes",
        "small-shield": "identical-bytes",
    }
    assert (game.folder / "assets.lock").read_bytes() == (SCHEMAS / "1.1" / "assets.lock").read_bytes()


def test_the_present_schema_is_what_is_written() -> None:
    path = SCHEMAS / CURRENT / "assets.lock"
    assert dump(load(path)) == path.read_text(encoding="utf-8")


def test_a_lock_of_an_older_revision_is_read_whole_and_as_strictly() -> None:
    """One of today, as an artlock will read it that knows the next two; 1.1 itself is read above."""
    assert parse(GEM, newest=model.REVISION + 2).records == locked(record("gem")).records
    with pytest.raises(LockError) as caught:
        parse(GEM.replace("raw = ", "mood = 'dark'\nraw = "), newest=model.REVISION + 2)
    assert str(caught.value) == f"assets.lock: asset `gem` has an unknown key `mood`\n\nhint: {RESTORE}"


@pytest.mark.parametrize("revision", ["0", "-1", "true", '"1"', "1.0"])
def test_a_revision_that_never_was(revision: str) -> None:
    with pytest.raises(LockError, match="it does not start with its version"):
        parse(GEM.replace(f"revision = {model.REVISION}", f"revision = {revision}"))


def test_a_newer_version_is_told_whatever_else_is_in_it() -> None:
    with pytest.raises(LockError) as caught:
        parse("version = 2\nrevision = 1\nassets = 'elsewhere'\n")
    assert str(caught.value) == (
        "assets.lock is of version 2; this artlock reads version 1\n\nhint: upgrade artlock"
    )
