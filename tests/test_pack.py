"""Atlases: every sprite read back pixel for pixel by the data of each format, whatever the rules."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_child import converse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pack_kit import (
    EVERY,
    READERS,
    Read,
    framed,
    noise,
    opening,
    packed,
    page_of,
    read_texturepacker,
    refused,
)

from engines import png, protocol
from engines.finish.facts import measure
from engines.pack.animation import animations
from engines.pack.css import identifier
from engines.png import Pixels
from engines.protocol import Done, Request

SPRITES = {
    "items/sword": framed(noise(20, 6, 1), 5, 2, 9, 1),
    "items/shield": noise(16, 16, 2, opaque=True),
    "knight/walk-01": framed(noise(12, 8, 3), 4, 4, 4, 0),
    "knight/walk-02": framed(noise(12, 9, 4), 4, 4, 3, 0),
    "knight/walk-10": framed(noise(11, 8, 5), 4, 5, 4, 0),
    "empty": np.zeros((7, 5, 4), np.uint8),
    "dot": noise(1, 1, 6),
}


def same(read: Read, sprites: dict[str, Pixels]) -> None:
    assert sorted(read.sprites) == sorted(sprites)
    for name, pixels in sprites.items():
        assert np.array_equal(read.sprites[name], pixels), name


@pytest.mark.parametrize("format_", EVERY)
def test_every_sprite_comes_back(tmp_path: Path, format_: str) -> None:
    done = packed(tmp_path, SPRITES)
    read = READERS[format_](tmp_path)
    same(read, SPRITES)
    assert read.pages == {"atlas.png"}
    assert {*done.companions} == {".json", ".tres", ".unity.json", ".css"}
    assert all((tmp_path / name).is_file() for name in done.companions.values())


@pytest.mark.parametrize("format_", ["texturepacker", "godot", "unity"])
def test_numbered_frames_are_animations(tmp_path: Path, format_: str) -> None:
    packed(tmp_path, SPRITES, fps=8)
    frames = ["knight/walk-01", "knight/walk-02", "knight/walk-10"]
    assert READERS[format_](tmp_path).animations == {"knight/walk": frames}
    assert '"speed": 8.0' in (tmp_path / "atlas.tres").read_text()
    assert '"frameRate":8,' in (tmp_path / "atlas.unity.json").read_text()
    assert "animation: knight\\/walk 0.375s step-end infinite;" in (tmp_path / "atlas.css").read_text()


def test_without_animations_there_are_none(tmp_path: Path) -> None:
    packed(tmp_path, SPRITES, animations=False)
    assert [reader(tmp_path).animations for reader in READERS.values()] == [{}, {}, {}, {}]


RULES = st.fixed_dictionaries(
    {
        "trim": st.booleans(),
        "padding": st.integers(0, 3),
        "extrude": st.integers(0, 3),
        "power_of_two": st.booleans(),
        "square": st.booleans(),
        "max_size": st.sampled_from([64, 100, 2048]),
        "rotate": st.booleans(),
    }
)


@st.composite
def pictures(draw: st.DrawFn) -> Pixels:
    width, height, seed = draw(st.integers(1, 24)), draw(st.integers(1, 24)), draw(st.integers(0, 5))
    border = [draw(st.integers(0, 4)) for _ in range(4)]
    return framed(noise(height, width, seed), *border)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sprites=st.lists(pictures(), min_size=1, max_size=14), rules=RULES, order=st.randoms())
def test_any_sprites_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
    sprites: list[Pixels],
    rules: dict[str, Any],
    order: random.Random,
) -> None:
    named = {f"set/sprite{chr(97 + number)}": pixels for number, pixels in enumerate(sprites)}
    formats = ["texturepacker"] if rules["rotate"] else list(EVERY)
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    done = packed(first, named, formats=formats, **rules)
    shuffled = list(named.items())
    order.shuffle(shuffled)
    assert packed(second, dict(shuffled), formats=formats, **rules) == done
    for name in ["atlas.png", *done.companions.values()]:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    for format_ in formats:
        read = READERS[format_](first)
        same(read, named)
        for page in read.pages:
            check_page(page_of(first, page), rules)
    check_places(first, rules)


def check_page(page: Pixels, rules: dict[str, Any]) -> None:
    height, width = page.shape[:2]
    assert max(width, height) <= rules["max_size"]
    assert not rules["square"] or width == height
    assert not rules["power_of_two"] or width.bit_count() == height.bit_count() == 1


def check_places(folder: Path, rules: dict[str, Any]) -> None:
    """No two sprites overlap or come nearer than they may, and each has its edge repeated around it."""
    around, pad = rules["extrude"], rules["padding"]
    for data in (json.loads(path.read_text()) for path in sorted(folder.glob("atlas*.json"))):
        if "frames" not in data:
            continue
        page, boxes = page_of(folder, data["meta"]["image"]), set()
        for item in data["frames"].values():
            box = item["frame"]
            width, height = (box["h"], box["w"]) if item["rotated"] else (box["w"], box["h"])
            boxes.add((box["x"] - around, box["y"] - around, width + 2 * around, height + 2 * around))
        for x, y, width, height in boxes:
            assert min(x, y) >= 0
            grown = page[y : y + height, x : x + width]
            assert grown.shape[:2] == (height, width)
            inner = grown[around : height - around, around : width - around]
            assert np.array_equal(grown, np.pad(inner, ((around, around), (around, around), (0, 0)), "edge"))
        for (x, y, width, height), (other_x, other_y, more, over) in itertools.combinations(boxes, 2):
            beside = x + width + pad <= other_x or other_x + more + pad <= x
            assert beside or y + height + pad <= other_y or other_y + over + pad <= y


def test_equal_sprites_share_a_place(tmp_path: Path) -> None:
    """Also where their borders differ: what is left of them is the same."""
    heart = noise(9, 9, 7)
    sprites = {"full": framed(heart, 1, 2, 3, 4), "half": framed(heart, 0, 0, 5, 0), "bare": heart}
    packed(tmp_path, sprites, formats=["texturepacker"])
    read = read_texturepacker(tmp_path)
    same(read, sprites)
    assert page_of(tmp_path, "atlas.png").shape == (9, 9, 4)


def test_what_does_not_fit_goes_onto_further_pages(tmp_path: Path) -> None:
    sprites = {f"tile-{chr(97 + number)}": noise(30, 30, number) for number in range(9)}
    done = packed(tmp_path, sprites, max_size=64, padding=2)
    texts = {".json", "-1.json", "-2.json", ".tres", ".unity.json", ".css"}
    assert {*done.companions} == {"-1.png", "-2.png", *texts}
    pages = {"atlas.png", "atlas-1.png", "atlas-2.png"}
    for reader in READERS.values():
        read = reader(tmp_path)
        assert read.pages == pages
        same(read, sprites)
    assert [page_of(tmp_path, name).shape[:2] for name in sorted(pages)] == [(62, 62), (30, 30), (62, 62)]
    first = json.loads((tmp_path / "atlas.json").read_text())
    assert first["meta"]["related_multi_packs"] == ["atlas-1.json", "atlas-2.json"]


def test_an_animation_lies_on_one_page(tmp_path: Path) -> None:
    """PixiJS looks for its frames nowhere else."""
    sprites = {f"wall-{chr(97 + number)}": noise(30, 30, number) for number in range(3)}
    frames = {f"run-{number}": noise(28, 28, 20 + number) for number in range(4)}
    packed(tmp_path, {**sprites, **frames}, max_size=64)
    assert read_texturepacker(tmp_path).animations == {"run": sorted(frames)}
    pages = [json.loads((tmp_path / name).read_text())["frames"] for name in ("atlas.json", "atlas-1.json")]
    assert [sorted(page) for page in pages] == [sorted(sprites), sorted(frames)]


def test_animations_that_share_a_picture_lie_together(tmp_path: Path) -> None:
    shared = noise(28, 28, 1)
    frames: dict[str, Pixels] = {}
    for name in ("idle", "run"):
        frames |= {f"{name}-1": shared, f"{name}-2": noise(28, 28, len(name))}
    packed(tmp_path, {"big": noise(40, 64, 9), **frames}, max_size=64)
    assert sorted(json.loads((tmp_path / "atlas-1.json").read_text())["frames"]) == sorted(frames)


def test_facts_are_those_of_the_first_page(tmp_path: Path) -> None:
    done = packed(tmp_path, SPRITES)
    assert done.facts == measure(page_of(tmp_path, "atlas.png"))
    assert packed(tmp_path, {"a": noise(4, 4, opaque=True)}).facts["mode"] == "RGB"


def test_through_a_real_child(tmp_path: Path) -> None:
    path = tmp_path / "in.png"
    path.write_bytes(png.encode(noise(8, 8)))
    parameters = {"stem": "items", "formats": ["godot"]}
    request = Request(
        id="1", asset="a", output="7.png", parameters=parameters, inputs={"sprite.gem": str(path)}
    )
    hello, answers = converse(opening(tmp_path), request, tmp_path)
    assert (hello.adapter, hello.determinism) == ("pack", protocol.Determinism.BITWISE)
    assert isinstance(answers[-1], Done)
    assert answers[-1].companions == {".tres": "7.tres"}
    assert 'path="items.png"' in (tmp_path / "7.tres").read_text()


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["walk-01", "walk-02"], {"walk": ("walk-01", "walk-02")}),
        (["walk_2", "walk_10", "walk_1"], {"walk": ("walk_1", "walk_2", "walk_10")}),
        (["a/walk.1", "a/walk.2", "b/walk.1"], {"a/walk": ("a/walk.1", "a/walk.2")}),
        (["walk1", "walk2"], {"walk": ("walk1", "walk2")}),
        (["walk/01", "walk/02"], {"walk": ("walk/01", "walk/02")}),
        (["level2-01", "level2-02"], {"level2": ("level2-01", "level2-02")}),
        (["tile1-1", "tile2-1"], {}),
        (["01", "02"], {}),
        (["walk", "run-1"], {}),
        (["walk--1", "walk--2"], {}),
        (["जल-1", "जल-2"], {"जल": ("जल-1", "जल-2")}),
    ],
)
def test_which_names_are_frames(names: list[str], found: dict[str, tuple[str, ...]]) -> None:
    assert animations(names) == found


def test_two_frames_of_one_number_are_refused(tmp_path: Path) -> None:
    told = refused(tmp_path, {"walk-1": noise(2, 2), "walk_01": noise(3, 3)})
    assert told == (
        "`walk-1` and `walk_01` would be one frame of the animation `walk`",
        "rename one of them, or set `animations = false`",
    )


@pytest.mark.parametrize(
    ("sprites", "parameters", "message", "hint"),
    [
        (
            {"items/banner": noise(3, 90)},
            {"max_size": 64, "extrude": 2},
            "`items/banner` takes 94 x 7 pixels, and a page has at most 64",
            "raise `max_size`, or leave it out",
        ),
        (
            {"wide": noise(3, 90)},
            {"max_size": 100, "power_of_two": True},
            "`wide` takes 90 x 3 pixels, and a page has at most 64",
            "raise `max_size`, or leave it out",
        ),
        (
            {
                f"tile-{chr(97 + number // 26)}{chr(97 + number % 26)}": noise(9, 9, number)
                for number in range(101)
            },
            {"max_size": 16},
            "the sprites need more than 100 pages of 16 x 16 pixels",
            "raise `max_size`, or leave some out",
        ),
        (
            {f"run-{number}": noise(12, 12, number) for number in range(3)},
            {"max_size": 16},
            "the animation `run` does not fit on a page of 16 x 16 pixels",
            "raise `max_size`, or set `animations = false`",
        ),
        (
            {"run": noise(4, 4), "run-1": noise(5, 5), "run-2": noise(6, 6)},
            {},
            "`run` is a sprite and an animation, which `godot` can't tell apart",
            "rename one of them, or set `animations = false`",
        ),
        (
            {"a": noise(4, 4)},
            {"rotate": True, "formats": ["texturepacker", "css"]},
            "a sprite can't lie turned in the format `css`",
            "remove `rotate`",
        ),
        (
            {"a": noise(4, 4)},
            {"formats": ["godo"]},
            "`formats`: the format `godo` is unknown",
            "did you mean `godot`?",
        ),
        (
            {"a": noise(4, 4)},
            {"formats": []},
            "`formats` is empty",
            "name one of `texturepacker`, `godot`, `unity`, `css`",
        ),
        ({"a": noise(4, 4)}, {"max_size": 9000}, "`max_size` is `9000`, not within 16 to 8192", ""),
        ({}, {}, "there is no sprite to pack", ""),
        ({"a": noise(4, 4)}, {"stem": 'a"b'}, "'a\"b' can't name a stem", ""),
        ({"a\n": noise(4, 4)}, {}, "'a\\n' can't name a sprite", ""),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value)[:40],
)
def test_what_can_not_be_packed_is_said(
    tmp_path: Path, sprites: dict[str, Pixels], parameters: dict[str, Any], message: str, hint: str
) -> None:
    assert refused(tmp_path, sprites, **parameters) == (message, hint)


def test_a_sprite_and_an_animation_of_one_name_are_two_things_to_texturepacker(tmp_path: Path) -> None:
    sprites = {"run": noise(4, 4), "run-1": noise(5, 5), "run-2": noise(6, 6)}
    packed(tmp_path, sprites, formats=["texturepacker", "unity"])
    read = read_texturepacker(tmp_path)
    same(read, sprites)
    assert read.animations == {"run": ["run-1", "run-2"]}


def test_a_turned_sprite_saves_room(tmp_path: Path) -> None:
    sprites = {"standing": noise(60, 4, 1), "lying": noise(4, 60, 2)}
    packed(tmp_path, sprites, formats=["texturepacker"], rotate=True, padding=0)
    same(read_texturepacker(tmp_path), sprites)
    assert sorted(page_of(tmp_path, "atlas.png").shape[:2]) == [8, 60]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("items/sword", "items\\/sword"),
        ("hero.v2", "hero\\.v2"),
        ("2d-hero", "\\32 d-hero"),
        ("-2", "-\\32 "),
        ("-", "\\-"),
        ("_x-y", "_x-y"),
        ("schön", "schön"),
    ],
)
def test_a_class_is_called_as_its_sprite(name: str, word: str) -> None:
    assert identifier(name) == word


def test_a_diff_shows_the_sprite_that_changed(tmp_path: Path) -> None:
    packed(tmp_path, SPRITES)
    for name in ("atlas.json", "atlas.unity.json"):
        lines = (tmp_path / name).read_text().splitlines()
        assert len([line for line in lines if re.search(r'"items/sword"', line)]) == 1
