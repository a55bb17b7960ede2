"""Pictures for hosted engines, from manifest to lock: what is refused, paid for and remembered."""

from __future__ import annotations

import base64
import hashlib
import json
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import gemini, gpt_image
from contracts.given import mask
from contracts.kit import Bench, bench_of
from contracts.pictures import picture
from contracts.providers import ALL
from contracts.server import Reply
from game import Game

from buildsys.comparison.model import Subject
from buildsys.comparison.subject import adapted
from buildsys.errors import ManifestError
from buildsys.manifest.model import AssetName, Manifest
from buildsys.manifest.read import parse
from buildsys.plan.price import actual, estimate
from engines.protocol import Request

PROJECT = '[project]\nname = "game"\n'
SQUARE = picture((64, 64))
DRAWN = picture((64, 64), "JPEG")
FRESH = {"fresh": ["knight"]}


def manifest(engine: str, parameters: str = "", more: str = "") -> Manifest:
    asset = f'[assets.a]\nengine = "{engine}"\nprompt = "a knight"\nseed = 1\n'
    return parse({"assets.toml": f"{PROJECT}{more}{asset}{parameters}"}, root=Path())


def said(engine: str, parameters: str, more: str = "") -> str:
    with pytest.raises(ManifestError) as caught:
        manifest(engine, parameters, more)
    return str(caught.value)


V2 = '[engines.second]\nadapter = "ideogram"\nmodel = "V_2"\n'


@pytest.mark.parametrize(
    ("engine", "parameters", "fact", "hint"),
    [
        (
            "gpt-image",
            'parameters = { mask = "m.png" }',
            "asset `a` gives engine `gpt-image` `mask` without `image`",
            "add `parameters.image = …`, or leave `mask` out",
        ),
        (
            "stability-sd35-medium",
            'parameters = { image = "i.png" }',
            "asset `a` gives engine `stability-sd35-medium` `image` without `strength`",
            "add `parameters.strength = …`, or leave `image` out",
        ),
        (
            "stability-sd35-medium",
            "parameters = { strength = 0.5 }",
            "asset `a` gives engine `stability-sd35-medium` `strength` without `image`",
            "add `parameters.image = …`, or leave `strength` out",
        ),
        (
            "second",
            'parameters = { reference = { pose = "p.png" } }',
            "the model `V_2` of engine `second` takes no `reference`",
            "leave `reference` out; engines that could: ",
        ),
        (
            "nano-banana-pro",
            "[assets.a.parameters.reference]\n" + "\n".join(f'r{n} = "{n}.png"' for n in range(15)),
            "`reference` has 15 files, more than 14",
            "leave some out",
        ),
    ],
    ids=["mask", "image", "strength", "model", "number"],
)
def test_the_plan_refuses_what_a_model_can_t_take(engine: str, parameters: str, fact: str, hint: str) -> None:
    told = said(engine, parameters, V2)
    assert told.startswith("assets.toml:")
    assert f": {fact}\n\nhint: {hint}" in told


def able(message: str) -> set[str]:
    return {name.strip("`") for name in message.rpartition("engines that could: ")[2].split(", ")}


def test_an_engine_without_edits_names_those_that_have_them() -> None:
    told = said("ideogram-v3-turbo", 'parameters = { image = "i.png" }')
    assert "adapter `ideogram` has no parameter `image`" in told
    # Stability's would have to be told a `strength`, too.
    assert able(told) == {"gpt-image", "nano-banana-pro"}
    told = said("ideogram-v1-turbo", 'parameters = { strength = 0.5, image = "i.png" }')
    assert "adapter `ideogram` has no parameter `strength`" in told
    told = said("stock", 'size = [64, 64]\nparameters = { image = "i.png", strength = 0.5 }')
    assert "stability-sd35-medium" in able(told)
    told = said("ideogram-v2a-turbo", 'parameters = { reference = { pose = "p.png" } }')
    assert able(told) == {"gpt-image", "ideogram-v3-turbo", "nano-banana-pro"}
    told = said("gpt-image", 'size = [512, 512]\nparameters = { image = "i.png", strength = 0.5 }')
    assert "put it under `parameters." in told


