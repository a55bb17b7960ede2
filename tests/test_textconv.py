"""What `git diff` says of a picture: facts that a lock tells, or that are measured, by real git."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from game import Game
from PIL import Image

from buildsys.digest import of_bytes
from buildsys.githooks import words
from buildsys.githooks.facts import colours

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "a brave knight"
    seed = 3
    size = [8, 8]
"""
CHANGED = ASSETS.replace("brave", "grim").replace("seed = 3", "seed = 30")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    game.commit()
    game.run("hooks", "install")
    (game.folder / ".git" / "hooks" / "pre-commit").unlink()
    game.commit()
    game.write(CHANGED)
    game.build()
    game.commit()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path) -> Game:
    return made.copied(tmp_path)


def changed_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}]


def test_a_diff_of_two_commits_tells_what_changed_of_a_picture(game: Game) -> None:
    found = changed_lines(game.git("diff", "HEAD~1", "HEAD", "--", "out"))
    assert "-prompt   a brave knight" in found
    assert "+prompt   a grim knight" in found
    assert "-seed     3" in found
    assert "+seed     30" in found
    assert {line[1:].split()[0] for line in found} == {"pixels", "phash", "prompt", "seed", "recipe", "file"}
    data = (game.folder / "out" / "hero.png").read_bytes()
    assert f"+file     {of_bytes(data)}" in found
    whole = game.git("diff", "HEAD~1", "HEAD", "--", "out")
    assert " asset    hero\n size     8 x 8\n colours  RGB, 8 bits a channel\n" in whole


def test_before_the_commit_too(game: Game) -> None:
    game.write(ASSETS)
    game.build()
    expected = {"-seed     30", "+seed     3"}
    assert expected <= set(changed_lines(game.git("diff", "--", "out")))
    game.git("add", "--all")
    (game.folder / "assets.lock").unlink()
    assert expected <= set(changed_lines(game.git("diff", "--cached", "--", "out")))


def test_an_old_lock_is_found_in_history(game: Game) -> None:
    """Also one of a branch that is not checked out."""
    game.git("branch", "other")
    game.git("reset", "-q", "--hard", "HEAD~1")
    assert "+seed     30" in changed_lines(game.git("diff", "HEAD", "other", "--", "out"))


def test_of_assets_with_the_same_bytes_the_one_of_that_file_is_told(game: Game) -> None:
    game.write(CHANGED + '\n    [assets.again]\n    from = "hero"\n')
    game.build()
    game.commit()
    assert "+asset    again\n" in game.git("show", "HEAD", "--", "out")
    assert game.run("git", "textconv", "out/hero.png").stdout.startswith("asset    hero\n")
    # As older versions of git name what they hand over.
    copy = game.folder / "ab12_hero.png"
    shutil.copy(game.folder / "out" / "hero.png", copy)
    assert game.run("git", "textconv", copy.name).stdout.startswith("asset    hero\n")
    copy.rename(game.folder / "any.png")
    assert game.run("git", "textconv", "any.png").stdout.startswith("asset    again\n")


def test_a_renamed_asset_is_told_by_the_name_it_had(game: Game) -> None:
    game.write(CHANGED.replace("assets.hero", "assets.knight"))
    game.build()
    game.commit()
    found = changed_lines(game.git("show", "--no-renames", "--format=", "HEAD", "--", "out"))
    assert {"-asset    hero", "+asset    knight"} <= set(found)


def test_what_no_lock_knows_is_measured(game: Game) -> None:
    picture = game.folder / "out" / "hero.png"
    Image.new("RGBA", (5, 7), (1, 2, 3, 4)).save(picture)
    found = game.git("diff", "--", "out")
    assert "+asset    none that a lock tells of\n+size     5 x 7\n+colours  RGBA, 8 bits a channel\n" in found
    assert "engine" not in "".join(line for line in changed_lines(found) if line[0] == "+")
    picture.write_bytes(b"no picture")
    assert "+size     unknown: " in game.git("diff", "--", "out")


def test_a_pointer_of_git_lfs_is_the_picture_it_stands_for(game: Game) -> None:
    picture = game.folder / "out" / "hero.png"
    data = picture.read_bytes()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
    picture.write_text(pointer.format(of_bytes(data), len(data)))
    assert changed_lines(game.git("diff", "--", "out")) == ["-colours  RGB, 8 bits a channel"]
    picture.write_text(pointer.format("0" * 64, 3))
    assert "+size     only a Git LFS pointer is here" in game.git("diff", "--", "out")


def test_what_a_lock_says_steers_no_terminal(game: Game, tmp_path: Path) -> None:
    lock = game.folder / "assets.lock"
    lock.write_text(lock.read_text().replace("a grim knight", "a \\u001b[2J knight"))
    found = game.run("git", "textconv", "out/hero.png").stdout
    assert "prompt   a \\x1b[2J knight\n" in found
    assert "\x1b" not in found


def test_a_diff_works_where_artlock_is_gone(game: Game) -> None:
    game.git("config", "diff.artlock.textconv", words.settings("/nowhere")["diff.artlock.textconv"])
    done = subprocess.run(
        ["git", "diff", "HEAD~1", "--", "out"],
        cwd=game.folder,
        env=game.environ,
        check=True,
        capture_output=True,
        text=True,
    )
    assert " artlock is not here to tell more\n" in done.stdout
    assert len(changed_lines(done.stdout)) == 2


def test_no_repository(game: Game, tmp_path: Path) -> None:
    shutil.rmtree(game.folder / ".git")
    assert "seed     30\n" in game.run("git", "textconv", "out/hero.png").stdout
    found = game.run("git", "textconv", "out/gone.png", code=1).stderr
    assert found.startswith("error: can't read `out/gone.png`")


def chunk(word: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + word + data + struct.pack(">I", zlib.crc32(word + data))


def header(depth: int, kind: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, depth, kind, 0, 0, 0))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (header(8, 6), "RGBA, 8 bits a channel"),
        (header(16, 0), "grey, 16 bits a channel"),
        (header(8, 9), "unknown, 8 bits a channel"),
        (
            header(8, 3) + chunk(b"PLTE", bytes(48)) + chunk(b"tRNS", b"\0"),
            "palette of 16, some of them clear",
        ),
        (header(4, 3) + chunk(b"PLTE", bytes(6)), "palette of 2"),
        (header(4, 3) + struct.pack(">I", 2**32 - 1) + b"xxxx", "palette of 0"),
        (header(8, 2)[:28], ""),
        (b"", ""),
        (b"RIFF", ""),
    ],
)
def test_how_colours_are_kept_is_read_from_the_header(data: bytes, told: str) -> None:
    assert colours(data) == told
