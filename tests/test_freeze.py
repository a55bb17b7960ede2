"""`artlock freeze` and `thaw`: the bytes stay, whatever becomes of the recipe."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
from game import Game

from buildsys.errors import Exit
from buildsys.lock.read import load

ASSETS: Final = """
    [assets.hero]
    role = "sprite"
    prompt = "{prompt}"
    seed = 1
    size = [16, 16]

    [assets.small-hero]
    from = "hero"
    finish = [{{ resize = [8, 8] }}]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("freeze")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS.format(prompt="a knight"))
    game.build()
    game.commit()
    game.run("freeze", "hero")
    game.made()
    return game


@pytest.fixture
def game(built: Game, tmp_path: Path) -> Game:
    mine = built.apart(tmp_path)
    mine.made()
    return mine


def frozen(game: Game) -> list[str]:
    return [str(name) for name in load(game.folder / "assets.lock").frozen]


def step(game: Game, name: str = "hero") -> dict[str, Any]:
    steps = json.loads(game.run("plan", "--json").stdout)
    return next(item for item in steps if item["name"] == name)


def test_the_recipe_goes_stale_and_the_picture_stays(game: Game) -> None:
    before, lock = game.outputs(), game.lock()
    game.write(ASSETS.format(prompt="a horse"))
    assert game.run("plan").stdout == "frozen    hero  prompt: a knight → a horse\n1 fresh, 1 frozen\n"
    explained = game.run("explain", "hero").stdout
    assert explained.startswith("hero is frozen\n  although prompt: a knight → a horse\n")
    assert "frozen    hero" in game.run("status").stdout
    assert game.run("check").stdout == "2 assets checked: manifest, lock and files agree\n"
    assert game.build("--locked")["fresh"] == ["hero", "small-hero"]
    assert game.build()["fresh"] == ["hero", "small-hero"]
    assert (game.outputs(), game.lock(), game.made()) == (before, lock, [])
    game.run("thaw", "hero")
    assert game.build()["built"] == ["hero", "small-hero"]
    assert frozen(game) == []


def test_what_is_made_from_it_uses_its_bytes(game: Game) -> None:
    game.write(ASSETS.format(prompt="a horse").replace("[8, 8]", "[4, 4]"))
    found = game.build()
    assert (found["built"], found["fresh"]) == (["small-hero"], ["hero"])
    lock = load(game.folder / "assets.lock")
    hero, small = (record for _, record in sorted(lock.records.items()))
    assert small.parts.inputs == {"image": hero.picture.file}


def test_its_file_comes_back_and_an_edit_is_told(game: Game) -> None:
    before = game.outputs()
    game.write(ASSETS.format(prompt="a horse"))
    picture = game.folder / "out" / "hero.png"
    picture.unlink()
    assert json.loads(game.run("check", "--json", code=Exit.MISSING).stdout)["kind"] == "missing"
    assert game.build()["restored"] == ["hero"]
    assert game.outputs() == before
    picture.write_bytes(b"a person's work")
    found = json.loads(game.run("check", "--json", code=Exit.FAILED).stdout)["differences"]
    assert [item["kind"] for item in found if item["name"] == "hero"] == ["edited"]
    assert game.run("build", "hero").stderr.startswith(
        "edited  hero: the file was changed by hand, and kept\n\n"
        "hint: move or delete `out/hero.png`, and `artlock build` brings the frozen picture back\n"
    )
    assert game.run("adopt", "hero", code=Exit.USAGE).stderr == (
        "error: `hero` is frozen, so `artlock adopt` can't change it\n\nhint: run `artlock thaw hero` first\n"
    )
    assert picture.read_bytes() == b"a person's work"


def test_what_is_lost_is_never_made_again(game: Game) -> None:
    picture = game.folder / "out" / "hero.png"
    picture.unlink()
    shutil.rmtree(game.folder / ".git")
    shutil.rmtree(game.cache)
    found = game.build(code=Exit.FAILED)
    assert found["blocked"] == ["hero", "small-hero"]
    assert found["reasons"]["hero"] == "it is frozen, and its picture is in neither the store nor git"
    assert found["failures"]["hero"]["hint"] == "bring `out/hero.png` back, or run `artlock thaw hero`"
    assert game.made() == []


@pytest.mark.parametrize("option", ["--force", "--rebuild", "--refresh-environment"])
def test_it_is_not_made_again_by_name(built: Game, option: str) -> None:
    assert built.run("build", "hero", option, code=Exit.USAGE).stderr == (
        f"error: `hero` is frozen, so `{option}` can't change it\n\nhint: run `artlock thaw hero` first\n"
    )


def test_everything_else_is(game: Game) -> None:
    before = game.outputs()
    found = game.build("--rebuild")
    assert (found["built"], found["fresh"]) == (["small-hero"], ["hero"])
    assert (game.outputs(), game.made()) == (before, [])


def test_one_that_leaves_the_manifest_is_kept_until_it_is_thawed(game: Game) -> None:
    game.write("")
    game.build()
    assert frozen(game) == ["hero"]
    done = game.run("check", code=Exit.FAILED)
    assert "orphan  hero: the manifest no longer has it, and it is frozen" in done.stdout
    assert game.run("clean", "--yes").stdout.splitlines() == [
        "remove  out/small-hero.png",
        "keep    out/hero.png: frozen",
    ]
    assert game.run("check", code=Exit.FAILED).stderr.endswith(
        "hint: run `artlock thaw hero`, then `artlock clean`; or put it back into the manifest\n"
    )
    game.run("thaw", "hero")
    game.run("clean", "--yes")
    assert (game.outputs(), load(game.folder / "assets.lock").records) == ({}, {})
    assert game.run("check").returncode == 0


def test_another_picture_than_the_lock_has_is_for_a_person(game: Game) -> None:
    """What is left of a merge by lines: one side froze, the other built."""
    path = game.folder / "assets.lock"
    text = path.read_text()
    at = text.index("[frozen]")
    digest = text[at:].split('"')[1]
    path.write_text(text[:at] + text[at:].replace(digest, "0" * 64))
    found = game.build(code=Exit.FAILED)
    assert found["reasons"]["hero"] == "it is frozen, with another picture than the lock has"
    assert found["failures"]["hero"]["hint"] == "run `artlock freeze hero`, or `artlock thaw` it"
    game.run("freeze", "hero")
    assert path.read_text() == text


def test_words_that_mean_nothing_frozen(built: Game) -> None:
    assert built.run("freeze", "he*").stderr == "they were frozen before\n"
    assert built.run("thaw", "small-hero").stderr == "none of them was frozen\n"
    assert json.loads(built.run("freeze", "hero", "--json").stdout) == {"frozen": []}


def test_a_side_that_froze_and_one_that_built_are_in_conflict(game: Game) -> None:
    """With the merge under way, git has both whole, and a person says which picture stays."""
    game.run("thaw", "hero")
    game.git("checkout", "--quiet", "-b", "feature")
    game.write(ASSETS.format(prompt="a horse"))
    game.build()
    theirs = game.outputs()["hero.png"]
    game.commit()
    game.git("checkout", "--quiet", "main")
    game.run("freeze", "hero")
    (game.folder / "assets.toml").write_text((game.folder / "assets.toml").read_text() + "\n# ours\n")
    game.run("freeze", "small-hero")
    game.commit()
    game.git("merge", "--no-commit", "--no-ff", "feature")
    # Git merged by lines without a mark; the plan tells.
    found = game.build(code=Exit.FAILED)
    assert found["blocked"][0] == "hero"
    game.run("thaw", "*")
    game.build()
    assert game.outputs()["hero.png"] == theirs