def test_a_comparison_leaves_out_what_a_model_does_not_take() -> None:
    engines = manifest("gpt-image").engines
    subject = Subject(prompt="a", files={"reference.pose": next(iter(pose()))})
    for name, taken in (("ideogram-v3-turbo", True), ("ideogram-v1-turbo", False)):
        found, notes = adapted(subject, engines[name], 1, AssetName("c"))
        assert list(found.inputs) == (["reference.pose"] if taken else [])
        assert notes == (() if taken else ("has no parameter `reference.pose`",))


def pose() -> Iterator[Any]:
    made = manifest("gpt-image", 'parameters = { reference = { pose = "p.png" } }')
    yield from made.assets[AssetName("a")].inputs.values()


@pytest.mark.parametrize("engine", ["gpt-image", "nano-banana-pro"])
def test_what_pictures_that_are_sent_add_to_a_price_is_unknown(engine: str) -> None:
    size = "size = [1024, 1024]\n"
    plain, edit = (
        manifest(engine, size + words) for words in ("", 'parameters = { reference = { a = "a.png" } }')
    )
    price = estimate(plain.engines[engine], plain.assets[AssetName("a")])
    assert price == (0.053 if engine == "gpt-image" else 0.134)
    assert estimate(edit.engines[engine], edit.assets[AssetName("a")]) is None
    # A file of a finish step is sent to nobody.
    finished = manifest(engine, size + 'finish = [{ lut = "l.cube" }]')
    assert estimate(finished.engines[engine], finished.assets[AssetName("a")]) == price
    sent = Request(id="1", asset="a", output="a.png", size=(1024, 1024), inputs={"image": "/x.png"})
    assert estimate(plain.engines[engine], sent) is None


def test_what_an_edit_did_cost_is_known_where_the_provider_counts() -> None:
    usage = {
        "input_tokens_details": {"text_tokens": 100_000, "image_tokens": 1_000_000},
        "output_tokens": 100_000,
    }
    engine = manifest("gpt-image").engines["gpt-image"]
    assert actual(engine, None, usage) == pytest.approx(0.5 + 8 + 3)


def test_a_start_at_stability_has_the_same_price() -> None:
    made = manifest("stability-sd35-medium", 'parameters = { image = "i.png", strength = 0.5 }')
    assert estimate(made.engines["stability-sd35-medium"], made.assets[AssetName("a")]) == 0.035


@pytest.fixture(params=ALL, ids=lambda provider: provider.adapter)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path, monkeypatch) as bench:
        yield bench


