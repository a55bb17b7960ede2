"""Atlases as their consumers draw them: Phaser, PixiJS and plain CSS in a headless Chromium.

Phaser and PixiJS lie where `ARTLOCK_NODE_MODULES` says, as `npm install phaser pixi.js` puts them; CI
installs them. Without them, or without Chromium, these tests are left out.
"""

from __future__ import annotations

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

from engines import png
from engines.png import Pixels

SECONDS = 120
"""What a page may take: Chromium starts slowly on a busy machine."""

MODULES = Path(os.environ.get("ARTLOCK_NODE_MODULES", "/nowhere"))
LIBRARIES = {
    "phaser.js": MODULES / "phaser/dist/phaser.min.js",
    "pixi.js": MODULES / "pixi.js/dist/pixi.min.js",
}

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
const files = %s, names = %s, found = {};
new Phaser.Game({
  type: Phaser.WEBGL, width: 64, height: 64, banner: false, audio: {noAudio: true}, transparent: true,
  pixelArt: true,
  scene: {
    preload() { files.forEach(([image, data], i) => this.load.atlas("atlas" + i, image, data)); },
    create() {
      const gl = this.game.renderer.gl;
      const show = name => {
        const key = files.map((_, i) => "atlas" + i).find(key => this.textures.get(key).has(name));
        return this.add.image(0, 0, key, name).setOrigin(0, 0);
      };
      let image = show(names[0]);
      this.game.events.on("postrender", () => {
        if (!names.length) return;
        const width = image.width, height = image.height;
        const rows = new Uint8Array(width * height * 4), pixels = [];
        gl.readPixels(0, 64 - height, width, height, gl.RGBA, gl.UNSIGNED_BYTE, rows);
        for (let y = height - 1; y >= 0; y--)
          pixels.push(...rows.subarray(y * width * 4, (y + 1) * width * 4));
        found[names.shift()] = {width, height, pixels};
        image.destroy();
        if (names.length) image = show(names[0]); else report(found);
      });
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
      const frame = new PIXI.Rectangle(0, 0, texture.orig.width, texture.orig.height);
      const data = renderer.extract.pixels({target: new PIXI.Sprite(texture), frame});
      found[name] = {width: data.width, height: data.height, pixels: Array.from(data.pixels)};
    }
    const named = texture => Object.keys(one.textures).find(key => one.textures[key] === texture);
    for (const [name, textures] of Object.entries(one.animations)) animations[name] = textures.map(named);
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

    def do_POST(self) -> None:
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
            "--enable-unsafe-swiftshader", f"--user-data-dir={folder / 'profile'}",
            "--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/index.html",
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
    "one page": {"extrude": 1},
    "pages": {"max_size": 48, "power_of_two": True},
}
TURNED: dict[str, dict[str, Any]] = {
    "turned": {"rotate": True},
    "turned on pages": {"max_size": 48, "rotate": True},
}
"""Not for Phaser 4.2: it takes a turned frame for an upright one, and the manual says so."""


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
@pytest.mark.parametrize("packing", PACKINGS | TURNED)
def test_pixi_draws_every_sprite_of_every_page(tmp_path: Path, packing: str) -> None:
    packed(tmp_path, SPRITES, formats=["texturepacker"], **(PACKINGS | TURNED)[packing])
    found = shown(tmp_path, "pixi.js", PIXI)
    compare(found["sprites"], SPRITES)
    assert found["animations"] == {"knight/walk": ["knight/walk-01", "knight/walk-02"]}


CSS_PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><link rel="stylesheet" href="atlas.css">
<style>body { margin: 0; background: #405060; } i { position: absolute; image-rendering: pixelated; }</style>
</head><body>ITEMS</body></html>"""


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("packing", PACKINGS)
def test_css_shows_every_sprite(tmp_path: Path, packing: str) -> None:
    """On a ground of one colour; an animation is shown with its first frame, for it is paused."""
    packed(tmp_path, SPRITES, formats=["css"], **PACKINGS[packing])
    shown_as = {**SPRITES, "knight/walk": SPRITES["knight/walk-01"]}
    items = "".join(
        f'<i class="{name}" style="left: {50 * number}px; top: 0; animation-play-state: paused"></i>'
        for number, name in enumerate(shown_as)
    )
    (tmp_path / "index.html").write_text(CSS_PAGE.replace("ITEMS", items), encoding="utf-8")
    picture = tmp_path / "page.png"
    words = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--force-color-profile=srgb", f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}",
        "--window-size=800,200", (tmp_path / "index.html").as_uri(),
    ]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True, timeout=SECONDS)
    page = png.rgba(png.decode(picture))
    for number, (name, pixels) in enumerate(shown_as.items()):
        expected = np.full((48, 50, 4), (0x40, 0x50, 0x60, 255), np.uint8)
        seen = pixels[..., 3] > 0
        expected[: pixels.shape[0], : pixels.shape[1]][seen] = pixels[seen]
        assert np.array_equal(page[:48, 50 * number : 50 * number + 50], expected), name
