"""Git LFS: a pointer stands for its file where agreement is asked for, and never for a picture."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from game import Game
from PIL import Image

from buildsys import lfs
from buildsys.digest import Digest, of_bytes
from buildsys.errors import Exit

OID = Digest("4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393")
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n".encode()

ASSETS = """\
[assets.hero]
role = "sprite"
seed = 1
size = [16, 16]

[assets.icon]
from = "hero"
finish = [{ resize = [8, 8] }]

[assets.logo]
source = "art/logo.png"
"""

needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        POINTER[:-1].replace(b"size", b"sizes"),
        POINTER.replace(b"sha256", b"sha1"),
        POINTER.replace(OID.encode(), OID[:-1].encode()),
        POINTER.replace(b"https://git-lfs.github.com", b"https://example.org"),
        b"\x89PNG\r\n\x1a\n" + POINTER,
        POINTER + b"\n" * lfs.LARGEST,
    ],
)
def test_what_is_no_pointer(data: bytes) -> None:
    assert lfs.meant_by(data) is None


def test_a_pointer_names_the_digest_of_its_file() -> None:
    assert lfs.meant_by(POINTER) == OID
    extended = POINTER.replace(b"oid", b"ext-0-foo sha256:" + b"0" * 64 + b"\noid")
    assert lfs.meant_by(extended) == OID


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """Built, and committed with Git LFS."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS)
    (game.folder / "art").mkdir()
    Image.new("RGB", (16, 16), "teal").save(game.folder / "art" / "logo.png")
    game.build()
    game.git("init", "--quiet", "--initial-branch=main")
    game.git("lfs", "install", "--local")
    (game.folder / ".gitignore").write_text(".artlock/\n__pycache__/\n")
    (game.folder / ".gitattributes").write_text("*.png filter=lfs diff=lfs merge=lfs -text\n")
    game.commit()
    game.made()
    return game


def clone(game: Game, tmp_path: Path, cache: str = "empty") -> Game:
    """A clone in which nothing of Git LFS was fetched."""
    subprocess.run(
        ["git", "clone", "--quiet", game.folder.as_uri(), str(tmp_path / "clone")],
        env={**game.environ, "GIT_LFS_SKIP_SMUDGE": "1"},
        check=True,
    )
    fresh = Game.lying(tmp_path / "clone", tmp_path / cache, game.count)
    assert lfs.meant_by((fresh.folder / "out" / "hero.png").read_bytes()) is not None
    assert lfs.meant_by((fresh.folder / "art" / "logo.png").read_bytes()) is not None
    return fresh


@needs_lfs
def test_a_clone_with_pointers_agrees_and_nothing_is_made_of_them(tmp_path: Path, game: Game) -> None:
    fresh = clone(game, tmp_path)
    for words in ((), ("--full",)):
        done = fresh.run("check", *words)
        assert "3 assets checked: manifest, lock and files agree" in done.stdout
        assert "of 3 assets only a Git LFS pointer is here" in done.stderr
    done = fresh.run("build")
    assert "note: of 3 assets only a Git LFS pointer is here, not the file" in done.stderr
    assert "hint: run `git lfs pull`" in done.stderr
    assert fresh.git("status", "--porcelain") == ""

    manifest = fresh.folder / "assets.toml"
    manifest.write_text(
        manifest.read_text()
        .replace("[8, 8]", "[4, 4]")
        .replace('"art/logo.png"\n', '"art/logo.png"\nfinish = [{ resize = [4, 4] }]\n')
    )
    found = fresh.build(code=1)
    assert sorted(found["blocked"]) == ["icon", "logo"]
    assert found["reasons"] == {
        "icon": "`image`: only a Git LFS pointer is here of `out/hero.png`",
        "logo": "`image`: only a Git LFS pointer is here of `art/logo.png`",
    }
    assert {item["hint"] for item in found["failures"].values()} == {"run `git lfs pull`"}
    assert fresh.made() == []

    fresh.git("lfs", "install", "--local")
    fresh.git("lfs", "pull")
    assert sorted(fresh.build()["built"]) == ["icon", "logo"]
    assert fresh.made() == []


@needs_lfs
def test_the_store_replaces_pointers(tmp_path: Path, game: Game) -> None:
    fresh = clone(game, tmp_path, cache="cache")
    assert sorted(fresh.build()["restored"]) == ["hero", "icon", "logo"]
    whole = (game.folder / "out" / "hero.png").read_bytes()
    assert (fresh.folder / "out" / "hero.png").read_bytes() == whole


@needs_lfs
def test_what_git_lfs_fetched_is_found(tmp_path: Path, game: Game) -> None:
    fresh = clone(game, tmp_path)
    fresh.git("lfs", "install", "--local")
    fresh.git("lfs", "fetch")
    (fresh.folder / "out" / "icon.png").unlink()
    manifest = fresh.folder / "assets.toml"
    manifest.write_text(
        manifest.read_text().replace('"art/logo.png"\n', '"art/logo.png"\nfinish = [{ resize = [4, 4] }]\n')
    )
    found = fresh.build()
    assert sorted(found["restored"]) == ["hero", "icon"]
    assert found["built"] == ["logo"]
    for name in ("hero.png", "icon.png"):
        assert (fresh.folder / "out" / name).read_bytes() == (game.folder / "out" / name).read_bytes()
    objects = (path for path in (fresh.cache / "v1" / "objects").rglob("*") if path.is_file())
    assert all(lfs.meant_by(path.read_bytes()) is None for path in objects)


def test_a_pointer_to_other_bytes_is_an_edit_and_is_not_adopted(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS.partition("[assets.icon]")[0])
    game.build()
    picture = game.folder / "out" / "hero.png"
    picture.write_bytes(POINTER)
    found = json.loads(game.run("check", "--json", code=Exit.EDITED).stdout)
    assert [item["kind"] for item in found["differences"]] == ["edited"]
    said = game.run("adopt", "hero", code=2).stderr
    assert "only a Git LFS pointer is here of `out/hero.png`" in said
    assert picture.read_bytes() == POINTER


def test_a_pointer_is_never_pushed(tmp_path: Path) -> None:
    folder = tmp_path / "remote"
    folder.mkdir()
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS.partition("[assets.icon]")[0] + f'[remote]\nurl = "{folder.as_uri()}"\nwrite = true\n')
    game.build()
    picture = game.folder / "out" / "hero.png"
    data = picture.read_bytes()
    picture.write_bytes(POINTER.replace(OID.encode(), of_bytes(data).encode()))
    shutil.rmtree(game.cache)
    assert "neither here nor in the remote" in game.run("push").stderr
    assert [path for path in folder.rglob("*") if path.is_file()] == []