@pytest.fixture
def game(bench: Bench, tmp_path: Path) -> Game:
    """A game with a knight that the engine `studio` draws after one picture."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    name, dot, inner = bench.provider.pictures[0].partition(".")
    value = f'{{ {inner} = "art/first.png" }}' if dot else '"art/first.png"'
    parameters = {name: value, **bench.provider.takes.get("parameters", {})}
    seed = "seed = 12345" if "seed" in bench.provider.request else ""
    game.write(f"""
        [engines.studio]
        adapter = "{bench.provider.adapter}"
        model = "{bench.provider.takes.get("model", bench.provider.model)}"
        base_url = "{bench.server.url}"
        timeout = 20

        [assets.knight]
        engine = "studio"
        prompt = "a moon knight"
        {seed}
        parameters = {{ {", ".join(f"{key} = {item}" for key, item in parameters.items())} }}
        """)
    (game.folder / "art").mkdir()
    (game.folder / "art" / "first.png").write_bytes(SQUARE)
    return game


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_an_edit_is_paid_once_for_each_picture_that_goes_in(bench: Bench, game: Game) -> None:
    good = bench.provider.good(DRAWN, "image/jpeg")
    bench.server.will(*good)
    assert game.build() == {"built": ["knight"]}
    assert game.build() == FRESH
    (game.folder / "out" / "knight.png").unlink()
    assert game.build() == {"restored": ["knight"]}
    assert len(bench.server.paid) == 1

    first = game.folder / "art" / "first.png"
    first.rename(game.folder / "art" / "moved.png")
    text = (game.folder / "assets.toml").read_text()
    (game.folder / "assets.toml").write_text(text.replace("art/first.png", "art/moved.png"))
    assert game.build() == FRESH

    other = picture((80, 80), "WEBP")
    (game.folder / "art" / "moved.png").write_bytes(other)
    bench.server.will(*good)
    assert game.build() == {"built": ["knight"]}
    assert [bench.provider.carried(call) for call in bench.server.paid] == [
        [("image/png", SQUARE)],
        [("image/webp", other)],
    ]


def test_the_lock_knows_a_picture_by_its_digest(bench: Bench, game: Game) -> None:
    bench.server.will(*bench.provider.good(DRAWN, "image/jpeg"))
    game.build()
    lock = (game.folder / "assets.lock").read_text()
    assert digest(SQUARE) in lock
    (entry,) = tomllib.loads(lock)["assets"].values()
    assert set(entry.get("sent", {})) <= {"seed", "prompt", "model"}
    assert base64.b64encode(SQUARE).decode()[:60] not in lock
    assert len(lock) < 4000


def test_a_refused_edit_is_asked_for_once(bench: Bench, game: Game) -> None:
    bench.server.will(Reply(400, b'{"error": {"message": "No."}}', {"Content-Type": "application/json"}))
    assert game.build(code=1)["failed"] == ["knight"]
    assert len(bench.server.paid) == 1


def test_a_picture_that_can_t_be_sent_is_told_before_it_is_paid_for(bench: Bench, game: Game) -> None:
    (game.folder / "art" / "first.png").write_bytes(SQUARE[:-9])
    failure = game.build(code=1)["failures"]["knight"]
    assert (failure["kind"], failure["hint"]) == ("bad_request", "export it once more")
    assert bench.server.paid == []
    total = json.loads(game.run("report", "--json").stdout)["spends"]["total"]
    assert total["pictures"] == 0


@pytest.mark.parametrize("bench", [gpt_image.PROVIDER], indirect=True, ids=["gpt_image"])
def test_a_picture_of_the_game_is_changed_where_its_mask_is_clear(bench: Bench, tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(
        textwrap.dedent(f"""
        [engines.studio]
        adapter = "gpt_image"
        model = "gpt-image-2-2026-04-21"
        base_url = "{bench.server.url}"

        [assets.chest]
        role = "sprite"
        prompt = "a chest"
        seed = 1
        size = [64, 64]

        [assets.open-chest]
        engine = "studio"
        prompt = "the same chest, open"
        parameters = {{ image = {{ asset = "chest" }}, mask = "art/lid.png" }}
        """)
    )
    (game.folder / "art").mkdir()
    (game.folder / "art" / "lid.png").write_bytes(mask())
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    assert game.build() == {"built": ["chest", "open-chest"]}
    (call,) = bench.server.paid
    chest = (game.folder / "out" / "chest.png").read_bytes()
    assert [(item.field, item.data) for item in call.files] == [("image[]", chest), ("mask", mask())]


@pytest.mark.parametrize("bench", [gemini.PROVIDER], indirect=True, ids=["gemini"])
def test_the_order_in_a_manifest_changes_neither_recipe_nor_request(bench: Bench, game: Game) -> None:
    text = (game.folder / "assets.toml").read_text()
    for name in ("a", "b"):
        (game.folder / "art" / f"{name}.png").write_bytes(picture((64, 64 + ord(name))))
    orders = ('{ a = "art/a.png", b = "art/b.png" }', '{ b = "art/b.png", a = "art/a.png" }')
    bench.server.will(*bench.provider.good(DRAWN, "image/jpeg"))
    for order, outcome in zip(orders, ({"built": ["knight"]}, FRESH), strict=True):
        changed = text.replace('image = "art/first.png"', f"reference = {order}")
        (game.folder / "assets.toml").write_text(changed)
        assert game.build() == outcome
    (call,) = bench.server.paid
    sizes = [Path(game.folder / "art" / f"{name}.png").read_bytes() for name in ("a", "b")]
    assert [data for _, data in bench.provider.carried(call)] == sizes
