"""Small real pictures in the formats that providers send."""

from __future__ import annotations

import io

from PIL import Image

MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def picture(size: tuple[int, int], kind: str = "PNG", *, alpha: bool = False) -> bytes:
    """A picture of `size` whose file is no smaller than a few hundred bytes."""
    image = Image.linear_gradient("L").resize(size)
    shown = Image.merge("RGB", (image, image.transpose(Image.Transpose.ROTATE_180), image))
    if alpha:
        shown.putalpha(image)
    file = io.BytesIO()
    shown.save(file, kind)
    return file.getvalue()
