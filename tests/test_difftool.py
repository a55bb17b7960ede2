"""`git difftool -t artlock`: the page of a review, for the files or folders that git hands over."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from game import Game
from PIL import Image

from buildsys.githooks.sides import review_of
from buildsys.review.model import Kind

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "a brave knight"
    seed = 3
    size = [8, 8]

    [assets.wall]
    role = "sprite"
    prompt = "a wall"
    seed = 4
    size = [8, 8]
"""
CHANGED = ASSETS.replace("brave", "grim").replace("seed = 4", "seed = 40")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    game.commit()
    game.run("hooks", "install")
    (game.folder / ".git" / "hooks" / "pre-commit").unlink()
    game.commit()
    game.write(CHANGED)
    game.build()
    game.commit()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path) -> Game:
    return made.copied(tmp_path)


def pages(game: Game, tmp_path: Path, *words: str) -> list[str]:
    """The pages that a browser was asked for."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/opened"\n')
    browser.chmod(0o755)
    environ = game.environ | {"BROWSER": f"{browser} %s", "TMPDIR": str(tmp_path)}
    command = ["git", "difftool", "-y", "-t", "artlock", *words]
    subprocess.run(command, cwd=game.folder, env=environ, check=True, capture_output=True)
    opened = (tmp_path / "opened").read_text().splitlines()
    return [Path(line.removeprefix("file://")).read_text() for line in opened]


def test_a_page_for_each_file(game: Game, tmp_path: Path) -> None:
    found = pages(game, tmp_path, "HEAD~1", "HEAD", "--", "out")
    assert len(found) == 2
    assert "grim" in found[0]
    assert "grim" not in found[1]


def test_one_page_for_all(game: Game, tmp_path: Path) -> None:
    (found,) = pages(game, tmp_path, "--dir-diff", "HEAD~1")
    assert "hero" in found
    assert "wall" in found
    assert "grim" in found


def test_what_the_page_tells(game: Game, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(game.folder)
    old, new = tmp_path / "old", tmp_path / "new"
    for side, revision in ((old, "HEAD~1"), (new, "HEAD")):
        side.mkdir()
        subprocess.run(f"git archive {revision} out assets.lock | tar -x -C {side}", shell=True, check=True)  # noqa: S602 - names of ours
    review, pictures = review_of(old, new)
    assert {change.name: change.kind for change in review.changes} == {
        "hero": Kind.CHANGED,
        "wall": Kind.CHANGED,
    }
    hero = next(change for change in review.changes if change.name == "hero")
    assert [field.name for field in hero.fields] == ["prompt"]
    assert hero.measure is not None
    assert hero.after is not None
    assert pictures.read(hero.after.shown) == (new / "out" / "hero.png").read_bytes()
    # Added, removed, and changed by hand.
    (added,) = review_of(Path("/dev/null"), new / "out" / "hero.png")[0].changes
    assert added.kind is Kind.ADDED
    (removed,) = review_of(new / "out" / "hero.png", Path("/dev/null"))[0].changes
    assert removed.kind is Kind.REMOVED
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "hand.png")
    (edited,) = review_of(new / "out" / "hero.png", tmp_path / "hand.png")[0].changes
    assert (edited.name, edited.kind) == ("hero", Kind.CHANGED)
    assert edited.after is not None
    assert edited.after.edited is not None


def test_pictures_that_no_lock_tells_of(game: Game, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "a.png")
    Image.new("RGB", (8, 8), (1, 2, 4)).save(tmp_path / "b.png")
    found = game.run("git", "difftool", str(tmp_path / "a.png"), str(tmp_path / "b.png"), code=2)
    assert found.stderr == (
        "error: no lock tells of these pictures\n\nhint: run `git diff` to read their facts\n"
    )
