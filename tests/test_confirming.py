"""What a build remembers: that all agrees, and only where it does, whatever changed while the build ran."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from game import Game

from buildsys import agreement, digest
from buildsys.confirming import confirm
from buildsys.files import StatIndex
from buildsys.files.index import TICK_NS
from buildsys.places import LOCK, MANIFEST
from buildsys.session import Session
from buildsys.workbench import build

ASSETS = """
[assets.hero]
role = "sprite"
prompt = "x"
seed = 3
size = [12, 9]

[assets.small]
from = "hero"
finish = [{ resize = [6, 4] }]

[assets.logo]
source = "art/logo.png"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    text = (game.folder / MANIFEST).read_text()
    (game.folder / MANIFEST).write_text(text.replace('"test"', '"test"\ninclude = ["art/*.toml"]', 1))
    (game.folder / "art").mkdir()
    (game.folder / "art" / "more.toml").write_text("")
    images = Path(__file__).parent.parent / "docs" / "images" / "steps"
    shutil.copy(images / "trim.png", game.folder / "art" / "logo.png")
    settle()
    game.build()
    return game


@pytest.fixture
def folder(made: Game, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(made.cache))
    shutil.copytree(made.folder, tmp_path / "game", ignore=shutil.ignore_patterns(".artlock"))
    settle()
    return tmp_path / "game"


def settle() -> None:
    """Let the clock pass a tick, so that what was written before is not racy any more."""
    time.sleep(TICK_NS * 1.5e-9)


def built(folder: Path, meanwhile: Callable[[Path], object] = lambda _: None) -> int | None:
    """Build; what happens before it is over; and what is remembered then."""
    began = time.time_ns()
    session = Session.open(folder)
    outcome, _ = build(session)
    meanwhile(folder)
    confirm(session, outcome, began, None)
    return agreement.agreeing(folder, None)


def test_a_build_leaves_a_memory_for_the_hook(made: Game) -> None:
    assert (made.folder / agreement.PLACE).is_file()
    assert made.run("check").stdout == "3 assets checked: manifest, lock and files agree\n"


def test_what_agrees_after_a_build_is_remembered(folder: Path) -> None:
    assert built(folder) == 3


def appended(file: str, text: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        with (folder / file).open("a") as opened:
            opened.write(text)

    return change


MEANWHILE: dict[str, Callable[[Path], object]] = {
    "another comment in the manifest": appended(MANIFEST, "# later\n"),
    "another prompt": lambda folder: (folder / MANIFEST).write_text(
        (folder / MANIFEST).read_text().replace('"x"', '"z"')
    ),
    "another asset, included": appended("art/more.toml", '[assets.late]\nsource = "art/logo.png"\n'),
    "another file of the manifest": appended("art/late.toml", ""),
    "a file of the manifest is gone": lambda folder: (folder / "art" / "more.toml").unlink(),
    "another summary of the adapter": appended("tools/noise.toml", "# later\n"),
    "other code of the adapter": appended("tools/noise.py", "# later\n"),
    "another input": appended("art/logo.png", "x"),
    "another picture": appended("out/hero.png", "x"),
    "a picture is gone": lambda folder: (folder / "out" / "small.png").unlink(),
    "the lock is gone": lambda folder: (folder / LOCK).unlink(),
    "the lock is no text": lambda folder: (folder / LOCK).write_bytes(b"\xff"),
    "the lock is torn": appended(LOCK, "[[asset"),
    "marks of a merge": appended(LOCK, "<<<<<<< ours\n=======\n>>>>>>> theirs\n"),
}


@pytest.mark.parametrize("name", MEANWHILE)
def test_what_changed_while_a_build_ran_is_not_passed_over(folder: Path, name: str) -> None:
    assert built(folder, MEANWHILE[name]) is None
    assert not (folder / agreement.PLACE).exists()


def test_a_build_with_nothing_to_do_leaves_the_memory_as_it_is(folder: Path) -> None:
    built(folder)
    before = (folder / agreement.PLACE).stat()
    assert built(folder) == 3
    assert (folder / agreement.PLACE).stat() == before


def test_a_build_of_one_asset_judges_no_other(folder: Path, made: Game) -> None:
    game = Game.lying(folder, made.cache, folder.parent / "count")
    game.run("build", "hero")
    assert not (folder / agreement.PLACE).exists()
    game.run("build")
    assert (folder / agreement.PLACE).exists()


def test_a_build_that_kept_an_edit_has_nothing_to_remember(folder: Path) -> None:
    appended("out/hero.png", "x")(folder)
    assert built(folder) is None
    assert not (folder / agreement.PLACE).exists()


class _Nothing:
    files: dict[str, digest.Digest | None] = {}  # noqa: RUF012 - stays empty
    weights: dict[str, str] = {}  # noqa: RUF012


@pytest.mark.parametrize("late", [False, True])
def test_artlock_that_changed_while_it_ran_is_not_taken_for_what_judged(folder: Path, *, late: bool) -> None:
    texts = (MANIFEST, LOCK, "art/more.toml")
    agreement.remember(
        folder,
        0 if late else time.time_ns(),  # to what began in 1970, all of artlock is new
        profile=None,
        texts=texts,
        globs=["art/*.toml"],
        out="out",
        seen=_Nothing(),
        keep=lambda: digest.of_bytes(b""),
        assets=3,
        read={path: digest.of_bytes((folder / path).read_bytes()) for path in texts},
    )
    assert (folder / agreement.PLACE).exists() is not late


GOOD = [5, 1, 1, 1, "0" * 64, False]


@pytest.mark.parametrize(
    "entries",
    [
        [],
        None,
        {"a": None},
        {"a": {}},
        {"a": GOOD[:5]},
        {"a": [*GOOD, 1]},
        {"a": ["5", *GOOD[1:]]},
        {"a": [True, *GOOD[1:]]},
        {"a": [5.0, *GOOD[1:]]},
        {"a": [2**63, *GOOD[1:]]},
        {"a": [*GOOD[:4], None, False]},
        {"a": [*GOOD[:5], 0]},
        {"a": GOOD, "b": [*GOOD[:4], 7, False]},
    ],
)
def test_an_index_of_odd_values_is_ignored(tmp_path: Path, entries: object) -> None:
    (tmp_path / "file").write_bytes(b"a file")
    (tmp_path / "a").write_bytes(b"another")
    sealed(tmp_path, msgspec.json.encode(entries))
    assert_read_anew(tmp_path)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 100_000, b'{"\\ud800": [5,1,1,1,"",false]}', b"NaN"])
def test_an_index_that_is_no_json_is_ignored(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "file").write_bytes(b"a file")
    sealed(tmp_path, body)
    assert_read_anew(tmp_path)


def sealed(folder: Path, body: bytes) -> None:
    (folder / ".artlock").mkdir()
    header = b"artlock stat index 2 " + digest.of_bytes(body).encode()
    (folder / ".artlock" / "index").write_bytes(header + b"\n" + body)
    settle()


def assert_read_anew(folder: Path) -> None:
    index = StatIndex(folder)
    assert index.digest("file") == digest.of_bytes(b"a file")
    index.save()
    assert (folder / ".artlock" / "index").read_bytes().count(b"file") == 1
