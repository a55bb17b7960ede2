"""Atlases as their consumers draw them: Phaser, PixiJS and plain CSS in a headless Chromium.

Phaser and PixiJS lie where `ARTLOCK_NODE_MODULES` says, as `npm install phaser pixi.js` puts them; CI
installs them. Without them, or without Chromium, these tests are left out.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import pytest
from pack_kit import framed, packed

from engines.png import Pixels

SECONDS = 120
"""What a page may take: Chromium starts slowly on a busy machine."""

MODULES = Path(os.environ.get("ARTLOCK_NODE_MODULES", "/nowhere"))
LIBRARIES = {"phaser.js": MODULES / "phaser/dist/phaser.min.js", "pixi.js": MODULES / "pixi.js/dist/pixi.min.js"}

needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
needs_libraries = pytest.mark.skipif(
    not all(path.is_file() for path in LIBRARIES.values()),
    reason="ARTLOCK_NODE_MODULES has no phaser and pixi.js",
)


def crisp(height: int, width: int, seed: int) -> Pixels:
    """Opaque or transparent pixels only: a canvas keeps colours under another alpha rounded."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    pixels[..., 3] = np.where(pixels[..., 3] < 64, 0, 255)
    pixels[pixels[..., 3] == 0] = 0
    pixels[0, :, 3] = pixels[:, 0, 3] = pixels[-1, :, 3] = pixels[:, -1, 3] = 255
    return pixels


SPRITES = {
    "items/sword": framed(crisp(21, 6, 1), 5, 2, 9, 1),
    "items/shield": crisp(16, 17, 2),
    "items/lance": framed(crisp(5, 30, 3), 1, 7, 2, 3),
    "knight/walk-01": framed(crisp(13, 8, 4), 4, 4, 4, 0),
    "knight/walk-02": framed(crisp(12, 9, 5), 4, 5, 3, 0),
    "2d.coin": crisp(7, 7, 6),
}

PHASER = """
const files = %s, names = %s;
new Phaser.Game({
  type: Phaser.CANVAS, width: 64, height: 64, banner: false, audio: {noAudio: true},
  scene: {
    preload() { files.forEach(([image, data], i) => this.load.atlas("atlas" + i, image, data)); },
    create() {
      const found = {};
      for (const name of names) {
        const key = files.map((_, i) => "atlas" + i).find(key => this.textures.get(key).has(name));
        const frame = this.textures.getFrame(key, name);
        const canvas = this.textures.createCanvas("out" + name, frame.realWidth, frame.realHeight);
        canvas.context.imageSmoothingEnabled = false;
        const image = this.make.image({key: key, frame: name, add: false}).setOrigin(0, 0);
        const texture = this.make.renderTexture(
          {x: 0, y: 0, width: frame.realWidth, height: frame.realHeight, add: false}, false);
        texture.draw(image, 0, 0);
        if (texture.render) texture.render();
        const source = texture.texture.getSourceImage();
        const data = source.getContext("2d").getImageData(0, 0, frame.realWidth, frame.realHeight);
        found[name] = {width: data.width, height: data.height, pixels: Array.from(data.data)};
      }
      report(found);
    }
  }
});
"""

PIXI = """
(async () => {
  const renderer = await PIXI.autoDetectRenderer({width: 64, height: 64, preference: "webgl"});
  PIXI.TextureSource.defaultOptions.scaleMode = "nearest";
  const sheet = await PIXI.Assets.load("atlas.json");
  const sheets = [sheet, ...sheet.linkedSheets];
  const found = {}, animations = {};
  for (const one of sheets) {
    for (const [name, texture] of Object.entries(one.textures)) {
      const data = renderer.extract.pixels(
        {target: new PIXI.Sprite(texture), frame: new PIXI.Rectangle(0, 0, texture.orig.width, texture.orig.height)});
      found[name] = {width: data.width, height: data.height, pixels: Array.from(data.pixels)};
    }
    for (const [name, textures] of Object.entries(one.animations))
      animations[name] = textures.map(texture => Object.keys(one.textures).find(key => one.textures[key] === texture));
  }
  report({sprites: found, animations});
})().catch(error => report({error: String(error.stack || error)}));
"""

PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><script>
const report = what => fetch("/report", {method: "POST", body: JSON.stringify(what)});
addEventListener("error", event => report({error: event.message}));
addEventListener("unhandledrejection", event => report({error: String(event.reason)}));
</script><script src="LIBRARY"></script></head><body><script>SCRIPT</script></body></html>
"""


class Desk(SimpleHTTPRequestHandler):
    """Serves a folder, and takes what its page reports."""

    def __init__(self, *args: Any, reports: SimpleQueue[Any], **options: Any) -> None:
        self._reports = reports
        super().__init__(*args, **options)

    def do_POST(self) -> None:  # noqa: N802 - its base's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self._reports.put(json.loads(body))

    def log_message(self, *_: Any) -> None:  # the base writes to stderr
        pass


def shown(folder: Path, library: str, script: str) -> Any:
    """What `script` reports from a page in `folder` that has `library`."""
    shutil.copy(LIBRARIES[library], folder / library)
    page = PAGE.replace("LIBRARY", library).replace("SCRIPT", script)
    (folder / "index.html").write_text(page, encoding="utf-8")
    reports: SimpleQueue[Any] = SimpleQueue()
    desk = partial(Desk, reports=reports, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = [
            "chromium", "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader", f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0",
            f"http://127.0.0.1:{server.server_port}/index.html",
        ]  # fmt: skip
        log = folder / "chromium.log"
        with log.open("wb") as file, subprocess.Popen(words, stdout=file, stderr=file) as browser:
            try:
                found = reports.get(timeout=SECONDS)
            except Empty:
                pytest.fail(f"the page reported nothing:\n{log.read_text(errors='replace')[-2000:]}")
            finally:
                browser.terminate()
                server.shutdown()
    assert "error" not in found, found["error"]
    return found


def compare(found: Mapping[str, Any], sprites: Mapping[str, Pixels]) -> None:
    assert sorted(found) == sorted(sprites)
    for name, pixels in sprites.items():
        item = found[name]
        read = np.array(item["pixels"], np.uint8).reshape(item["height"], item["width"], 4)
        assert np.array_equal(read, pixels), name


PACKINGS: dict[str, dict[str, Any]] = {
    "upright": {"extrude": 1},
    "turned": {"rotate": True},
    "pages": {"max_size": 48, "power_of_two": True, "rotate": True},
}


@needs_chromium
@needs_libraries
@pytest.mark.slow
@pytest.mark.parametrize("packing", PACKINGS)
def test_phaser_draws_every_sprite(tmp_path: Path, packing: str) -> None:
    done = packed(tmp_path, SPRITES, formats=["texturepacker"], **PACKINGS[packing])
    data = ["atlas.json", *(name for suffix, name in done.companions.items() if suffix.endswith("json"))]
    files = [[name.replace(".json", ".png"), name] for name in dict.fromkeys(data)]
    found = shown(tmp_path, "phaser.js", PHASER % (json.dumps(files), json.dumps(list(SPRITES))))
    compare(found, SPRITES)


@needs_chromium
@needs_libraries
@pytest.mark.slow
@pytest.mark.parametrize("packing", PACKINGS)
def test_pixi_draws_every_sprite_of_every_page(tmp_path: Path, packing: str) -> None:
    packed(tmp_path, SPRITES, formats=["texturepacker"], **PACKINGS[packing])
    found = shown(tmp_path, "pixi.js", PIXI)
    compare(found["sprites"], SPRITES)
    assert found["animations"] == {"knight/walk": ["knight/walk-01", "knight/walk-02"]}
