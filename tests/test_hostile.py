"""Hostile surroundings: what lies in the way, what the streams can't take, what a lock may be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from game import Game

ASSETS = """
    [assets.bush]
    role = "sprite"
    seed = 1
    size = [8, 8]

    [assets.tree]
    role = "sprite"
    seed = 2
    size = [8, 8]
"""
ACCENTED = """
    [assets."épée"]
    role = "sprite"
    seed = 1
    size = [8, 8]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    return made


def shell(game: Game, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`command` in a shell, where `artlock` is the command."""
    script = f'artlock() {{ "{sys.executable}" -m buildsys "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=game.folder,
        env=game.environ | variables,
        text=True,
        capture_output=True,
        timeout=60,
    )


# Streams


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["status", "build", "build --json"])
def test_closed_streams(game: Game, command: str, closed: str) -> None:
    done = shell(game, f"artlock {command} {closed}")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.parametrize("command", ["plan", "schema", "build --json"])
def test_a_full_disk_behind_the_output(game: Game, command: str) -> None:
    done = shell(game, f"artlock {command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.endswith(
        "error: can't write the output: No space left on device\n\nhint: send it to another place\n"
    )


def test_a_reader_that_leaves(game: Game) -> None:
    done = shell(game, "artlock plan | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_output_that_is_not_utf8(game: Game) -> None:
    game.write(ACCENTED)
    assert "\\xe9p\\xe9e" in shell(game, "artlock status", PYTHONIOENCODING="ascii").stdout
    found = shell(game, "artlock plan --json", PYTHONIOENCODING="ascii").stdout
    assert [step["name"] for step in json.loads(found)] == ["épée"]


def test_file_names_that_are_not_utf8(game: Game) -> None:
    done = shell(game, "artlock plan", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 2
    assert done.stderr == (
        "error: Python writes file names as `ascii`; artlock's are UTF-8\n\nhint: set `PYTHONUTF8=1`\n"
    )


def test_a_current_folder_that_is_gone(game: Game) -> None:
    for command in ("build", "init"):
        done = shell(game, f"mkdir gone; cd gone; rmdir ../gone; artlock {command}")
        assert done.returncode == 2
        assert done.stderr == ("error: the folder that you are in is gone\n\nhint: change to another one\n")


REDRAWN = """
import threading
from buildsys.cli.live import LiveRows
from buildsys.make.progress import AssetDone
from buildsys.plan.step import Verdict

ended = threading.Event()
with LiveRows() as rows:
    def redraw():
        while not ended.is_set():
            rows._live.refresh()
    thread = threading.Thread(target=redraw, daemon=True)
    thread.start()
    for number in range(50):
        rows.tell(AssetDone(name=f"a{number}", verdict=Verdict.BUILD, seconds=0.0, notes=()))
    ended.set()
    thread.join()
"""


def test_rows_are_redrawn_while_lines_are_printed(game: Game) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REDRAWN],
        check=False,
        env=game.environ | {"FORCE_COLOR": "1", "TERM": "xterm"},
        text=True,
        capture_output=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    assert "a49" in done.stderr


# JSON


def test_json_says_what_is_wrong(game: Game) -> None:
    done = game.run("build", "--json", "tre", code=2)
    assert json.loads(done.stdout) == {
        "error": "asset `tre` is not in the manifest",
        "hint": "did you mean `tree`?",
    }


def test_a_dry_run_in_json(game: Game) -> None:
    dry = json.loads(game.run("build", "--dry-run", "--json").stdout)
    assert dry == json.loads(game.run("plan", "--json").stdout)
    assert not (game.folder / "out").exists()


# What lies in the way


@pytest.mark.parametrize(
    ("kind", "fact", "hint"),
    [
        ("folder", "a folder is there", "move the folder away"),
        ("link", "it is a symbolic link", "put a real file there"),
        ("pipe", "it is not a regular file", "check the disk and the path"),
    ],
)
def test_no_file_where_one_goes_stops_only_its_asset(game: Game, kind: str, fact: str, hint: str) -> None:
    path = game.folder / "out" / "bush.png"
    path.parent.mkdir()
    elsewhere = game.folder / "elsewhere"
    elsewhere.write_bytes(b"mine")
    match kind:
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(elsewhere)
        case _:
            os.mkfifo(path)
    before = path.lstat().st_ino
    message = f"can't read `{path}`: {fact}"
    for words in (["--force"], ["--placeholders"], []):
        done = game.run("build", *words, code=1)
        assert f"blocked  bush: {message}\n\nhint: {hint}\n" in done.stderr
    assert game.made() == ["tree"]
    assert game.run("check", code=1).stdout == f"blocked  bush: {message}\n"
    assert (path.lstat().st_ino, elsewhere.read_bytes()) == (before, b"mine")


def test_an_input_that_is_a_folder_stops_only_its_asset(game: Game) -> None:
    game.write(
        ASSETS.replace("seed = 1\n", 'seed = 1\n    finish = [{ quantize = { palette = "art/colours" } }]\n')
    )
    path = game.folder / "art" / "colours"
    path.mkdir(parents=True)
    fact = f"can't read `{path}`: a folder is there"
    assert game.build(code=1) == {
        "built": ["tree"],
        "blocked": ["bush"],
        "reasons": {"bush": fact},
        "failures": {"bush": {"message": fact, "hint": "move the folder away", "kind": "", "log": []}},
    }


# The lock


def test_a_lock_that_is_a_pipe(game: Game) -> None:
    os.mkfifo(game.folder / "assets.lock")
    done = game.run("check", code=125)
    path = game.folder / "assets.lock"
    assert done.stderr == (
        f"error: can't read `{path}`: it is not a regular file\n\nhint: check the disk and the path\n"
    )


def test_a_lock_that_is_too_new_is_refused_before_anything_is_made(game: Game) -> None:
    (game.folder / "assets.lock").write_text("version = 1\nrevision = 99\n")
    done = game.run("build", code=2)
    assert done.stderr == (
        "error: the lock is of revision 1.99; this artlock writes only 1.2, "
        "and would lose what it does not know\n\nhint: upgrade artlock\n"
    )
    assert not game.made()


# Private and project folders


def test_a_file_where_the_private_folder_goes(game: Game) -> None:
    game.build()
    private = game.folder / ".artlock"
    subprocess.run(["rm", "-r", private], check=True)
    private.write_text("")
    done = game.run("reproduce", "bush", code=1)
    told = f"can't write into `{private}`: something else has that name\n\nhint: move it away\n"
    assert done.stderr == f"error: {told}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize(
    "command", ["reproduce slow", "generate --engine noise --seed 1 --size 8x8 -p seconds=60"]
)
def test_nothing_is_left_by_a_command_that_was_ended(
    game: Game, command: str, number: signal.Signals, tmp_path: Path
) -> None:
    game.write(
        ASSETS.replace("bush]", "slow]").replace("seed = 1", "seed = 1\n    parameters = { seconds = 0.5 }")
    )
    game.build()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "buildsys", *command.split()],
        cwd=game.folder,
        env=game.environ | {"TMPDIR": str(temporary)},
        text=True,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    while "is ready" not in line:
        line = process.stderr.readline()
    process.send_signal(number)
    error = process.communicate(timeout=30)[1]
    assert process.returncode == 130, error
    assert error.endswith("interrupted: what was finished is kept; `artlock build` goes on from there\n")
    assert list(temporary.iterdir()) == []
    left = {path.name for path in (game.folder / ".artlock").iterdir()}
    # Logs stay: a message may have named one.
    remembered = {".gitignore", "agreement", "reading", "index", "journal.db", "journal.lock"}
    assert left <= {*remembered, "build.lock", "logs", "trial"}
    if "trial" in left:
        assert [path.name for path in (game.folder / ".artlock" / "trial").iterdir()] == ["logs"]


# The store


def test_objects_that_were_damaged_are_made_again_in_the_same_build(game: Game) -> None:
    game.write(ASSETS + '\n    [assets.copy]\n    from = "tree"\n    finish = [{ resize = [4, 4] }]\n')
    game.build()
    lock, outputs = game.lock(), game.outputs()
    game.made()
    objects = [path for path in (game.cache / "v1" / "objects").rglob("*") if path.is_file()]
    for path in objects:
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-1])
    shutil.rmtree(game.folder / "out")
    assert sorted(game.build()["built"]) == ["bush", "copy", "tree"]
    assert game.made() == ["bush", "tree"]
    assert (game.lock(), game.outputs()) == (lock, outputs)


def test_init_keeps_what_is_not_utf8(game: Game, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / ".gitignore").write_bytes(b"\xe9t\xe9\n")
    game.run("init", str(folder))
    assert (folder / ".gitignore").read_bytes() == b"\xe9t\xe9\n.artlock/\n"


def test_init_in_a_file(game: Game) -> None:
    path = game.folder / "assets.toml"
    done = game.run("init", "assets.toml/x", code=1)
    assert done.stderr == (
        f"error: can't make `{path.name}/x`: a part of the path is a file, not a folder\n\n"
        "hint: move that file away\n"
    )


# What strangers say


def test_the_words_of_an_engine_do_not_steer_the_terminal(game: Game) -> None:
    game.write(ASSETS.replace("seed = 1", 'seed = 1\n    parameters = { fail = "a\\u001b[2Jb\\nc\\u202e" }'))
    done = game.run("build", "bush", code=1)
    assert "failed bush: a\\x1b[2Jb\n" in done.stderr
    assert "failed  bush: a\\x1b[2Jb\nc\\u202e\n" in done.stderr
    assert "\x1b" not in done.stderr
    assert game.build("bush", code=1)["reasons"] == {"bush": "a\x1b[2Jb\nc\u202e"}


def test_credits_of_a_lock_that_goes_in_a_circle(game: Game) -> None:
    game.write(ASSETS + '\n    [assets.copy]\n    from = "tree"\n')
    game.build()
    game.forge('"asset:tree"', '"asset:copy"')
    assert game.run("credits").stdout == "The lock owes nobody a credit.\n"


# Git


def test_a_git_that_can_not_be_started(game: Game, tmp_path: Path) -> None:
    game.build()
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "buildsys", "plan"],
        check=False,
        cwd=game.folder,
        env=game.environ | {"PATH": str(tmp_path / "bin")},
        text=True,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("2 to build\n")
