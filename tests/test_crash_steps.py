"""A build that is killed at each of its steps: nothing torn, nothing made again, the next build right."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest
from crash_kit import (
    CHANGED,
    THOROUGH,
    State,
    check_nothing_is_torn,
    check_the_next_build,
    die,
    leftovers,
    new_game,
    twin,
)
from game import Game

MOST = 230
"""More steps than the first build takes; those of the second one come to half."""
SHARES = 20
"""The steps in so many tests, so that several processes may share them."""
FEW = 3

SOME = random.Random(os.environ.get("ARTLOCK_TEST_SEED", "steps"))  # noqa: S311 - when to kill is no secret


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Game, State]:
    """The game built, and what that gave."""
    game = new_game(tmp_path_factory.mktemp("first"))
    game.run("build", "-j", "1")
    return game, State(game)


@pytest.fixture(scope="module")
def second(first: tuple[Game, State], tmp_path_factory: pytest.TempPathFactory) -> State:
    """What the changed game gives."""
    game = twin(first[0], tmp_path_factory.mktemp("second"))
    game.write(CHANGED)
    game.run("build", "-j", "1")
    return State(game)


def test_the_steps_are_those_of_a_whole_build(tmp_path: Path, first: tuple[Game, State]) -> None:
    """The suite would pass if it killed nothing: the steps that matter are among those it counts."""
    game = new_game(tmp_path)
    code, steps = die(game, 0)
    assert code == 0
    assert FEW * 10 < len(steps) < MOST
    for step in (
        "half of .*/placed",
        "half of .*/out/",
        "os.remove .*/made/",
        "os.rename .*/staging/",
        "Popen",
    ):
        assert any(re.search(step, taken) for taken in steps), step
    assert State(game).outputs == first[1].outputs
    assert State(game).lock == first[1].lock


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES) if THOROUGH else range(1))
def test_killed_at_a_step_of_the_first_build(share: int, first: tuple[Game, State], tmp_path: Path) -> None:
    steps = range(1 + share, MOST, SHARES) if THOROUGH else SOME.sample(range(8, MOST - 30), FEW)
    for fatal in steps:
        game = new_game(tmp_path / str(fatal))
        code, taken = die(game, fatal)
        if code == 0:
            assert len(taken) < fatal
            continue
        check(game, taken, first[1])


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES // 2) if THOROUGH else range(1))
def test_killed_at_a_step_of_a_later_build(
    share: int, first: tuple[Game, State], second: State, tmp_path: Path
) -> None:
    steps = range(1 + share, MOST // 2, SHARES // 2) if THOROUGH else SOME.sample(range(8, 80), FEW - 1)
    for fatal in steps:
        game = twin(first[0], tmp_path / str(fatal))
        game.write(CHANGED)
        code, taken = die(game, fatal)
        if code == 0:
            assert len(taken) < fatal
            continue
        check(game, taken, first[1], second)


def check(game: Game, taken: list[str], *states: State) -> None:
    try:
        check_nothing_is_torn(game, *states)
        check_the_next_build(game, states[-1])
    except BaseException as error:
        error.add_note(f"killed at step {taken[-1]}")
        raise


@pytest.mark.slow
def test_killed_again_and_again_it_comes_to_its_end(first: tuple[Game, State], tmp_path: Path) -> None:
    """Each build is killed a few steps later than the last; together they make everything once."""
    game = new_game(tmp_path)
    made: list[str] = []
    for fatal in range(23, 400, 23):
        code, _ = die(game, fatal)
        made += game.made()
        if code == 0:
            break
        check_nothing_is_torn(game, first[1])
    assert game.outputs() == first[1].outputs
    assert game.lock() == first[1].lock
    assert set(made) == {"gem", "hero#1", "hero#2"}
    assert leftovers(game) == []


def test_a_folder_that_a_kill_left_without_a_name_goes(tmp_path: Path) -> None:
    game = new_game(tmp_path)
    old, new = (game.folder / ".artlock" / name for name in (".new-old", ".new-just"))
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 120,) * 2)
    game.run("build", "gem")
    assert not old.exists()
    assert new.exists(), "another build may just be making it"
