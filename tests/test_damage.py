"""Damaged files of a checkout and its store: a clear error, or the right picture; never a wrong one.

Each file is cut at every length and has a bit flipped in every byte. What is made of the damage at once is
tried for all of it; a whole build for some, and for all in thorough mode (see `damage_kit`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from damage_kit import THOROUGH, Checkout, cuts, damaged, flips, some
from quick_pool import QUICK_DISK

from buildsys.digest import Digest, of_bytes
from buildsys.errors import ArtlockError, LockError
from buildsys.files import Placed, StatIndex
from buildsys.lock.model import Lock
from buildsys.lock.read import load, parse
from buildsys.manifest.sharing import Remote as Settings
from buildsys.plan.record import Record
from buildsys.plan.step import Verdict
from buildsys.remote.model import Patience
from buildsys.remote.remote import Remote
from buildsys.session import Session
from buildsys.store import Store

SOME = 25
"""Damages that are carried through a whole build, of each kind of file."""


@pytest.fixture
def game(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=QUICK_DISK) as folder:
        monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(Path(folder) / "store"))
        yield Checkout(Path(folder))


def readable(data: bytes, file: Path) -> Lock | None:
    """The lock in `data`, or None where it is refused."""
    file.write_bytes(data)
    try:
        return load(file)
    except LockError as error:
        assert error.hint  # noqa: PT017 - whether it is raised is not the point
        return None


def vouched(record: Record) -> object:
    """What `check` vouches for: the recipe, where the files lie, and their bytes."""
    return record.recipe, record.parts, record.output, record.picture.file, record.companions


def test_a_damaged_lock_is_refused_or_differs_or_means_the_same(game: Checkout) -> None:
    truth = load(game.lock)
    session = Session.open(game.root)
    agreed = refused = 0
    for data in damaged(game.sound):
        session.lock = readable(data, game.lock) or truth
        if session.lock is truth:
            refused += 1
            continue
        session.checkout = type(session.checkout)(
            session.root, session.store, session.index, session.lock.records
        )
        plan = session.judge().plan(None)
        if not plan.orphans and all(step.verdict is Verdict.FRESH for step in plan.steps.values()):
            agreed += 1
            records = session.lock.records
            assert records.keys() == truth.records.keys()
            assert all(vouched(records[name]) == vouched(truth.records[name]) for name in records)
    assert refused > len(game.sound)
    assert agreed
