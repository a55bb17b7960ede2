"""The remembered agreement: `check` never says that all agrees where the whole way would not say so."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import msgspec
import pytest
from game import Game
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buildsys import agreement, digest
from buildsys.cli import main
from buildsys.errors import Exit
from buildsys.files.index import TICK_NS
from buildsys.lock import write
from buildsys.lock.model import Lock
from buildsys.places import LOCK, MANIFEST
from buildsys.plan.record import Picture, Record
from buildsys.plan.step import Step
from buildsys.session import Session

MAIN = """
[assets.hero]
role = "sprite"
prompt = "x"
seed = 3
size = [12, 9]
gates = { bytes = "1 MB" }

[assets.small]
from = "hero"
finish = [{ resize = [6, 4] }]

[assets.logo]
source = "art/logo.png"

[assets.atlas]
pack = ["hero", "small"]
formats = ["texturepacker"]
"""
MORE = """
[assets.wall]
role = "sprite"
prompt = "y"
seed = 4
size = [8, 8]
"""
WEIGHTS = """
[project]
name = "local"

[engines.local]
adapter = "diffusion"
model = "./weights"
steps = 2
guidance = 4.5

[assets.hero]
engine = "local"
prompt = "x"
seed = 3
size = [64, 64]
"""

Move = Callable[[Path], None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(MAIN)
    text = (game.folder / MANIFEST).read_text()
    (game.folder / MANIFEST).write_text(text.replace('"test"', '"test"\ninclude = ["art/*.toml"]', 1))
    (game.folder / "art").mkdir()
    (game.folder / "art" / "more.toml").write_text(MORE)
    shutil.copy(
        Path(__file__).parent.parent / "docs" / "images" / "steps" / "trim.png",
        game.folder / "art" / "logo.png",
    )
    game.build()
    return game.folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "store"))
    return copied(made, tmp_path / "game")


def copied(made: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns(".artlock"))
    settle()
    return folder


def settle() -> None:
    """Let the clock pass a tick, so that what was written before is not racy any more."""
    time.sleep(TICK_NS * 1.5e-9)


def check(folder: Path, *words: str) -> int:
    return main(["check", "-C", str(folder), *words])


def memory(folder: Path) -> Path:
    return folder / agreement.PLACE


def seal(folder: Path, found: dict[str, Any]) -> None:
    """Write a memory whose own digest is right, as a forger would."""
    body = msgspec.json.encode(found)
    header = b"artlock agreement 2 " + digest.of_bytes(body).encode()
    memory(folder).write_bytes(header + b"\n" + body)


def unsealed(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(memory(folder).read_bytes().partition(b"\n")[2])
    return found


def test_what_agreed_is_remembered(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert agreement.agreeing(folder, None) is None
    assert check(folder) == Exit.FINE
    assert check(folder, "--json") == Exit.FINE
    said = capsys.readouterr().out
    assert agreement.agreeing(folder, None) == 5
    assert check(folder) == Exit.FINE
    assert check(folder, "--json") == Exit.FINE
    assert capsys.readouterr().out == said


def test_the_quick_way_loads_neither_manifest_nor_lock(folder: Path) -> None:
    game = Game.lying(folder, folder.parent / "store", folder.parent / "count")
    for _ in range(2):
        settle()
        done = game.run("check")
        assert done.stdout == "5 assets checked: manifest, lock and files agree\n"
    game.folder = folder.parent
    code = (
        "import sys; from buildsys.cli import main; "
        f"assert main(['check', '-C', {str(folder)!r}]) == 0; "
        "loaded = {'rtoml', 'msgspec', 'buildsys.plan.step', 'buildsys.manifest.read'}; "
        "loaded |= {'buildsys.lock.read'}; "
        "assert not loaded & set(sys.modules), loaded & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=game.environ, cwd=folder)


@pytest.mark.parametrize("profile", ["final", "draft"])
def test_another_profile_is_another_question(folder: Path, profile: str) -> None:
    check(folder)
    assert agreement.agreeing(folder, profile) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", "0" * 64),
        ("profile", "final"),
        ("out", "../elsewhere"),
        ("texts", {MANIFEST: "0" * 64}),
        ("texts", {"../assets.toml": "0" * 64}),
        ("included", {"art/*.toml": []}),
        ("included", {"../*": ["x"]}),
        ("included", {"": []}),
        ("files", {"out/hero.png": "0" * 64}),
        ("files", {"out/hero.png": None}),
        ("files", {"out": None}),
        ("files", {"a\0b": None}),
        ("weights", {"./art": "0" * 64}),
        ("weights", {"~nobody-of-that-name/x": ""}),
        ("reading", None),
        ("assets", "five"),
        ("assets", None),
    ],
)
def test_each_part_of_it_decides(folder: Path, key: str, value: object) -> None:
    check(folder)
    found = unsealed(folder)
    seal(folder, found)
    assert agreement.agreeing(folder, None) == 5
    seal(folder, {**found, key: value})
    assert agreement.agreeing(folder, None) is None


@pytest.mark.parametrize("part", range(4))
def test_the_lock_must_be_the_one_on_this_disk(folder: Path, part: int) -> None:
    """What a commit can't carry: size, two times, and the inode."""
    check(folder)
    found = unsealed(folder)
    found["lock"][part] += 1
    seal(folder, found)
    assert agreement.agreeing(folder, None) is None


