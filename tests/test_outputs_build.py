"""Several outputs, hand-made pictures and profiles' keys, built by the real command."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from game import Game
from PIL import Image

HERO = """
[assets.hero]
role = "sprite"
prompt = "knight"
seed = 1
size = [32, 16]
"""
BOTH = 'scales = [1, 2, 4]\nformats = ["png", "webp"]\n'


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


def picture(color: tuple[int, int, int, int], size: tuple[int, int] = (8, 8), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA" if kind != "JPEG" else "RGB", size, color).save(buffer, kind)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def draw(game: Game, path: str, data: bytes) -> None:
    target = game.folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def test_one_picture_in_three_scales_and_two_formats(game: Game) -> None:
    game.write(HERO + BOTH)
    found = game.build()
    assert sorted(found["built"]) == [
        "hero",
        "hero@1x",
        "hero@1x.webp",
        "hero@2x",
        "hero@2x.webp",
        "hero@4x.webp",
    ]
    assert game.made() == ["hero"]
    outputs = game.outputs()
    assert {name: Image.open(io.BytesIO(data)).size for name, data in outputs.items()} == {
        "hero@4x.png": (32, 16),
        "hero@4x.webp": (32, 16),
        "hero@2x.png": (16, 8),
        "hero@2x.webp": (16, 8),
        "hero.png": (8, 4),
        "hero.webp": (8, 4),
    }
    for name in ("hero", "hero@2x", "hero@4x"):
        assert np.array_equal(pixels(outputs[f"{name}.png"]), pixels(outputs[f"{name}.webp"]))
    large, small = pixels(outputs["hero@4x.png"]), pixels(outputs["hero.png"])
    means = large.reshape(4, 4, 8, 4, 4).mean(axis=(1, 3))
    assert np.abs(means - small).max() <= 1
    assert "checked" in game.run("check").stdout
    assert list(game.build()) == ["fresh"]


def test_who_names_an_asset_means_all_its_files(game: Game) -> None:
    game.write(HERO + "scales = [1, 2]\n" + HERO.replace("hero", "villain"))
    assert game.build("hero")["built"] == ["hero", "hero@1x"]
    assert game.made() == ["hero"]
    (game.folder / "out" / "hero.png").unlink()
    assert [step["name"] for step in json.loads(game.run("plan", "--json", "hero").stdout)] == [
        "hero",
        "hero@1x",
    ]
    assert game.build("hero@1x") == {"restored": ["hero@1x"], "fresh": ["hero"]}
    assert "hero@1x is fresh" in game.run("explain", "hero@1x").stdout


def test_scales_that_are_added_or_removed_move_the_picture(game: Game) -> None:
    game.write(HERO)
    game.build()
    first = game.outputs()["hero.png"]
    assert game.made() == ["hero"]
    game.write(HERO + "scales = [1, 2]\n")
    assert "the picture of another asset, which has moved, lies where it goes" in game.run("plan").stdout
    assert game.build() == {"restored": ["hero"], "built": ["hero@1x"]}
    outputs = game.outputs()
    assert outputs["hero@2x.png"] == first
    assert Image.open(io.BytesIO(outputs["hero.png"])).size == (16, 8)
    game.write(HERO)
    told = game.run("check", code=1).stdout.splitlines()
    assert told[0] == "moved  hero: the picture of another asset, which has moved, lies where it goes"
    # Not with a file that `clean` keeps: it is the place of `hero` from now on.
    assert told[1:] == ["orphan  hero@1x: the manifest no longer has it"]
    found = game.build()
    assert found == {"restored": ["hero"]}
    assert game.outputs()["hero.png"] == first
    assert game.made() == []


def test_a_picture_that_moved_is_found_in_git(game: Game) -> None:
    game.write(HERO)
    game.build()
    first = game.outputs()["hero.png"]
    game.commit()
    game.made()
    elsewhere = Game(game.folder.parent / "clone" / "game", game.folder.parent / "other-cache")
    for path in ("assets.lock", "out/hero.png"):
        draw(elsewhere, path, (game.folder / path).read_bytes())
    elsewhere.write(HERO)
    elsewhere.commit()
    elsewhere.write(HERO + "scales = [1, 2]\n")
    assert elsewhere.build() == {"restored": ["hero"], "built": ["hero@1x"]}
    assert elsewhere.outputs()["hero@2x.png"] == first
    assert elsewhere.made() == []


def test_a_file_that_a_person_put_there_is_kept(game: Game) -> None:
    game.write(HERO)
    game.build()
    draw(game, "out/hero.png", picture((1, 2, 3, 255)))
    game.write(HERO + "scales = [1, 2]\n")
    assert game.build()["edited"] == ["hero@1x"]


def test_a_scale_is_made_again_only_where_the_picture_changed(game: Game) -> None:
    game.write(HERO + "scales = [1, 2]\n")
    game.build()
    game.write(HERO.replace('prompt = "knight"', 'prompt = "king"') + "scales = [1, 2]\n")
    assert sorted(game.build()["built"]) == ["hero", "hero@1x"]
    # The same picture by another recipe: what is made from it is fresh.
    game.write(HERO.replace('"knight"', '"king"') + "scales = [1, 2]\nfinish = [{ resize = [32, 16] }]\n")
    assert game.build() == {"built": ["hero"], "fresh": ["hero@1x"]}


def test_sides_that_only_the_picture_knows_are_told_by_the_step(game: Game) -> None:
    text = '[assets.logo]\nsource = "art/logo.png"\nscales = [1, 2]\n'
    draw(game, "art/logo.png", picture((9, 9, 9, 255), (8, 7)))
    game.write(text)
    found = game.build(code=1)
    assert found["built"] == ["logo"]
    assert found["failures"]["logo@1x"]["message"] == (
        "finish step `scale`: the picture is 8 x 7 pixels, which 2 does not divide"
    )
    assert found["failures"]["logo@1x"]["hint"] == "put a `resize`, `pad` or `crop` before it"


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_hand_made_picture_is_finished_and_followed(game: Game, kind: str, suffix: str) -> None:
    game.write(
        f'[assets.logo]\nsource = "art/logo.{suffix}"\nfinish = [{{ resize = [4, 4] }}]\n'
        '[assets.icon]\nfrom = "logo"\nfinish = [{ resize = [2, 2] }]\n'
    )
    draw(game, f"art/logo.{suffix}", picture((200, 10, 20, 255), kind=kind))
    assert sorted(game.build()["built"]) == ["icon", "logo"]
    assert pixels(game.outputs()["logo.png"]).shape == (4, 4, 4)
    draw(game, f"art/logo.{suffix}", picture((10, 200, 20, 255), kind=kind))
    assert "inputs.image" in game.run("explain", "logo").stdout
    assert sorted(game.build()["built"]) == ["icon", "logo"]
    red, green, *_ = (int(value) for value in pixels(game.outputs()["icon.png"])[0, 0])
    assert (red < 40, green > 160) == (True, True)
    assert "identical" in game.run("reproduce", "logo").stdout


def test_a_picture_that_is_not_there_blocks_its_asset(game: Game) -> None:
    game.write(HERO + '[assets.logo]\nsource = "art/logo.png"\n')
    found = game.build(code=1)
    assert found["built"] == ["hero"]
    failure = found["failures"]["logo"]
    assert failure["message"] == "`source` names `art/logo.png`, which is not there"
    assert failure["hint"] == "add `art/logo.png`, or mend `source` of `logo`"


def test_a_file_that_is_no_picture_is_told(game: Game) -> None:
    game.write('[assets.logo]\nsource = "art/logo.png"\n')
    draw(game, "art/logo.png", b"no picture at all")
    message = game.build(code=1)["failures"]["logo"]["message"]
    assert message == "`logo` is not a PNG, WebP or JPEG picture"


def test_the_credits_of_hand_made_pictures(game: Game) -> None:
    text = '[assets.logo]\nsource = "art/logo.png"\n{}scales = [1, 2]\n[assets.icon]\nfrom = "logo"\n'
    draw(game, "art/logo.png", picture((5, 5, 5, 255)))
    game.write(text.format('author = "Ada Lovelace"\nlicence = "CC-BY-4.0"\n'))
    game.build()
    assert json.loads(game.run("credits", "--json").stdout) == [
        {
            "title": "art/logo.png",
            "author": "Ada Lovelace",
            "licence": "CC-BY-4.0",
            "source": "Made by hand",
            "assets": ["icon", "logo", "logo@1x"],
        }
    ]
    assert game.run("credits").stdout == (
        "# Credits\n\n## Made by hand\n\n"
        "Under [CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/).\n\n"
        "- art/logo.png by Ada Lovelace\n"
    )
    # No part of the recipe, and true all the same.
    game.write(text.format('author = "Grace Hopper"\n'))
    assert list(game.build()) == ["fresh"]
    assert game.run("credits").stdout == "# Credits\n\n## Made by hand\n\n- art/logo.png by Grace Hopper\n"
    game.write(text.format(""))
    assert list(game.build()) == ["fresh"]
    assert game.run("credits").stdout == "The lock owes nobody a credit.\n"


def test_a_profile_has_a_picture_of_its_own(game: Game) -> None:
    game.write(HERO + "[assets.hero.profile.final]\nsize = [64, 32]\n")
    game.build()
    draft = game.outputs()
    assert pixels(draft["hero.png"]).shape == (16, 32, 4)
    game.build("--profile", "final")
    assert pixels(game.outputs()["hero.png"]).shape == (32, 64, 4)
    game.made()
    assert game.build() == {"restored": ["hero"]}
    assert game.outputs() == draft


def test_stand_ins_have_the_size_of_their_scale(game: Game) -> None:
    game.write(
        HERO.replace('role = "sprite"', 'engine = "gpt-image"').replace("32, 16", "1024, 1024")
        + "scales = [1, 2]\n"
    )
    game.run("build", "--placeholders", code=1)
    sizes = {name: Image.open(io.BytesIO(data)).size for name, data in game.outputs().items()}
    assert sizes == {"hero@2x.png": (1024, 1024), "hero.png": (512, 512)}


def test_a_stand_in_has_not_the_size_of_what_its_engine_looks_at(game: Game) -> None:
    (game.folder / "tools" / "blend.py").write_text("")
    (game.folder / "tools" / "blend.toml").write_text(
        'name = "blend"\nversion = "1.0.0"\nsummary = "Blends"\ndeterminism = "bitwise"\n'
        'size = "none"\nprompt = "none"\nseed = "none"\n'
        'keys = ["BLEND_KEY"]\n[parameters.image]\ntype = "file"\ndoc = "What it looks at."\n'
    )
    game.write(
        """
        [engines.blend]
        adapter = "tools/blend.py"

        [assets.pose]
        role = "sprite"
        prompt = "pose"
        seed = 1
        size = [16, 32]

        [assets.hero]
        engine = "blend"
        parameters = { image = { asset = "pose" } }
        """
    )
    game.build("--placeholders", code=1)
    with Image.open(game.folder / "out" / "hero.png") as image:
        assert image.size == (256, 256)
