"""`artlock check`: needs nothing but the checkout, hashes all with `--full`, tells kinds by exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from game import Game

from buildsys.digest import of_bytes
from buildsys.errors import Exit

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]

    [assets.wall]
    role = "sprite"
    prompt = "y"
    seed = 4
    size = [16, 16]
"""
GATES = 'gates = { bytes = "1 MB" }\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    game.commit()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path) -> Game:
    copied = Game.lying(tmp_path / "game", tmp_path / "empty", tmp_path / "count.txt")
    shutil.copytree(made.folder, copied.folder)
    return copied


def checked(game: Game, *words: str) -> tuple[int, dict[str, Any]]:
    process = game.start("check", "--json", *words)
    out, err = process.communicate(timeout=120)
    assert not err or err.startswith("warning: both sides of a merge changed")
    found = json.loads(out)
    assert process.returncode == found["code"]
    return process.returncode, found


def test_nothing_but_the_checkout(game: Game, tmp_path: Path) -> None:
    """No home, no store, no key, no git, and a folder that can't be written."""
    shutil.rmtree(game.folder / ".artlock")
    home = tmp_path / "home"
    home.mkdir()
    for folder, _, files in os.walk(game.folder):
        for name in files:
            Path(folder, name).chmod(0o444)
        Path(folder).chmod(0o555)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    environment = {"PATH": str(home), "PYTHONPATH": game.environ["PYTHONPATH"]}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    for words in (["check"], ["check", "--full"], ["check", "--json"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "buildsys", *words],
            cwd=game.folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
    # Root may write into a folder that says no; what is written is the stat index alone.
    after = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    assert {path.parts[1] for path in {*after} - {*before}} <= {".artlock"}


def homeless(game: Game, *words: str) -> subprocess.CompletedProcess[str]:
    """As a hook of a bare container runs it: git can be found, and nothing says where a home would be."""
    return subprocess.run(
        [sys.executable, "-m", "buildsys", *words],
        cwd=game.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": game.environ["PYTHONPATH"]},
        check=False,
        capture_output=True,
        text=True,
    )


def test_what_is_staged_and_accepted_needs_no_home(game: Game) -> None:
    game.run("approve", "--by", "Ann <ann@x.org>", "hero", "wall")
    game.commit()
    for words in (["--staged"], ["--approved"], ["--approved", "--full", "--json"], ["--staged", "--json"]):
        done = homeless(game, "check", *words)
        assert (done.returncode, done.stderr) == (0, ""), words


def test_what_differs_is_found_without_a_home(game: Game) -> None:
    game.write(ASSETS.replace("seed = 3", "seed = 5") + GATES)
    (game.folder / "out" / "wall.png").unlink()
    done = homeless(game, "check", "--json")
    found = {item["name"]: item["kind"] for item in json.loads(done.stdout)["differences"]}
    assert found == {"hero": "recipe", "wall": "missing"}
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["build", "gc"])
def test_what_keeps_something_says_that_there_is_no_home(command: str, game: Game) -> None:
    game.write(ASSETS.replace("seed = 3", "seed = 5"))
    done = homeless(game, command)
    assert done.returncode == Exit.FAILED
    assert done.stderr == (
        "error: there is no home folder to keep the store in\n\nhint: set `ARTLOCK_CACHE_DIR`\n"
    )


def test_what_differs_is_found_without_a_store(game: Game) -> None:
    (game.folder / "out" / "hero.png").unlink()
    shutil.rmtree(game.folder / ".git")
    assert checked(game)[0] == Exit.MISSING
    assert not game.cache.exists()


def test_full_sees_what_no_time_stamp_shows(game: Game) -> None:
    """Another program may put the size and the time back; only the time of the change itself it can't."""
    game.run("check")
    path = game.folder / "out" / "hero.png"
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    # As after rot on the disk, which leaves all stamps as they were: the index is told this one's.
    index = game.folder / ".artlock" / "index"
    text = index.read_text()
    assert str(before.st_ctime_ns) in text
    changed = text.replace(str(before.st_ctime_ns), str(path.stat().st_ctime_ns))
    head, _, body = changed.partition("\n")
    word, _, _ = head.rpartition(" ")
    index.write_text(f"{word} {of_bytes(body.encode())}\n{body}")
    later = path.stat().st_ctime_ns + 10**9
    os.utime(index, ns=(later, later))
    assert checked(game)[0] == Exit.FINE
    code, found = checked(game, "--full")
    assert (code, found["kind"]) == (Exit.EDITED, "edited")


def write(game: Game, assets: str) -> None:
    game.write(assets)


def missing(game: Game) -> None:
    (game.folder / "out" / "hero.png").unlink()


def edited(game: Game) -> None:
    (game.folder / "out" / "hero.png").write_bytes(b"painted")


def new(game: Game) -> None:
    write(game, ASSETS + ASSETS.replace("hero", "tree").split("[assets.wall]")[0])


def foreign(game: Game) -> None:
    new(game)
    (game.folder / "out" / "tree.png").write_bytes(b"painted")


def recipe(game: Game) -> None:
    write(game, ASSETS.replace("seed = 3", "seed = 5"))


