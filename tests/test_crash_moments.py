"""Builds that are killed at random moments while others run beside them, in one checkout and in several."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from crash_kit import (
    SECONDS,
    THOROUGH,
    State,
    asked,
    check_nothing_is_torn,
    check_the_next_build,
    last_run,
    launch,
    new_game,
    stored,
)
from game import Game

ROUNDS = int(os.environ.get("ARTLOCK_TEST_ROUNDS", "100" if THOROUGH else "3"))
KILLS = 4 if THOROUGH else 1
"""Of both builds of a round, each going on where the one before was killed."""
SOME = random.Random(os.environ.get("ARTLOCK_TEST_SEED", "moments"))  # noqa: S311 - no secret

SLOW = """
[assets.hero]
role = "sprite"
seed = 7
size = [8, 8]
parameters = { seconds = 600 }

[assets.gem]
role = "sprite"
seed = 3
size = [6, 6]
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, float]:
    """What a whole build gives, and how long two side by side take."""
    games = [new_game(tmp_path_factory.mktemp(name)) for name in ("left", "right")]
    began = time.monotonic()
    builders = [launch(game) for game in games]
    assert [builder.wait(SECONDS * 5) for builder in builders] == [0, 0]
    seconds = time.monotonic() - began
    left, right = (State(game) for game in games)
    assert (left.outputs, left.lock) == (right.outputs, right.lock)
    return left, seconds


def kill(builder: subprocess.Popen[bytes], moment: float, *, group: bool) -> None:
    """Kill it, or all that its terminal would, after so many seconds; unless it ended before."""
    try:
        assert builder.wait(moment) == 0
    except subprocess.TimeoutExpired:
        (os.killpg if group else os.kill)(builder.pid, signal.SIGKILL)
        builder.wait()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(ROUNDS))
def test_killed_at_a_random_moment_beside_another(
    number: int, whole: tuple[State, float], tmp_path: Path
) -> None:
    state, seconds = whole
    # Every other time they share a store.
    shared = tmp_path / "cache" if number % 2 else None
    games = [new_game(tmp_path / name, cache=shared) for name in ("left", "right")]
    moments: list[list[float]] = []
    try:
        for _ in range(KILLS):
            before = [(stored(game), last_run(game)) for game in games]
            moments.append(sorted(SOME.uniform(0, seconds) for _ in games))
            kill_one_after_the_other([launch(game) for game in games], moments[-1])
            for game, (known, run) in zip(games, before, strict=True):
                check_nothing_is_torn(game, state)
                assert known.isdisjoint(key for _, key in asked(game, run))
        for game in games:
            check_the_next_build(game, state)
    except BaseException as error:
        error.add_note(f"killed {moments} s after the start, of {seconds}")
        raise


def kill_one_after_the_other(builders: list[subprocess.Popen[bytes]], moments: list[float]) -> None:
    began = time.monotonic()
    for builder, moment in zip(builders, moments, strict=True):
        kill(builder, max(0, moment - (time.monotonic() - began)), group=SOME.random() < 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(ROUNDS // 3 + 1))
def test_two_checkouts_at_once_share_a_store_safely(
    number: int, whole: tuple[State, float], tmp_path: Path
) -> None:
    games = [new_game(tmp_path / name, cache=tmp_path / "cache") for name in ("left", "right")]
    builders = [launch(game) for game in games]
    assert [builder.wait(SECONDS * 5) for builder in builders] == [0, 0]
    for game in games:
        assert (game.outputs(), game.lock()) == (whole[0].outputs, whole[0].lock)
        made = game.made()
        assert len(made) == len(set(made)), "each at most once in each checkout"
        check_nothing_is_torn(game, whole[0])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(ROUNDS // 3 + 1))
def test_one_is_killed_and_the_other_goes_on(number: int, whole: tuple[State, float], tmp_path: Path) -> None:
    state, seconds = whole
    games = [new_game(tmp_path / name, cache=tmp_path / "cache") for name in ("left", "right")]
    builders = [launch(game) for game in games]
    kill(builders[0], SOME.uniform(0, seconds), group=bool(number % 2))
    assert builders[1].wait(SECONDS * 5) == 0
    assert (games[1].outputs(), games[1].lock()) == (state.outputs, state.lock)
    check_nothing_is_torn(games[0], state)
    known = stored(games[0])
    check_the_next_build(games[0], state)
    assert stored(games[0]) == known, "the other one made all that there is"


def test_a_second_build_in_one_checkout_fails_at_once_and_names_the_first(tmp_path: Path) -> None:
    game = new_game(tmp_path, SLOW)
    first = launch(game)
    try:
        wait_for_a_worker(game, first)
        for command in ("build", "clean"):
            began = time.monotonic()
            told = game.run(command, *(("--yes",) if command == "clean" else ()), code=1).stderr
            assert told.endswith(
                f"error: another build (process {first.pid}) is running in this checkout\n\n"
                "hint: wait until it ends, then run the command again\n"
            )
            assert time.monotonic() - began < SECONDS
        # Those that only look are not in its way, nor it in theirs.
        game.run("status")
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    assert game.build("gem")["built" if "gem" not in game.outputs() else "restored"] == ["gem"]


def wait_for_a_worker(game: Game, builder: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while not [*game.folder.glob(".artlock/run-*/worker-*")]:
        assert builder.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
