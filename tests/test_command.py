"""The adapter `command` with real programs: shell scripts, Python scripts, ImageMagick where there is one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from engine_child import ENTRY, converse
from game import Game
from PIL import Image

from engines import command, parameters, png, protocol
from engines.protocol import Done, ErrorKind, Failure, Open, Progress, Render, Request, Result

ROOT = Path(__file__).resolve().parent.parent
DRAW = """\
import sys
from PIL import Image
output, width, height, red = sys.argv[1:5]
Image.new("RGB", (int(width), int(height)), (int(red), 0, 0)).save(output)
"""
PYTHON = sys.executable


def opening(staging: Path, **settings: Any) -> Open:
    return Open(
        protocol=protocol.PROTOCOL,
        adapter="command",
        engine="tool",
        model="",
        revision="",
        staging=str(staging),
        settings=settings,
    )


def request(
    *run: str, inputs: Mapping[str, Path] | None = None, values: Mapping[str, Any] | None = None, **more: Any
) -> Request:
    return Request(
        id="1",
        asset="gem",
        output="a.png",
        parameters={"run": list(run), **(values or {})},
        inputs={name: str(path) for name, path in (inputs or {}).items()},
        **more,
    )


def made(staging: Path, asked: Request, **settings: Any) -> tuple[Result, list[tuple[int, int]]]:
    steps: list[tuple[int, int]] = []
    engine = command.load(opening(staging, **settings))
    (result,) = engine.render([asked], lambda _id, step, of: steps.append((step, of)))
    left = [path.name for path in staging.iterdir() if path.name.startswith("run-")]
    assert not left
    return result, steps


def failed(staging: Path, asked: Request) -> Failure:
    result, _ = made(staging, asked)
    assert isinstance(result, Failure)
    assert not (staging / "a.png").exists()
    return result


@pytest.fixture
def draw(tmp_path: Path) -> Path:
    path = tmp_path / "inputs" / "draw.py"
    path.parent.mkdir()
    path.write_text(DRAW)
    return path


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    path = tmp_path / "staging"
    path.mkdir()
    return path


def test_a_script_draws(staging: Path, draw: Path) -> None:
    run = (PYTHON, "{script}", "{output}", "{width}", "{height}", "{seed}")
    result, _ = made(staging, request(*run, inputs={"script": draw}, size=(8, 4), seed=200))
    assert result == Done(id="1", output="a.png")
    pixels = png.decode(staging / "a.png")
    assert pixels.shape == (4, 8, 3)
    assert pixels[0, 0].tolist() == [200, 0, 0]


def test_what_it_writes_is_kept_byte_for_byte(staging: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.new("RGB", (3, 3), "red").save(source, compress_level=0)
    result, _ = made(staging, request("cp", "{input.image}", "{output}", inputs={"image": source}))
    assert isinstance(result, Done)
    assert (staging / "a.png").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(("kind", "name"), [("jpg", "JPEG"), ("webp", "WEBP")])
def test_another_format(kind: str, name: str, staging: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    Image.new("RGB", (3, 3), "red").save(source, format=name)
    asked = request("cp", "{input.image}", "{output}", inputs={"image": source}, values={"format": kind})
    result, _ = made(staging, asked)
    assert isinstance(result, Done)
    assert result.output == f"a.{kind}"
    assert (staging / result.output).read_bytes() == source.read_bytes()


def test_inputs_of_one_s_own_names(staging: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.new("RGB", (3, 3), "red").save(source)
    asked = request("cp", "{input.normals}", "{output}", inputs={"inputs.normals": source})
    assert isinstance(made(staging, asked)[0], Done)


def test_two_inputs_of_one_name(staging: Path, draw: Path) -> None:
    inputs = {"mesh": draw, "inputs.mesh": draw}
    found = failed(staging, request("cp", "{input.mesh}", "{output}", inputs=inputs))
    assert found.message == "the asset has `mesh` and `inputs.mesh`, both of them `{input.mesh}`"
    assert found.hint == "rename the one under `inputs`"


def test_no_shell_reads_a_prompt(staging: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.new("RGB", (3, 3), "red").save(source)
    shell = 'printf %s "$1" > prompt.txt && printf %s "$SAID" >> prompt.txt && cat prompt.txt && cp "$2" "$3"'
    prompt = "a 'gem'; touch $(pwd)/hacked\n\"`id`\" \\ *"
    asked = request(
        *("sh", "-c", shell, "sh", "{prompt}", "{input.image}", "{output}"),
        values={"variables": {"SAID": "<{text}>"}},
        inputs={"image": source},
        prompt=prompt,
        text="$HOME",
    )
    log = subprocess.run(
        [PYTHON, "-c", _HEARD, str(staging), repr(asked)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{prompt}<$HOME>" in log.stderr
    assert not list(staging.rglob("hacked"))


_HEARD = """
import sys
from engines import command
from engines.protocol import Open, Request
who = dict(protocol=1, adapter="command", engine="e", model="", revision="", settings={})
for result in command.load(Open(staging=sys.argv[1], **who)).render([eval(sys.argv[2])], print):
    assert result.output == "a.png", result
