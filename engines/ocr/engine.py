"""Serves gate requests about lettering: a finished picture in, what it reads and whether it should out.

Knows nothing of how letters are recognised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from engines import png, protocol
from engines.gate.engine import asked, declared, judged, picture_of
from engines.gate.finding import Check, finding
from engines.ocr.reader import Reader
from engines.ocr.spelling import edits, folded
from engines.parameters import bad
from engines.png import Pixels
from engines.protocol import Done, Json, Report, Request, Result

DECLARED: Final = declared(Path(__file__).parent)

_SHOWN: Final = 60


class Ocr:
    """A warm reader; requests share nothing but its models."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)
        self._reader = Reader()

    def environment(self) -> Mapping[str, str]:
        """What readings come out of."""
        return {
            "numpy": version("numpy"),
            "onnxruntime": version("onnxruntime"),
            "rapidocr": version("rapidocr"),
        }

    def render(self, requests: Sequence[Request], _report: Report) -> Iterable[Result]:
        """Judge each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, self._judge)

    def _judge(self, request: Request) -> Done:
        pixels = png.rgba(png.decode(picture_of(request), name="the picture"))
        found = [self._found(name, pixels, values) for name, values in asked(request, DECLARED)]
        return judged(request, self._staging, found)

    def _found(self, name: str, pixels: Pixels, values: Mapping[str, Any]) -> dict[str, Json]:
        wanted = folded(values["text"], case=values["case"])
        if not wanted:
            raise bad(f"gate `{name}`: `text` is empty", "say what must stand there")
        most = int(values["tolerance"] * len(wanted))
        best: tuple[int, str] | None = None
        for text in self._reader.readings(pixels):
            wrong = edits(wanted, folded(text, case=values["case"]), anywhere=values["anywhere"])
            best = min(best or (wrong, text), (wrong, text), key=lambda item: item[0])
            if best[0] <= most:
                break
        wrong, text = best or (len(wanted), "")
        return finding(name, [_check(values["text"], text, wrong, len(wanted), most)])


def _check(wanted: str, text: str, wrong: int, letters: int, most: int) -> Check:
    read = f"reads `{_shown(text)}`" if text.strip() else "has no lettering that can be read"
    told = f"{read}, {wrong} letters off"
    if wrong > most:
        told = f"{told}, more than {most} of {letters}; `{_shown(wanted)}` should stand there"
    return Check("text", wrong <= most, text, wanted, told)


def _shown(text: str) -> str:
    lines = text.replace("`", "'").splitlines()
    line = " / ".join(item.strip() for item in lines if item.strip())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
