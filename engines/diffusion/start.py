"""The pictures that a request starts from: what kind of work they make of it, and their pixels made ready.

Knows nothing of torch. A picture is laid on white and scaled to the size that is drawn; what a mask leaves
black is the picture's own at the end, to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engines import png
from engines.protocol import EngineError, ErrorKind, Request

_SLACK: Final = 0.02
"""How far off in shape a picture may be, as it may be of a hosted engine."""
_OPAQUE: Final = 255


class Task(StrEnum):
    """What a pipeline does, in diffusers' words."""

    TEXT = "text-to-image"
    IMAGE = "image-to-image"
    MASK = "inpainting"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a request starts."""

    image: Image.Image
    """RGB, of the request's size."""
    mask: Image.Image | None
    """Grey, of the request's size: white is drawn anew."""
    notes: tuple[str, ...]

    def keep(self, drawn: png.Pixels) -> png.Pixels:
        """`drawn` where the mask is white, the picture where it is black, and in between a blend of both."""
        if self.mask is None:
            return drawn
        share = np.asarray(self.mask, dtype=np.uint32)[..., None]
        return _blend(drawn, np.asarray(self.image), share)


def task_of(request: Request) -> Task:
    """What `request` asks for. Raises `EngineError` for a mask, or a strength, of no picture."""
    if "image" in request.inputs:
        return Task.MASK if "mask" in request.inputs else Task.IMAGE
    given = {**request.inputs, **request.parameters}
    for name in ("mask", "strength"):
        if given.get(name) is not None:
            raise _bad(f"`{name}` has no effect without `image`", "give both or neither")
    return Task.TEXT


def read(request: Request) -> Start:
    """The pictures of `request`, which has an `image` and a size. Raises `EngineError` (`BAD_REQUEST`)."""
    pixels = png.rgba(png.decode(Path(request.inputs["image"]), name="image"))
    image = Image.fromarray(_on_white(pixels))
    notes = []
    if (pixels[..., 3] < _OPAQUE).any():
        notes.append("the `image` is transparent in places: it was laid on white")
    if image.size != request.size:
        notes.append(f"the `image` was scaled from {_by(image.size)} to {_by(request.size)} pixels")
    mask = _mask(request) if "mask" in request.inputs else None
    return Start(_scaled("image", image, request, Image.Resampling.LANCZOS), mask, tuple(notes))


def _mask(request: Request) -> Image.Image:
    pixels = png.rgba(png.decode(Path(request.inputs["mask"]), name="mask"))
    if (pixels[..., 3] < _OPAQUE).any():
        # Programs disagree on which side of it is meant, so a guess would be wrong for half of them.
        raise _bad("the `mask` is transparent in places", "save it in black and white: white is drawn anew")
    grey = Image.fromarray(pixels[..., :3]).convert("L")
    mask = _scaled("mask", grey, request, Image.Resampling.BILINEAR)
    if np.asarray(mask).max() <= _OPAQUE // 2:
        raise _bad(
            "the `mask` is dark all over: nothing would be drawn", "paint white what shall be drawn anew"
        )
    return mask


def _scaled(name: str, image: Image.Image, request: Request, how: Image.Resampling) -> Image.Image:
    assert request.size is not None  # noqa: S101 - `call.arguments` has checked it
    (width, height), (wide, high) = image.size, request.size
    if abs(width * high - height * wide) > _SLACK * height * wide:
        fact = f"`{name}` is {width} x {height} pixels, not within {_SLACK:.0%} of the shape of `size`"
        raise _bad(fact, "crop it to that shape")
    return image if image.size == request.size else image.resize(request.size, how)


def _on_white(pixels: png.Pixels) -> png.Pixels:
    return _blend(pixels[..., :3], np.full_like(pixels[..., :3], 255), pixels[..., 3:].astype(np.uint32))


def _blend(over: png.Pixels, under: png.Pixels, share: NDArray[np.uint32]) -> png.Pixels:
    """`share` of 255 parts `over`, the rest `under`, rounded."""
    return ((over * share + under * (_OPAQUE - share) + _OPAQUE // 2) // _OPAQUE).astype(np.uint8)


def _by(size: tuple[int, int] | None) -> str:
    return " x ".join(map(str, size or ()))


def _bad(message: str, hint: str) -> EngineError:
    return EngineError(ErrorKind.BAD_REQUEST, message, hint=hint)
