"""`artlock reproduce --rev`: from the lock of any git revision, with nothing checked out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from game import Game
from PIL import Image
from test_lock import unsealed

from buildsys.errors import GitError, LockError
from buildsys.lock.model import REVISION
from buildsys.reproduce.past import lock_at
from buildsys.session import Session

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]

    [assets.small]
    from = "hero"
    finish = [{ resize = [20, 12] }]

    [assets.logo]
    source = "art/logo.png"
"""


def everything(folder: Path, *, but: str = "") -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (not but or but not in path.parts)
    }


def commit(game: Game, repository: Path) -> None:
    game.git("-C", str(repository), "add", "--all")
    game.git("commit", "--quiet", "--message=art")


def test_an_old_revision_in_a_folder_of_a_larger_repository(tmp_path: Path) -> None:
    repository = tmp_path / "all"
    game = Game(repository / "games" / "one", tmp_path / "cache")
    game.git("init", "--quiet", "--initial-branch=main", str(repository))
    (repository / ".gitignore").write_text(".artlock/\ncount.txt\n")
    logo = game.folder / "art" / "logo.png"
    logo.parent.mkdir()
    Image.new("RGB", (8, 8), "red").save(logo)
    # A module that the adapter imports from beside it is as it was, too.
    adapter = game.folder / "tools" / "noise.py"
    beside = "import sys\n\nsys.path.insert(0, __file__.rpartition('/')[0])\nfrom grain import SALT\n"
    adapter.write_text(
        adapter.read_text()
        .replace("import contextlib\n", f"import contextlib\n{beside}")
        .replace('f"{request.seed} ', 'f"{SALT} {request.seed} ')
    )
    (game.folder / "tools" / "grain.py").write_text('SALT = "sea"\n')
    game.write(ASSETS)
    game.build()
    commit(game, repository)

    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace('"1.0.0"', '"2.0.0"'))
    (game.folder / "tools" / "grain.py").write_text('SALT = "rock"\n')
    Image.new("RGB", (8, 8), "blue").save(logo)
    game.build()
    commit(game, repository)

    # Nothing but git has what was then.
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    game.cache.mkdir()
    game.made()
    tree, store = everything(repository, but=".artlock"), everything(game.cache)
    found = json.loads(game.run("reproduce", "--all", "--rev", "HEAD~1", "--json").stdout)
    assert [(item["name"], item["verdict"]) for item in found] == [
        ("hero", "identical-bytes"),
        ("logo", "identical-bytes"),
        ("small", "identical-bytes"),
    ]
    assert game.made() == ["hero"]
    assert everything(repository, but=".artlock") == tree
    assert everything(game.cache) == store
    # Today's adapter draws neither what was then, nor is it asked to.
    found = json.loads(game.run("reproduce", "hero", "--rev", "HEAD", "--json").stdout)
    assert [item["verdict"] for item in found] == ["identical-bytes"]


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Game:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "cache"))
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    game.commit()
    return game


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    [
        (
            "version = 99\nrevision = 1\n",
            "HEAD:assets.lock is of version 99; this artlock reads version 1",
            "upgrade artlock",
        ),
        (
            "version = 1\nrevision = 1\n<<<<<<< ours\n=======\n>>>>>>> theirs\n",
            "HEAD:assets.lock was committed with the marks of a merge",
            "name a revision before or after it",
        ),
        ("version = 1\nrevision = 1\n\xff", "HEAD:assets.lock: not UTF-8", "name another revision"),
    ],
)
def test_a_lock_that_cant_be_read(history: Game, text: str, fact: str, hint: str) -> None:
    (history.folder / "assets.lock").write_bytes(text.encode("latin-1"))
    history.commit()
    (history.folder / "assets.lock").unlink()
    with pytest.raises(LockError) as caught:
        lock_at(Session.open(history.folder), "HEAD")
    assert (caught.value.message, caught.value.hint) == (fact, hint)


def test_a_lock_of_a_later_revision_and_one_of_the_first(history: Game) -> None:
    lock = history.folder / "assets.lock"
    for revision in (1, 7):
        lock.write_text(f"version = 1\nrevision = {revision}\n")
        history.commit()
    session = Session.open(history.folder)
    assert [lock_at(session, name)[1].revision for name in ("HEAD~1", "HEAD")] == [1, 7]


def test_an_entry_of_a_lock_of_the_first_revision_is_made_again(tmp_path: Path) -> None:
    """As a build of then wrote it: without seals. From what is checked out, and from git alone."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS.partition("    [assets.logo]")[0])
    game.build()
    lock = game.folder / "assets.lock"
    lock.write_text(unsealed(lock.read_text()).replace(f"revision = {REVISION}", "revision = 1"))
    game.commit()
    game.made()
    for words in ([], ["--rev", "HEAD"]):
        (found,) = json.loads(game.run("reproduce", "hero", *words, "--json").stdout)
        assert (found["name"], found["verdict"]) == ("hero", "identical-bytes")
        assert game.made() == ["hero"]
        lock.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("revision", "fact"),
    [("HEAD", "`assets.lock` is not in `{commit}`"), ("v9", "git knows no revision `v9`")],
)
def test_a_revision_without_a_lock(history: Game, revision: str, fact: str) -> None:
    commit = history.git("rev-parse", "HEAD").strip()
    with pytest.raises(GitError) as caught:
        lock_at(Session.open(history.folder), revision)
    assert caught.value.message == fact.format(commit=commit)
