"""Parameters of type `files`: any number of files by names of one's own, from the manifest to the program."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from comfyui_kit import Studio, drawing, node
from contracts.comfyui import ComfyServer
from game import Game
from PIL import Image

from buildsys.comparison.subject import adapted, of_asset
from buildsys.manifest.model import AssetName, Input, Manifest
from buildsys.manifest.read import parse
from buildsys.plan import graph
from engines import parameters, png
from engines.protocol import EngineError, ErrorKind

PROJECT = '[project]\nname = "game"\n'
HEAD = """
[engines.blend]
adapter = "command"
run = ["true", "{output}"]
inputs = { paper = "art/paper.png", ink = "art/ink.png" }

[assets.gem]
engine = "stock"
prompt = "gem"
seed = 1
size = [16, 16]
"""


def manifest(assets: str, folder: Path) -> Manifest:
    return parse({"assets.toml": PROJECT + HEAD + textwrap.dedent(assets)}, root=folder)


def test_each_file_is_an_input_of_its_own(tmp_path: Path) -> None:
    made = manifest(
        """
        [assets."sets/{n}"]
        engine = "blend"
        matrix = { n = [1] }
        parameters.script = "tools/a.py"

        [assets."sets/{n}".parameters.inputs]
        gem = { asset = "gem" }
        pose = "art/{n}.png"
        font = "bundled:fonts/cinzel-bold.ttf"
        """,
        tmp_path,
    )
    asset = made.assets[AssetName("sets/1")]
    assert asset.inputs == {
        "inputs.gem": Input(asset=AssetName("gem")),
        "inputs.pose": Input(path="art/1.png"),
        "inputs.font": Input(path="bundled:fonts/cinzel-bold.ttf"),
        "script": Input(path="tools/a.py"),
    }
    assert "inputs" not in asset.parameters
    assert graph.upstream(asset) == ("gem",)


def test_a_table_replaces_the_engine_s_as_a_whole(tmp_path: Path) -> None:
    made = manifest(
        """
        [styles.sketch.parameters]
        inputs = { pencil = "art/pencil.png" }

        [assets.plain]
        engine = "blend"

        [assets.drawn]
        engine = "blend"
        style = "sketch"

        [assets.bare]
        engine = "blend"
        parameters = { inputs = {} }
        """,
        tmp_path,
    )
    found = {name: sorted(asset.inputs) for name, asset in made.assets.items()}
    assert found == {
        "gem": [],
        "plain": ["inputs.ink", "inputs.paper"],
        "drawn": ["inputs.pencil"],
        "bare": [],
    }


def test_a_comparison_takes_them_along(tmp_path: Path) -> None:
    made = manifest(
        """
        [engines.other]
        adapter = "command"
        run = ["true", "{output}"]
        inputs = { paper = "art/rough.png" }

        [assets.plain]
        engine = "blend"
        prompt = "gem"
        size = [16, 16]
        parameters = { inputs = { paper = "art/paper.png", gem = { asset = "gem" } }, mesh = "art/a.obj" }
        """,
        tmp_path,
    )
    subject = of_asset(made, AssetName("plain"))
    gem = {"inputs.gem": Input(asset=AssetName("gem"))}
    # What its own engine has anyway was not chosen for it.
    assert subject.files == {**gem, "mesh": Input(path="art/a.obj")}
    asset, notes = adapted(subject, made.engines["other"], 1, AssetName("x"))
    assert asset.inputs == {"inputs.paper": Input(path="art/rough.png"), **subject.files}
    assert "inputs" not in asset.parameters
    assert notes == ()
    _, notes = adapted(subject, made.engines["stock"], 1, AssetName("x"))
    assert {"has no parameter `inputs.gem`", "has no parameter `mesh`"} <= set(notes)


DECLARED = parameters.declared({"mesh": {"type": "file"}, "inputs": {"type": "files"}})


def test_an_adapter_finds_them_in_one_table() -> None:
    found = parameters.checked(DECLARED, {}, {"inputs.pose": "/a/pose.png", "inputs.b": "/a/b", "mesh": "/m"})
    assert found == {"mesh": "/m", "inputs": {"pose": "/a/pose.png", "b": "/a/b"}}
    assert parameters.checked(DECLARED, {}, {}) == {"mesh": None, "inputs": None}


@pytest.mark.parametrize("name", ["input.pose", "inputs", "mesh.pose"])
def test_an_adapter_refuses_a_file_without_a_parameter(name: str) -> None:
    with pytest.raises(EngineError) as caught:
        parameters.checked(DECLARED, {}, {name: "/a/pose.png"})
    assert caught.value.kind is ErrorKind.BAD_REQUEST
    assert caught.value.message == f"parameter `{name}` is unknown"


STACK = """\
import sys
from PIL import Image
output, *sources = sys.argv[1:]
sheet = Image.new("RGB", (8 * len(sources), 8))
for place, source in enumerate(sources):
    assert source.endswith(".png"), source
    sheet.paste(Image.open(source).convert("RGB").resize((8, 8)), (8 * place, 0))
