"""A disk that is full or read-only, wherever a build writes: told with one action, and nothing lost."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from crash_kit import (
    THOROUGH,
    State,
    check_nothing_is_torn,
    check_the_next_build,
    mounted,
    new_game,
)
from game import Game

ROOMS = (
    ("store", "files", 31),
    ("store", "pages", 28),
    ("out", "files", 5),
    ("out", "pages", 4),
    ("private", "files", 36),
    ("private", "pages", 11),
    ("project", "files", 2),
    ("project", "pages", 2),
)
"""Where room is short, of what, and how little of it makes a build fail at the latest."""
PLACES = ("store", "out", "private", "project")
"""Which of a game's four places lies on the small disk; each of the others has one of its own."""
SOME = random.Random(os.environ.get("ARTLOCK_TEST_SEED", "disks"))  # noqa: S311 - no secret
FULL = "the disk is full"
ACTIONS = {
    "free some space, then run the command again",
    "mount it writable, or work in another folder",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> State:
    game = new_game(tmp_path_factory.mktemp("whole"))
    game.run("build", "-j", "1")
    return State(game)


@contextmanager
def on_disks(folder: Path, place: str) -> Iterator[tuple[Game, Path]]:
    """A game of which `place` lies on a disk of its own, and where that is mounted."""
    game_folder, cache = folder / "game", folder / "cache"
    nested = {"out": game_folder / "out", "private": game_folder / ".artlock"}
    with ExitStack() as disks:
        small = {"store": cache, "project": game_folder, **nested}[place]
        disks.enter_context(mounted(small, "size=64m"))
        if place == "project":
            for other in nested.values():
                disks.enter_context(mounted(other, "size=64m"))
        yield new_game(folder), small


def leave(disk: Path, *, files: int | None = None, pages: int | None = None) -> None:
    """Leave room for so many more files, or for so many more pages of 4 KiB."""
    status = os.statvfs(disk)
    options = []
    if files is not None:
        options.append(f"nr_inodes={status.f_files - status.f_ffree + files}")
    if pages is not None:
        options.append(f"size={max(1, status.f_blocks - status.f_bfree + pages) * 4}k")
    remount(disk, ",".join(options))


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


def build(game: Game) -> tuple[int, str]:
    """A build's exit code, and all that it said."""
    process = game.start("build", "-j", "1")
    out, err = process.communicate(timeout=300)
    return process.returncode, out + err


def check_told(code: int, told: str, fact: str) -> None:
    assert code == 1, told
    assert re.search(fact, told), told
    assert "Traceback" not in told
    assert "this is a bug" not in told
    # What depends on another asset points at that one; all else has one action of its own.
    hints = {hint for hint in re.findall(r"^hint: (.*)$", told, re.MULTILINE) if not hint.endswith(" first")}
    assert hints <= ACTIONS, told
    assert len(hints) == 1, told


@pytest.mark.slow
@pytest.mark.parametrize("share", range(4) if THOROUGH else range(1))
@pytest.mark.parametrize(("place", "what", "most"), ROOMS)
def test_a_full_disk(place: str, what: str, most: int, share: int, whole: State, tmp_path: Path) -> None:
    rooms = range(share, most, 4) if THOROUGH else [SOME.randrange(most)]
    for room in rooms:
        with on_disks(tmp_path / str(room), place) as (game, disk):
            leave(disk, **{what: room})
            code, told = build(game)
            # The journal alone may be what found no room: no reason to make nothing.
            if code or FULL not in told:
                check_told(code, told, f"{FULL}|No space left on device")
            check_nothing_is_torn(game, whole)
            remount(disk, "size=64m,nr_inodes=10000")
            check_the_next_build(game, whole)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_a_read_only_disk(place: str, whole: State, tmp_path: Path) -> None:
    with on_disks(tmp_path, place) as (game, disk):
        remount(disk, "ro")
        code, told = build(game)
        check_told(code, told, "the file system is read-only")
        check_nothing_is_torn(game, whole)
        remount(disk, "rw")
        check_the_next_build(game, whole)


@pytest.mark.slow
def test_a_read_only_checkout_and_store_are_still_read(whole: State, tmp_path: Path) -> None:
    """What is whole needs no write: `check`, `status` and `plan` answer as ever."""
    with on_disks(tmp_path, "project") as (game, disk), ExitStack() as sealed:
        game.run("build", "-j", "1")
        for folder in (game.folder / "out", game.folder / ".artlock", disk):
            remount(folder, "ro")
            sealed.callback(remount, folder, "rw")
        game.run("check")
        for command in ("status", "plan"):
            assert '"fresh"' in game.run(command, "--json").stdout
        code, told = build(game)
        check_told(code, told, "the file system is read-only")
        assert game.outputs() == whole.outputs


def test_an_engine_that_finds_the_disk_full_says_so(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write('[assets.gem]\nrole = "sprite"\nseed = 3\nsize = [6, 6]\n')
    adapter = game.folder / "tools" / "noise.py"
    full = 'raise OSError(28, "No space left on device", request.output)'
    adapter.write_text(adapter.read_text().replace("time.sleep(", f"{full}\n            time.sleep("))
    code, told = build(game)
    assert code == 1
    assert re.search(r"failed  gem: the engine can't write `.+\.png`: the disk is full\n", told), told
    assert "hint: free some space, then run the command again\n" in told
    adapter.write_text(adapter.read_text().replace(", request.output)", ")").replace("(28", "(122"))
    assert "failed  gem: the engine can't write its picture: the disk is full\n" in build(game)[1]