def test_the_memory_of_another_clone_is_not_believed(folder: Path, made: Path, tmp_path: Path) -> None:
    check(folder)
    other = copied(made, tmp_path / "clone")
    (other / ".artlock").mkdir()
    shutil.copy(memory(folder), memory(other))
    assert agreement.agreeing(other, None) is None
    assert check(other) == Exit.FINE
    assert agreement.agreeing(other, None) == 5


def test_a_forged_memory_is_not_believed(folder: Path) -> None:
    """One that names no file at all, committed beside a picture that was exchanged."""
    check(folder)
    found = unsealed(folder)
    found.update(files={}, texts={})
    found["lock"][2:] = [0, 0]
    shutil.copy(folder / "art" / "logo.png", folder / "out" / "hero.png")
    seal(folder, found)
    assert check(folder) == Exit.FAILED


def test_a_memory_that_is_cut_off_or_has_a_wrong_bit_is_no_memory(folder: Path) -> None:
    check(folder)
    whole = memory(folder).read_bytes()
    for length in range(len(whole)):
        memory(folder).write_bytes(whole[:length])
        assert agreement.agreeing(folder, None) is None, length
    for place in range(len(whole)):
        memory(folder).write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        )
        assert agreement.agreeing(folder, None) is None, place
    memory(folder).write_bytes(whole)
    assert agreement.agreeing(folder, None) == 5


def test_full_believes_no_memory(folder: Path) -> None:
    check(folder)
    found = unsealed(folder)
    found["files"] = {}
    seal(folder, found)
    (folder / "out" / "hero.png").unlink()
    assert check(folder) == Exit.FINE  # whoever can write this could as well change artlock
    assert check(folder, "--full") == Exit.FAILED


def test_what_was_written_since_it_was_read_is_not_remembered(folder: Path) -> None:
    began = time.time_ns()
    settle()
    os.utime(folder / "art" / "more.toml")
    session = Session.open(folder)
    agreement.remember(
        folder,
        began,
        profile=None,
        texts=session.manifest.files,
        globs=session.manifest.project.include,
        out="out",
        seen=NOTHING,
        keep=lambda: digest.of_bytes(b""),
        assets=5,
    )
    assert not memory(folder).exists()


class _Nothing:
    files: dict[str, digest.Digest | None] = {}  # noqa: RUF012 - stays empty
    weights: dict[str, str] = {}  # noqa: RUF012


NOTHING = _Nothing()


def test_a_file_that_joined_the_manifest_since_it_was_read_is_not_passed_over(folder: Path) -> None:
    (folder / "art" / "late.toml").write_text("")
    settle()
    agreement.remember(
        folder,
        time.time_ns(),
        profile=None,
        texts=["art/more.toml"],
        globs=["art/*.toml"],
        out="out",
        seen=NOTHING,
        keep=lambda: digest.of_bytes(b""),
        assets=5,
    )
    assert not memory(folder).exists()


def test_a_read_only_checkout_has_no_memory_and_is_checked_all_the_same(folder: Path) -> None:
    (folder / ".artlock").write_text("where the folder would be")
    assert check(folder) == Exit.FINE
    assert check(folder) == Exit.FINE
    assert (folder / ".artlock").is_file()


def local(folder: Path) -> Path:
    """A project whose engine has its weights in the project, and a lock in which all agrees."""
    (folder / "weights" / "unet").mkdir(parents=True)
    (folder / "weights" / "model_index.json").write_text("{}")
    (folder / MANIFEST).write_text(WEIGHTS)
    (folder / "out").mkdir()
    (folder / "out" / "hero.png").write_bytes(b"a picture")
    records = [
        _record(step, digest.of_bytes(b"a picture")) for step in Session.open(folder).plan().steps.values()
    ]
    write.save(folder / LOCK, Lock().updated(records))
    settle()
    return folder


def _record(step: Step, file: digest.Digest) -> Record:
    assert step.parts is not None
    assert step.recipe is not None
    return Record(
        name=step.name,
        recipe=step.recipe,
        parts=step.parts,
        engine=step.asset.engine,
        output=step.output,
        picture=Picture(file=file, pixels=file, phash=file[:16], width=64, height=64),
        raw=file,
    )


def test_local_weights_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "store"))
    folder = local(tmp_path / "local")
    assert check(folder) == Exit.FINE
    assert agreement.agreeing(folder, None) == 1
    (folder / "weights" / "README.md").write_text("changes no picture")
    assert agreement.agreeing(folder, None) == 1
    (folder / "weights" / "unet" / "config.json").write_text("{}")
    assert agreement.agreeing(folder, None) is None
    assert check(folder) == Exit.FAILED


