"""Damaged files of a checkout and its store: a clear error, or the right picture; never a wrong one.

Each file is cut at every length and has a bit flipped in every byte. What is made of the damage at once is
tried for all of it; a whole build for some, and for all in thorough mode (see `damage_kit`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
import pytest
from damage_kit import Checkout, cuts, damaged, flips, some
from quick_pool import QUICK_DISK

from buildsys import frozen
from buildsys.checkout import Checkout as World
from buildsys.digest import Digest, of_bytes
from buildsys.errors import Exit, LockError
from buildsys.files.placed import Placed
from buildsys.lock.model import Lock
from buildsys.lock.read import load
from buildsys.manifest.sharing import Remote as Settings
from buildsys.plan.record import Record
from buildsys.plan.step import Plan, Verdict
from buildsys.remote.model import Patience
from buildsys.remote.remote import Remote
from buildsys.session import Session
from buildsys.store import actions
from buildsys.store.objects import Store

SOME: Final = 12
"""Damages that are carried through a whole build, of each kind of file."""


@pytest.fixture
def game(monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    with tempfile.TemporaryDirectory(dir=QUICK_DISK) as folder:
        monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(Path(folder) / "store"))
        yield Checkout(Path(folder))


# The lock


def readable(data: bytes, file: Path) -> Lock | None:
    """The lock in `data`; None where it is refused."""
    file.write_bytes(data)
    try:
        return load(file)
    except LockError as error:
        assert error.hint  # noqa: PT017 - whether it is raised is not the point
        return None


def planned(session: Session, lock: Lock) -> Plan:
    session.lock = lock
    session.checkout = World(session.root, session.store, session.index, lock.records)
    return session.judge().plan(None)


def vouched(lock: Lock) -> dict[str, Record]:
    """All that a lock says of its assets, but for environments, whose tables may be cut off at its end."""
    return {name: msgspec.structs.replace(record, environment={}) for name, record in lock.records.items()}


def test_a_damaged_lock_is_refused_or_differs_or_means_the_same(game: Checkout) -> None:
    game.judge()
    truth = load(game.lock)
    session = Session.open(game.root)
    agreed, refused = [], 0
    for data in damaged(game.sound):
        lock = readable(data, game.lock)
        if lock is None:
            refused += 1
            continue
        plan = planned(session, lock)
        frozen.plan(session, tuple(lock.records), force=frozenset())
        if not plan.orphans and all(step.verdict is Verdict.FRESH for step in plan.steps.values()):
            agreed.append(data)
            assert vouched(lock) == vouched(truth)
            # What was said of a picture is lost with its line, or holds of that picture.
            assert all(lock.is_approved(name) <= truth.is_approved(name) for name in lock.records)
            assert all(lock.frozen.get(name) in (None, file) for name, file in truth.frozen.items())
    assert refused > len(game.sound)
    assert agreed


def test_a_build_with_a_damaged_lock_leaves_the_right_pictures_or_says_why(game: Checkout) -> None:
    game.judge()
    truth = load(game.lock)
    known = [data for data in damaged(game.sound) if readable(data, game.lock) is not None]
    refused = [data for data in damaged(game.sound) if readable(data, game.lock) is None]
    for data in some(iter(refused), SOME // 4):
        game.lock.write_bytes(data)
        with pytest.raises(LockError):
            game.build()
        assert (game.lock.read_bytes(), game.pictures()) == (data, game.right)
    for pictures in (True, False):
        for data in some(iter(known), SOME):
            game.mend(pictures=pictures)
            game.lock.write_bytes(data)
            outcome = game.build()
            assert outcome.failed == ()
            if outcome.blocked:
                # Which of the two is the frozen picture, nobody can know: a person says.
                (only,) = outcome.blocked
                assert only.message == "it is frozen, with another picture than the lock has"
                assert game.pictures().items() <= game.right.items()
                continue
            assert game.pictures() == game.right
            assert vouched(load(game.lock)) == vouched(truth)


@pytest.mark.parametrize(
    "command",
    [
        "check",
        "check --full",
        "status",
        "plan --json",
        "explain hero",
        "prompts",
        "credits",
        "check --approved",
    ],
)
def test_a_command_tells_a_damaged_lock_and_never_breaks(game: Checkout, command: str) -> None:
    game.judge()
    for data in some(damaged(game.sound), SOME):
        game.lock.write_bytes(data)
        game.run(*command.split())


# What is true of this checkout only


def test_a_damaged_index_hides_no_edit(game: Checkout) -> None:
    session = Session.open(game.root)
    picture = game.root / "out" / "icon.png"
    session.plan()
    assert game.index.exists()
    sound = game.index.read_bytes()
    picture.write_bytes(bytes(reversed(picture.read_bytes())))
    for data in damaged(sound):
        game.index.write_bytes(data)
        plan = Session(game.root, session.manifest, session.lock, session.store).judge().plan(None)
        assert [step.verdict for step in plan.steps.values()] == [Verdict.FRESH, Verdict.EDITED]


def test_a_damaged_note_of_placed_files_makes_no_picture_wrong(game: Checkout) -> None:
    """A build was killed before it wrote the lock, and the note is all that tells of what it placed."""
    placed = Placed(game.root)
    for name, data in game.right.items():
        placed.note(f"out/{name}", of_bytes(data))
    sound = game.note.read_bytes()
    for data in damaged(sound):
        game.note.write_bytes(data)
        found = Placed(game.root)
        found.sweep()
        assert not found.has("out/hero.png", of_bytes(b"another"))
    for data in some(damaged(sound), SOME):
        game.lock.unlink(missing_ok=True)
        game.note.write_bytes(data)
        game.build()
        assert (game.pictures(), game.lock.read_bytes()) == (game.right, game.sound)


@pytest.mark.parametrize("path", ["a\\u0000b/c.png", "\\ud800/c.png", "../c.png", "/c.png", ""])
def test_a_note_of_an_impossible_path_is_passed_over(game: Checkout, path: str) -> None:
    game.note.write_text(f'["{path}","{"a" * 64}"]\n')
    outcome = game.build()
    assert outcome.fresh == ("hero", "icon")


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_damaged_journal_stops_neither_a_build_nor_the_report(game: Checkout, suffix: str) -> None:
    file = game.journal.with_name(game.journal.name + suffix)
    sound = game.journal.read_bytes()
    wal = b"\x37\x7f\x06\x82" + sound[4:4096]  # begins as a log does, and goes on as no log can
    for data in some(damaged(wal if suffix else sound), SOME):
        game.journal.write_bytes(sound)
        file.write_bytes(data)
        code, _ = game.run("report")
        assert code in {Exit.FINE, Exit.FAILED, Exit.USAGE}
        assert game.build().fresh == ("hero", "icon")
        for left in game.journal.parent.glob("journal.db*"):
            left.unlink()


def test_leftovers_of_a_killed_build_are_no_pictures(game: Checkout) -> None:
    for number, data in enumerate(some(cuts(game.right["hero.png"]), SOME)):
        left = game.root / ".artlock" / f"run-{number}" / "made"
        left.mkdir(parents=True)
        (left / "hero.png").write_bytes(data)
        (game.root / "out" / f".artlock-{number}.tmp").write_bytes(data)
        (game.store / "v1" / "staging" / f".artlock-{number}.tmp").write_bytes(data)
    game.mend(pictures=False)
    assert game.build().restored == ("hero", "icon")
    assert game.pictures() == game.right
    assert not [*(game.root / ".artlock").glob("run-*")]


# The store and the remote


def test_a_damaged_object_is_made_again(game: Checkout) -> None:
    wanted = of_bytes(game.right["hero.png"])
    file = Store(game.store).path_of(wanted)
    for data in some(damaged(game.right["hero.png"]), SOME):
        game.mend(pictures=False)
        file.unlink(missing_ok=True)
        file.write_bytes(data)
        outcome = game.build()
        assert outcome.failed == outcome.blocked == ()
        assert game.pictures() == game.right
        assert file.read_bytes() == game.right["hero.png"]


def test_damaged_actions_cost_work_and_no_picture(game: Checkout) -> None:
    files = [path for path in sorted((game.store / "v1" / "actions").rglob("*")) if path.is_file()]
    sound = {path: path.read_bytes() for path in files}
    for path, whole in sound.items():
        key = path.parent.name + path.name
        assert all(actions.decode(data, Digest(key)) is None for data in damaged(whole))
    longest = max(map(len, sound.values()))
    for at in some(iter(range(longest)), SOME):
        for path, whole in sound.items():
            path.unlink()
            path.write_bytes(whole[:at] if at % 2 else next(flips(whole[at:])) if whole[at:] else b"")
        game.mend(pictures=False)
        game.lock.unlink()
        outcome = game.build()
        assert outcome.failed == outcome.blocked == ()
        assert (game.pictures(), game.lock.read_bytes()) == (game.right, game.sound)


@pytest.mark.parametrize("folder", ["checkouts", "locks"])
def test_gc_with_a_damaged_note_loses_nothing(game: Checkout, folder: str) -> None:
    """What tells whose pictures the store is to keep: of the checkout, and of what its lock named."""
    game.run("gc", "--older-than", "0s")
    (note,) = (path for path in (game.store / "v1" / folder).iterdir() if path.is_file())
    sound = note.read_bytes()
    for data in some(damaged(sound), 4 * SOME):
        note.unlink(missing_ok=True)
        note.write_bytes(data)
        game.run("gc", "--older-than", "0s")
        assert all(Store(game.store).has(of_bytes(picture)) for picture in game.right.values())


def test_gc_takes_no_damaged_note_for_that_of_a_checkout_that_is_gone(game: Checkout) -> None:
    (note,) = (game.store / "v1" / "checkouts").iterdir()
    note.write_bytes(note.read_bytes().replace(b'/game"', b'/gamf"'))
    code, said = game.run("gc", "--older-than", "0s")
    assert code == Exit.FAILED
    assert f"`{note}` does not tell which checkout it stands for" in said
    assert all(Store(game.store).has(of_bytes(picture)) for picture in game.right.values())


def test_a_pull_refuses_every_damage(tmp_path: Path) -> None:
    """As many objects and actions as there are damages: one pull, each of them damaged in its own way."""
    home, empty = Store(tmp_path / "home"), Store(tmp_path / "empty")
    settings = Settings(url=(tmp_path / "remote").as_uri(), write=True)
    (tmp_path / "remote").mkdir()
    size = 60
    objects = [home.put_bytes(bytes([number]) * size, sync=False) for number in range(2 * size)]
    keys = [of_bytes(f"{number}".encode()) for number in range(300)]
    for key in keys:
        home.record_action(key, {"file": key}, sync=False)
    patience = Patience(pause=timedelta(milliseconds=1))
    remote = Remote.open(settings, patience=patience)
    remote.push(home, objects, keys)
    for kind, names in (("objects", objects), ("actions", keys)):
        for number, name in enumerate(names):
            file = tmp_path / "remote" / "v1" / kind / name[:2] / name[2:]
            whole = file.read_bytes()
            file.write_bytes([*damaged(whole)][number * (2 * len(whole) - 1) // len(names)])
    pulled = Remote.open(settings, patience=patience).pull(empty, objects, keys)
    assert (pulled.objects, pulled.actions) == (0, 0)
    assert {found.digest for found in pulled.poisoned} == {*objects, *keys}
    assert not any(empty.has(name) for name in objects)
    assert all(empty.action(key) is None for key in keys)
