"""The Godot resource in a real Godot: sizes and pixels of every sprite, as `AtlasTexture` has them.

No package has Godot 4, so `pack_kit.read_godot` is a strict reader of its text format. Debian has Godot 3,
whose `AtlasTexture` and paths are the same and whose text format is spelled otherwise: here the file is
respelled, and nothing else of it changed.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pack_kit import framed, laid_out, noise, packed

from engines.png import Pixels

SPRITES = {
    "items/sword": framed(noise(20, 6, 1), 5, 2, 9, 1),
    "items/shield": noise(16, 16, 2, opaque=True),
    "knight/walk-01": framed(noise(12, 8, 3), 4, 4, 4, 0),
    "knight/walk-02": framed(noise(12, 9, 4), 4, 4, 3, 0),
    "empty": np.zeros((7, 5, 4), np.uint8),
}

SCRIPT = """
extends SceneTree

func _init():
    for name in ["atlas.png", "atlas-1.png"]:
        var picture = Image.new()
        if picture.load("res://art/" + name) == OK:
            var texture = ImageTexture.new()
            texture.create_from_image(picture, 0)
            texture.take_over_path("res://art/" + name)
            set_meta(name, texture)
    var frames = load("res://art/atlas.tres")
    var found = {}
    for name in frames.get_animation_names():
        var items = []
        for index in frames.get_frame_count(name):
            var frame = frames.get_frame(name, index)
            var picture = frame.atlas.get_data().get_rect(frame.region)
            picture.convert(Image.FORMAT_RGBA8)
            items.append({
                "size": [frame.get_width(), frame.get_height()],
                "spot": [frame.margin.position.x, frame.margin.position.y],
                "region": [picture.get_width(), picture.get_height()],
                "pixels": Marshalls.raw_to_base64(picture.get_data()),
            })
        found[name] = {
            "frames": items,
            "loop": frames.get_animation_loop(name),
            "speed": frames.get_animation_speed(name)
        }
    var file = File.new()
    file.open("res://found.json", File.WRITE)
    file.store_string(JSON.print(found))
    file.close()
    quit()
"""


def respelled(text: str) -> str:
    """Godot 4's text format as Godot 3 spells it."""
    text = text.replace("format=3]", "format=2]").replace('type="Texture2D"', 'type="Texture"')
    text = re.sub(r'id="(?:AtlasTexture_)?(\d+)"', r"id=\1", text)
    text = re.sub(r'(ExtResource|SubResource)\("(?:AtlasTexture_)?(\d+)"\)', r"\1( \2 )", text)
    text = re.sub(r'\{\n"duration": 1\.0,\n"texture": (SubResource\( \d+ \))\n\}', r"\1", text)
    return text.replace('"name": &"', '"name": "')


def shown(pixels: Pixels, item: dict[str, list[float]], data: bytes) -> None:
    width, height = (int(side) for side in item["region"])
    left, top = (int(side) for side in item["spot"])
    region = np.frombuffer(data, np.uint8).reshape(height, width, 4)
    assert item["size"] == [pixels.shape[1], pixels.shape[0]]
    assert np.array_equal(laid_out(region, left, top, pixels.shape[1], pixels.shape[0]), pixels)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("godot3-server") is None, reason="godot3-server is not installed")
@pytest.mark.parametrize("most", [2048, 32])
def test_godot_shows_every_sprite(tmp_path: Path, most: int) -> None:

    packed(tmp_path / "art", SPRITES, formats=["godot"], max_size=most, fps=9)
    resource = tmp_path / "art" / "atlas.tres"
    resource.write_text(respelled(resource.read_text()))
    (tmp_path / "project.godot").write_text('config_version=4\n[application]\nconfig/name="test"\n')
    (tmp_path / "main.gd").write_text(SCRIPT.replace("    ", "\t"))
    words = ["godot3-server", "--path", str(tmp_path), "-s", "main.gd"]
    environ = {"HOME": str(tmp_path), "PATH": "/usr/games:/usr/bin:/bin", "LC_ALL": "en_US.UTF-8"}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert (tmp_path / "found.json").is_file(), done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert sorted(found) == sorted([*SPRITES, "knight/walk"])
    for name, pixels in SPRITES.items():
        (item,) = found[name]["frames"]
        shown(pixels, item, base64.b64decode(item["pixels"]))
        assert found[name]["loop"] is False
    walk = found["knight/walk"]
    assert (walk["loop"], walk["speed"]) == (True, 9)
    assert walk["frames"] == [found[f"knight/walk-0{number}"]["frames"][0] for number in (1, 2)]
