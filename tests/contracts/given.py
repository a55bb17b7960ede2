"""Pictures to give to a provider, as files, and requests that have them."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contracts.kit import Bench, Provider
from contracts.pictures import picture

SQUARE = picture((64, 64))
KINDS = ("JPEG", "PNG", "WEBP")


def at(provider: Provider) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("bench", [provider], indirect=True, ids=lambda item: item.adapter)


def placed(folder: Path, **pictures: bytes) -> dict[str, str]:
    """Files that hold `pictures`, by the name of each; `reference__a` is the `a` of a table."""
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, data in pictures.items():
        path = folder / f"{name}.bin"
        path.write_bytes(data)
        paths[name.replace("__", ".")] = str(path)
    return paths


def mask(size: tuple[int, int] = (64, 64), *, clear: bool = True) -> bytes:
    """A PNG of which one half is transparent."""
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    if clear:
        image.paste((255, 255, 255, 0), (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def noise(length: int) -> bytes:
    """A PNG of about so many bytes."""
    side = int((length / 3) ** 0.5) + 1
    image = Image.frombytes("RGB", (side, side), random.Random(7).randbytes(side * side * 3))  # noqa: S311 - a picture
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=0)
    return file.getvalue()


def given(bench: Bench) -> dict[str, bytes]:
    """A different picture for each that the provider takes."""
    return {
        name: mask() if name == "mask" else picture((64 + number, 64 + number) if number else (64, 64), kind)
        for (number, name), kind in zip(enumerate(bench.provider.pictures), KINDS * 2, strict=False)
    }


def asked(bench: Bench, folder: Path, **pictures: bytes) -> dict[str, Any]:
    """A request with these pictures, or with every one that the provider takes."""
    found = pictures or {name.replace(".", "__"): data for name, data in given(bench).items()}
    return {**bench.provider.takes, "inputs": placed(folder, **found)}


def first_of(bench: Bench) -> str:
    return bench.provider.pictures[0]


def one(bench: Bench, folder: Path, data: bytes) -> dict[str, Any]:
    return asked(bench, folder, **{first_of(bench).replace(".", "__"): data})


def render(bench: Bench, folder: Path, parameters: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**asked(bench, folder, image=picture((128, 64))), "parameters": parameters, **more}
