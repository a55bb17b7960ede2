"""`artlock compare`: one wish on several engines, through the store, with nothing of the project changed."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from game import Game
from PIL import Image

from buildsys.comparison.model import Comparison, Entry, Subject
from buildsys.comparison.page import page
from buildsys.comparison.subject import adapted, of_asset
from buildsys.digest import of_bytes
from buildsys.errors import ArtlockError
from buildsys.journal.rows import read
from buildsys.manifest.model import AssetName, Card, Manifest, Need
from buildsys.manifest.read import parse
from buildsys.manifest.shapes import nearest
from buildsys.plan.record import Picture
from engines.protocol import Determinism

ASSETS = """
    [engines.other]
    adapter = "tools/noise.py"
    sandbox = false
    seconds = 0.01  # another recipe of the same pixels

    [engines.twin]
    adapter = "tools/noise.py"
    sandbox = false

    [engines.broken]
    adapter = "tools/noise.py"
    sandbox = false
    fail = "out of <paint>"

    [assets."ui/hero"]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]
    finish = [{ resize = [20, 12] }]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    return made


def compared(game: Game, *words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(game.run("compare", "--json", *words, code=code).stdout)
    return found


def test_each_engine_draws_the_same_wish_once(game: Game) -> None:
    words = ["ui/hero", "--engines", "noise,other", "--seeds", "1,2"]
    found = compared(game, *words)
    assert len(game.made()) == 4
    assert [(item["engine"], item["seed"]) for item in found["pictures"]] == [
        ("noise", 1),
        ("noise", 2),
        ("other", 1),
        ("other", 2),
    ]
    folder = game.folder / ".artlock/compare/ui/hero"
    for item in found["pictures"]:
        assert Path(item["file"]).parent == folder
        with Image.open(item["file"]) as picture:
            assert picture.size == (20, 12)
        assert item["make_seconds"] > 0
        assert item["file_bytes"] == Path(item["file"]).stat().st_size
        assert (item["from_store"], item["cost"], item["alpha"]) == (False, 0.0, False)
    first, _, same, _ = found["pictures"]
    assert (first["is_reference"], first["distance"]) == (True, None)
    assert same["distance"]["likeness"] == "identical-bytes"
    again = compared(game, *words)
    assert game.made() == []
    assert all(item["from_store"] for item in again["pictures"])
    # The journal still knows how long it took.
    assert [item["make_seconds"] for item in again["pictures"]] == [
        item["make_seconds"] for item in found["pictures"]
    ]
    sheet = Path(again["sheet"])
    assert sheet == folder / "sheet.png"
    with Image.open(sheet) as picture:
        assert picture.width == 2 * 24 + 2 * 288 + 20  # two columns, one for each seed


def test_nothing_of_the_project_changes(game: Game) -> None:
    game.build()
    before = game.lock(), game.outputs(), (game.folder / "assets.toml").read_bytes()
    found = compared(game, "ui/hero", "--engines", "noise,other", "--seeds", "3,9")
    assert (game.lock(), game.outputs(), (game.folder / "assets.toml").read_bytes()) == before
    assert found["reference"] == "out/ui/hero.png"
    likeness = {(item["engine"], item["seed"]): item["distance"]["likeness"] for item in found["pictures"]}
    assert likeness["noise", 3] == likeness["other", 3] == "identical-bytes"
    assert likeness["noise", 9] == "different"
    # What the build made came from the store; what the comparison made, a build would not make again.
    assert found["pictures"][0]["from_store"]
    assert game.build() == {"fresh": ["ui/hero"]}


def test_an_engine_that_fails_or_is_not_ready_is_a_row(game: Game) -> None:
    found = compared(game, "ui/hero", "--engines", "broken,noise,sd35-medium", code=1)
    broken, noise, missing = found["pictures"]
    assert "out of <paint>" in broken["message"]
    assert (broken["file"], broken["picture"]) == (None, None)
    # The reference failed: the others are there, and held against nothing.
    assert noise["file"]
    assert noise["distance"] is None
    assert missing["message"].startswith("engine `sd35-medium` ")
    assert missing["hint"]
    done = game.run("compare", "ui/hero", "--engines", "broken,noise", code=1)
    assert re.search(r"^broken +3 +not made$", done.stdout, re.MULTILINE)
    assert "1 picture could not be made" in done.stderr
    assert "broken: hint: mend it" in done.stderr


def test_what_engines_have_no_use_for_is_noted_and_drawn_once(game: Game) -> None:
    found = compared(
        game, "--prompt", "x", "--text", "Play", "--negative", "blur", "--size", "64x32", "-p", "seconds=0",
        "--engines", "noise,vector", "--seeds", "1,2",
    )  # fmt: skip
    noise, _, one, two = found["pictures"]
    assert noise["notes"] == ["takes no negative prompt", "takes no text"]
    assert one["notes"] == [
        "takes no prompt",
        "takes no negative prompt",
        "takes no seed",
        "has no parameter `seconds`",
    ]
    assert (one["seed"], one["alpha"]) == (None, True)
    assert one["picture"]["file"] == two["picture"]["file"]
    assert (one["from_store"], two["from_store"]) == (False, True)


def test_a_file_as_reference_of_another_size(game: Game, tmp_path: Path) -> None:
    file = tmp_path / "old.png"
    Image.new("RGB", (50, 50), "red").save(file)
    found = compared(game, "ui/hero", "--engines", "noise", "--reference", str(file))
    (item,) = found["pictures"]
    assert item["distance"]["resized"]
    assert item["distance"]["compared_at"] == [20, 12]
    file.write_text("no picture")
    error = compared(game, "ui/hero", "--engines", "noise", "--reference", str(file), code=2)
    assert error == {
        "error": f"the reference `{file}` is no use: `the picture` is not a PNG, WebP or JPEG picture",
        "hint": "name another one with `--reference`",
    }
    found = compared(game, "ui/hero", "--engines", "noise,other", "--reference", "other")
    assert [item["is_reference"] for item in found["pictures"]] == [False, True]


def test_without_a_project_it_takes_a_folder_of_its_own(game: Game, tmp_path: Path) -> None:
    (game.folder / "assets.toml").unlink()
    words = ["--prompt", "sword", "--engines", "stock", "--size", "32x32", "-p", "style=flat", "--html"]
    found = compared(game, *words)
    assert (found["sheet"], found["page"]) == ("comparison/sheet.png", "comparison/index.html")
    assert sorted(path.name for path in (game.folder / "comparison").iterdir()) == [
        "index.html",
        "sheet.png",
        "stock-1.png",
    ]
    assert found["pictures"][0]["picture"]["width"] == 32
    error = compared(game, *words, code=2)
    assert error == {"error": "`comparison` is there already", "hint": "give another folder with `-o`"}


def test_generate_tells_what_the_engine_took(game: Game) -> None:
    words = ["generate", "--json", "--engine", "noise", "--seed", "1", "--size", "8x8", "-o"]
    first, again = (json.loads(game.run(*words, name).stdout) for name in ("a.png", "b.png"))
    assert 0 < first["make_seconds"] <= first["seconds"]
    assert first["cost"] == 0.0
    assert again["make_seconds"] is None  # the store had it


def test_the_journal_has_it(game: Game) -> None:
    compared(game, "ui/hero", "--engines", "noise")
    game.run("generate", "--engine", "noise", "--seed", "1", "--size", "8x8", "-o", "a.png")
    rows = read(game.folder / ".artlock" / "journal.db")
    assert rows is not None
    assert [(run.command, run.ending, run.built) for run in rows.runs] == [
        ("compare", "done", 1),
        ("generate", "done", 1),
    ]
    assert {row.asset for row in rows.actions} == {"artlock-compare/ui/hero/noise/3", "artlock-trial"}


@pytest.mark.parametrize(
    ("words", "fact", "hint"),
    [
        ("--engines noise", "there is nothing to compare", "name an asset, or give `--prompt TEXT`"),
        ("ui/hero --engines nois", "there is no engine `nois`", "did you mean `noise`?"),
        (
            "ui/hero --engines measure",
            "there is no engine `measure`",
            "run `artlock engines` for the list",
        ),
        ("ui/hero --engines ,", "`--engines` names none", "write it like `--engines stock,vector`"),
        (
            "ui/hero --engines noise --seeds 1,x",
            "`1,x` are not seeds",
            "write them like `--seeds 1,2,3`",
        ),
        (
            "ui/hero --engines noise --prompt x",
            "`ui/hero` and `--prompt` are both given",
            "leave one of the two away",
        ),
        (
            "ui/hero --engines noise --reference nose",
            "the reference `nose` is no file, and none of the engines",
            "did you mean `noise`?",
        ),
        (
            "--prompt x --engines noise -p second=1",
            "none of these engines has a parameter `second`",
            "did you mean `seconds`?",
        ),
        (
            f"ui/hero --engines noise --seeds {','.join(map(str, range(25)))}",
            "25 seeds are more than a sheet holds",
            "give at most 24",
        ),
    ],
)
def test_refuses(game: Game, words: str, fact: str, hint: str) -> None:
    assert compared(game, *words.split(), code=2) == {"error": fact, "hint": hint}
    assert game.made() == []


def test_engines_with_one_recipe_make_it_once(game: Game) -> None:
    noise, twin = compared(game, "ui/hero", "--engines", "noise,twin")["pictures"]
    assert len(game.made()) == 1
    assert (noise["from_store"], twin["from_store"]) == (False, True)
    assert twin["notes"] == ["has the recipe of `noise`: made once for both"]


def manifest(text: str) -> Manifest:
    return parse({"assets.toml": f'[project]\nname = "t"\n{text}'}, root=Path("/nowhere"))


def test_only_what_was_chosen_for_the_asset_goes_to_another_engine() -> None:
    found = manifest(
        '[engines.flat]\nadapter = "stock"\nstyle = "flat"\n'
        '[engines.pixel]\nadapter = "stock"\nstyle = "pixel"\n'
        '[assets.a]\nengine = "flat"\nprompt = "axe"\nseed = 1\nsize = [32, 32]\n'
        'parameters.outline = "thick"\n'
        '[assets.b]\nfrom = "a"\n'
    )
    subject = of_asset(found, AssetName("a"))
    assert subject.parameters == {"outline": "thick"}
    asset, notes = adapted(subject, found.engines["pixel"], 5, AssetName("c"))
    assert (asset.parameters["style"], asset.parameters["outline"], asset.seed) == ("pixel", "thick", 5)
    assert notes == ()
    with pytest.raises(ArtlockError) as caught:
        of_asset(found, AssetName("b"))
    assert str(caught.value) == "no engine draws `b`: it is made from `a`\n\nhint: compare `a`"


def test_a_value_that_another_engine_does_not_take_is_noted() -> None:
    found = manifest("")
    subject = Subject(prompt="axe", size=(2000, 1000), parameters={"style": "oils"})
    asset, notes = adapted(subject, found.engines["stock"], 1, AssetName("c"))
    assert asset.parameters["style"] == "painted"
    assert asset.size == (1024, 512)
    assert notes == ("makes no 2000 x 1000: asked for 1024 x 512", 'its `style` can\'t be `"oils"`')


@pytest.mark.parametrize(
    ("engine", "subject", "message"),
    [
        ("stock", Subject(size=(32, 32)), "engine `stock` needs a prompt\n\nhint: add `--prompt TEXT`"),
        ("stock", Subject(name="a", prompt="x"), "engine `stock` needs a size\n\nhint: give `a` a `size`"),
    ],
)
def test_what_an_engine_needs(engine: str, subject: Subject, message: str) -> None:
    with pytest.raises(ArtlockError) as caught:
        adapted(subject, manifest("").engines[engine], 1, AssetName("c"))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("size", "fits"),
    [
        ((100, 72), (96, 80)),
        ((32, 16), (128, 64)),
        ((4096, 1024), (2048, 512)),
        ((64, 64), (64, 64)),
        ((4000, 10), (2048, 64)),
    ],
)
def test_the_nearest_size_keeps_the_shape(size: tuple[int, int], fits: tuple[int, int]) -> None:
    card = Card(
        name="c",
        version="1.0.0",
        summary="",
        determinism=Determinism.NONE,
        seed=Need.NONE,
        minimum=64,
        maximum=2048,
        multiple=16,
    )
    assert nearest(card, "", size) == fits


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for key, value in attrs if key in ("src", "href")]


def test_the_page_escapes_and_needs_nothing_else() -> None:
    evil = '<script>alert("x")</script>'
    digest = of_bytes(b"a")
    picture = Picture(file=digest, pixels=digest, phash="0" * 16, width=8, height=8)
    made = Entry(engine="good", seed=1, file="a.png", picture=picture, notes=(evil,), opaque=1.0)
    comparison = Comparison(
        subject=Subject(name=evil, prompt=evil, negative=evil, text=evil),
        reference=evil,
        entries=(made, Entry(engine=evil, seed=1, message=evil, hint=evil)),
        seeds=(1,),
        sheet=digest,
        reference_bytes=b"\x89PNG",
    )
    text = page(comparison, lambda _: b"\x89PNG")
    parser = _Tags()
    parser.feed(text)
    assert "script" not in parser.tags
    assert text.count("&lt;script&gt;") >= 8
    assert len(parser.sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in parser.sources)
    unknown = page(msgspec.structs.replace(comparison, reference_bytes=b""), lambda _: b"\x89PNG")
    assert unknown.count("<img") == 1
