"""What the command line says: whole messages, exit codes, JSON."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import jsonschema
import msgspec
import pytest
import rtoml
from game import ROOT, Game
from rich.console import Console

from buildsys import __version__
from buildsys.cli import COMMANDS
from buildsys.cli.init import DODO
from buildsys.cli.live import LiveRows
from buildsys.lock.model import Lock
from buildsys.lock.read import load
from buildsys.lock.write import save
from buildsys.make.events import RequestDone, RequestFailed, RequestStarted, StepMade
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Credit
from buildsys.plan.step import Plan
from engines.protocol import ErrorKind

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "knight"
    seed = 1
    size = [32, 32]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    return made


def test_version(game: Game) -> None:
    assert game.run("--version").stdout == f"artlock {__version__}\n"


def test_no_command_shows_them_all(game: Game) -> None:
    found = game.run(code=2).stdout
    assert all(f"  {name} " in found for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(game: Game, command: str) -> None:
    assert game.run(command, "--help").stdout.startswith(f"usage: artlock {command}")


def test_options_before_the_command_count(game: Game) -> None:
    assert game.run("--dry-run", "build").stdout.endswith("1 to build\n")
    assert game.run("--help", "build").stdout.startswith("usage: artlock build")
    assert not (game.folder / "out").exists()


def test_an_unknown_option(game: Game) -> None:
    assert "unrecognized arguments: --verbos" in game.run("--verbos", code=2).stderr
    assert game.run("--help").stdout.startswith("usage: artlock COMMAND")


def test_an_unknown_command(game: Game) -> None:
    found = game.run("biuld", code=2).stderr
    assert found == "error: there is no command `biuld`\n\nhint: did you mean `build`?\n"


def test_a_folder_without_a_manifest(game: Game, tmp_path: Path) -> None:
    found = game.run("plan", "-C", str(tmp_path), code=2).stderr
    assert found == (
        "error: there is no `assets.toml` here or above\n\nhint: run `artlock init` to start a project\n"
    )


def test_a_command_works_from_any_folder_below(game: Game) -> None:
    assert "1 to build" in game.run("plan", "-C", "tools").stdout


def test_the_plan(game: Game) -> None:
    assert game.run("plan").stdout == "build     hero  the lock does not know it\n1 to build\n"


def test_a_dry_run_for_a_program_is_the_plan(game: Game) -> None:
    found = json.loads(game.run("build", "--dry-run", "--json").stdout)
    assert found == json.loads(game.run("plan", "--json").stdout)
    assert [(step["name"], step["verdict"]) for step in found] == [("hero", "build")]


def test_the_status_lists_what_no_asset_owns(game: Game) -> None:
    game.build()
    (game.folder / "out" / "notes.txt").write_text("buy paint")
    assert game.run("status").stdout == (
        "test, profile draft: 1 fresh\n\nfresh     hero  noise\n\n"
        "1 file under out/ that no asset owns:\n  out/notes.txt\n\n"
        "hint: `artlock clean` removes those that artlock made\n"
    )


def test_the_engines(game: Game) -> None:
    found = {item["name"]: item for item in json.loads(game.run("engines", "--json").stdout)}
    assert found["noise"]["ready"]
    assert found["noise"]["determinism"] == "bitwise"
    assert not found["sd35-medium"]["ready"]
    assert found["sd35-medium"]["missing"]
    keys = {"name", "adapter", "roles", "ready", "missing", "price", "determinism", "retires"}
    assert all(keys <= set(item) for item in found.values())
    assert "  Coloured noise for tests" in game.run("engines", "noise").stdout
    assert "hint: did you mean `noise`?" in game.run("engines", "nois", code=2).stderr


def test_engines_shows_limits_and_devices(game: Game) -> None:
    game.write('[engines.sd35-turbo]\ndevices = ["cuda:0", "cuda:1"]\nlimits = { memory = "14 GB" }\n')
    found = game.run("engines", "sd35-turbo").stdout.splitlines()
    assert [" ".join(line.split()) for line in found if "limit memory" in line or " devices " in line] == [
        "devices cuda:0, cuda:1",
        "limit memory 14,000,000,000",
    ]


def test_the_schema_accepts_the_demo_and_refuses_an_unknown_key(game: Game) -> None:
    schema = json.loads(game.run("schema").stdout)
    shipped = ROOT / "buildsys" / "manifest" / "assets.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == schema, "run `artlock schema` into that file"
    demo = rtoml.loads((ROOT / "assets.toml").read_text(encoding="utf-8"))
    jsonschema.validate(demo, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**demo, "asset": {}}, schema)


def test_generate_makes_one_picture_and_overwrites_nothing(game: Game) -> None:
    words = ["generate", "--engine", "noise", "--prompt", "x", "--seed", "4", "--size", "8x8"]
    assert game.run(*words).stdout == "noise-4.png\n"
    assert (game.folder / "noise-4.png").read_bytes().startswith(b"\x89PNG")
    assert not (game.folder / "assets.lock").exists()
    found = game.run(*words, code=2).stderr
    assert found == "error: `noise-4.png` is there already\n\nhint: give another file name with `-o`\n"
    made = game.run(*words, "-o", "b.webp", "--json")
    assert json.loads(made.stdout)["width"] == 8
    assert (game.folder / "b.webp").read_bytes()[8:12] == b"WEBP"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "big"], "error: `big` is not a size\n\nhint: write it like `512x512`\n"),
        (["-p", "grain"], "error: `grain` is not a parameter\n\nhint: write it like `-p style=pixel`\n"),
        (
            ["-o", "x.gif"],
            "error: `x.gif` is neither a .png nor a .webp\n\nhint: give a file name with `-o`\n",
        ),
    ],
)
def test_generate_refuses(game: Game, words: list[str], message: str) -> None:
    found = game.run("generate", "--engine", "noise", "--seed", "1", "--size", "8x8", *words, code=2)
    assert found.stderr == message


def test_generate_names_a_log_that_is_there(game: Game) -> None:
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(adapter.read_text() + "\nprint('no ink', flush=True)\nraise SystemExit(4)\n")
    found = game.run("generate", "--engine", "noise", "--seed", "1", "--size", "8x8", code=1).stderr
    log = re.search(r"read its log, `(.*)`", found)
    assert log, found
    assert not Path(log[1]).is_absolute(), "it is named from the project's folder"
    assert "no ink" in (game.folder / log[1]).read_text()


def test_generate_names_an_unknown_parameter(game: Game) -> None:
    found = game.run(
        "generate", "--engine", "noise", "--seed", "1", "--size", "8x8", "-p", "second=1", code=2
    )
    assert "did you mean `seconds`?" in found.stderr


def test_a_program_reads_why_an_asset_failed(game: Game) -> None:
    game.write(ASSETS + '    parameters = { fail = "no ink" }\n')
    found = game.build(code=1)
    assert found["failed"] == ["hero"]
    assert found["reasons"] == {"hero": "no ink"}
    assert found["failures"] == {
        "hero": {"message": "no ink", "hint": "mend it", "kind": "bad_request", "log": []}
    }
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(adapter.read_text() + "\nprint('no ink' * 99, flush=True)\nraise SystemExit(4)\n")
    why = game.build(code=1)["failures"]["hero"]
    # The second try begins while the process of the first is still cleared away, in a seat beside it.
    assert re.fullmatch(r"read its log, `\.artlock/logs/noise(-2)?\.log`", why.pop("hint"))
    assert why == {
        "message": "the engine `noise` ended with exit code 4 while loading",
        "kind": "transient",
        "log": [("no ink" * 99)[:199] + "…"],
    }
    assert f"    | {('no ink' * 99)[:199]}…\n" in game.run("build", code=1).stderr


def test_a_blocked_asset_has_no_kind(game: Game) -> None:
    game.write(ASSETS.replace('role = "sprite"', 'engine = "sd35-medium"').replace("32", "64"))
    (why,) = game.build(code=1)["failures"].values()
    assert (why["kind"], why["log"]) == ("", [])
    assert why["hint"]


def test_init_starts_a_game_and_overwrites_nothing(tmp_path: Path, game: Game) -> None:
    folder = tmp_path / "my game!"
    folder.mkdir()
    (folder / ".gitignore").write_text("*.blend1")
    game.run("init", str(folder))
    assert (folder / ".gitignore").read_text() == "*.blend1\n.artlock/\n"
    assert 'name = "my-game"' in (folder / "assets.toml").read_text()
    found = game.run("init", str(folder), code=2).stderr
    assert "hint: run `artlock build`" in found


def test_init_keeps_bytes_that_are_no_text(tmp_path: Path, game: Game) -> None:
    (game.folder / "assets.toml").unlink()
    (game.folder / ".gitignore").write_bytes(b"caf\xe9\r\n")
    game.run("init")
    assert (game.folder / ".gitignore").read_bytes() == b"caf\xe9\r\n.artlock/\n"


def test_the_tasks_that_init_writes_are_those_of_the_demo() -> None:
    assert (ROOT / "dodo.py").read_text(encoding="utf-8") == DODO


def test_what_init_writes_builds(tmp_path: Path, game: Game) -> None:
    folder = tmp_path / "castle"
    game.run("init", str(folder))
    found = json.loads(game.run("build", "-C", str(folder), "--json").stdout)
    assert sorted(found["built"]) == ["gems/blue", "gems/green", "gems/red", "hero", "hero-icon", "title"]
    assert "# Credits" in game.run("credits", "-C", str(folder)).stdout


def test_a_torn_lock_names_the_mend(game: Game) -> None:
    game.build()
    lock = game.folder / "assets.lock"
    lock.write_bytes(lock.read_bytes()[:700])
    found = game.run("check", code=2).stderr
    assert found.startswith("error: assets.lock")
    assert "hint: restore the lock from git, then run `artlock build`" in found


SHOUT = """
import threading
from buildsys.cli.live import LiveRows
from buildsys.make.progress import AssetDone
from buildsys.plan.step import Verdict

