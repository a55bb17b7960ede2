"""Pairs of pictures measured: the numbers of `compare`, many to a process, once for ever."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_kit import Project, noise
from test_measure import ask, clear, done, shifted, waves

from buildsys.digest import Digest, of_bytes
from buildsys.make.events import WorkerLost, WorkerStarted
from buildsys.make.progress import Event
from buildsys.review.known import Known, Pair
from buildsys.review.measured import measured
from buildsys.review.model import Measure
from buildsys.store.objects import Store
from engines import png
from engines.measure import likeness, review
from engines.png import Pixels
from engines.protocol import Failure

SHARED = ("likeness", "hash_bits", "psnr", "ssim", "changed", "largest", "box")


def same_numbers(first: Pixels, second: Pixels) -> None:
    found, expected = review.review(first, second), likeness.compare(first, second)
    assert found.keys() == {*Measure.__struct_fields__}
    for name in SHARED:
        assert found[name] == pytest.approx(expected[name], abs=2e-6), name


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    box=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    opaque=st.booleans(),
    seed=st.integers(0, 9),
)
def test_where_little_differs_the_numbers_are_those_of_all(
    shape: tuple[int, int], box: tuple[float, ...], opaque: bool, seed: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (*shape, 4), dtype=np.uint8)
    if opaque:
        picture[..., 3] = 255
    other = picture.copy()
    (top, bottom), (left, right) = (
        sorted(int(share * side) for share in box[place : place + 2])
        for place, side in ((0, shape[0]), (2, shape[1]))
    )
    other[top : bottom + 1, left : right + 1, :3] ^= 255
    same_numbers(other, picture)
    same_numbers(picture, picture)


def test_the_numbers_of_other_pairs() -> None:
    first = waves(70, 90)
    for second in (shifted(first), waves(35, 90), clear(70, 90), first):
        same_numbers(second, first)
    unseen = clear(8, 8)
    unseen[..., :3] = 200
    same_numbers(unseen, clear(8, 8))
    assert review.review(unseen, clear(8, 8))["likeness"] == "identical-look"


def test_alpha_is_counted_by_itself() -> None:
    first = noise(1, 10, 10)
    second = first.copy()
    second[2:4, 5:10, 3] = 7
    found = review.review(second, first)
    assert (found["alpha"], found["changed"], found["box"]) == (0.1, 0.1, [5, 2, 5, 2])
    assert review.review(waves(5, 5), waves(9, 9))["alpha"] is None


def test_many_pairs_in_one_request(tmp_path: Path) -> None:
    """In their order; one that is no picture leaves the others alone."""
    first, second = noise(1), noise(2)
    inputs: dict[str, Any] = {}
    for number, (image, reference) in enumerate([(first, second), (b"no picture", first), (first, first)]):
        inputs |= {f"image.{number}": image, f"reference.{number}": reference}
    told = done(tmp_path, inputs, work="review").facts["pairs"]
    assert told[0] == review.review(first, second)
    assert told[1] == {"error": "`the new picture` is not a PNG, WebP or JPEG picture"}
    assert told[2]["likeness"] == "identical-pixels"


def test_half_a_pair(tmp_path: Path) -> None:
    result = ask(tmp_path, {"image.0": noise(1)}, work="review")
    assert isinstance(result, Failure)
    assert result.message == "pair 0 is not whole"


class Held:
    """Pictures in memory."""

    def __init__(self) -> None:
        self.held: dict[Digest, bytes] = {}

    def put(self, data: bytes) -> Digest:
        self.held[of_bytes(data)] = data
        return of_bytes(data)

    def read(self, file: Digest) -> bytes | None:
        return self.held.get(file)


def test_more_pairs_than_a_request_holds(tmp_path: Path) -> None:
    held = Held()
    files = [held.put(png.encode(noise(seed))) for seed in range(41)]
    pairs = [Pair(before, after, 24 * 24) for before, after in pairwise(files)]
    broken, lost = Pair(files[0], held.put(b"no picture")), Pair(files[0], of_bytes(b"nobody has it"))
    events: list[Event] = []
    found = dict(measured([*pairs, broken, lost], held, tmp_path, jobs=1, tell=events.append))
    assert found.keys() == {*pairs, broken, lost}
    assert found[broken] == "`the new picture` is not a PNG, WebP or JPEG picture"
    assert found[lost] == "one of its pictures could not be had"
    for number, pair in enumerate(pairs):
        told = found[pair]
        assert isinstance(told, Measure)
        expected = review.review(noise(number + 1), noise(number))
        assert (told.ssim, told.hash_bits) == (expected["ssim"], expected["hash_bits"])
    assert sum(isinstance(event, WorkerStarted) for event in events) == 1
    assert not any(isinstance(event, WorkerLost) for event in events)
    assert list(tmp_path.rglob("review-*")) == []


def test_what_was_measured_is_known(tmp_path: Path) -> None:
    known, pair = Known(Store(tmp_path)), Pair(of_bytes(b"1"), of_bytes(b"2"))
    assert known.recall(pair) is None
    told = Measure(
        likeness="different", hash_bits=3, psnr=None, ssim=0.5, changed=None, largest=None, alpha=None,
        box=(1, 2, 3, 4),
    )  # fmt: skip
    known.keep(pair, told)
    assert known.recall(pair) == told
    assert known.recall(Pair(pair.after, pair.before)) is None


def test_the_second_review_starts_no_process(tmp_path: Path) -> None:
    project = Project(tmp_path / "game", tmp_path / "cache")
    project.draw("gem", noise(1))
    project.commit()
    project.draw("gem", noise(2))
    project.save()
    started: list[list[Event]] = [[], []]
    first, second = (project.review(tell=events.append)[0] for events in started)
    assert first == second
    assert [any(isinstance(event, WorkerStarted) for event in events) for events in started] == [True, False]


def test_another_colour_comes_before_what_nobody_sees(tmp_path: Path) -> None:
    """A recolour keeps its luminance, and so its hash and its SSIM."""

    def potion(colour: tuple[int, int, int]) -> Pixels:
        picture = clear(64, 64)
        down, along = np.mgrid[:64, :64]
        picture[(down - 36) ** 2 + (along - 32) ** 2 < 19**2] = (*colour, 255)
        picture[8:20, 28:36] = (120, 110, 100, 255)
        return picture

    def gem(seed: int, grain: int) -> Pixels:
        picture = clear(64, 64)
        picture[8:56, 8:56] = (90, 90, 120, 255)
        spots = np.random.default_rng(seed).integers(-grain, grain + 1, (48, 48, 3))
        picture[8:56, 8:56, :3] = picture[8:56, 8:56, :3] + spots
        return picture

    dotted = noise(2)
    project = Project(tmp_path / "game", tmp_path / "cache")
    for name, picture in (("potion", potion((40, 70, 200))), ("gem", gem(1, 3)), ("dot", dotted)):
        project.draw(name, picture)
    project.commit()
    dotted[3, 3, 0] ^= 128
    for name, picture in (("potion", potion((44, 116, 60))), ("gem", gem(2, 5)), ("dot", dotted)):
        project.draw(name, picture)
    project.save()
    review, changes, _ = project.review()
    measure = changes["potion"].measure
    assert measure is not None
    assert measure.hash_bits <= 2
    assert measure.ssim > 0.98
    assert [change.name for change in review.changes] == ["potion", "gem", "dot"]


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    """A file by hand may be anything."""
    project = Project(tmp_path / "game", tmp_path / "cache")
    project.draw("gem", noise(1))
    project.commit()
    (project.folder / "out/gem.png").write_bytes(b"a note")
    change = project.review()[1]["gem"]
    assert change.measure is None
    assert change.notes[-1] == "not measured: `the new picture` is not a PNG, WebP or JPEG picture"
    assert change.attention == 1.0
