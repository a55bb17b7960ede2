"""Restoring in bulk: many files at once, each as safe as alone; what is not plain is left to the build."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from game import Game
from test_plan import derived, hero, parts, record

from buildsys.digest import Digest, of_bytes
from buildsys.errors import DiskError
from buildsys.files.batch import Batch
from buildsys.make.restoring import Restoring
from buildsys.manifest.model import Asset, AssetName
from buildsys.plan.step import Step, Verdict
from buildsys.store.objects import Store


class Place:
    """A project with a store, and what was noted of it and asked of git."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "game"
        self.root.mkdir()
        self.store = Store(folder / "cache")
        self.git: dict[str, bytes] = {}
        self.asked: list[list[str]] = []
        self.noted: dict[str, Digest] = {}
        self.restoring = Restoring(self.root, self.store, from_git=self._committed, note=self._note)

    def _committed(self, paths: Sequence[str]) -> Iterable[tuple[str, bytes]]:
        self.asked.append(sorted(paths))
        return [(path, self.git[path]) for path in paths if path in self.git]

    def _note(self, files: Mapping[str, Digest]) -> None:
        assert not any((self.root / path).exists() for path in files if path not in self.noted)
        self.noted.update(files)

    def restored(self, *steps: Step) -> list[list[str]]:
        return [[step.name for step, _ in found] for found in self.restoring.restore(steps)]

    def leftovers(self) -> list[Path]:
        return list(self.root.rglob(".artlock-*"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def step_of(name: str, data: bytes, asset: Asset | None = None) -> Step:
    asset = asset or msgspec.structs.replace(hero(), name=AssetName(name))
    known = record(parts(hero()), AssetName(name))
    picture = msgspec.structs.replace(known.picture, file=of_bytes(data))
    output = f"out/{name}.png"
    known = msgspec.structs.replace(known, picture=picture, output=output)
    return Step(
        name=AssetName(name), asset=asset, verdict=Verdict.RESTORE, reasons=(), output=output, known=known
    )


def test_many_are_brought_back_and_noted_first(place: Place) -> None:
    steps = [step_of(f"tiles/{number}", b"%d" % number) for number in range(300)]
    for number in range(300):
        place.store.put_bytes(b"%d" % number, sync=False)
    assert place.restored(*steps) == [[step.name for step in steps]]
    for number, step in enumerate(steps):
        assert (place.root / step.output).read_bytes() == b"%d" % number
    assert set(place.noted) == {step.output for step in steps}
    assert place.asked == []
    assert place.leftovers() == []


def test_the_file_is_as_a_person_would_have_made_it(place: Place) -> None:
    place.store.put_bytes(b"red")
    place.restored(step_of("red", b"red"))
    (place.root / "plain").write_bytes(b"")
    assert (place.root / "out" / "red.png").stat().st_mode == (place.root / "plain").stat().st_mode
    assert (place.root / "out" / "red.png").stat().st_nlink == 1


def test_what_the_store_lacks_comes_from_git_in_one_go(place: Place) -> None:
    place.git = {"out/a.png": b"a", "out/b.png": b"other bytes", "out/c.png": b"c"}
    steps = [step_of(name, name.encode()) for name in ("a", "b", "c")]
    assert place.restored(*steps) == [["a", "c"]]
    assert place.asked == [["out/a.png", "out/b.png", "out/c.png"]]
    assert not (place.root / "out" / "b.png").exists()
    assert not place.store.has(of_bytes(b"other bytes"))


def test_what_is_torn_in_the_store_is_left_out(place: Place) -> None:
    for data in (b"a", b"b"):
        place.store.put_bytes(data)
    torn = place.store.path_of(of_bytes(b"a"))
    torn.chmod(0o644)
    torn.write_bytes(b"torn")
    assert place.restored(step_of("a", b"a"), step_of("b", b"b")) == [["b"]]
    assert not (place.root / "out" / "a.png").exists()
    assert place.leftovers() == []


def test_what_is_made_from_what_is_left_out_is_left_out_too(place: Place) -> None:
    place.store.put_bytes(b"icon")
    small = step_of("icon", b"icon", derived(AssetName("icon"), AssetName("hero")))
    assert place.restored(step_of("hero", b"lost"), small) == [[]]
    place.store.put_bytes(b"lost")
    assert place.restored(step_of("hero", b"lost"), small) == [["hero"], ["icon"]]


def test_what_is_to_be_made_and_what_waits_for_it_is_left_out(place: Place) -> None:
    place.store.put_bytes(b"icon")
    small = step_of("icon", b"icon", derived(AssetName("icon"), AssetName("hero")))
    made = msgspec.structs.replace(step_of("hero", b"hero"), verdict=Verdict.BUILD, known=None)
    assert place.restored(made, small) == []


def test_a_folder_in_the_place_of_a_picture_is_left_alone(place: Place) -> None:
    for data in (b"a", b"b"):
        place.store.put_bytes(data)
    (place.root / "out" / "a.png").mkdir(parents=True)
    place.noted["out/a.png"] = of_bytes(b"a")
    assert place.restored(step_of("a", b"a"), step_of("b", b"b")) == [["b"]]
    assert (place.root / "out" / "a.png").is_dir()
    assert place.leftovers() == []


def test_a_companion_that_the_judge_never_saw_is_left_alone(place: Place) -> None:
    for data in (b"page", b"data"):
        place.store.put_bytes(data)
    step = step_of("atlas", b"page")
    assert step.known is not None
    known = msgspec.structs.replace(step.known, companions={".json": of_bytes(b"data")})
    step = msgspec.structs.replace(step, known=known)
    (place.root / "out").mkdir()
    (place.root / "out" / "atlas.json").write_bytes(b"a person's")
    place.noted["out/atlas.json"] = of_bytes(b"data")
    assert place.restored(step) == [[]]
    assert (place.root / "out" / "atlas.json").read_bytes() == b"a person's"
    (place.root / "out" / "atlas.json").unlink()
    assert place.restored(step) == [["atlas"]]
    assert (place.root / "out" / "atlas.json").read_bytes() == b"data"


def test_a_link_out_of_the_project_is_not_followed(place: Place, tmp_path: Path) -> None:
    place.store.put_bytes(b"a")
    (tmp_path / "elsewhere").mkdir()
    (place.root / "out").symlink_to(tmp_path / "elsewhere")
    assert place.restored(step_of("a", b"a")) == [[]]
    assert list((tmp_path / "elsewhere").iterdir()) == []
    with Batch(place.root) as batch, pytest.raises(DiskError, match="is outside of"):
        batch.prepare([place.root / "out"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_left_to_the_build(place: Place) -> None:
    place.store.put_bytes(b"a")
    (place.root / "out").mkdir(mode=0o555)
    assert place.restored(step_of("a", b"a")) == [[]]


def test_what_is_staged_and_not_published_is_removed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"red")
    with Batch(tmp_path) as batch:
        batch.prepare([tmp_path / "out"])
        assert batch.stage(source, tmp_path / "out" / "a", of_bytes(b"red"))
        assert not batch.stage(source, tmp_path / "out" / "b", of_bytes(b"blue"))
        assert len(list((tmp_path / "out").iterdir())) == 2
        batch.sync()
        batch.publish(tmp_path / "out" / "a")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_a_build_restores_without_an_engine_and_without_a_task(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    tiles = "\n".join(
        f'[assets.tile{number}]\nrole = "sprite"\nseed = {number}\nsize = [8, 8]' for number in range(5)
    )
    game.write(f'{tiles}\n[assets.icon]\nfrom = "tile0"\nfinish = [{{ resize = [4, 4] }}]\n')
    game.build()
    before = {path.name: path.read_bytes() for path in (game.folder / "out").iterdir()}
    lock = (game.folder / "assets.lock").read_bytes()
    for path in (game.folder / "out").iterdir():
        path.unlink()
    (game.folder / "tools" / "noise.py").write_text("raise SystemExit('the engine was started')\n")
    assert sorted(game.build()["restored"]) == ["icon", *(f"tile{number}" for number in range(5))]
    assert {path.name: path.read_bytes() for path in (game.folder / "out").iterdir()} == before
    assert (game.folder / "assets.lock").read_bytes() == lock
    assert not (game.folder / ".artlock" / "placed").exists()
