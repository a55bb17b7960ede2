"""The engine itself: a request in, a picture out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from engines import png
from engines.protocol import Credit, Done, EngineError, ErrorKind, Report, Request, Result, one_by_one
from engines.sprite.painter import SIDE, Painter, Wish
from engines.sprite.words import LONGEST
from engines.stock import dice

WEIGHTS: Final = Path(__file__).with_name("sprite.safetensors")
CREDIT: Final = Credit(
    title="drawings that the sprite model learned from",
    author="game-icons.net's authors, Microsoft, Google, Twitter, JoyPixels, Mozilla, Streamline",
    licence="CC BY 3.0, CC BY 4.0, Apache-2.0, MIT",
    source="https://github.com/iconify/icon-sets",
)
"""What a model draws is no copy of one of them, yet it owes all of them: `docs/engine-sprite.md`."""


class Sprite:
    """See `protocol.Engine`. Each picture is drawn alone, so what else is asked for can't change it."""

    def __init__(self, painter: Painter | None = None) -> None:
        self.painter = painter or Painter(WEIGHTS)

    def environment(self) -> Mapping[str, str]:
        """What has a part in the pixels, with its version."""
        return {"weights": self.painter.version, "numpy": version("numpy"), "pyoxipng": version("pyoxipng")}

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each request; one that can't be made does not stop the others."""
        return one_by_one(requests, lambda request: self._make(request, report))

    def _make(self, request: Request, report: Report) -> Done:
        report(request.id, 0, 1)
        if request.size is None:
            raise EngineError(ErrorKind.BAD_REQUEST, "the request has no size", hint="set `size`")
        if request.size[0] % SIDE or request.size[1] % SIDE:
            raise EngineError(
                ErrorKind.BAD_REQUEST,
                f"{request.size[0]} by {request.size[1]} pixels are no multiples of {SIDE}",
                hint=f"set `size` to [{SIDE}, {SIDE}] and scale with the finish step `resize`",
            )
        values = request.parameters
        wish = Wish(
            prompt=request.prompt,
            seed=request.seed or 0,
            style=str(values.get("style") or "auto"),
            guidance=float(values.get("guidance") or 2.5),
            steps=int(values.get("steps") or 24),
        )
        mirror = str(values.get("mirror") or "auto")
        pixels = self.painter.draw(wish)
        if mirror == "yes" or (mirror == "auto" and dice.roll(wish.seed, "mirror", 2) == 0):
            pixels = pixels[:, ::-1]
        Path(request.output).write_bytes(png.encode(placed(pixels, request.size)))
        notes = self._notes(request.prompt)
        return Done(id=request.id, output=request.output, credits=(CREDIT,), notes=notes)

    def _notes(self, prompt: str) -> tuple[str, ...]:
        read, over = self.painter.read(prompt)
        words = self.painter.words.words
        notes: list[str] = []
        if not read:
            notes.append("no word of the prompt is known: what is drawn is chance")
        elif unknown := self.painter.words.unknown(prompt):
            told = ", ".join(f"`{word}`" for word in unknown)
            notes.append(f"not known, and left out: {told}")
        if (other := self.painter.stand_in(read)) is not None:
            notes.append(f"`{words[read[-1]]}` was never learned: drawn as `{words[other]}`")
        elif read and not self.painter.learned(read):
            notes.append(f"`{words[read[-1]]}` was never learned: what is drawn is a guess")
        if over:
            unread = " ".join(words[word] for word in over)
            notes.append(f"the model reads {LONGEST} words; not read: `{unread}`")
        return (*notes,)


def placed(pixels: np.typing.NDArray[np.uint8], size: tuple[int, int]) -> np.typing.NDArray[np.uint8]:
    """`pixels` as large as fits by whole steps, in the middle of a clear picture of `size`."""
    width, height = size
    factor = min(size) // SIDE
    large = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    result = np.zeros((height, width, 4), np.uint8)
    top, left = (height - len(large)) // 2, (width - len(large)) // 2
    result[top : top + len(large), left : left + len(large)] = large
    return result
