"""What the pages tell a reader to type, typed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from game import ROOT, Game
from PIL import Image

from buildsys.manifest.read import parse


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_engine_of_the_page_makes_a_picture(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    card, manifest, _ = blocks("writing-an-engine.md", "toml")  # the last is about other engines
    (code,) = blocks("writing-an-engine.md", "python")
    (game.folder / "tools" / "noise.toml").write_text(card)
    (game.folder / "tools" / "noise.py").write_text(code)
    (game.folder / "assets.toml").write_text(manifest)
    assert game.build() == {"built": ["static"]}
    with Image.open(game.folder / "out" / "static.png") as picture:
        assert picture.size == (64, 64)
        assert picture.getpixel((0, 0)) == picture.getpixel((3, 3)) != picture.getpixel((4, 4))
    assert game.build("--rebuild") == {"built": ["static"]}
    assert game.run("reproduce", "static").stdout.startswith("identical-bytes")


def test_getting_started_works_as_it_stands(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    folder = tmp_path / "castle"
    folder.mkdir()
    command = tmp_path / "bin" / "artlock"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m buildsys "$@"\n')
    command.chmod(0o755)
    environ = {**game.environ, "PATH": f"{command.parent}:{game.environ['PATH']}"}
    subprocess.run(["git", "init", "--quiet"], cwd=folder, env=environ, check=True)
    typed = [block for block in blocks("getting-started.md", "sh") if not block.startswith("pip ")]
    assert len(typed) >= 5
    for block in typed:
        done = subprocess.run(
            ["sh", "-e", "-c", block], cwd=folder, env=environ, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert (folder / "stock-3.png").exists()
    status = subprocess.run(
        ["git", "status", "--short"], cwd=folder, env=environ, check=True, capture_output=True, text=True
    )
    assert status.stdout == "?? stock-3.png\n"


PAGES = (
    "../README.md",
    "engine-comfyui.md",
    "engine-command.md",
    "engine-diffusion.md",
    "engine-gemini.md",
    "engine-gpt-image.md",
    "engine-ideogram.md",
    "engine-stability.md",
    "engine-stock.md",
    "engine-vector.md",
    "finish-steps.md",
    "gates.md",
    "getting-started.md",
    "routing.md",
    "import.md",
    "metadata.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_example_is_a_manifest(page: str, tmp_path: Path) -> None:
    examples = blocks(page, "toml")
    assert examples
    for text in chain.from_iterable(map(manifests, examples)):
        parse({"assets.toml": text}, root=tmp_path)


def manifests(example: str) -> Iterator[str]:
    """Whole manifests from what a page shows: itself, a few tables, a finish step or gates a line."""
    head = '[project]\nname = "page"\n'
    if example.startswith("{"):
        for step in example.splitlines():
            suffix = "webp" if '"webp"' in step else "png"
            asset = f'engine = "stock"\nprompt = "a"\nseed = 1\nsize = [64, 64]\nformat = "{suffix}"\n'
            yield f"{head}[assets.a]\n{asset}finish = [{step}]\n"
        return
    if example.startswith("gates ="):
        for line in example.splitlines():
            asset = 'engine = "vector"\ntext = "GO"\nsize = [64, 64]\n'
            yield f"{head}[assets.hero]\n{asset}[assets.a]\n{asset}{line}\n"
        return
    text = example if "[project]" in example else head + example
    if re.search(r"^role +=|^role=", text, re.MULTILINE) and "[roles]" not in text:
        text += '\n[roles]\nlettering = "vector"\nsprite = "stock"\n'
    yield text
