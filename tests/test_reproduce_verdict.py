"""The verdict on a picture that was made again, and where locked bytes are found: without any engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from buildsys import digest
from buildsys.cli.reproduce import chosen
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, LockError
from buildsys.lock.model import Conflict, Lock
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Parts, Picture, Record
from buildsys.reproduce import verdict
from buildsys.reproduce.held import Lookup
from buildsys.reproduce.model import Distance, Held, Likeness, Metric, Promised, Reproduction, Tolerance
from buildsys.store.objects import Store
from engines.protocol import Determinism

HERE = {"torch": "2.9.0", "device": "cpu"}
ELSEWHERE = {"torch": "2.9.0", "device": "another cpu"}


def record(pixels: str = "a", file: str = "a", environment: dict[str, str] = HERE, **more: object) -> Record:
    picture = Picture(file=_of(file), pixels=_of(pixels), phash="0" * 16, width=4, height=4)
    made = Record(
        name=AssetName("hero"),
        recipe=_of("recipe"),
        parts=Parts(adapter="noise", adapter_version="1.0.0"),
        engine="noise",
        output="out/hero.png",
        picture=picture,
        raw=_of("raw"),
        environment=environment,
    )
    return msgspec.structs.replace(made, **more)


def _of(text: str) -> Digest:
    return digest.of_bytes(text.encode())


def near(largest: int | None = 1, **more: object) -> Distance:
    return msgspec.structs.replace(Distance(hash_bits=0, psnr=60.0, ssim=0.99, largest=largest), **more)


def test_digests_tell_how_alike() -> None:
    page = {"-2.png": _of("page")}
    assert verdict.likeness_of(record(), record(environment=ELSEWHERE)) is Likeness.BYTES
    assert verdict.likeness_of(record(), record(file="b")) is Likeness.PIXELS
    assert verdict.likeness_of(record(), record("b", "b")) is Likeness.DIFFERENT
    # The same page once more, but the data that says where its frames are is another.
    assert verdict.likeness_of(record(), record(companions=page)) is Likeness.DIFFERENT
    assert verdict.differing(record(), record(companions=page)) == ("out/hero-2.png",)


@pytest.mark.parametrize(
    ("determinism", "environment", "expected"),
    [
        (Determinism.BITWISE, HERE, Promised.BROKEN),
        (Determinism.BITWISE, ELSEWHERE, Promised.BROKEN),
        (Determinism.ENVIRONMENT, HERE, Promised.BROKEN),
        (Determinism.ENVIRONMENT, ELSEWHERE, Promised.NOTHING),
        (Determinism.SEEDED, HERE, Promised.NOTHING),
        (Determinism.NONE, HERE, Promised.NOTHING),
    ],
)
def test_other_pixels_break_what_was_promised(
    determinism: Determinism, environment: dict[str, str], expected: Promised
) -> None:
    assert verdict.promised(determinism, record(), record("b", "b", environment)) is expected
    assert verdict.promised(determinism, record(), record(file="b")) is Promised.KEPT


def test_an_environment_that_the_lock_lost_promises_nothing() -> None:
    old, new = record(environment={}), record("b", "b", {})
    assert verdict.promised(Determinism.ENVIRONMENT, old, new) is Promised.NOTHING


@pytest.mark.parametrize(
    ("determinism", "kept", "distance", "asked", "expected"),
    [
        (Determinism.ENVIRONMENT, Promised.NOTHING, near(1), None, 1),
        (Determinism.ENVIRONMENT, Promised.NOTHING, near(2), None, None),
        (Determinism.ENVIRONMENT, Promised.NOTHING, near(2), "largest=2", 2),
        (Determinism.ENVIRONMENT, Promised.NOTHING, near(1), "largest=0", None),
        (Determinism.ENVIRONMENT, Promised.NOTHING, near(None, resized=True), None, None),
        (Determinism.ENVIRONMENT, Promised.NOTHING, near(None, resized=True), "ssim=0.5", None),
        (Determinism.ENVIRONMENT, Promised.BROKEN, near(1), None, None),
        (Determinism.BITWISE, Promised.BROKEN, near(1), "largest=255", None),
        (Determinism.SEEDED, Promised.NOTHING, near(1), None, None),
        (Determinism.SEEDED, Promised.NOTHING, near(9), "ssim=0.98", 0.99),
        (Determinism.SEEDED, Promised.NOTHING, near(9), "ssim=0.995", None),
        (Determinism.NONE, Promised.NOTHING, near(9), "hash_bits=0", 0),
    ],
)
def test_close_enough(
    determinism: Determinism,
    kept: Promised,
    distance: Distance,
    asked: str | None,
    expected: float | None,
) -> None:
    tolerance = None if asked is None else Tolerance.read(asked)
    found = verdict.closeness(determinism, kept, distance, tolerance)
    assert (None if found is None else found.value) == expected


def test_nothing_that_the_eye_sees_is_beyond_psnr() -> None:
    asked = Tolerance.read("psnr=40")
    found = verdict.closeness(Determinism.SEEDED, Promised.NOTHING, near(0, psnr=None), asked)
    assert (found and found.metric, found and found.value) == (Metric.PSNR, None)
    unmeasured = Distance(hash_bits=0)
    assert verdict.closeness(Determinism.SEEDED, Promised.NOTHING, unmeasured, asked) is None


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    [
        ("1", "`1` is no tolerance", "write a metric and its limit: `largest=1`"),
        ("larges=1", "`larges` is no metric of two pictures", "did you mean `largest`?"),
        (
            "x=1",
            "`x` is no metric of two pictures",
            "use one of largest, changed, hash_bits, psnr, ssim",
        ),
        ("largest=256", "`256` is no limit for `largest`", "give a number from 0 to 255"),
        ("ssim=much", "`much` is no limit for `ssim`", "give a number from -1 to 1"),
        ("psnr=nan", "`nan` is no limit for `psnr`", "give a number from 0 to 200"),
    ],
)
def test_a_tolerance_with_a_mistake(text: str, fact: str, hint: str) -> None:
    with pytest.raises(ArtlockError) as caught:
        Tolerance.read(text)
    assert (caught.value.message, caught.value.hint) == (fact, hint)


@pytest.mark.parametrize(
    ("likeness", "determinism", "failed"),
    [
        (Likeness.BYTES, Determinism.BITWISE, False),
        (Likeness.PIXELS, Determinism.BITWISE, False),
        (Likeness.CLOSE, Determinism.ENVIRONMENT, False),
        (Likeness.DIFFERENT, Determinism.BITWISE, True),
        (Likeness.DIFFERENT, Determinism.ENVIRONMENT, True),
        (Likeness.DIFFERENT, Determinism.SEEDED, True),
        (Likeness.DIFFERENT, Determinism.NONE, False),
        (Likeness.IMPOSSIBLE, None, True),
    ],
)
def test_what_fails(likeness: Likeness, determinism: Determinism | None, failed: bool) -> None:
    result = Reproduction(name=AssetName("hero"), likeness=likeness, determinism=determinism)
    assert result.failed is failed


@pytest.mark.parametrize("names", [["hero"], []])
def test_what_a_merge_left_open_is_named(names: list[str]) -> None:
    lock = Lock(conflicts={AssetName("hero"): Conflict()})
    with pytest.raises(LockError) as caught:
        chosen(names, lock)
    assert caught.value.message == "both sides of a merge changed `hero` in the lock"
    assert caught.value.hint == "run `artlock resolve hero` first"


def test_locked_bytes_are_found_and_hashed(tmp_path: Path) -> None:
    root = tmp_path / "game"
    (root / "out").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    store = Store(tmp_path / "store")
    committed: dict[str, bytes] = {}
    lookup = Lookup(root, store, (committed.get,))
    wanted = _of("picture")
    assert lookup.find(wanted, "out/hero.png") == (None, Held.LOST)

    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{wanted}\nsize 7\n".encode()
    committed["out/hero.png"] = pointer
    assert lookup.find(wanted, "out/hero.png") == (None, Held.LOST)
    large = root / ".git" / "lfs" / "objects" / wanted[:2] / wanted[2:4] / wanted
    large.parent.mkdir(parents=True)
    large.write_bytes(b"torn")
    assert lookup.find(wanted, "out/hero.png") == (None, Held.LOST)
    large.write_bytes(b"picture")
    assert lookup.find(wanted, "out/hero.png") == (b"picture", Held.GIT)
    # Where nobody fetched, the pointer lies in the tree as well, and is no picture.
    (root / "out" / "hero.png").write_bytes(pointer)
    assert lookup.find(wanted, "out/hero.png") == (b"picture", Held.GIT)

    store.put_bytes(b"picture")
    assert lookup.find(wanted, "out/hero.png") == (b"picture", Held.STORE)
    (root / "out" / "hero.png").write_bytes(b"picture")
    assert lookup.find(wanted, "out/hero.png") == (b"picture", Held.PLACE)