"""


def test_the_environment_is_its_own(staging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_ANOTHER", "x")
    monkeypatch.setenv("BLENDER_THEME", "dark")
    monkeypatch.setenv("LC_TIME", "C")
    asked = request(
        "sh", "-c", "env | sort; exit 3", "{output}", values={"variables": {"SAMPLES": "{seed}"}}, seed=7
    )
    result, _ = made(staging, asked, **{"pass": ["BLENDER_THEME"]})
    assert isinstance(result, Failure)
    seen = {line.partition("=")[0] for line in _all_lines(staging, asked)}
    assert {"SAMPLES", "BLENDER_THEME", "LC_TIME", "PATH"} <= seen
    assert "SECRET_OF_ANOTHER" not in seen


def _all_lines(staging: Path, asked: Request) -> list[str]:
    """What `env` printed to a program with the same variables, in a file rather than in six last lines."""
    told = staging / "told.txt"
    run = ["sh", "-c", f"env > {told}; exit 3", "{output}"]
    again = Request(**{**_fields(asked), "parameters": {**asked.parameters, "run": run}})
    made(staging, again, **{"pass": ["BLENDER_THEME"]})
    return told.read_text().splitlines()


def _fields(asked: Request) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in Request.__dataclass_fields__}


def test_progress_and_log(staging: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "source.png"
    Image.new("RGB", (3, 3), "red").save(source)
    script = (
        "echo hello; echo artlock: progress 1/3; echo artlock: progress 9/3; echo artlock: progress x;"
        "echo artlock: progress 3/3; echo oops >&2; cp $1 $2"
    )
    asked = request("sh", "-c", script, "sh", "{input.image}", "{output}", inputs={"image": source})
    result, steps = made(staging, asked)
    assert isinstance(result, Done)
    assert steps == [(1, 3), (3, 3)]
    assert capfd.readouterr().err == "hello\nartlock: progress 9/3\nartlock: progress x\noops\n"


def test_a_program_that_leaves_another_behind(staging: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.new("RGB", (3, 3), "red").save(source)
    script = "sleep 30 & echo $! > $3; cp $1 $2"
    pid = tmp_path / "pid"
    asked = request("sh", "-c", script, "sh", "{input.image}", "{output}", str(pid), inputs={"image": source})
    assert isinstance(made(staging, asked)[0], Done)
    subprocess.run(["kill", pid.read_text().strip()], check=True)


def test_a_flood_without_a_newline(staging: Path) -> None:
    found = failed(staging, request("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; exit 2", "{output}"))
    assert len(found.message) < 3000


FAILURES: list[tuple[tuple[str, ...], ErrorKind, str, str]] = [
    (
        ("sh", "-c", "echo one; echo two >&2; exit 3", "{output}"),
        ErrorKind.INTERNAL,
        "`sh` failed with exit code 3; its last lines:\none\ntwo",
        "",
    ),
    (("sh", "-c", "kill -SEGV $$", "{output}"), ErrorKind.INTERNAL, "`sh` was ended by `SIGSEGV`", ""),
    (
        ("sh", "-c", "kill -KILL $$", "{output}"),
        ErrorKind.OUT_OF_MEMORY,
        "`sh` was killed by `SIGKILL`: perhaps the machine ran out of memory",
        "close other programs, or make the picture smaller",
    ),
    (
        ("sh", "-c", "exit 137", "{output}"),
        ErrorKind.OUT_OF_MEMORY,
        "`sh` was killed by `SIGKILL`: perhaps the machine ran out of memory",
        "close other programs, or make the picture smaller",
    ),
    (
        ("sh", "-c", "echo ok; : > a0001.png", "{output}"),
        ErrorKind.INTERNAL,
        "`sh` ended well but wrote no file at `{output}` (it wrote `a0001.png` instead); its last line:\nok",
        "make it write its picture exactly to `{output}`",
    ),
    (
        ("ln", "-s", "/etc/passwd", "{output}"),
        ErrorKind.INTERNAL,
        "`ln` ended well but wrote no file at `{output}`",
        "make it write its picture exactly to `{output}`",
    ),
    (
        ("cp", "/etc/passwd", "{output}"),
        ErrorKind.INTERNAL,
        "`cp` wrote a file that is not `png`",
        'make it write `png`, or set `format` to what it writes (`"png"`, `"jpg"`, `"webp"`)',
    ),
    (
        ("sh", "-c", ': > "$1"', "sh", "{output}"),
        ErrorKind.INTERNAL,
        "`sh` wrote no usable picture: `its picture` is not a PNG, WebP or JPEG picture",
        "",
    ),
    (
        ("no-such-program", "{output}"),
        ErrorKind.MISSING,
        "the program `no-such-program` is not on this machine",
        "install `no-such-program`, or put its folder on `PATH`",
    ),
    (
        ("tools/draw.sh", "{output}"),
        ErrorKind.BAD_REQUEST,
        "`tools/draw.sh` is a relative path, and programs run in a folder of their own",
        'give a file of the project as `script`, and run it: `run = ["sh", "{script}", "{output}"]`',
    ),
    (
        ("true",),
        ErrorKind.BAD_REQUEST,
        "`run` has no `{output}`, so the program can't know where to write",
        "add `{output}`",
    ),
    ((), ErrorKind.BAD_REQUEST, "`run` is empty", "give the program and its arguments"),
    (
        ("{script}", "{output}"),
        ErrorKind.BAD_REQUEST,
        "`run` begins with `{script}`, and a program can't come from a placeholder",
        'name the interpreter first: `run = ["python3", "{script}", "{output}"]`',
    ),
    (
        ("true", "{promt}"),
        ErrorKind.BAD_REQUEST,
        "placeholder `promt` is unknown",
        "did you mean `prompt`?",
    ),
    (
        ("true", "{seed}"),
        ErrorKind.BAD_REQUEST,
        "`{seed}` is used, but the asset has no `seed`",
        "give the asset a `seed`",
    ),
    (
        ("true", "-w{width}"),
        ErrorKind.BAD_REQUEST,
        "`{width}` is used, but the asset has no `size`",
        "give the asset a `size`",
    ),
    (
        ("true", "{script}"),
        ErrorKind.BAD_REQUEST,
        "`{script}` is used, but the asset has no `script`",
        "set the parameter `script` to a file",
    ),
    (
        ("true", "{input.mesh}"),
        ErrorKind.BAD_REQUEST,
        "`{input.mesh}` is used, but the asset has no such input",
        'add `inputs = { mesh = "PATH" }` to its parameters',
    ),
    (("true", "{"), ErrorKind.BAD_REQUEST, "`{` has a lone `{`", "write `{{` for a brace"),
]


@pytest.mark.parametrize(("run", "kind", "message", "hint"), FAILURES)
def test_what_fails_says_why(
    run: tuple[str, ...], kind: ErrorKind, message: str, hint: str, staging: Path
) -> None:
    found = failed(staging, request(*run))
    assert (found.kind, found.message, found.hint) == (kind, message, hint)


def test_a_wrong_size(staging: Path, draw: Path) -> None:
    run = (PYTHON, "{script}", "{output}", "64", "64", "0")
    found = failed(staging, request(*run, inputs={"script": draw}, size=(128, 64)))
    assert (found.kind, found.message) == (
        ErrorKind.INTERNAL,
        f"`{Path(PYTHON).name}` made 64x64 pixels, not 128x64 as asked",
    )
    assert found.hint == "use `{width}` and `{height}` in `run`, or leave `size` out of the asset"


def test_a_cut_picture(staging: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.effect_noise((64, 64), 50).save(source)
    run = ("sh", "-c", 'head -c 700 "$1" > "$2"', "sh", "{input.image}", "{output}")
    found = failed(staging, request(*run, inputs={"image": source}))
    assert found.message == "`sh` wrote no usable picture: `its picture` is cut off or damaged"


@pytest.mark.parametrize("name", ["prompt", "negative", "text"])
def test_nothing_that_was_said_is_lost(name: str, staging: Path) -> None:
    said: dict[str, Any] = {name: "moon"}
    found = failed(staging, request("true", "{output}", **said))
    assert found.message == f"the asset has a `{name}`, but `run` has no `{{{name}}}`"
    assert found.hint == f"add `{{{name}}}` to `run`, or leave it out of the asset"


def test_an_unused_input_is_refused(staging: Path, draw: Path) -> None:
    found = failed(staging, request("true", "{output}", inputs={"mesh": draw}))
    assert found.message == "the asset has a `input.mesh`, but `run` has no `{input.mesh}`"


def test_an_unused_seed_is_noted(staging: Path, draw: Path) -> None:
    run = (PYTHON, "{script}", "{output}", "4", "4", "0")
    result, _ = made(staging, request(*run, inputs={"script": draw}, seed=3))
    assert isinstance(result, Done)
    assert result.notes == ("the seed changes nothing: `run` has no `{seed}`",)


@pytest.mark.parametrize(
    ("run", "refused"),
    [
        (("true", "{output}", "{prompt}"), True),
        (("true", "{output}", "--prompt", "{prompt}"), True),
        (("true", "{output}", "--prompt={prompt}"), False),
        (("true", "{output}", "--", "{prompt}"), False),
    ],
)
def test_a_prompt_is_never_an_option(run: tuple[str, ...], refused: bool, staging: Path) -> None:
    found = failed(staging, request(*run, prompt="--delete-all"))
    if refused:
        assert found.message == "the prompt begins with `-`, and the program would take it for an option"
        assert found.hint == "put `--` before `{prompt}` in `run`, or write it as `--option={prompt}`"
    else:
        assert found.message.startswith("`true` ended well")


def test_a_wrong_variable(staging: Path) -> None:
    found = failed(staging, request("true", "{output}", values={"variables": {"A": 1}}))
    assert (found.message, found.hint) == ("`variables.A` is `1`, not a string", 'write it as `"1"`')


def test_the_probe_is_recorded(staging: Path) -> None:
    engine = command.load(opening(staging, probe=["sh", "-c", "echo; echo Blender 4.5.3; echo more"]))
    assert engine.environment()["program"] == "Blender 4.5.3"
    assert "program" not in command.load(opening(staging)).environment()


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (["no-such-program"], "the program `no-such-program` is not on this machine"),
        (["sh", "-c", "echo no; exit 2"], "`probe` printed no version: exit code 2, `no`"),
    ],
)
def test_a_probe_that_fails(probe: list[str], message: str, staging: Path) -> None:
    with pytest.raises(protocol.EngineError) as caught:
        command.load(opening(staging, probe=probe))
    assert caught.value.message == message


def test_through_a_real_child(staging: Path, draw: Path) -> None:
    shell = 'echo artlock: progress 1/2; exec "$@"'
    run = ("sh", "-c", shell, "sh", PYTHON, "{script}", "{output}", "{width}", "{height}", "9")
    hello, answers = converse(opening(staging), request(*run, inputs={"script": draw}, size=(6, 6)), staging)
    assert (hello.adapter, hello.determinism) == ("command", protocol.Determinism.ENVIRONMENT)
    assert answers == [
        Progress(id="1", step=1, steps=2),
        Done(id="1", output="a.png", host_bytes=_bytes(answers)),
    ]
    assert png.decode(staging / "a.png").shape == (6, 6, 3)


def _bytes(answers: list[protocol.Message]) -> int:
    """Whatever the serving side adds of its own."""
    return next((answer.host_bytes for answer in answers if isinstance(answer, Done)), 0)


def test_an_adapter_of_a_project_with_network(staging: Path, draw: Path, tmp_path: Path) -> None:
    card = (ROOT / "engines" / "command" / "adapter.toml").read_text()
    (tmp_path / "online.toml").write_text(card.replace("network = false", "network = true"))
    (tmp_path / "online.py").write_text("from engines.command import load\n")
    run = (PYTHON, "{script}", "{output}", "5", "5", "1")
    theirs = dataclasses.replace(opening(staging), adapter=str(tmp_path / "online.py"))
    hello, (done,) = converse(theirs, request(*run, inputs={"script": draw}), staging)
    assert hello.adapter == "online"
    assert isinstance(done, Done)


def test_the_program_dies_with_the_build(staging: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    asked = request("sh", "-c", f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 60", "{output}")
    read, write = os.pipe()
    child = subprocess.Popen(
        [PYTHON, "-P", str(ENTRY), str(read), "command"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[read],
        cwd=staging,
    )
    os.close(read)
    with child:
        assert child.stdin is not None
        child.stdin.write(protocol.encode(opening(staging)) + protocol.encode(Render(requests=(asked,))))
        child.stdin.flush()
        assert until(pid.exists)
        os.close(write)
        child.wait(timeout=20)
    assert until(lambda: not Path("/proc", pid.read_text().strip()).exists())


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


MANIFEST = """\
[project]
name = "gems"