def shout():
    for _ in range(500):
        rows.tell(AssetDone(name="hero", verdict=Verdict.BUILD, seconds=1.0))

with LiveRows() as rows:
    threads = [threading.Thread(target=shout, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_live_rows_are_told_and_drawn_at_the_same_time(game: Game) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SHOUT], env={**game.environ, "TERM": "xterm"}, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as terminal:  # EIO: nobody writes any more
        while select.select([terminal], [], [], 20)[0] and (data := terminal.read(65536)):
            shown += data
    try:
        assert process.wait(20) == 0
    finally:
        process.kill()
    assert shown.count(b"hero") == 2000


def test_credits_of_a_lock_that_goes_in_a_circle(game: Game) -> None:
    game.build()
    hero = load(game.folder / "assets.lock").records[AssetName("hero")]
    credit = Credit(title="Sword", author="Ada", licence="CC0-1.0", source="https://example.org")
    records = {
        AssetName(name): msgspec.structs.replace(
            hero, name=AssetName(name), paths={"image": f"asset:{other}"}, credits=(credit,)
        )
        for name, other in [("a", "b"), ("b", "a")]
    }
    save(game.folder / "assets.lock", Lock(records=records))
    found = json.loads(game.run("credits", "--json").stdout)
    assert [(item["author"], item["assets"]) for item in found] == [("Ada", ["a", "b"])]


def test_stock_search(game: Game) -> None:
    found = json.loads(game.run("stock", "search", "scimitar", "--json").stdout)["hits"]
    assert any("sabre" in item["name"] or "saber" in item["name"] for item in found[:5])
    found = game.run("stock", "search", "xqzzyv", code=1).stderr
    assert "error: nothing in the library is near `xqzzyv`\n\nhint: try other words\n" in found


def test_engines_need_no_manifest(game: Game, tmp_path: Path) -> None:
    found = json.loads(game.run("engines", "-C", str(tmp_path), "--json").stdout)
    assert {"stock", "vector", "sd35-medium", "sd35-turbo"} <= {item["name"] for item in found}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "--jsn"], "error: unrecognized arguments: --jsn\n\nhint: did you mean `--json`?\n"),
        (
            ["build", "-j", "x"],
            "error: argument -j/--jobs: invalid int value: 'x'\n\nhint: run `artlock build --help`\n",
        ),
        (["build", "-j", "0"], "error: `-j 0` is not a number of jobs\n\nhint: give 1 or more\n"),
    ],
)
def test_wrong_usage_is_told_like_everything_else(game: Game, words: list[str], message: str) -> None:
    assert game.run(*words, code=2).stderr == message


