"""`artlock import`, from a picture to a build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from game import Game
from import_kit import A1111, COMFY, commented, picture, png
from PIL import Image

ASSETS = """\
# nothing here yet
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    return made


def manifest(game: Game) -> str:
    return (game.folder / "assets.toml").read_text()


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGBA").tobytes()


KNIGHT = '''
[assets."heroes/knight"]
source = "art/heroes/knight.png"
# A1111 made it, as the picture says:
# prompt = """
# moon knight, 3/4 view, {{silver}} armour, (cape:1.2)
# a second line"""
# negative = "blurry, extra fingers"
# seed = 3478
# size = [512, 768]
# steps = 28
# guidance = 7.0
# Lora hashes: "cape: 1a2b, moon: 3c4d"
# Model: "dreamshaper_8"
# Model hash: "879db523c3"
# Sampler: "DPM++ 2M"
# Schedule type: "Karras"
# Version: "v1.10.1"
'''


def test_a_picture_becomes_a_source_and_keeps_its_pixels(game: Game, tmp_path: Path) -> None:
    before = manifest(game)
    original = png(tmp_path / "00012.png", {"parameters": A1111})
    done = game.run("import", str(original), "--name", "heroes/knight")
    assert done.stdout.strip() == KNIGHT.strip()
    assert done.stderr == "next: `artlock build`\n"
    assert manifest(game) == before + KNIGHT
    assert (game.folder / "art/heroes/knight.png").read_bytes() == original.read_bytes()
    assert game.build() == {"built": ["heroes/knight"]}
    assert pixels(game.folder / "out/heroes/knight.png") == pixels(original)
    assert game.made() == []
    assert game.build() == {"fresh": ["heroes/knight"]}
    game.run("check")


def test_a_dry_run_writes_nothing(game: Game, tmp_path: Path) -> None:
    before = manifest(game)
    original = png(tmp_path / "a.png", {"parameters": A1111})
    done = game.run("import", str(original), "--name", "heroes/knight", "-n")
    assert done.stdout.strip() == KNIGHT.strip()
    assert manifest(game) == before
    assert not (game.folder / "art").exists()


def test_pictures_that_say_nothing_are_sources_too(game: Game, tmp_path: Path) -> None:
    picture().save(tmp_path / "Old Logo (2).jpg")
    picture().save(tmp_path / "tile.webp", lossless=True)
    game.run("import", str(tmp_path / "Old Logo (2).jpg"), str(tmp_path / "tile.webp"), "--to", "pictures")
    assert manifest(game).endswith(
        '\n[assets.Old-Logo-2]\nsource = "pictures/Old-Logo-2.jpg"\n'
        '\n[assets.tile]\nsource = "pictures/tile.webp"\nformat = "webp"\n'
    )
    assert game.build() == {"built": ["Old-Logo-2", "tile"]}
    assert pixels(game.folder / "out/tile.webp") == pixels(tmp_path / "tile.webp")


def test_a_graph_that_is_not_understood_is_said_and_the_picture_is_a_source(
    game: Game, tmp_path: Path
) -> None:
    original = png(tmp_path / "a.png", {"workflow": '{"nodes": [], "links": []}'})
    game.run("import", str(original))
    assert manifest(game).endswith(
        '\n[assets.a]\nsource = "art/a.png"\n'
        "# ComfyUI made it, but its workflow has no sampler that artlock can read\n"
    )
    done = game.run("import", str(original), "--name", "b", "--role", "sprite", "--regenerate", code=2)
    assert done.stderr == (
        f"error: `{original}` was made with ComfyUI, "
        "but its workflow has no sampler that artlock can read\n\n"
        "hint: leave `--regenerate` out: it becomes a source\n"
    )


def test_a_picture_of_the_project_is_named_where_it_is(game: Game) -> None:
    png(game.folder / "drawings" / "cat.png", {})
    game.run("import", str(game.folder / "drawings" / "cat.png"))
    assert manifest(game).endswith('\n[assets.cat]\nsource = "drawings/cat.png"\n')
    assert not (game.folder / "art").exists()


def test_a_file_that_an_engine_reads_is_the_source_of_nothing(game: Game) -> None:
    game.write(
        """
        [engines.blend]
        adapter = "command"
        run = ["true", "{output}"]

        [assets.hero]
        engine = "blend"
        size = [16, 16]
        parameters = { image = "art/pose.png" }
        """
    )
    png(game.folder / "art" / "pose.png", {})
    game.run("import", str(game.folder / "art" / "pose.png"))
    assert manifest(game).endswith('\n[assets.pose]\nsource = "art/pose.png"\n')


REGENERATED = '''
[assets.knight]
role = "sprite"
prompt = """
moon knight, 3/4 view, {{silver}} armour, (cape:1.2)
a second line"""
seed = 3478
size = [512, 768]
# Lora hashes: "cape: 1a2b, moon: 3c4d"
'''


def test_an_engine_makes_it_anew_where_that_is_asked_for(game: Game, tmp_path: Path) -> None:
    original = png(tmp_path / "knight.png", {"parameters": A1111})
    game.run("import", str(original), "--role", "sprite", "--regenerate")
    assert REGENERATED in manifest(game)
    # What the engine of the role does not take is kept as a comment.
    assert '# guidance: "7.0"\n# negative: "blurry, extra fingers"\n# steps: "28"\n' in manifest(game)
    assert game.build() == {"built": ["knight"]}
    assert game.made() == ["knight"]