[engines.draw]
adapter = "command"
run = ["PYTHON", "{script}", "{output}", "{width}", "{height}", "{seed}"]
script = "tools/draw.py"

[engines.copy]
adapter = "command"
run = ["cp", "{input.image}", "{output}"]

[assets.gem]
engine = "draw"
seed = 9
size = [8, 8]

[assets.twin]
engine = "copy"
parameters = { image = { asset = "gem" } }
"""


def test_a_changed_byte_of_the_script_makes_its_pictures_again(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    (game.folder / "tools" / "draw.py").write_text(DRAW)
    (game.folder / "assets.toml").write_text(MANIFEST.replace("PYTHON", PYTHON))
    assert game.build() == {"built": ["gem", "twin"]}
    assert png.decode(game.folder / "out" / "twin.png")[0, 0].tolist() == [9, 0, 0]
    (game.folder / "tools" / "draw.py").write_text(f"# the same pixels\n{DRAW}")
    assert game.build()["built"] == ["gem"]


def test_the_page_names_every_parameter_and_placeholder() -> None:
    page = (ROOT / "docs" / "engine-command.md").read_text()
    card = parameters.card(ROOT / "engines" / "command")
    for name in (*card["parameters"], *card["settings"]):
        assert f"`{name}`" in page, name
    for name in ("output", "prompt", "negative", "text", "seed", "width", "height", "script", "input.NAME"):
        assert f"`{{{name}}}`" in page, name


def _is_magick() -> bool:
    try:
        said = subprocess.run(["convert", "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return said.returncode == 0 and said.stdout.startswith("Version: ImageMagick")


@pytest.mark.skipif(not _is_magick(), reason="ImageMagick is not installed")
def test_imagemagick(staging: Path) -> None:
    run = ("convert", "-size", "{width}x{height}", "gradient:{text}", "PNG24:{output}")
    result, _ = made(staging, request(*run, text="red-blue", size=(16, 8)))
    assert isinstance(result, Done)
    assert png.decode(staging / "a.png").shape == (8, 16, 3)
