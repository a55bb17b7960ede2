"""Holdings: all of the store that an asset needs to come back, and nothing else, told by its record alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from game import Game

from buildsys.holdings import Holdings, holdings, named, of_all
from buildsys.lock.read import load
from buildsys.make.results import Raw
from buildsys.manifest.model import AssetName
from buildsys.plan import recipe
from buildsys.plan.record import Record
from buildsys.store.objects import Store

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "a knight"
    seed = 1
    size = [16, 16]
    finish = [{ resize = [8, 8] }]

    [assets.icon]
    from = "hero"
    finish = [{ resize = [4, 4] }]

    [assets.gem]
    role = "sprite"
    prompt = "a gem"
    seed = 2
    size = [16, 16]
    candidates = 2

    [assets.sheet]
    pack = ["hero", "gem"]
    formats = ["texturepacker"]
"""


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("holdings")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    return game


def record(game: Game, name: str) -> Record:
    return load(game.folder / "assets.lock").records[AssetName(name)]


@pytest.mark.parametrize("name", ["hero", "icon", "gem", "sheet"])
def test_a_build_leaves_all_of_it_in_the_store(game: Game, name: str) -> None:
    store, found = Store(game.cache), holdings(record(game, name))
    assert all(store.has(digest) for digest in found.objects)
    assert all(store.action(key) is not None for key in found.actions)


def test_of_a_drawn_asset_its_recipe_and_its_generate_action(game: Game) -> None:
    hero = record(game, "hero")
    key = recipe.generate_key(hero.parts)
    assert holdings(hero) == Holdings(frozenset({hero.picture.file, hero.raw}), frozenset({hero.recipe, key}))
    drawn = Store(game.cache).recall(key, Raw)
    assert drawn is not None
    assert drawn.raw == hero.raw


def test_of_a_derived_asset_no_generate_action(game: Game) -> None:
    icon = record(game, "icon")
    assert holdings(icon).actions == {icon.recipe}
    assert holdings(icon).objects == {icon.picture.file, record(game, "hero").picture.file}


def test_of_a_chosen_candidate_the_choice_too(game: Game) -> None:
    gem = record(game, "gem")
    assert gem.asked is not None
    assert holdings(gem).actions == {gem.recipe, gem.asked, recipe.generate_key(gem.parts)}


def test_of_an_atlas_every_file(game: Game) -> None:
    sheet = record(game, "sheet")
    assert sheet.companions
    assert holdings(sheet).objects == {sheet.picture.file, *sheet.companions.values()}
    assert holdings(sheet).actions == {sheet.recipe}


def test_what_belongs_to_several(game: Game) -> None:
    hero, gem = record(game, "hero"), record(game, "gem")
    assert of_all([hero, gem]) == holdings(hero) | holdings(gem)
    assert of_all([]) == Holdings()


def test_with_what_belongs_to_it_alone_an_asset_is_restored(game: Game, tmp_path: Path) -> None:
    game.made()
    for name in ("hero", "icon", "gem", "sheet"):
        found = holdings(record(game, name))
        bare, full = Store(tmp_path / name), Store(game.cache)
        for digest in found.objects:
            bare.put_file(full.path_of(digest))
        for key in found.actions:
            bare.record_action(key, full.action(key) or {})
        picture = game.folder / record(game, name).output
        before = picture.read_bytes()
        picture.unlink()
        cache, game.cache = game.cache, tmp_path / name
        try:
            assert game.build(name)["restored"] == [name]
        finally:
            game.cache = cache
        assert picture.read_bytes() == before
    assert game.made() == []


def test_what_a_result_names(game: Game) -> None:
    store = Store(game.cache)
    for name in ("hero", "sheet"):
        item = record(game, name)
        assert named(store.action(item.recipe) or {}) == holdings(item).objects
    hero = record(game, "hero")
    assert named(store.action(recipe.generate_key(hero.parts)) or {}) == {hero.raw}


def test_what_a_result_that_names_nothing_names() -> None:
    assert named({"engine": "noise", "picture": "x", "companions": ["y"]}) == frozenset()


@pytest.mark.parametrize(
    "result", [{"raw": "../x"}, {"picture": {"file": 3}}, {"companions": {".json": "x"}}]
)
def test_a_result_that_names_no_digest_is_refused(result: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is not a SHA-256"):
        named(result)