# What may happen to a checkout between two checks, at random.


def write_keeping_times(path: Path, change: Callable[[bytes], bytes]) -> None:
    if path.is_file() and not path.is_symlink():
        before = path.stat()
        path.write_bytes(change(path.read_bytes()))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def flip(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:] if len(data) > 8 else data


def turned(file: str) -> Move:
    """A bit is flipped; size and time stay."""
    return lambda folder: write_keeping_times(folder / file, flip)


def replaced(file: str, old: bytes, new: bytes) -> Move:
    """Some of the text becomes another; the time stays."""
    return lambda folder: write_keeping_times(folder / file, lambda data: data.replace(old, new, 1))


def removed(file: str) -> Move:
    def move(folder: Path) -> None:
        path = folder / file
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    return move


def foldered(file: str) -> Move:
    def move(folder: Path) -> None:
        removed(file)(folder)
        (folder / file).mkdir(parents=True, exist_ok=True)

    return move


def linked(file: str) -> Move:
    """A link leads to the very bytes that lay there; for a folder, out of the project."""

    def move(folder: Path) -> None:
        path, away = folder / file, folder.parent / f"away-{file.replace('/', '-')}"
        if path.exists() and not path.is_symlink():
            removed(away.name)(folder.parent)
            shutil.move(path, away)
            path.symlink_to(away)

    return move


def added(file: str, text: str) -> Move:
    def move(folder: Path) -> None:
        if (folder / file).parent.is_dir() and not (folder / file).is_dir():
            (folder / file).write_text(text)

    return move


def touched(file: str) -> Move:
    def move(folder: Path) -> None:
        if (folder / file).exists():
            os.utime(folder / file)

    return move


def copied_over(source: str, file: str) -> Move:
    def move(folder: Path) -> None:
        if (folder / source).is_file() and not (folder / file).is_dir():
            shutil.copy2(folder / source, folder / file)

    return move


FILES = (
    *("out/hero.png", "out/small.png", "out/logo.png", "out/wall.png", "out/atlas.png", "out/atlas.json"),
    *("art/logo.png", "art/more.toml", "tools/noise.py", "tools/noise.toml", MANIFEST, LOCK),
    *(".artlock/agreement", ".artlock/index", ".artlock/reading"),
)
MOVES: dict[str, Move] = {
    **{f"turn {file}": turned(file) for file in FILES},
    **{f"remove {file}": removed(file) for file in (*FILES, "out", "art", "tools")},
    **{f"link {file}": linked(file) for file in (*FILES, "out", "art", "tools")},
    **{f"touch {file}": touched(file) for file in FILES},
    **{f"a folder at {file}": foldered(file) for file in FILES},
    "the picture of another": copied_over("out/hero.png", "out/wall.png"),
    "another prompt": replaced(MANIFEST, b'"x"', b'"z"'),
    "another prompt, included": replaced("art/more.toml", b'"y"', b'"z"'),
    "another seed in the lock": replaced(LOCK, b"seed = 3", b"seed = 4"),
    "another comment": replaced(MANIFEST, b"it notes", b"it wrote"),
    "another output folder": replaced(MANIFEST, b'name = "test"', b'name = "test"\nout = "art"'),
    "another version of the adapter": replaced("tools/noise.toml", b"1.0.0", b"1.0.1"),
    "another summary of the adapter": replaced("tools/noise.toml", b"for tests", b"for taste"),
    "another file of the manifest": added("art/new.toml", MORE.replace("wall", "floor")),
    "an empty file of the manifest": added("art/none.toml", ""),
    "a foreign file": added("out/foreign.png", "x"),
    "a foreign page of the atlas": added("out/atlas-1.png", "x"),
    "marks of a merge": added("assets.lock", "<<<<<<< ours\n=======\n>>>>>>> theirs\n"),
    "an old memory": copied_over(".artlock/agreement.old", ".artlock/agreement"),
    "keep the memory": copied_over(".artlock/agreement", ".artlock/agreement.old"),
}


@pytest.fixture(scope="module")
def stage(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("moves")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARTLOCK_CACHE_DIR", str(folder / "store"))
        yield made, folder / "game"


def said(folder: Path, *words: str) -> tuple[int, str]:
    """What `check` ends with, and what it tells a program."""
    with redirect_stdout(io.StringIO()) as told:
        code = check(folder, "--json", *words)
    return code, told.getvalue()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(moves=st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.booleans()), min_size=1, max_size=5))
def test_quick_says_agree_only_where_the_whole_way_does(
    stage: tuple[Path, Path], moves: list[tuple[str, bool]]
) -> None:
    made, place = stage
    folder = copied(made, place)
    assert check(folder) == Exit.FINE
    assert agreement.agreeing(folder, None) == 5
    for move, hurry in moves:
        MOVES[move](folder)
        if not hurry:
            settle()
        quick = agreement.agreeing(folder, None)
        whole = said(folder, "--full")
        assert quick is None or whole[0] == Exit.FINE, move
        assert said(folder) == whole, move
