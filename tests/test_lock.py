"""The lock: canonical, complete, and refused where it is not whole."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rtoml
from hypothesis import given, settings
from hypothesis import strategies as st

from buildsys import digest as digests
from buildsys import toml
from buildsys.digest import Digest
from buildsys.errors import LockError
from buildsys.lock.model import Lock
from buildsys.lock.read import load, parse
from buildsys.lock.write import LockFile, dump, save
from buildsys.manifest.model import AssetName, FinishStep
from buildsys.plan.recipe import digest_of
from buildsys.plan.record import Credit, Parts, Picture, Record

GOLDEN = Path(__file__).parent / "golden" / "assets.lock"
RESTORE = "restore the lock from git, then run `artlock build`"


def sha(word: str) -> Digest:
    return digests.of_bytes(word.encode())


def record(name: str, **parts: Any) -> Record:
    chosen: dict[str, Any] = {"adapter": "stock", "adapter_version": "1.0.0", "prompt": name, "seed": 7}
    recipe = Parts(**chosen | parts)
    return Record(
        name=AssetName(name),
        recipe=digest_of(recipe),
        parts=recipe,
        engine="stock",
        output=f"out/{name}.png",
        picture=Picture(file=sha(name), pixels=sha(name * 2), phash="00ff00ff00ff00ff", width=64, height=32),
        raw=sha(name * 3),
        environment={"python": "3.11.7", "numpy": "2.1.0"},
    )


def unsealed(text: str) -> str:
    """The text of a lock without its seals."""
    return re.sub(r"^seal = .*\n", "", text, flags=re.MULTILINE)


def locked(*records: Record) -> Lock:
    return Lock(records={item.name: item for item in records})


def example() -> Lock:
    knight = record(
        "hero/knight",
        adapter="diffusion",
        adapter_version="1.2.0",
        model="stabilityai/stable-diffusion-3.5-medium",
        revision="b940f670f0eda2d07fbb75229e779da1ad11eb80",
        prompt='moon knight, 3/4 view,\nholding a "crescent" shield\n',
        negative="blurry, extra fingers",
        seed=12345,
        size=(512, 512),
        parameters={"guidance": 4.0, "steps": 40, "lora": {"path": "keep", "weight": 0.8}},
        inputs={"finish.1.palette": sha("palette")},
        finish=(
            FinishStep(name="trim", version=1, parameters={}),
            FinishStep(name="resize", version=2, parameters={"size": [256, 256], "filter": "area"}),
        ),
        finish_version="1.0.0",
    )
    knight = msgspec.structs.replace(
        knight,
        engine="sd35-medium",
        paths={"finish.1.palette": "art/night.gpl"},
        environment={"torch": "2.13.0", "device": "cpu", "dtype": "bfloat16"},
    )
    sword = msgspec.structs.replace(
        record("sword", parameters={"style": "flat"}, size=(64, 64)),
        sent={"prompt": "a 剣 🗡️", "seed": 2**64 - 1, "tags": ["a", None]},
        credits=(Credit(title="broadsword", author="Lorc", licence="CC-BY-3.0", source="game-icons.net"),),
    )
    return locked(knight, record("gems/red"), record("gems/blue"), sword)


def test_the_golden_lock() -> None:
    text = dump(example())
    if os.environ.get("ACCEPT_GOLDEN"):
        GOLDEN.write_text(text)
    golden = GOLDEN.read_text()
    change = "".join(difflib.unified_diff(golden.splitlines(True), text.splitlines(True)))
    assert golden == text, f"run again with ACCEPT_GOLDEN=1 to accept:\n{change}"
    assert parse(golden) == example()


def test_a_lock_tells_who_was_asked_where_another_engine_made_it() -> None:
    own = record("gem")
    made = msgspec.structs.replace(own, instead_of="sd35-medium", asked=sha("asked"))
    text = dump(locked(made))
    told = f'instead_of = "sd35-medium"\nasked = "{sha("asked")}"\n'
    assert unsealed(text).replace(told, "") == unsealed(dump(locked(own)))
    assert parse(text) == locked(made)
    assert parse(dump(locked(own))) == locked(own)


@pytest.mark.parametrize(("key", "other"), [("instead_of", "asked"), ("asked", "instead_of")])
def test_the_engine_and_the_recipe_that_were_asked_for_stand_together(key: str, other: str) -> None:
    made = msgspec.structs.replace(record("gem"), instead_of="sd35-medium", asked=sha("asked"))
    lines = dump(locked(made)).splitlines(keepends=True)
    with pytest.raises(LockError) as caught:
        parse("".join(line for line in lines if not line.startswith(f"{other} = ")))
    assert str(caught.value) == (
        f"assets.lock: asset `gem` lacks `{other}`: the two stand together\n\nhint: {RESTORE}"
    )
    assert key in "".join(lines)


def exact(lock: Lock) -> bytes:
    """The lock so that 4, 4.0 and True differ, which are equal to Python."""
    return digests.canonical(msgspec.to_builtins(lock))


TEXT = st.text(max_size=30) | st.text(alphabet='"\\\n\r\t <=>|\x00\x7f\u2028\u202eé🗡\U000e0041', max_size=30)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63 - 2, max_value=2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.just("json"), inner, max_size=4),
    max_leaves=8,
)
TABLE = st.dictionaries(TEXT | st.just("json"), JSON, max_size=4)
NAME = st.lists(st.text(alphabet="abz09-_é剣", min_size=1, max_size=6), min_size=1, max_size=3).map("/".join)
SHA = st.binary(max_size=4).map(digests.of_bytes)
SIDE = st.integers(min_value=1, max_value=16384)
STEP = st.builds(FinishStep, name=TEXT, version=st.integers(1, 9), parameters=TABLE)
PARTS = st.builds(
    Parts,
    adapter=TEXT,
    adapter_version=TEXT,
    model=TEXT,
    revision=TEXT,
    prompt=TEXT,
    negative=TEXT,
    text=TEXT,
    seed=st.none() | st.integers(),
    size=st.none() | st.tuples(SIDE, SIDE),
    parameters=TABLE,
    inputs=st.dictionaries(TEXT, SHA, max_size=2),
    finish=st.lists(STEP, max_size=3).map(tuple),
    finish_version=TEXT,
    format=st.sampled_from(["png", "webp"]),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    name = draw(NAME)
    parts = draw(PARTS)
    return Record(
        name=AssetName(name),
        recipe=digest_of(parts),
        parts=parts,
        engine=draw(TEXT),
        output=f"out/{name}.{parts.format}",
        picture=Picture(
            file=draw(SHA), pixels=draw(SHA), phash="0123456789abcdef", width=draw(SIDE), height=draw(SIDE)
        ),
        raw=draw(SHA),
        paths=draw(st.dictionaries(TEXT, NAME, max_size=2)),
        sent=draw(TABLE),
        credits=tuple(
            draw(st.lists(st.builds(Credit, title=TEXT, author=TEXT, licence=TEXT, source=TEXT), max_size=2))
        ),
        environment=draw(st.dictionaries(TEXT, TEXT, max_size=2)),
    )


LOCKS = st.lists(records(), max_size=3).map(lambda made: locked(*made))


@settings(max_examples=60, deadline=None)
@given(LOCKS)
def test_what_is_written_is_read(lock: Lock) -> None:
    text = dump(lock)
    again = parse(text)
    assert exact(again) == exact(lock)
    assert dump(again) == text
    assert exact(parse(text.replace("\n", "\r\n"))) == exact(lock)


@settings(max_examples=200, deadline=None)
@given(TABLE)
def test_every_value_comes_back_from_toml(table: dict[str, Any]) -> None:
    lines = [*toml.dotted("values", table), *(toml.line(toml.key(key), item) for key, item in table.items())]
    text = "\n".join(lines)
    assert not re.search(r"^([<=>|])\1{6}", text, re.MULTILINE)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]| $", text, re.MULTILINE)
    # The table may have a key `values` itself; the other keys must not clash with it.
    if "values" not in table:
        document = rtoml.loads(text)
        values = document.pop("values", {})
        for found in (values, document):
            unwrapped = {key: toml.plain(item) for key, item in found.items()}
            assert digests.canonical(unwrapped) == digests.canonical(table)


def test_one_value_a_line() -> None:
    first, second = dump(locked(record("gem", seed=7))), dump(locked(record("gem", seed=8)))
    changed = [line for line in difflib.ndiff(first.splitlines(), second.splitlines()) if line[0] in "+-"]
    assert sorted(line[2:8] for line in changed) == sorted(["seal =", "seed =", "digest"] * 2)


def without_environment(item: Record) -> Record:
    return msgspec.structs.replace(item, environment={})


def test_every_truncation_is_refused_or_only_shorter() -> None:
    """A record is whole or not there; a cut lock may lack the last ones, and its last environments."""
    whole = example()
    text = dump(whole)
    assert parse(text[:-1]) == whole
    accepted = set()
    for length in range(len(text) - 1):
        try:
            lock = parse(text[:length])
        except LockError:
            continue
        accepted.add(len(lock.records))
        for name, item in lock.records.items():
            assert without_environment(item) == without_environment(whole.records[name])
            assert item.environment in ({}, whole.records[name].environment)
    assert accepted == {0, len(whole.records)}


def test_a_truncated_record_is_never_taken_for_a_whole_one() -> None:
    whole = locked(*map(without_environment, example().records.values()))
    text = dump(whole)
    for length in range(len(text)):
        try:
            lock = parse(text[:length])
        except LockError:
            continue
        assert all(whole.records[name] == item for name, item in lock.records.items())


def test_every_bit_flip_is_refused_or_a_lock() -> None:
    data = dump(example()).encode()
    refused = 0
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        try:
            lock = parse(flipped.decode())
        except (LockError, UnicodeDecodeError):
            refused += 1
        else:
            assert all(digest_of(item.parts) == item.recipe for item in lock.records.values())
    assert refused > len(data) / 2


def test_an_absent_lock_is_empty(tmp_path: Path) -> None:
    assert load(tmp_path / "assets.lock") == Lock()


def test_saving_the_same_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "assets.lock"
    assert save(path, example())
    status = path.stat()
    assert not save(path, load(path))
    assert path.stat() == status


def test_a_lock_file_writes_what_changed(tmp_path: Path) -> None:
    file, lock = LockFile(tmp_path / "assets.lock"), example()
    assert file.save(lock)
    changed = lock.updated([record("sword", seed=8)], removed=[AssetName("gems/red")])
    assert file.save(changed)
    assert load(tmp_path / "assets.lock") == changed
    assert (tmp_path / "assets.lock").read_text() == dump(changed)
    assert list(changed.records) == ["hero/knight", "gems/blue", "sword"]


@pytest.mark.parametrize(
    ("parts", "fact"),
    [
        ({"prompt": "a \ud83d b"}, "a lone surrogate (U+D83D) is not a character"),
        ({"parameters": {"a\udc00": 1}}, "a lone surrogate (U+DC00) is not a character"),
        ({"parameters": {"x": {1, 2}}}, "{1, 2} is nothing that TOML can hold"),
        ({"parameters": {"x": float("inf")}}, "inf is not a number that a recipe can hold"),
    ],
)
def test_what_can_not_be_written(parts: dict[str, Any], fact: str) -> None:
    odd = record("gem")
    odd = msgspec.structs.replace(odd, parts=msgspec.structs.replace(odd.parts, **parts))
    with pytest.raises(LockError) as caught:
        dump(locked(odd))
    assert str(caught.value) == (
        f"asset `gem` can't be written into the lock: {fact}\n\nhint: take that value out of the manifest"
    )
