"""The whole zoo in one build, times each end that a build can have."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from zoo_game import GOOD, SECONDS, ZooGame, troubles, wait_until
from zoo_matrix import PATIENCE, ZOO, Row
from zookeeper import left_after, marked

INTERRUPTED = "interrupted: what was finished is kept; `artlock build` goes on from there\n"
LONG = 600
ONE = tuple(row for row in ZOO if row.me == "hangs")


@pytest.fixture
def game(tmp_path: Path) -> ZooGame:
    return ZooGame(tmp_path, ZOO)


def gone(game: ZooGame) -> list[str]:
    """Command lines of what outlives a build."""
    return [" ".join(process.cmdline()) for process in left_after(game.mark, SECONDS)]


def check_told(game: ZooGame, row: Row, *, stuck: bool) -> None:
    """What a person reads of `row` is what the table says: cause, last words of the engine, one action."""
    message, log, hint = troubles(game.told())[f"bad/{row.me}"]
    assert message == row.failure(stuck=stuck)
    assert hint == row.hint.format(me=row.me)
    assert not row.last or row.last in log


def check_the_next_build(game: ZooGame, made: dict[str, str]) -> None:
    """It clears away, makes what is missing and nothing else, and leaves nothing for a third one."""
    game.mend()
    found = game.build("-j", "2")
    assert sorted(name for names in found.values() for name in names) == game.names
    assert not {"failed", "blocked", "edited", "reasons"} & set(found)
    assert not set(found["built"]) & set(GOOD), "what was paid for was made again"
    assert game.left_over() == []
    assert gone(game) == []
    assert sorted(game.placed()) == game.names
    assert game.placed() == game.locked()
    assert {name: game.placed()[name] for name in GOOD} == {name: made[name] for name in GOOD}
    lock = game.lock()
    assert sorted(game.build()["fresh"]) == game.names
    assert (game.lock(), game.left_over()) == (lock, [])


@pytest.mark.parametrize("stuck", [False, True], ids=["finishes", "deadline"])
def test_a_build_of_the_whole_zoo_names_each_misdeed_and_makes_the_rest(game: ZooGame, stuck: bool) -> None:
    game.release(stuck=stuck, patience=PATIENCE if stuck else LONG, also_well=True)
    builder = game.launch()
    assert builder.wait(SECONDS) == 1, game.told()
    assert gone(game) == []
    assert game.left_over() == []

    result = json.loads(game.printed.read_text())
    failures = {f"bad/{row.me}": row for row in ZOO if row.failure(stuck=stuck)}
    assert sorted(result["failed"]) == sorted(failures)
    assert sorted(result["built"]) == sorted(set(game.names) - set(failures))
    assert set(troubles(game.told())) == set(failures)
    for row in failures.values():
        check_told(game, row, stuck=stuck)
    for row in ZOO:
        assert not row.lost or f"engine {row.me} was lost: the engine `{row.me}` {row.lost}" in game.told()
    made = game.placed()
    assert made == game.locked()
    assert sorted(made) == sorted(result["built"])
    check_the_next_build(game, made)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name
)
def test_nothing_of_the_zoo_outlives_a_build_that_is_ended(game: ZooGame, number: signal.Signals) -> None:
    game.release(stuck=True, patience=LONG, also_well=False)
    builder = game.launch()
    wait_until(lambda: game.at_work(game.told()), builder)
    check_that_children_escaped(game)

    # A ctrl-C is for all that the terminal runs; the others are for one process.
    (os.killpg if number is signal.SIGINT else os.kill)(builder.pid, number)
    polite = number is not signal.SIGKILL
    assert builder.wait(SECONDS) == (130 if polite else -number), game.told()
    assert gone(game) == []
    assert game.told().endswith(f"\n{INTERRUPTED}") is polite
    assert "Traceback" not in game.told()
    assert game.printed.read_text() == ""
    check_what_is_kept(game, polite=polite)
    check_the_next_build(game, game.placed())


def test_nothing_of_the_zoo_outlives_its_terminal(game: ZooGame) -> None:
    assert lose_its_terminal(game) == 130
    assert gone(game) == []
    check_what_is_kept(game, polite=True)
    check_the_next_build(game, game.placed())


def test_a_build_that_loses_its_terminal_was_interrupted(tmp_path: Path) -> None:
    game = ZooGame(tmp_path, ONE)
    assert lose_its_terminal(game) == 130
    assert game.locked() == game.placed()
    assert sorted(game.placed()) == sorted(GOOD)


def lose_its_terminal(game: ZooGame) -> int:
    """The exit code of a build whose terminal is closed while all of the zoo is at work."""
    game.release(stuck=True, patience=LONG, also_well=False)
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    # A leader of a session without a terminal gets the first one that it opens.
    script = 'exec "$@" <"$0" >"$0" 2>&1'
    command = ["sh", "-c", script, os.ttyname(theirs), sys.executable, "-m", "buildsys", "build", "-j", "12"]
    builder = subprocess.Popen(
        command,
        cwd=game.folder,
        env={**game.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    shown = b""

    def missing() -> str:
        nonlocal shown
        shown += read_all(ours)
        return game.at_work(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode("utf-8", "replace")))

    wait_until(missing, builder)
    check_that_children_escaped(game)
    os.close(theirs)
    os.close(ours)
    return builder.wait(SECONDS)


def read_all(number: int) -> bytes:
    """What a terminal shows since it was last asked."""
    data = b""
    while True:
        try:
            data += os.read(number, 65536)
        except BlockingIOError:
            return data


def check_that_children_escaped(game: ZooGame) -> None:
    """Or it would prove nothing that they are gone later."""
    if any(row.act == "escape" for row in game.rows):
        wait_until(lambda: "" if sum(one.name() == "sleep" for one in marked(game.mark)) >= 2 else "escapees")


def check_what_is_kept(game: ZooGame, *, polite: bool) -> None:
    """The finished pictures lie there; a build that was asked to end has written its lock and tidied up."""
    made = [f"bad/{row.me}" for row in ZOO if row.lost]
    assert sorted(game.placed()) == sorted([*GOOD, *made])
    if polite:
        assert game.left_over() == []
        assert game.locked() == game.placed()


def test_a_picture_of_a_killed_build_is_no_hand_edit(tmp_path: Path) -> None:
    game = ZooGame(tmp_path, ONE)
    game.release(stuck=True, patience=LONG, also_well=False)
    builder = game.launch()
    wait_until(lambda: game.at_work(game.told()), builder)
    builder.kill()
    builder.wait(SECONDS)
    game.mend()
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("seed = 2\n", "seed = 3\n"))
    assert "good/2" in game.build()["built"]
