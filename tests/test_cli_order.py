"""Words of a command line on either side of its options; what is wrong with it reads as ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from game import Game

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "knight"
    seed = 1
    size = [32, 32]

    [assets.rock]
    role = "sprite"
    seed = 2
    size = [32, 32]
"""


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder: Path = tmp_path_factory.mktemp("order")
    made = Game(folder / "game", folder / "cache")
    made.write(ASSETS)
    made.build()
    made.commit()
    made.git("commit", "--quiet", "--allow-empty", "--message=more")
    return made


@pytest.mark.parametrize(
    ("mixed", "together"),
    [
        ("diff HEAD~1 --no-pictures hero", "diff --no-pictures HEAD~1 hero"),
        ("diff HEAD~1 --no-pictures hero --json rock", "diff --no-pictures --json HEAD~1 hero rock"),
        ("diff HEAD --no-pictures -- hero", "diff --no-pictures HEAD hero"),
        ("log hero --graph HEAD~1", "log --graph hero HEAD~1"),
        ("audit hero --rev HEAD rock", "audit --rev HEAD hero rock"),
        ("build hero --dry-run rock", "build --dry-run hero rock"),
        ("explain hero --json rock", "explain --json hero rock"),
        ("stock search knight --json sword", "stock search --json knight sword"),
    ],
)
def test_words_on_either_side_of_an_option(game: Game, mixed: str, together: str) -> None:
    found = game.run(*mixed.split())
    assert found.stdout == game.run(*together.split()).stdout
    assert found.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("hooks install --json now", "unrecognized arguments: now\n\nhint: run `artlock hooks --help`"),
        ("build hero --jsn", "unrecognized arguments: --jsn\n\nhint: did you mean `--json`?"),
        ("build hero --jsn rock", "unrecognized arguments: --jsn rock\n\nhint: run `artlock build --help`"),
        ("log hero --graph HEAD HEAD", "unrecognized arguments: HEAD\n\nhint: run `artlock log --help`"),
        ("log --graph", "the following arguments are required: NAME\n\nhint: run `artlock log --help`"),
    ],
)
def test_wrong_usage_reads_as_ever(game: Game, words: str, message: str) -> None:
    assert game.run(*words.split(), code=2).stderr == f"error: {message}\n"
