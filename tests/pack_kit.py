"""Packing one request, and every sprite read back from the pages by what each format's data says.

The readers share nothing with the writers: each goes by the format's own documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engines import pack, png
from engines.png import Pixels
from engines.protocol import Done, Failure, Open, Request

EVERY = ("texturepacker", "godot", "unity", "css")


@dataclass
class Read:
    """What a reader found."""

    sprites: dict[str, Pixels] = field(default_factory=dict)
    animations: dict[str, list[str]] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)


def noise(height: int, width: int, seed: int = 1, *, opaque: bool = False) -> Pixels:
    """Random colours, wholly opaque or with a random alpha, whose edges are seen."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    pixels[..., 3] = 255 if opaque else np.maximum(pixels[..., 3], 1)
    return pixels


def framed(pixels: Pixels, left: int, top: int, right: int, bottom: int) -> Pixels:
    """`pixels` with a transparent border."""
    return np.pad(pixels, ((top, bottom), (left, right), (0, 0)))


def opening(staging: Path) -> Open:
    return Open(
        protocol=1, adapter="pack", engine="pack", model="", revision="", staging=str(staging), settings={}
    )


def ask(folder: Path, sprites: Mapping[str, Pixels], **parameters: Any) -> Done | Failure:
    """What the engine says; its files are called `atlas`, as they would be in a project."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {}
    for number, (name, pixels) in enumerate(sprites.items()):
        path = folder / f"in-{number}"
        path.write_bytes(png.encode(pixels))
        inputs[f"sprite.{name}"] = str(path)
    values = {"stem": "atlas", "formats": list(EVERY), **parameters}
    request = Request(id="1", asset="atlas", output="atlas.png", parameters=values, inputs=inputs)
    (result,) = pack.load(opening(folder)).render([request], lambda *_: None)
    return result


def packed(folder: Path, sprites: Mapping[str, Pixels], **parameters: Any) -> Done:
    result = ask(folder, sprites, **parameters)
    assert isinstance(result, Done), result
    return result


def refused(folder: Path, sprites: Mapping[str, Pixels], **parameters: Any) -> tuple[str, str]:
    result = ask(folder, sprites, **parameters)
    assert isinstance(result, Failure), result
    return result.message, result.hint


def page_of(folder: Path, name: str) -> Pixels:
    return png.rgba(png.decode(folder / name))


def laid_out(pixels: Pixels, left: int, top: int, width: int, height: int) -> Pixels:
    """`pixels` at their place in the picture that was there before it was trimmed."""
    whole = np.zeros((height, width, 4), np.uint8)
    whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole


def read_texturepacker(folder: Path) -> Read:
    """From `atlas.json` on, through `meta.related_multi_packs`."""
    read = Read()
    waiting, done = ["atlas.json"], set[str]()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        data = json.loads((folder / name).read_text(encoding="utf-8"))
        meta = data["meta"]
        waiting += meta.get("related_multi_packs", [])
        page = page_of(folder, meta["image"])
        assert meta["size"] == {"w": page.shape[1], "h": page.shape[0]}
        read.pages.add(meta["image"])
        for key, item in data["frames"].items():
            box, spot, whole = item["frame"], item["spriteSourceSize"], item["sourceSize"]
            assert (box["w"], box["h"]) == (spot["w"], spot["h"])
            width, height = (box["h"], box["w"]) if item["rotated"] else (box["w"], box["h"])
            region = page[box["y"] : box["y"] + height, box["x"] : box["x"] + width]
            upright = np.rot90(region) if item["rotated"] else region
            assert key not in read.sprites
            assert item["trimmed"] == (whole != {"w": box["w"], "h": box["h"]})
            read.sprites[key] = laid_out(upright, spot["x"], spot["y"], whole["w"], whole["h"])
        read.animations |= data.get("animations", {})
    return read


_HEADING = re.compile(r"\[(\w+)((?: \w+=(?:\"[^\"]*\"|\d+))*)\]")
_ATTRIBUTE = re.compile(r" (\w+)=(?:\"([^\"]*)\"|(\d+))")
_PROPERTY = re.compile(r"(\w+) = (.*)", re.DOTALL)


def sections(text: str) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """A text resource of Godot: kind, attributes and properties of each section; fails on anything else."""
    found: list[tuple[str, dict[str, str], dict[str, str]]] = []
    for block in re.split(r"\n+(?=\[(?:ext_|sub_)?resource\b)", text.strip()):
        heading, *lines = block.split("\n")
        match = _HEADING.fullmatch(heading)
        assert match, heading
        attributes = {name: word or number for name, word, number in _ATTRIBUTE.findall(match[2])}
        properties = {}
        for chunk in re.split(r"\n(?=\w+ = )", "\n".join(lines)) if lines else []:
            value = _PROPERTY.fullmatch(chunk)
            assert value, chunk
            properties[value[1]] = value[2]
        found.append((match[1], attributes, properties))
    return found


def numbers(value: str) -> tuple[int, int, int, int]:
    match = re.fullmatch(r"Rect2\((-?\d+), (-?\d+), (-?\d+), (-?\d+)\)", value)
    assert match, value
    a, b, c, d = (int(item) for item in match.groups())
    return a, b, c, d


def read_godot(folder: Path) -> Read:
    """As Godot 4 reads it: a `SpriteFrames` with an animation of one frame for each sprite."""
    head, *rest = sections((folder / "atlas.tres").read_text(encoding="utf-8"))
    *parts, (kind, none, body) = rest
    assert head[:2] == (
        "gd_resource",
        {"type": "SpriteFrames", "load_steps": str(len(rest)), "format": "3"},
    )
    assert (kind, none, list(body)) == ("resource", {}, ["animations"])
    read, pictures, textures = Read(), dict[str, str](), dict[str, Pixels]()
    for kind, attributes, properties in parts:
        if kind == "ext_resource":
            assert attributes["type"] == "Texture2D"
            assert not properties
            pictures[attributes["id"]] = attributes["path"]
            continue
        assert (kind, attributes["type"], properties.pop("filter_clip")) == (
            "sub_resource",
            "AtlasTexture",
            "true",
        )
        textures[attributes["id"]] = _texture(folder, pictures, properties)
    read.pages = {*pictures.values()}
    # What is left is JSON but for the references and for the mark of a StringName.
    plain = re.sub(r'SubResource\(("\w+")\)', r"\1", body["animations"]).replace('"name": &"', '"name": "')
    by_texture = {}
    for item in json.loads(plain):
        frames = [frame["texture"] for frame in item["frames"]]
        assert [frame["duration"] for frame in item["frames"]] == [1.0] * len(frames)
        if item["loop"]:
            read.animations[item["name"]] = frames
        else:
            (frame,) = frames
            by_texture[frame] = item["name"]
            read.sprites[item["name"]] = textures[frame]
    read.animations = {
        name: [by_texture[frame] for frame in frames] for name, frames in read.animations.items()
    }
    return read


def _texture(folder: Path, pictures: Mapping[str, str], properties: Mapping[str, str]) -> Pixels:
    """`AtlasTexture`: its size is that of `region` and of `margin` together."""
    assert {*properties} <= {"atlas", "region", "margin"}
    reference = re.fullmatch(r'ExtResource\("(\w+)"\)', properties["atlas"])
    assert reference
    x, y, width, height = numbers(properties["region"])
    left, top, more, over = numbers(properties.get("margin", "Rect2(0, 0, 0, 0)"))
    page = page_of(folder, pictures[reference[1]])
    region = page[y : y + height, x : x + width]
    assert region.shape[:2] == (height, width)
    return laid_out(region, left, top, width + more, height + over)


def read_unity(folder: Path) -> Read:
    """Counted from the bottom left; `pivot` is the middle of the whole sprite."""
    data = json.loads((folder / "atlas.unity.json").read_text(encoding="utf-8"))
    read = Read(pages={page["image"] for page in data["pages"]})
    pages = [page_of(folder, page["image"]) for page in data["pages"]]
    for told, page in zip(data["pages"], pages, strict=True):
        assert (told["height"], told["width"]) == page.shape[:2]
    for item in data["sprites"]:
        box, offset, size, pivot = item["rect"], item["offset"], item["size"], item["pivot"]
        upside_down = pages[item["page"]][::-1]
        region = upside_down[box["y"] : box["y"] + box["height"], box["x"] : box["x"] + box["width"]]
        whole = laid_out(region, offset["x"], offset["y"], size["x"], size["y"])[::-1]
        assert abs(pivot["x"] * box["width"] + offset["x"] - size["x"] / 2) < 0.01
        assert abs(pivot["y"] * box["height"] + offset["y"] - size["y"] / 2) < 0.01
        read.sprites[item["name"]] = whole
    read.animations = {item["name"]: item["sprites"] for item in data["animations"]}
    return read


_RULE = re.compile(r"^\.((?:\\.|[^\s{])+) \{ (.*) \}$", re.MULTILINE)


def read_css(folder: Path) -> Read:
    """By the rules of one class; how a browser shows them is another test's."""
    text = (folder / "atlas.css").read_text(encoding="utf-8")
    read = Read()
    for word, body in _RULE.findall(text):
        name = re.sub(r"\\(.)", r"\1", re.sub(r"\\([0-9a-f]+) ", lambda match: chr(int(match[1], 16)), word))
        rules = dict(line.split(": ", 1) for line in body.rstrip(";").split("; "))
        top, right, bottom, left = _pixels(rules["padding"])
        (width,), (height,) = _pixels(rules["width"]), _pixels(rules["height"])
        x, y = _pixels(rules["background-position"])
        picture = rules["background-image"].removeprefix('url("').removesuffix('")')
        read.pages.add(picture)
        if "animation" in rules:
            read.animations[name] = []
            continue
        region = page_of(folder, picture)[-y : -y + height, -x : -x + width]
        read.sprites[name] = laid_out(region, left, top, left + width + right, top + height + bottom)
    return read


def _pixels(value: str) -> list[int]:
    assert re.fullmatch(r"-?\d+px(?: -?\d+px)*", value), value
    return [int(item.removesuffix("px")) for item in value.split(" ")]


READERS = {
    "texturepacker": read_texturepacker,
    "godot": read_godot,
    "unity": read_unity,
    "css": read_css,
}