def gates(game: Game) -> None:
    write(game, ASSETS.replace("size = [16, 16]", "size = [16, 16]\n    " + GATES))


def orphan(game: Game) -> None:
    write(game, ASSETS.split("[assets.wall]", maxsplit=1)[0])


def conflict(game: Game) -> None:
    text = (game.folder / "assets.lock").read_text()
    begin = text.index("[assets.hero]")
    end = text.index("[assets.wall]")
    ours = text[begin:end]
    theirs = ours.replace('engine = "noise"', 'engine = "other"')
    marked = f"<<<<<<< HEAD\n{ours}||||||| x\n=======\n{theirs}>>>>>>> y\n"
    (game.folder / "assets.lock").write_text(text[:begin] + marked + text[end:])


def test_a_hands_work_is_decided_on_before_what_is_made_from_it(game: Game) -> None:
    """Else a build makes that from a picture that may not stay, and then once more."""
    game.write(ASSETS + '    [assets.icon]\n    from = "hero"\n')
    game.build()
    mine = (game.folder / "out" / "wall.png").read_bytes()
    (game.folder / "out" / "hero.png").write_bytes(mine)
    found = game.run("check", code=1)
    assert [line.split()[1] for line in found.stdout.splitlines()] == ["hero:", "icon:"]
    hint = "hint: run `artlock adopt hero` to keep it, or `artlock build --force hero` to make it anew\n"
    assert found.stderr == f"\n2 differences in 3 assets\n\n{hint}"
    # What is not made from it is a build's matter, which keeps the hand's work.
    (game.folder / "out" / "wall.png").unlink()
    build = "hint: run `artlock build`, and commit what it changes\n"
    assert game.run("check", code=1).stderr == f"\n3 differences in 3 assets\n\n{build}"
    game.build()
    assert (game.folder / "out" / "hero.png").read_bytes() == mine
    assert game.run("check", code=1).stderr == f"\n1 difference in 3 assets\n\n{hint}"


def test_to_say_what_becomes_of_a_hands_work_takes_no_workbench(game: Game) -> None:
    shutil.copy(game.folder / "out" / "hero.png", game.folder / "out" / "wall.png")
    code = (
        "import sys\nfrom buildsys.cli import main\nmain(['check'])\n"
        "print(*sorted({'buildsys.workbench', 'buildsys.make.build'} & sys.modules.keys()), 'loaded')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=game.folder,
        env=game.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "run `artlock adopt wall`" in done.stderr
    assert done.stdout.splitlines()[-1] == "loaded"


def test_what_becomes_of_a_hands_work_is_a_persons_choice(game: Game, made: Game) -> None:
    """`adopt` comes first, but not for an asset of a matrix: it has no table that could tell of a source."""
    hero = (game.folder / "out" / "hero.png").read_bytes()
    (game.folder / "out" / "wall.png").write_bytes(hero)
    assert game.run("check", code=1).stderr == (
        "\n1 difference in 2 assets\n\n"
        "hint: run `artlock adopt wall` to keep it, or `artlock build --force wall` to make it anew\n"
    )
    shutil.copytree(made.cache, game.cache)
    game.write(ASSETS.replace("[assets.wall]", '[assets."{side}/wall"]\n    matrix = { side = ["left"] }'))
    (game.folder / "out" / "wall.png").unlink()
    game.build()
    (game.folder / "out" / "left" / "wall.png").write_bytes(hero)
    assert game.run("check", code=1).stderr.endswith(
        "\n\nhint: move `out/left/wall.png` to another place, and run `artlock build` to have it made anew\n"
    )


@pytest.mark.parametrize("make", [missing, edited, new, foreign, recipe, gates, orphan, conflict])
def test_each_kind_has_a_code(game: Game, make: Any) -> None:
    make(game)
    code, found = checked(game)
    assert (code, found["kind"]) == (Exit[make.__name__.upper()], make.__name__)
    assert {(item["kind"], item["code"]) for item in found["differences"]} <= {(found["kind"], code)}
    # A person is told in words; a hook knows that something differs.
    assert make.__name__ in game.run("check", code=1).stdout


def test_several_kinds_are_one_code(game: Game) -> None:
    missing(game)
    orphan(game)
    code, found = checked(game)
    assert (code, found["kind"], found["agree"]) == (Exit.FAILED, "several", False)
    assert [(item["name"], item["code"]) for item in found["differences"]] == [("hero", Exit.MISSING)]


def test_a_conflict_is_told_before_all_else(game: Game) -> None:
    conflict(game)
    (game.folder / "out" / "wall.png").unlink()
    code, found = checked(game)
    assert (code, found["kind"]) == (Exit.CONFLICT, "conflict")
    assert "hint: run `artlock resolve`\n" in game.run("check", code=1).stderr


def test_no_difference(game: Game) -> None:
    code, found = checked(game)
    assert (code, found["kind"], found["code"], found["agree"]) == (0, "", 0, True)


def test_the_page_tells_every_code() -> None:
    page = (Path(__file__).parent.parent / "docs" / "lock.md").read_text(encoding="utf-8")
    for code in Exit:
        if Exit.RECIPE <= code <= Exit.UNJUDGED:
            assert f"| {code.value} | `{code.name.lower()}` |" in page
