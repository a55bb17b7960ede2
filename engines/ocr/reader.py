"""Reads lettering in pixels: RapidOCR with the models that its wheel brings, so it needs no network.

Knows nothing of what should stand there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR
from rapidocr.utils.output import RapidOCROutput

from engines.finish.resize import resample
from engines.measure.distance import laid_on, luma
from engines.png import Pixels

_TALLEST: Final = 1536
"""Pixels of the longer side that is read: larger pictures are read no better, only slower."""

_LOWEST: Final = 128
"""Pixels of the shorter side; smaller lettering is enlarged first."""

_MARGIN: Final = 4
"""The free border around it, as a part of its shorter side: lettering that touches an edge is not found."""

_SETTINGS: Final = {
    "Global.log_level": "error",
    # Lettering in a game stands upright, and what decides so was seen to turn `Options` over.
    "Global.use_cls": False,
    # The sum of a layer is added up in another order with another number of threads.
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    # Its default enlarges lettering to 736 pixels of height: ten times the work, and read no better.
    "Det.limit_type": "max",
    "Det.limit_side_len": 960,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of lettering as it was read."""

    text: str
    top: float
    left: float
    height: float


class Reader:
    """The models, loaded once."""

    def __init__(self) -> None:
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self._engine = RapidOCR(params=_SETTINGS)

    def readings(self, pixels: Pixels) -> Iterator[str]:
        """What stands in `pixels`, read in several ways, the most promising first.

        Each is laid on another ground, since a white word on clear ground is there only on a dark one, and
        read at another size, since the models know letters of some sizes better.
        """
        for ground in grounds(pixels):
            for smaller in (1, 2):
                yield self._read(prepared(pixels, ground, smaller))

    def _read(self, picture: NDArray[np.uint8]) -> str:
        """Lines in the order of reading."""
        found = self._engine(picture)
        if not isinstance(found, RapidOCROutput) or found.boxes is None or not found.txts:
            return ""
        return "\n".join(
            ordered([_line(box, text) for box, text in zip(found.boxes, found.txts, strict=True)])
        )


def prepared(pixels: Pixels, ground: int, smaller: int) -> NDArray[np.uint8]:
    """Blue, green and red of `pixels` on `ground`, at a size that can be read, with a free border.

    `smaller`: how many times smaller than that.
    """
    height, width = pixels.shape[:2]
    scale = min(max(1.0, _LOWEST / min(height, width)), _TALLEST / max(height, width))
    size = max(1, round(width * scale / smaller)), max(1, round(height * scale / smaller))
    scaled = resample(pixels, *size, "lanczos" if scale < smaller else "area")
    flat = laid_on(scaled, ground).astype(np.uint8)[..., ::-1]
    margin = max(8, min(size) // _MARGIN)
    return np.pad(flat, ((margin, margin), (margin, margin), (0, 0)), mode="edge")


def grounds(pixels: Pixels) -> tuple[int, ...]:
    """What to lay `pixels` on, the most promising first: far from how bright most of it is."""
    if bool((pixels[..., 3] == 255).all()):  # noqa: PLR2004 - opaque: no ground shows
        return (255,)
    weight = int(pixels[..., 3].sum(dtype=np.int64))
    bright = int((luma(pixels[..., :3].astype(np.int32)) * pixels[..., 3]).sum()) // (1000 * max(weight, 1))
    return (0, 255, 128) if bright > 128 else (255, 0, 128)  # noqa: PLR2004 - half of the levels


def ordered(lines: list[Line]) -> list[str]:
    """The texts of `lines` from top to bottom, and from left to right where they stand side by side."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda item: item.top + item.height / 2):
        middle = line.top + line.height / 2
        if rows and middle < rows[-1][0].top + rows[-1][0].height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line.text for row in rows for line in sorted(row, key=lambda item: item.left)]


def _line(box: Any, text: str) -> Line:  # noqa: ANN401 - a numpy array of four corners, of a library without types
    top, bottom = float(box[:, 1].min()), float(box[:, 1].max())
    return Line(text, top, float(box[:, 0].min()), bottom - top)
