"""The further files of an atlas: only those asked for, of names that we chose, and looked at first."""

from __future__ import annotations

import io
import os
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from pool_kit import running
from zookeeper import engine, request

from buildsys.make.companions import MAX_TEXT, MOST, adopt_all
from buildsys.make.failure import EngineFailed
from buildsys.make.inspection import Unfit
from buildsys.manifest.cards import PACK
from buildsys.manifest.model import Card
from engines.protocol import Done, ErrorKind

LIAR = engine("liar").card
PACKER = msgspec.structs.replace(LIAR, name=PACK)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (3, 2)).save(file, "PNG")
    return file.getvalue()


def handed(tmp_path: Path, files: dict[str, str], card: Card = PACKER) -> dict[str, str]:
    """What is adopted of `files` (suffix to name), in the staging folder already."""
    (tmp_path / "made").mkdir(exist_ok=True)
    done = Done(id="7", output="7.png", companions=files)
    return adopt_all(tmp_path / "staging", tmp_path / "made", done, card)


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    (tmp_path / "staging").mkdir()
    return tmp_path / "staging"


def test_pages_and_texts_are_taken(tmp_path: Path, staging: Path) -> None:
    suffixes = ["-1.png", "-99.png", ".json", "-1.json", ".unity.json", ".tres", ".css"]
    for suffix in suffixes:
        (staging / f"7{suffix}").write_bytes(picture() if suffix.endswith("png") else "ä".encode())
    found = handed(tmp_path, {suffix: f"7{suffix}" for suffix in suffixes})
    assert found == {suffix: str(tmp_path / "made" / f"7{suffix}") for suffix in suffixes}
    assert not any(staging.iterdir())
    assert all(Path(path).is_file() for path in found.values())


@pytest.mark.parametrize(
    "suffix",
    [
        "",
        ".png",
        "-0.png",
        "-100.png",
        ".py",
        ".json.py",
        "/../x.json",
        ".unity.tres",
        "-1.tres",
        ".JSON",
        ".json\n",
    ],
)
def test_no_other_suffix_is_taken(tmp_path: Path, staging: Path, suffix: str) -> None:
    with pytest.raises(Unfit) as caught:
        handed(tmp_path, {suffix: f"7{suffix}"})
    assert str(caught.value) == f"a file beside a picture can't end in `{suffix}`"


@pytest.mark.parametrize("name", ["8.json", "../7.json", "7.tres", "", "sub/7.json"])
def test_no_other_name_is_taken(tmp_path: Path, staging: Path, name: str) -> None:
    with pytest.raises(Unfit) as caught:
        handed(tmp_path, {".json": name})
    assert str(caught.value) == f"it handed over `{name}`, not `7.json`"


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_TEXT + 1)  # a hole: no disk is used


@pytest.mark.parametrize(
    ("suffix", "make", "text"),
    [
        (".json", lambda _: None, "of `.json`: it wrote no file"),
        (".json", Path.mkdir, "of `.json`: it handed over a folder"),
        (".json", _link, "of `.json`: it handed over a symbolic link"),
        (".json", os.mkfifo, "of `.json`: it handed over something else than a regular file"),
        (".json", Path.touch, "of `.json`: its file is empty"),
        (".tres", lambda path: path.write_bytes(b"caf\xe9"), "of `.tres`: its file is not UTF-8"),
        (".tres", lambda path: path.write_bytes(b"caf\xc3"), "of `.tres`: its file is not UTF-8"),
        (".css", _large, "of `.css`: its file has 16777217 bytes; a text has at most 16777216"),
        (
            "-1.png",
            lambda path: path.write_text("{}"),
            "of `-1.png`: its file is not a PNG: it starts with b'{}'",
        ),
    ],
)
def test_what_is_unfit_is_named_and_nothing_stays(
    tmp_path: Path, staging: Path, suffix: str, make: object, text: str
) -> None:
    assert callable(make)
    make(staging / f"7{suffix}")
    (staging / "7-2.png").write_bytes(picture())
    with pytest.raises(Unfit) as caught:
        handed(tmp_path, {"-2.png": "7-2.png", suffix: f"7{suffix}"})
    assert str(caught.value) == text
    assert not [path for path in (tmp_path / "made").iterdir() if not path.is_dir()]


def test_a_character_may_lie_across_two_reads(tmp_path: Path, staging: Path) -> None:
    (staging / "7.json").write_bytes(b"x" * (1024 * 1024 - 1) + "ä".encode())
    assert list(handed(tmp_path, {".json": "7.json"})) == [".json"]


def test_there_is_an_end(tmp_path: Path, staging: Path) -> None:
    with pytest.raises(Unfit) as caught:
        handed(tmp_path, {f".{number}": "x" for number in range(MOST + 1)})
    assert str(caught.value) == "it handed over 201 further files; there may be 200"


def test_an_engine_that_was_not_asked_is_lying(tmp_path: Path) -> None:
    with running(tmp_path) as (pool, _), pytest.raises(EngineFailed) as caught:
        pool.render(engine("liar"), request(act="companions"))
    assert caught.value.kind is ErrorKind.INTERNAL
    assert caught.value.message == (
        "the engine `liar` made no usable picture of `hero`: it handed over files that it was not asked for"
    )
