"""What was read is kept beside the agreement: only what changed is judged, and told as the whole way does."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from game import Game

from buildsys import agreement, recollection
from buildsys.cli import main
from buildsys.digest import Digest, of_bytes
from buildsys.errors import Exit
from buildsys.files.index import TICK_NS
from buildsys.lock.read import load
from buildsys.manifest.read import read
from buildsys.places import LOCK, MANIFEST
from buildsys.plan.judge import Judge

ROOT = Path(__file__).parent.parent
MAIN = """
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

[assets.atlas]
pack = ["small", "logo"]
formats = ["texturepacker"]

[assets.wall]
role = "sprite"
prompt = "y"
seed = 4
size = [8, 8]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(MAIN)
    (game.folder / "art").mkdir()
    shutil.copy(ROOT / "docs" / "images" / "steps" / "trim.png", game.folder / "art" / "logo.png")
    game.build()
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "empty"))
    assert main(["check", "-C", str(game.folder)]) == Exit.FINE
    return game.folder


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The assets that were judged since."""
    names: list[str] = []
    whole = Judge.step

    def step(self: Judge, name: str) -> object:
        names.append(name)
        return whole(self, name)  # type: ignore[arg-type]

    monkeypatch.setattr(Judge, "step", step)
    return names


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


@pytest.mark.parametrize(
    ("file", "change", "names"),
    [
        ("out/wall.png", edited, {"wall"}),
        ("out/wall.png", Path.unlink, {"wall"}),
        ("out/hero.png", edited, {"hero", "small", "atlas", "logo"}),
        ("out/atlas.json", edited, {"atlas", "small", "hero", "logo"}),
        ("out/atlas.json", Path.unlink, {"atlas", "small", "hero", "logo"}),
        ("art/logo.png", edited, {"logo", "atlas", "small", "hero"}),
    ],
)
def test_what_changed_is_judged_with_its_kin_and_nothing_else(
    folder: Path,
    judged: list[str],
    capsys: pytest.CaptureFixture[str],
    file: str,
    change: Callable[[Path], None],
    names: set[str],
) -> None:
    change(folder / file)
    capsys.readouterr()
    code = main(["check", "-C", str(folder)])
    assert set(judged) == names
    said = capsys.readouterr()
    assert main(["check", "-C", str(folder), "--full"]) == code == Exit.FAILED
    assert capsys.readouterr() == said


def test_the_texts_are_not_read_for_a_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited(folder / "out" / "wall.png")

    def unwanted(*_: object) -> None:
        pytest.fail("read again")

    monkeypatch.setattr("buildsys.session.read_manifest", unwanted)
    monkeypatch.setattr("buildsys.session.load_lock", unwanted)
    assert main(["check", "-C", str(folder)]) == Exit.FAILED


@pytest.mark.parametrize("harm", [Path.unlink, edited, lambda path: path.write_bytes(b"")])
def test_a_reading_that_is_torn_is_none(
    folder: Path, harm: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    edited(folder / "out" / "wall.png")
    harm(folder / recollection.PLACE)
    capsys.readouterr()
    assert main(["check", "-C", str(folder), "--json"]) == Exit.EDITED
    told = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in told["differences"]] == ["wall"]


def test_nobodys_file_is_everybodys_matter(folder: Path) -> None:
    reading = recollection.Reading(read(folder), load(folder / LOCK))
    assert recollection.concerned(reading, ["out/wall.png", "out/nobody.png"]) is None


def test_what_does_not_come_back_the_same_is_not_kept(folder: Path) -> None:
    manifest, lock = read(folder), load(folder / LOCK)
    names = [*manifest.assets.values()]
    odd = msgspec.structs.replace(names[0], parameters={"grid": (1, 2)})
    other = msgspec.structs.replace(manifest, assets={**manifest.assets, odd.name: odd})
    assert recollection.keep(folder, other, lock) == ""
    assert recollection.kept(folder, Digest("")) is None


@pytest.mark.parametrize("value", [2**70, "\ud800", float("nan"), (1, 2)])
def test_what_can_not_be_written_is_not_kept(folder: Path, value: object) -> None:
    manifest, lock = read(folder), load(folder / LOCK)
    hero = next(iter(manifest.assets.values()))
    odd = msgspec.structs.replace(hero, parameters={"odd": value})
    other = msgspec.structs.replace(manifest, assets={**manifest.assets, odd.name: odd})
    assert recollection.keep(folder, other, lock) == ""


def test_damage_is_never_more_than_a_reading_that_is_not_there(folder: Path) -> None:
    """Cut off anywhere, or with a bit turned over; also where the digest is that of the damaged file."""
    wanted = recollection.keep(folder, read(folder), load(folder / LOCK))
    place = folder / recollection.PLACE
    whole = place.read_bytes()
    chance = random.Random(7)  # noqa: S311 - the same damage each time
    cut = [whole[:length] for length in chance.sample(range(len(whole)), 300)]
    turned = []
    for at in chance.sample(range(len(whole)), 1500):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        turned.append(bytes(damaged))
    for data in (*cut, *turned):
        place.write_bytes(data)
        assert recollection.kept(folder, wanted) is None
        found = recollection.kept(folder, of_bytes(data))
        assert found is None or isinstance(found, recollection.Reading)


def test_the_demo_comes_back_the_same(tmp_path: Path) -> None:
    manifest, lock = read(ROOT), load(ROOT / LOCK)
    found = recollection.kept(tmp_path, recollection.keep(tmp_path, manifest, lock))
    assert found == recollection.Reading(manifest, lock)


def test_taken_back_it_agrees_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = folder / "out" / "wall.png"
    whole = picture.read_bytes()
    edited(picture)
    assert main(["check", "-C", str(folder)]) == Exit.FAILED
    picture.write_bytes(whole)
    capsys.readouterr()
    assert main(["check", "-C", str(folder)]) == Exit.FINE
    assert agreement.agreeing(folder, None) == len(read(folder).assets)


def test_several_changes_at_once_are_told_as_the_whole_way_does(
    folder: Path, judged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out" / "small.png").unlink()
    edited(folder / "out" / "wall.png")
    capsys.readouterr()
    code = main(["check", "-C", str(folder)])
    assert set(judged) == {"wall", "small", "hero", "atlas", "logo"}
    said = capsys.readouterr()
    assert main(["check", "-C", str(folder), "--full"]) == code
    assert capsys.readouterr() == said


def test_a_pointer_that_took_a_picture_s_place_is_noted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = folder / "out" / "wall.png"
    data = picture.read_bytes()
    head = f"version https://git-lfs.github.com/spec/v1\noid sha256:{of_bytes(data)}\nsize {len(data)}\n"
    picture.write_text(head)
    capsys.readouterr()
    assert main(["check", "-C", str(folder)]) == Exit.FINE
    said = capsys.readouterr()
    assert "note: of 1 asset only a Git LFS pointer is here" in said.err
    assert main(["check", "-C", str(folder), "--full"]) == Exit.FINE
    assert capsys.readouterr() == said


def put_away(folder: Path) -> None:
    """As a clone lies there of a project whose finished files are in no git."""
    replace(folder / MANIFEST, 'name = "test"\n', 'name = "test"\noutputs = "store"\n')
    shutil.rmtree(folder / ".artlock")
    shutil.rmtree(folder / "out")
    time.sleep(TICK_NS * 1.5e-9)  # what was written in this moment would not be remembered


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_what_is_away_by_design_is_remembered_as_well(folder: Path, judged: list[str]) -> None:
    put_away(folder)
    assert main(["check", "-C", str(folder)]) == Exit.FINE
    judged.clear()
    assert main(["check", "-C", str(folder)]) == Exit.FINE
    assert agreement.agreeing(folder, None) == len(read(folder).assets)
    assert judged == []


def test_what_is_frozen_and_away_agrees_whatever_else_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["freeze", "-C", str(folder), "wall"]) == Exit.FINE
    replace(folder / MANIFEST, '"y"', '"z"')
    put_away(folder)
    capsys.readouterr()
    assert main(["check", "-C", str(folder)]) == Exit.FINE, capsys.readouterr()