sheet.save(output)
"""

BUILD = """\
[project]
name = "stack"

[engines.noise]
adapter = "tools/noise.py"
sandbox = false

[engines.stack]
adapter = "command"
run = ["PYTHON", "{script}", "{output}", "{input.left}", "{input.gem}"]

[assets.row]
engine = "stack"
parameters = { script = "tools/stack.py", inputs = { left = "art/left.png", gem = { asset = "gem" } } }

[assets.gem]
engine = "noise"
seed = 1
size = [8, 8]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    game = Game(tmp_path / "game", tmp_path / "cache")
    (game.folder / "art").mkdir()
    (game.folder / "tools" / "stack.py").write_text(STACK)
    (game.folder / "assets.toml").write_text(BUILD.replace("PYTHON", sys.executable))
    draw(game, "red")
    return game


def draw(game: Game, color: str) -> None:
    Image.new("RGB", (8, 8), color).save(game.folder / "art" / "left.png")


def left_of(game: Game) -> list[int]:
    pixel: list[int] = png.decode(game.folder / "out" / "row.png")[0, 0].tolist()
    return pixel


def test_a_program_gets_files_and_pictures_of_assets(game: Game) -> None:
    assert game.build() == {"built": ["gem", "row"]}
    made = png.decode(game.folder / "out" / "row.png")
    assert made[:, 8:].tolist() == png.decode(game.folder / "out" / "gem.png")[..., :3].tolist()
    assert left_of(game) == [255, 0, 0]
    assert '"inputs.gem" = "asset:gem"' in game.lock().decode()
    assert game.build() == {"fresh": ["gem", "row"]}
    game.run("reproduce", "row")


def test_it_is_the_bytes_that_count(game: Game) -> None:
    game.build()
    draw(game, "blue")
    assert game.build()["built"] == ["row"]
    assert left_of(game) == [0, 0, 255]

    (game.folder / "art" / "left.png").rename(game.folder / "art" / "moved.png")
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("art/left.png", "art/moved.png"))
    assert game.build() == {"fresh": ["gem", "row"]}

    manifest.write_text(manifest.read_text().replace("seed = 1", "seed = 2"))
    assert game.build() == {"built": ["gem", "row"]}


def test_a_file_that_is_not_there_is_named(game: Game) -> None:
    (game.folder / "art" / "left.png").unlink()
    failed = game.run("build", code=1)
    assert "add `art/left.png`, or mend `inputs.left` of `row`" in failed.stdout + failed.stderr


@pytest.fixture
def server() -> Iterator[ComfyServer]:
    with ComfyServer().serving() as server:
        yield server


SET_IT = 'set `slots = { stance = "NODE.INPUT" }`'
TITLE_IT = f"give the node that takes it the title `artlock:stance`, or {SET_IT}"
POSED = drawing(n10=node("LoadImage", "artlock:pose", image="example.png", upload="image"))


def test_a_workflow_gets_them_in_slots_of_their_names(server: ComfyServer, tmp_path: Path) -> None:
    studio = Studio(server, tmp_path)
    source = studio.inputs / "pose.png"
    Image.new("RGB", (4, 4), "red").save(source)
    studio.made(studio.request(POSED, files={"inputs.pose": source}))
    name = studio.sent()["10"]["inputs"]["image"]
    assert server.uploads == {name: source.read_bytes()}


@pytest.mark.parametrize(
    ("name", "more", "message", "hint"),
    [
        (
            "stance",
            {},
            "the asset has a `stance`, but the workflow has no slot `stance`",
            TITLE_IT,
        ),
        ("prompt", {}, "`inputs.prompt` would replace the asset's own `prompt`", "rename it"),
        (
            "steps",
            {"values": {"steps": 3}},
            "`inputs.steps` and `values.steps` are for the same slot",
            "leave one of them out",
        ),
    ],
)
def test_a_file_that_no_slot_takes_is_refused_before_it_is_uploaded(
    server: ComfyServer,
    tmp_path: Path,
    name: str,
    more: dict[str, dict[str, int]],
    message: str,
    hint: str,
) -> None:
    studio = Studio(server, tmp_path)
    source = studio.inputs / "pose.png"
    Image.new("RGB", (4, 4), "red").save(source)
    failure = studio.failed(studio.request(POSED, files={f"inputs.{name}": source}, **more))
    assert (failure.message, failure.hint) == (message, hint)
    assert server.uploads == {}


def test_one_slot_takes_one_file(server: ComfyServer, tmp_path: Path) -> None:
    studio = Studio(server, tmp_path)
    source = studio.inputs / "pose.png"
    Image.new("RGB", (4, 4), "red").save(source)
    failure = studio.failed(studio.request(POSED, files={"inputs.image": source, "image": source}))
    assert failure.message == "`inputs.image` and `image` are for the same slot"