def test_a_source_is_turned_into_its_recipe(game: Game, tmp_path: Path) -> None:
    original = png(tmp_path / "knight.png", {"parameters": A1111})
    game.run("import", str(original))
    game.build()
    source = game.folder / "art" / "knight.png"
    done = game.run("import", str(source), code=2)
    assert done.stderr == (
        "error: `art/knight.png` is the source of `knight` already\n\n"
        "hint: add `--regenerate` to have an engine make it\n"
    )
    game.run("import", str(source), "--role", "sprite", "--regenerate")
    assert "source =" not in manifest(game)
    assert "# A1111 made it" in manifest(game)
    assert source.exists()
    assert game.build() == {"built": ["knight"]}
    assert game.made() == ["knight"]


def test_a_graph_runs_on_a_server_of_ones_own(game: Game, tmp_path: Path) -> None:
    game.write('[engines.studio]\nadapter = "comfyui"\n')
    text = manifest(game).replace("[roles]\n", '[roles]\nportrait = { draft = "noise", final = "studio" }\n')
    (game.folder / "assets.toml").write_text(text)
    original = png(tmp_path / "bottle.png", {"prompt": json.dumps(COMFY), "workflow": '{"nodes": []}'})
    game.run("import", str(original), "--role", "portrait", "--regenerate")
    assert manifest(game).endswith(
        '\n[assets.bottle]\nrole = "portrait"\nprompt = "a glass bottle"\n'
        'negative = { studio = "text, watermark" }\nseed = 156680208700286\nsize = [512, 640]\n'
        'parameters = { studio = { slots = { negative = "7.text", prompt = "6.text", seed = "3.seed", '
        'size = "5" }, workflow = "art/bottle.workflow.json" } }\n'
        '# denoise: "1.0"\n# guidance: "8.0"\n# model: "sd15.safetensors"\n# sampler: "euler"\n'
        '# scheduler: "normal"\n# steps: "20"\n'
    )
    saved = (game.folder / "art" / "bottle.workflow.json").read_text()
    assert json.loads(saved) == COMFY
    game.run("plan", "--profile", "final")


def test_what_artlock_wrote_comes_back(game: Game, tmp_path: Path) -> None:
    text = (game.folder / "assets.toml").read_text()
    text = text.replace('name = "test"\n', 'name = "test"\nmetadata = "keep"\n')
    asset = '\n[assets.gem]\nrole = "sprite"\nprompt = "a {{red}} gem"\nseed = 9\nsize = [16, 16]\n'
    (game.folder / "assets.toml").write_text(text + asset)
    game.build()
    done = game.run(
        "import",
        str(game.folder / "out/gem.png"),
        "--name",
        "again",
        "--role",
        "sprite",
        "--regenerate",
        "--json",
    )
    (found,) = json.loads(done.stdout)
    assert found["tool"] == "artlock"
    assert found["table"] == {"role": "sprite", "prompt": "a {{red}} gem", "seed": 9, "size": [16, 16]}
    # The same recipe: the picture is brought from the store, and no engine draws.
    game.made()
    game.build()
    assert game.made() == []
    assert (game.folder / "out/again.png").read_bytes() == (game.folder / "out/gem.png").read_bytes()


def refused(game: Game, *words: str) -> str:
    before = manifest(game)
    done = game.run("import", *words, code=2)
    assert manifest(game) == before
    assert not (game.folder / "art").exists()
    return done.stderr


def test_what_can_not_be_imported_is_told_and_nothing_is_written(game: Game, tmp_path: Path) -> None:
    one = str(png(tmp_path / "one.png", {}))
    other = str(png(tmp_path / "deep" / "one.png", {}))
    (tmp_path / "text.png").write_text("no picture")
    assert refused(game, str(tmp_path / "text.png")).startswith(f"error: `{tmp_path}/text.png` is not a PNG")
    assert refused(game, one, other) == (
        f"error: `{one}` and `{other}` would both be `one`\n\nhint: import one with `--name`\n"
    )
    assert refused(game, one, other, "--name", "x") == (
        "error: `--name` names one picture, and there are several\n\nhint: import them one by one\n"
    )
    assert refused(game, one, "--name", "../x").startswith("error: `../x` can't name an asset")
    assert refused(game, one, "--regenerate") == (
        "error: `--regenerate` needs a role, which tells the engine\n\nhint: add `--role ROLE`\n"
    )
    assert refused(game, one, "--role", "sprite", "--regenerate") == (
        f"error: `{one}` does not say how it was made\n\n"
        "hint: leave `--regenerate` out: it becomes a source\n"
    )
    assert "can't read" in game.run("import", str(tmp_path / "none.png"), code=1).stderr


def test_a_role_that_is_not_there_is_told(game: Game, tmp_path: Path) -> None:
    one = str(png(tmp_path / "one.png", {"parameters": A1111}))
    assert refused(game, one, "--role", "sprit", "--regenerate") == (
        "error: unknown role `sprit`\n\nhint: did you mean `sprite`?\n"
    )


def test_another_file_in_the_way_is_not_overwritten(game: Game, tmp_path: Path) -> None:
    (game.folder / "art").mkdir()
    (game.folder / "art" / "one.png").write_bytes(b"a person's")
    before = manifest(game)
    done = game.run("import", str(png(tmp_path / "one.png", {})), code=1)
    assert done.stderr == (
        "error: another file lies at `art/one.png`\n\nhint: give the picture another name with `--name`\n"
    )
    assert manifest(game) == before
    assert (game.folder / "art" / "one.png").read_bytes() == b"a person's"


def test_a_jpeg_of_a1111_tells_its_recipe(game: Game, tmp_path: Path) -> None:
    game.run("import", str(commented(tmp_path / "a.jpg", A1111)))
    assert "# seed = 3478\n" in manifest(game)
    assert game.build() == {"built": ["a"]}
