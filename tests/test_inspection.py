"""What may be adopted: by its header, its length and what kind of file it is."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from buildsys.make import inspection
from buildsys.make.inspection import RAW, Header, Unfit, inspect, named


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (37, 21), **options: Any) -> bytes:
    image = Image.effect_noise(size, 90).convert(mode)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_png_of_any_kind_is_taken(tmp_path: Path, mode: str) -> None:
    (tmp_path / "a.png").write_bytes(picture("PNG", mode))
    assert inspect(tmp_path, "a.png", (37, 21)) == Header("png", 37, 21)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 60}, {"quality": 60, "exif": b"Exif"}])
@pytest.mark.parametrize("size", [(37, 21), (1, 1), (300, 2)])
def test_a_webp_of_any_kind_is_taken(
    tmp_path: Path, mode: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    (tmp_path / "a.webp").write_bytes(picture("WEBP", mode, size, **options))
    assert inspect(tmp_path, "a.webp", None) == Header("webp", *size)


@pytest.mark.parametrize(("name", "kind"), [("a.png", "PNG"), ("a.webp", "WEBP")])
def test_every_shorter_length_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    whole = picture(kind, size=(5, 4), **options)
    for length in range(len(whole)):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(Unfit, match=r"^its file is (empty|cut short|not a \w+: it starts with .*)$"):
            inspect(tmp_path, name, None)


def test_bytes_after_the_end_of_a_png_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture("PNG") + b"a signature of its maker")
    assert inspect(tmp_path, "a.png", None) == Header("png", 37, 21)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.png", picture("JPEG")[:64], "its file is not a PNG: it starts with "),
        ("a.png", picture("WEBP"), "its file is not a PNG: it starts with b'RIFF"),
        ("a.webp", picture("PNG"), "its file is not a WebP: it starts with b'\\x89PNG"),
        ("a.gif", picture("GIF"), "its file is no `.png`, `.jpg` or `.webp`"),
        ("a", picture("PNG"), "its file is no `.png`, `.jpg` or `.webp`"),
        ("a.jpg", picture("PNG"), "its file is not a JPEG: it starts with b'\\x89PNG"),
        ("a.jpg", picture("JPEG")[:-20], "its file is cut short"),
        ("a.jpg", picture("JPEG")[:12], "its file is cut short"),
        ("a.jpg", b"\xff\xd8\xff\xda" + bytes(20), "its file has a broken JPEG header"),
        ("a.png", picture("PNG").replace(b"IHDR", b"IHDX"), "its file has a broken PNG header"),
        (
            "a.png",
            picture("PNG")[:29] + b"\0\0\0\0" + picture("PNG")[33:],
            "its file has a broken PNG header",
        ),
        ("a.webp", b"RIFF\x20\0\0\0WEBPVP8Z" + bytes(30), "its file has a broken WebP header"),
        (
            "a.png",
            picture("PNG")[:33] + bytes(12) * 100_001,
            "its file has more than 100000 chunks",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: bytes, text: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unfit) as caught:
        inspect(tmp_path, name, None)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("name", ["", ".", "..", "../a.png", "/etc/passwd", "b/a.png", "a\0.png", "b\\a.png"])
def test_a_name_that_is_more_than_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unfit, match=r"is not the name of a file in its staging folder$"):
        inspect(tmp_path, name, None)


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo.png")
    for name, text in {
        "folder.png": "it handed over a folder",
        "link.png": "it handed over a symbolic link",
        "fifo.png": "it handed over something else than a regular file",
        "absent.png": "it wrote no file",
    }.items():
        with pytest.raises(Unfit) as caught:
            inspect(tmp_path, name, None)
        assert str(caught.value) == text


def test_sizes_are_held_to_what_was_asked_and_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture("PNG"))
    with pytest.raises(Unfit, match=r"^it is 37x21 pixels, not 37x22 as asked$"):
        inspect(tmp_path, "a.png", (37, 22))
    (tmp_path / "a.png").write_bytes(picture("PNG", size=(inspection.MAX_SIDE + 1, 1)))
    with pytest.raises(Unfit, match=r"^its file says it is 16385x1 pixels; a side has 1 to 16384$"):
        inspect(tmp_path, "a.png", None)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(inspection.MAX_FILE + 1)  # a hole: no disk is used
    with pytest.raises(Unfit, match=r"^its file has 268435457 bytes; a picture has at most 268435456$"):
        inspect(tmp_path, "a.png", None)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}])
def test_a_jpeg_tells_its_size(tmp_path: Path, options: dict[str, Any]) -> None:
    Image.new("RGB", (37, 21), "navy").save(tmp_path / "a.jpg", **options)
    assert inspect(tmp_path, "a.jpg", (37, 21)) == Header("jpg", 37, 21)


@pytest.mark.parametrize("size", [(100, 100), (200, 200), (204, 200)])
def test_a_provider_s_picture_may_be_larger(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    assert inspect(tmp_path, "a.png", (100, 100), exact=False) == Header("png", *size)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ((205, 200), "it is 205x200 pixels, not of the shape of 100x100 as asked"),
        ((200, 205), "it is 200x205 pixels, not of the shape of 100x100 as asked"),
        ((101, 99), "it is 101x99 pixels, not at least 100x100 as asked"),
    ],
)
def test_a_provider_s_picture_may_be_no_other(tmp_path: Path, size: tuple[int, int], text: str) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    with pytest.raises(Unfit) as caught:
        inspect(tmp_path, "a.png", (100, 100), exact=False)
    assert str(caught.value) == text


def test_a_raw_picture_is_named_after_what_it_is() -> None:
    assert [named(f"7{suffix}", "7.png", raw=True) for suffix in RAW] == ["7.png", "7.jpg", "7.webp"]
    for output, raw in (("7.jpg", False), ("8.jpg", True), ("../7.jpg", True), ("7.gif", True)):
        with pytest.raises(Unfit) as caught:
            named(output, "7.png", raw=raw)
        assert str(caught.value) == f"it handed over `{output}`, not the file that it was asked for"
