"""What was read is kept beside the agreement: only what changed is judged, and told as the whole way does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from game import Game

from buildsys import agreement, recollection
from buildsys.cli import main
from buildsys.errors import Exit
from buildsys.lock.read import load
from buildsys.manifest.read import read
from buildsys.places import LOCK
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
    with pytest.raises(ValueError, match="another thing"):
        recollection.keep(
            folder, msgspec.structs.replace(manifest, assets={**manifest.assets, odd.name: odd}), lock
        )


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
