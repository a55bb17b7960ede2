"""What the pages tell a reader to type, typed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
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


FENCED = re.compile(r"(?:<!-- (append|under \[project\]) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)


def told(text: str) -> list[str]:
    """What a build says, as a terminal or a log has it: without times, and in any order."""
    lines = (re.sub(r"^\[\d+/\d+\] ", "", line) for line in text.splitlines())
    plain = (re.sub(r"( in)? \d+\.\d+ s\b", "", " ".join(line.split())) for line in lines)
    return sorted(line for line in plain if line and not line.startswith("engine "))


def castle(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """An empty folder of a new game, and an environment that has `artlock`."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    folder = tmp_path / "castle"
    folder.mkdir()
    command = tmp_path / "bin" / "artlock"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m buildsys "$@"\n')
    command.chmod(0o755)
    environ = {**game.environ, "PATH": f"{command.parent}:{game.environ['PATH']}"}
    subprocess.run(["git", "init", "--quiet"], cwd=folder, env=environ, check=True)
    return folder, environ


def test_getting_started_works_as_it_stands(tmp_path: Path) -> None:
    folder, environ = castle(tmp_path)
    manifest = folder / "assets.toml"

    def typed(words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-e", "-c", words], cwd=folder, env=environ, check=False, capture_output=True, text=True
        )

    ran = []
    for place, language, text in FENCED.findall((ROOT / "docs" / "getting-started.md").read_text()):
        if place == "append":
            manifest.write_text(manifest.read_text() + text)
        elif place:
            manifest.write_text(manifest.read_text().replace("[project]\n", f"[project]\n{text}", 1))
        elif language == "sh" and not text.startswith("pip "):
            done = typed(text)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        elif language == "console":
            for shown in text.removeprefix("$ ").split("\n$ "):
                words, _, answer = shown.partition("\n")
                done = typed(words)
                assert told(done.stdout + done.stderr) == told(answer), words
                ran.append((words, done.stderr))
    assert (folder / "stock-3.png").exists()
    assert typed("git status --short").stdout == "?? stock-3.png\n"
    drawn = ["engine stock is ready" in said for words, said in ran if words == "artlock build"]
    # A new game, a gate that fails, the same picture with finish steps, candidates, an atlas, metadata.
    assert drawn == [True, True, False, True, False, False]


@pytest.mark.parametrize(
    "step", sorted(tomllib.loads((ROOT / "engines/finish/adapter.toml").read_text())["steps"])
)
def test_every_finish_step_is_shown(step: str) -> None:
    page = (ROOT / "docs" / "finish-steps.md").read_text()
    section = page.split(f"\n## {step}\n")[1].split("\n## ")[0]
    found = re.search(r"!\[[^\]]+ before and after `(\{ .+ \})`\]\((images/steps/.+)\)", section)
    if step == "encode":
        assert found is None, "no pixel changes"
        return
    assert found is not None
    assert found[1].startswith(f"{{ {step} = ")
    assert found[1] in (ROOT / "docs" / "figures.py").read_text(), "the page shows what was drawn"
    assert found[2] == f"images/steps/{step}.png"
    with Image.open(ROOT / "docs" / found[2]) as picture:
        picture.verify()


PAGES = (
    "../README.md",
    "engine-comfyui.md",
    "engine-command.md",
    "engine-diffusion.md",
    "engine-gemini.md",
    "engine-gpt-image.md",
    "engine-ideogram.md",
    "engine-sprite.md",
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
    # What is added bit by bit is read by the test that walks through the page.
    whole = FENCED.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    examples = [text for place, language, text in whole if language == "toml" and not place]
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
