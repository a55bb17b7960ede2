"""The canonical encoder keeps every pixel and every byte; the decoder trusts no file."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines import png
from engines.png import Pixels
from engines.protocol import EngineError, ErrorKind

ROOT = Path(__file__).parent.parent


GOLDEN = "0c164644f69968830c9825b1c1cd459b17caa68ee6fc23fd83d6e5d581a88d33"
"""Of the bytes for the picture below. Changes only with the pinned pyoxipng."""


def noise(height: int, width: int, channels: int, seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def ghost() -> Pixels:
    """Colours under alpha 0: the ones that an optimiser likes to clean away."""
    pixels = noise(24, 30, 4)
    pixels[..., 3] = np.where(pixels[..., 3] < 128, 0, 255)
    return pixels


def few() -> Pixels:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3] = noise(64, 64, 1) // 64 * (20, 60, 80)
    pixels[::2, :, 3] = 255
    return pixels


def grey() -> Pixels:
    return np.repeat(noise(20, 20, 1), 3, axis=2)


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def refusal(path: Path, limit: int = png.LIMIT) -> EngineError:
    with pytest.raises(EngineError) as caught:
        png.decode(path, limit)
    assert caught.value.kind is ErrorKind.BAD_REQUEST
    return caught.value


PICTURES = {
    "noise rgba": noise(17, 23, 4),
    "noise rgb": noise(17, 23, 3),
    "ghost": ghost(),
    "few": few(),
    "grey": grey(),
    "one clear pixel": np.array([[[9, 8, 7, 0]]], np.uint8),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("smallest", [False, True])
def test_encode_keeps_every_value(name: str, smallest: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png.encode(PICTURES[name], smallest=smallest))
    assert np.array_equal(png.rgba(png.decode(path)), png.rgba(PICTURES[name]))


@pytest.mark.parametrize("name", PICTURES)
def test_encode_keeps_the_kind_of_pixel(name: str) -> None:
    with Image.open(io.BytesIO(png.encode(PICTURES[name]))) as image:
        assert image.mode == ("RGB" if PICTURES[name].shape[2] == 3 else "RGBA")


def test_smallest_may_be_indexed() -> None:
    with Image.open(io.BytesIO(png.encode(few(), smallest=True))) as image:
        assert image.mode == "P"


def test_encode_takes_a_view_that_is_not_contiguous() -> None:
    pixels = noise(20, 20, 4)
    assert png.encode(pixels[::-1, ::2]) == png.encode(pixels[::-1, ::2].copy())


@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_bytes_do_not_depend_on_threads(threads: str) -> None:
    script = (
        "import sys, numpy as np; from engines import png;"
        "a = np.random.default_rng(5).integers(0, 9, (300, 200, 4), dtype=np.uint8);"
        "sys.stdout.write(__import__('hashlib').sha256(png.encode(a)).hexdigest())"
    )
    environment = os.environ | {"RAYON_NUM_THREADS": threads}
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert found.stdout.decode() == GOLDEN


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_encoder_does_not_load_the_system_zlib() -> None:
    script = (
        "import oxipng; raw = oxipng.RawImage(bytes(range(48)), 4, 4, color_type=oxipng.ColorType.rgb());"
        "raw.create_optimized_png(level=1); assert 'libz' not in open('/proc/self/maps').read()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_idle_alpha() -> None:
    pixels = noise(4, 4, 4)
    assert png.without_idle_alpha(pixels) is pixels
    pixels[..., 3] = 255
    assert np.array_equal(png.without_idle_alpha(pixels), pixels[..., :3])


def test_decode_webp_keeps_colours_under_alpha_0(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.webp", Image.fromarray(ghost()), lossless=True, exact=True)
    assert np.array_equal(png.decode(path), ghost())


def test_decode_jpeg(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("RGB", (9, 7), (200, 30, 30)))
    assert png.decode(path).shape == (7, 9, 3)


@pytest.mark.parametrize(
    ("mode", "transparency", "channels"),
    [
        ("1", None, 3),
        ("L", None, 3),
        ("L", 5, 4),
        ("LA", None, 4),
        ("P", None, 3),
        ("P", 0, 4),
        ("RGB", (1, 2, 3), 4),
    ],
)
def test_decode_every_kind_of_png(mode: str, transparency: Any, channels: int, tmp_path: Path) -> None:
    image = Image.fromarray(noise(8, 8, 4)).convert("RGB").convert(mode)
    options = {} if transparency is None else {"transparency": transparency}
    path = saved(tmp_path / "a.png", image, **options)
    assert png.decode(path).shape == (8, 8, channels)


def test_of_16_bits_the_high_byte_is_kept(tmp_path: Path) -> None:
    values = np.array([[0x0000, 0x00FF, 0x1234, 0xFFFF]], np.uint16)
    path = saved(tmp_path / "a.png", Image.fromarray(values))
    assert png.decode(path)[0, :, 0].tolist() == [0x00, 0x00, 0x12, 0xFF]


def test_of_16_bit_colour_the_high_byte_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    row = b"\0" + struct.pack(">6H", 0x12FF, 0x3400, 0x5680, 0xFFFF, 0x00FF, 0x0100)
    path.write_bytes(png_of(struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0), row))
    assert png.decode(path).tolist() == [[[0x12, 0x34, 0x56], [0xFF, 0x00, 0x01]]]


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", Image.fromarray(noise(4, 6, 3)), exif=exif)
    assert np.array_equal(png.decode(path), np.rot90(noise(4, 6, 3), -1))


def png_of(head: bytes, raw: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


def test_refuses_a_bomb_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(struct.pack(">IIBBBBB", 9000, 5, 8, 2, 0, 0, 0), b""))
    assert refusal(path).message == "`bomb.png` is 9000 x 5 pixels; at most 8192 on a side are decoded"
    path.write_bytes(png_of(struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0), b""))
    assert refusal(path).message == "`bomb.png` has too many pixels to be decoded"


def test_refuses_above_a_limit_of_its_own(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (65, 10)))
    assert "at most 64 on a side" in refusal(path, 64).message


def test_refuses_text_that_inflates_without_end(tmp_path: Path) -> None:
    text = b"k\0\0" + zlib.compress(b"x" * 200_000_000, 1)
    body = png.encode(noise(4, 4, 3))
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    path = tmp_path / "a.png"
    path.write_bytes(body[:33] + chunk + body[33:])
    assert refusal(path).message.startswith("`a.png` is damaged")


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
def test_refuses_a_file_cut_at_any_length(suffix: str, tmp_path: Path) -> None:
    data = saved(tmp_path / f"whole.{suffix}", Image.fromarray(noise(6, 6, 3))).read_bytes()
    path = tmp_path / f"cut.{suffix}"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert refusal(path).message.startswith("`cut.")


def test_refuses_a_png_with_one_flipped_byte(tmp_path: Path) -> None:
    data = bytearray(png.encode(noise(6, 6, 3)))
    path = tmp_path / "a.png"
    for at in range(len(data)):
        broken = bytes(data[:at]) + bytes([data[at] ^ 0x20]) + bytes(data[at + 1 :])
        path.write_bytes(broken)
        refusal(path)


@pytest.mark.parametrize("suffix", ["gif", "bmp", "tiff", "ico"])
def test_refuses_other_formats(suffix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / f"a.{suffix}", Image.new("RGB", (16, 16)))
    assert refusal(path).message == f"`a.{suffix}` is not a PNG, WebP or JPEG picture"


def test_refuses_what_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for data in (b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        path.write_bytes(data)
        assert refusal(path).message == "`a.png` is not a PNG, WebP or JPEG picture"


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_refuses_several_frames(suffix: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(noise(4, 4, 3, seed)) for seed in range(3)]
    path = saved(tmp_path / f"a.{suffix}", frames[0], save_all=True, append_images=frames[1:])
    assert refusal(path).message == f"`a.{suffix}` holds 3 frames"
    assert refusal(path).hint == "give it as a single still picture"


def test_refuses_cmyk(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8)))
    assert refusal(path).message == "`a.jpg` is CMYK, whose colours depend on a printer"
    assert refusal(path).hint == "save it as RGB"


def test_a_missing_file_is_an_internal_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        png.decode(tmp_path / "none.png")
    assert caught.value.kind is ErrorKind.INTERNAL
    assert caught.value.message == "`none.png` can't be read: No such file or directory"