def test_the_live_rows_tell_what_each_engine_makes() -> None:
    rows = LiveRows()
    rows.planned(Plan(steps={}))
    for event in (
        RequestDone("sd35-turbo", "portraits/king", 1.0),
        RequestFailed("sd35-turbo", "portraits/fool", ErrorKind.REFUSED),
        RequestStarted("sd35-turbo", "portraits/queen"),
    ):
        rows.tell(event)
    rows.tell(StepMade("sd35-turbo", "portraits/queen", 3, 28))
    shown = Console(file=io.StringIO(), width=120)
    with shown.capture() as capture:
        shown.print(rows.draw())
    first, second = capture.get().splitlines()
    assert [cell.strip() for cell in first.split("  ") if cell] == [
        "sd35-turbo",
        "1 made",
        "1 failed",
        "portraits/queen step 3 of 28",
    ]
    assert "0 finished, 0 left" in second
    assert "0:00 elapsed" in second


@pytest.mark.parametrize(("loaded", "last"), [("obstore", ""), ("another", "Python ended\n")])
def test_threads_of_obstore_do_not_see_python_end(loaded: str, last: str) -> None:
    """They would abort the process now and then, after all was done."""
    code = (
        "import atexit, sys, types\n"
        f"sys.modules[{loaded!r}] = types.ModuleType({loaded!r})\n"
        "atexit.register(print, 'Python ended')\n"
        "sys.argv = ['artlock', '--version']\n"
        "from buildsys.cli import console\n"
        "console()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == f"artlock {__version__}\n{last}"
