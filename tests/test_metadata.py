"""What pictures tell of themselves, and that they tell nothing unless they are asked to."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from game import Game
from import_kit import A1111, picture, png
from PIL import Image

from buildsys.manifest.model import FinishStep
from buildsys.plan import provenance, recipe
from buildsys.plan.record import Parts
from engines.finish import marks

GEM = '[assets.gem]\nrole = "sprite"\nprompt = "a red gem"\nseed = 9\nsize = [16, 16]\n'
SMALL = '[assets.small]\nfrom = "gem"\nfinish = [{ resize = [8, 8] }]\n'
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CREATED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    card = made.folder / "tools" / "noise.toml"
    card.write_text('source_type = "trainedAlgorithmicMedia"\n' + card.read_text())
    return made


def write(game: Game, assets: str, policy: str) -> None:
    game.write(assets)
    path = game.folder / "assets.toml"
    path.write_text(path.read_text().replace('name = "test"\n', f'name = "test"\nmetadata = "{policy}"\n', 1))


def info(game: Game, name: str) -> dict[str, Any]:
    with Image.open(game.folder / "out" / name) as image:
        image.load()
        return {str(key): value for key, value in image.info.items()}


def locked(game: Game, key: str) -> list[str]:
    return [line for line in game.lock().decode().splitlines() if line.startswith(f"{key} = ")]


def test_pictures_tell_their_recipe_where_the_project_keeps_it(game: Game) -> None:
    game.write(GEM)
    game.build()
    stripped, pixels = game.outputs(), locked(game, "pixels")
    assert info(game, "gem.png") == {}
    assert game.made() == ["gem"]

    write(game, GEM, "keep")
    assert "metadata: — → trainedAlgorithmicMedia" in game.run("explain", "gem").stdout
    assert game.build() == {"built": ["gem"]}
    assert game.made() == []  # finished anew from the store; no engine drew
    told = info(game, "gem.png")
    assert told["parameters"] == "a red gem\nSeed: 9, Size: 16x16, seconds: 0, Version: artlock"
    assert f'Iptc4xmpExt:DigitalSourceType="{TRAINED}"' in told["XML:com.adobe.xmp"]
    assert locked(game, "pixels") == pixels
    assert locked(game, "metadata") == ['metadata = "trainedAlgorithmicMedia"']
    assert game.build() == {"fresh": ["gem"]}
    assert game.run("reproduce", "gem").stdout.startswith("identical-bytes")

    write(game, GEM, "strip")
    assert game.build() == {"restored": ["gem"]}
    assert game.outputs() == stripped


def test_a_webp_tells_the_same(game: Game) -> None:
    write(game, GEM + 'format = "webp"\n', "keep")
    game.build()
    told = marks.read(game.folder / "out" / "gem.webp")
    assert told.text == "a red gem\nSeed: 9, Size: 16x16, seconds: 0, Version: artlock"
    assert told.source == "trainedAlgorithmicMedia"
    with Image.open(game.folder / "out" / "gem.webp") as image:
        assert TRAINED.encode() in image.info["xmp"]
    first = game.outputs()
    game.build("--rebuild")
    assert game.outputs() == first


def test_what_is_made_from_a_picture_tells_what_that_one_tells(game: Game) -> None:
    write(game, GEM + SMALL, "keep")
    game.build()
    assert marks.read(game.folder / "out" / "small.png") == marks.read(game.folder / "out" / "gem.png")
    assert game.run("reproduce", "small").stdout.startswith("identical-bytes")


def test_a_source_is_by_hand_where_it_has_an_author_unless_it_says_otherwise(game: Game) -> None:
    picture().save(game.folder / "drawn.png")
    png(game.folder / "found.png", {"parameters": A1111})
    assets = "".join(
        f'[assets.{name}]\nsource = "{file}.png"\n{author}'
        for name, file, author in (
            ("drawn", "drawn", 'author = "Ada"\n'),
            ("unknown", "drawn", ""),
            ("found", "found", 'author = "Ada"\n'),
        )
    )
    write(game, assets, "keep")
    game.build()
    assert marks.read(game.folder / "out" / "unknown.png") == marks.Marks()
    assert marks.read(game.folder / "out" / "drawn.png") == marks.Marks("", "digitalCreation")
    assert marks.read(game.folder / "out" / "found.png") == marks.Marks(A1111, "trainedAlgorithmicMedia")


@pytest.mark.parametrize("says", [False, True])
def test_an_adopted_picture_of_a_model_is_never_its_authors(game: Game, says: bool) -> None:
    write(game, GEM, "keep")
    game.build()
    extra = {"XML:com.adobe.xmp": info(game, "gem.png")["XML:com.adobe.xmp"]} if says else {}
    png(game.folder / "out" / "gem.png", extra)
    game.run("adopt", "gem")
    path = game.folder / "assets.toml"
    path.write_text(path.read_text().replace("[assets.gem]\n", '[assets.gem]\nauthor = "Rita"\n') + SMALL)
    game.build()
    for name in ("gem", "small"):
        assert marks.read(game.folder / "out" / f"{name}.png").source == COMPOSITE
        (line,) = game.run("audit", name, "--format", "jsonl").stdout.splitlines()
        assert json.loads(line)["source_type"] == COMPOSITE


def test_graphs_of_comfyui_are_known_wherever_it_keeps_them(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0110] = 'Prompt:{"3": {}}'
    picture().save(tmp_path / "found.webp", exif=tags)
    assert marks.read(tmp_path / "found.webp") == marks.Marks("", "trainedAlgorithmicMedia")
    png(tmp_path / "drawing.png", {"workflow": '{"nodes": []}'})
    assert marks.read(tmp_path / "drawing.png") == marks.Marks("", "trainedAlgorithmicMedia")
    tags[0x0110] = "prompt: 6 Mark II"  # a camera's name
    picture().save(tmp_path / "photo.webp", exif=tags)
    assert marks.read(tmp_path / "photo.webp") == marks.Marks()


def test_an_engine_that_does_not_say_what_it_is_claims_nothing(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace('source_type = "trainedAlgorithmicMedia"\n', ""))
    write(game, GEM, "keep")
    game.build()
    told = info(game, "gem.png")
    assert "parameters" in told
    assert "XML:com.adobe.xmp" not in told


def test_a_program_that_saves_the_file_again_edits_it(game: Game) -> None:
    write(game, GEM, "keep")
    game.build()
    with Image.open(game.folder / "out" / "gem.png") as image:
        image.load()
        image.save(game.folder / "out" / "gem.png")
    assert game.build() == {"edited": ["gem"]}


def test_a_word_that_is_no_source_type_is_told(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace("trainedAlgorithmicMedia", "trainedAlgorithmMedia"))
    game.write(GEM)
    assert game.run("plan", code=2).stderr == (
        "error: tools/noise.toml:1:15: unknown source type `trainedAlgorithmMedia`\n\n"
        "hint: did you mean `trainedAlgorithmicMedia`?\n"
    )


def parts(**changes: Any) -> Parts:
    known: dict[str, Any] = {
        "adapter": "diffusion",
        "adapter_version": "1.0.0",
        "model": "stabilityai/stable-diffusion-3.5-medium",
        "revision": "b940f670f0eda2d07fbb75229e779da1ad11eb80",
        "prompt": "moon knight,\n3/4 view",
        "negative": "blurry",
        "seed": 12345,
        "size": (512, 768),
        "parameters": {"steps": 28, "guidance": 4.5, "scheduler": "DDIM", "lora": "/home/ada/x", "on": True},
        "finish": (FinishStep(name="trim", version=1, parameters={}),),
        "metadata": "trainedAlgorithmicMedia",
    }
    return Parts(**{**known, **changes})


def test_the_text_is_the_one_that_viewers_read() -> None:
    assert provenance.infotext(parts()) == (
        "moon knight,\n3/4 view\nNegative prompt: blurry\n"
        "Steps: 28, Sampler: DDIM, CFG scale: 4.5, Seed: 12345, Size: 512x768, "
        'Model: "stabilityai/stable-diffusion-3.5-medium", Model hash: b940f670f0ed, on: true, '
        "Adapter: diffusion 1.0.0, Version: artlock"
    )


def test_no_path_and_no_long_text_gets_into_a_picture() -> None:
    odd = {"lora": "/home/ada/x", "cmd": "a\\b", "note": "x" * 65, "table": {"a": 1}, "list": [1]}
    text = provenance.infotext(parts(parameters=odd, adapter="tools/mine.py", model="folder"))
    assert "/" not in text.replace("3/4", "")
    assert not any(key in text for key in odd)


def test_a_recipe_that_tells_nothing_has_the_digest_that_it_had() -> None:
    plain = parts(metadata="")
    assert "metadata" not in recipe.tree(plain)
    assert recipe.generate_key(plain) == recipe.generate_key(parts())
    raw = recipe.digest_of(plain)
    assert recipe.finish_key(plain, raw) != recipe.finish_key(parts(), raw)
    assert recipe.finish_key(parts(), raw) != recipe.finish_key(parts(prompt="other"), raw)
    assert recipe.finish_key(plain, raw) == recipe.finish_key(parts(metadata="", prompt="other"), raw)


DRAWN = '[assets.drawn]\nsource = "drawn.png"\nauthor = "Ada"\n'
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"


def with_pictures(game: Game, source_type: str, name: str) -> None:
    """A second adapter, which takes pictures."""
    tools = game.folder / "tools"
    card = (tools / "noise.toml").read_text().replace("trainedAlgorithmicMedia", source_type)
    (tools / f"{name}.toml").write_text(
        card.replace('name = "noise"', f'name = "{name}"')
        + '\n[parameters.image]\ntype = "file"\ndoc = "What to start from."\n'
    )
    (tools / f"{name}.py").write_text((tools / "noise.py").read_text())


def over(name: str, engine: str, image: str) -> str:
    made = f'[assets.{name}]\nengine = "{engine}"\nprompt = "x"\nseed = 1\nsize = [16, 16]\n'
    return f"{made}parameters.image = {image}\n"


def test_a_model_over_another_picture_and_a_program_over_a_models_make_a_composite(game: Game) -> None:
    with_pictures(game, "trainedAlgorithmicMedia", "painter")
    with_pictures(game, "digitalCreation", "framer")
    picture().save(game.folder / "drawn.png")
    engines = "".join(
        f'[engines.{name}]\nadapter = "tools/{name}.py"\nsandbox = false\n' for name in ("painter", "framer")
    )
    assets = (
        over("of-drawing", "painter", '"drawn.png"')
        + over("of-hand", "painter", '{ asset = "drawn" }')
        + over("of-model", "painter", '{ asset = "gem" }')
        + over("frame", "framer", '{ asset = "gem" }')
        + over("far", "framer", '{ asset = "cut" }')
        + over("plain", "framer", '{ asset = "drawn" }')
        + '[assets.cut]\nfrom = "frame"\nfinish = [{ resize = [8, 8] }]\n'
    )
    write(game, engines + GEM + DRAWN + assets, "keep")
    game.build()
    told = {name: marks.read(game.folder / "out" / f"{name}.png").source for name in
            ("gem", "of-drawing", "of-hand", "of-model", "frame", "cut", "far", "plain")}  # fmt: skip
    assert told == {
        "gem": "trainedAlgorithmicMedia",
        "of-drawing": COMPOSITE,
        "of-hand": COMPOSITE,
        "of-model": "trainedAlgorithmicMedia",
        "frame": COMPOSITE,
        "cut": COMPOSITE,
        "far": COMPOSITE,
        "plain": "digitalCreation",
    }
    audit = [json.loads(line) for line in game.run("audit", "--format", "jsonl").stdout.splitlines()]
    assert {line["asset"]: line["source_type"] for line in audit if line["asset"] in told} == told


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_exiftool_reads_the_word(game: Game, suffix: str) -> None:
    write(game, f'{GEM}format = "{suffix}"\n', "keep")
    game.build()
    told = subprocess.run(
        ["exiftool", "-json", "-G1", "-n", "-all", str(game.folder / "out" / f"gem.{suffix}")],
        check=True,
        capture_output=True,
        text=True,
    )
    (found,) = json.loads(told.stdout)
    assert found["XMP-iptcExt:DigitalSourceType"] == TRAINED
    assert found["XMP-xmp:CreatorTool"] == "artlock"
    assert "ExifTool:Warning" not in found
    key = "PNG:Parameters" if suffix == "png" else "ExifIFD:UserComment"
    assert found[key] == "a red gem\nSeed: 9, Size: 16x16, seconds: 0, Version: artlock"
