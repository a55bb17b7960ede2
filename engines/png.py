"""Pictures in and out: the one PNG encoder, and a decoder that trusts no file.

Knows nothing of requests or steps. Pixels are numpy `uint8` arrays of shape (height, width, 3 or 4),
sRGB, alpha not premultiplied.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import oxipng
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from engines.protocol import EngineError, ErrorKind

Pixels: TypeAlias = NDArray[np.uint8]

LIMIT: Final = 8192
"""Pixels on the longer side that `decode` accepts unless told otherwise."""

_MAX_BYTES: Final = 512 * 1024 * 1024
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SMALLER: Final = "make it smaller"
_AGAIN: Final = "export it once more"
_FORMATS: Final = ("PNG", "WEBP", "JPEG")


def encode(pixels: Pixels, *, smallest: bool = False) -> bytes:
    """A PNG with exactly `pixels`: the same bytes for the same array on any x86-64 CPU.

    Pillow was refused: it deflates with whatever `libz.so.1` the system has, so its bytes differ between
    machines. The file is RGB or RGBA as the array is, 8 bit, and colours under alpha 0 are kept.
    `smallest` also allows indexed and grey, where that loses nothing.
    """
    height, width, channels = pixels.shape
    color = oxipng.ColorType.rgba() if channels == 4 else oxipng.ColorType.rgb()  # noqa: PLR2004 - RGBA
    raw = oxipng.RawImage(np.ascontiguousarray(pixels).tobytes(), width, height, color_type=color)
    png: bytes = raw.create_optimized_png(
        level=1,
        optimize_alpha=False,
        bit_depth_reduction=smallest,
        color_type_reduction=smallest,
        palette_reduction=smallest,
        grayscale_reduction=smallest,
    )
    return png


def decode(path: Path | str, limit: int = LIMIT, name: str = "") -> Pixels:
    """The picture in the PNG, WebP or JPEG at `path`: RGB, or RGBA where it has any transparency.

    Of 16 bits the high byte is kept. An EXIF orientation is applied; a colour profile is not. Refused, as
    `bad_request`: any other format, sides above `limit` (read from the header, before a pixel is decoded),
    cut or damaged files, several frames, CMYK. Messages call it `name`; else by its file's name.
    """
    name = name or Path(path).name
    return decode_bytes(_read(Path(path), name), name, limit)


def decode_bytes(data: bytes, name: str, limit: int = LIMIT) -> Pixels:
    """As `decode`, of a file's bytes; `name` is for messages."""
    with _plain_errors(name), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        _check_header(image, name, limit)
        _check_whole(data, str(image.format), name)
        image.load()
        return _pixels(image)


def rgba(pixels: Pixels) -> Pixels:
    """`pixels` with an alpha channel; opaque where it had none."""
    if pixels.shape[2] == 4:  # noqa: PLR2004 - RGBA
        return pixels
    full = np.empty((*pixels.shape[:2], 4), np.uint8)
    full[..., :3], full[..., 3] = pixels, 255
    return full


def without_idle_alpha(pixels: Pixels) -> Pixels:
    """`pixels` without its alpha channel where that is 255 everywhere."""
    if pixels.shape[2] == 4 and bool((pixels[..., 3] == 255).all()):  # noqa: PLR2004 - RGBA, opaque
        return np.ascontiguousarray(pixels[..., :3])
    return pixels


def _bad(message: str, hint: str = "") -> EngineError:
    return EngineError(ErrorKind.BAD_REQUEST, message, hint=hint)


def _read(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _bad(f"`{name}` is larger than {_MAX_BYTES // 2**20} MiB", _SMALLER)
        return path.read_bytes()
    except OSError as error:
        raise EngineError(ErrorKind.INTERNAL, f"`{name}` can't be read: {error.strerror}") from error


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Pillow's many exceptions as one, with its warnings about bombs taken as errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except EngineError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _bad(f"`{name}` has too many pixels to be decoded", _SMALLER) from error
    except UnidentifiedImageError as error:
        raise _bad(f"`{name}` is not a PNG, WebP or JPEG picture", "save it as a PNG") from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises nearly anything on a damaged file: SyntaxError, struct.error
        raise _bad(f"`{name}` is damaged: {error}", _AGAIN) from error


def _check_header(image: Image.Image, name: str, limit: int) -> None:
    width, height = image.size
    if max(width, height) > limit:
        raise _bad(f"`{name}` is {width} x {height} pixels; at most {limit} on a side are decoded", _SMALLER)
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise _bad(f"`{name}` holds {frames} frames", "give it as a single still picture")
    if image.mode == "CMYK":
        raise _bad(f"`{name}` is CMYK, whose colours depend on a printer", "save it as RGB")


def _check_whole(data: bytes, kind: str, name: str) -> None:
    """Refuse what Pillow lets pass: a file cut behind its last pixel, and a PNG with a wrong checksum."""
    if kind == "PNG":
        whole = _png_is_whole(data)
    elif kind == "WEBP":
        whole = len(data) >= struct.unpack_from("<I", data, 4)[0] + 8
    else:
        # An EXIF thumbnail has an end marker too: the one that counts comes after the last scan.
        whole = data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
    if not whole:
        raise _bad(f"`{name}` is cut off or damaged", _AGAIN)


def _png_is_whole(data: bytes) -> bool:
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            return False
        if zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at = end
    return False


def _pixels(image: Image.Image) -> Pixels:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16-bit grey; Pillow itself takes the high byte of 16-bit colour
        high = (np.asarray(upright).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(high[:, :, np.newaxis], 3, axis=2)
    transparent = "transparency" in upright.info or upright.mode in {"RGBA", "LA", "PA", "La", "RGBa"}
    return np.array(upright.convert("RGBA" if transparent else "RGB"))
