"""Parameters that hold for a whole process: in the recipe, told at `open`, judged by their class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from buildsys.errors import ManifestError
from buildsys.make.conduct import difference_of
from buildsys.manifest import process
from buildsys.manifest.cards import BUNDLED
from buildsys.manifest.model import AssetName, Engine, Manifest
from buildsys.manifest.read import parse
from buildsys.reproduce import verdict
from engines.protocol import PROTOCOL, Determinism, Hello

MANIFEST = """
[project]
name = "game"

[engines.small]
adapter = "diffusion"
model = "./weights"
steps = 2
guidance = 4.5
{engine}

[assets.knight]
engine = "small"
prompt = "moon knight"
seed = 1
size = [64, 64]
{asset}
"""


def made(engine: str = "", asset: str = "") -> Manifest:
    text = MANIFEST.format(engine=engine, asset=asset)
    return parse({"assets.toml": text}, root=Path(), bundled=BUNDLED)


def small(text: str = "portable = true") -> Engine:
    return made(text).engines["small"]


def test_the_recipe_has_it_only_where_it_is_true() -> None:
    plain = {"steps": 2, "guidance": 4.5}
    knight = AssetName("knight")
    assert made().assets[knight].parameters == plain
    # Or every picture of an engine that says what is so anyway would be stale.
    assert made("portable = false").assets[knight].parameters == plain
    assert made("portable = true").assets[knight].parameters == {**plain, "portable": True}


def test_an_asset_can_not_have_it_for_itself() -> None:
    with pytest.raises(ManifestError) as caught:
        made(asset="parameters = { portable = true }")
    assert str(caught.value) == (
        "assets.toml:17:16: `portable` holds for a whole process of adapter `diffusion`\n\n"
        "hint: set it in `[engines.NAME]`"
    )


def test_a_process_is_told_it_as_it_opens() -> None:
    engine = small()
    assert process.held(engine.card, engine.parameters) == {"portable": True}
    assert process.held(engine.card, {"steps": 3}) == {}
    # What was made without it is made again without it, whatever the manifest says by now.
    assert process.as_made(engine, {"steps": 3}) == {"steps": 2, "guidance": 4.5}
    assert process.as_made(small(""), {"portable": True}) == {"steps": 2, "guidance": 4.5, "portable": True}


def test_the_class_is_that_of_the_process() -> None:
    assert process.determinism(small("")) is Determinism.ENVIRONMENT
    assert process.determinism(small()) is Determinism.BITWISE
    hello = Hello(
        protocol=PROTOCOL,
        adapter="diffusion",
        version=small().card.version,
        determinism=Determinism.BITWISE,
        environment={},
    )
    assert difference_of(hello, small()) is None
    # A process that was not pinned would say so here.
    unpinned = difference_of(replace(hello, determinism=Determinism.ENVIRONMENT), small())
    assert unpinned is not None
    assert unpinned.fact == "says its determinism is `environment`, its card says `bitwise`"


def test_what_is_bitwise_by_a_parameter_is_so_with_the_same_versions() -> None:
    then = {"torch": "2.13.0", "diffusers": "0.42.1", "device": "cpu of one maker"}
    elsewhere = {**then, "device": "cpu of another"}
    assert verdict.class_of(small(), then, elsewhere) is Determinism.BITWISE
    assert verdict.class_of(small(), then, {**then, "torch": "2.14.0"}) is Determinism.ENVIRONMENT
    assert verdict.class_of(small(""), then, then) is Determinism.ENVIRONMENT
    # An adapter that is bitwise as it is has no such excuse.
    plain = msgspec.structs.replace(small().card, bitwise_when={}, determinism=Determinism.BITWISE)
    always = msgspec.structs.replace(small(), card=plain)
    assert verdict.class_of(always, then, {"torch": "2.14.0"}) is Determinism.BITWISE
