"""An engine that breaks the protocol, with the channel itself where its own manners won't do."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from engines.protocol import Done, Open, Progress, Report, Request, Result, encode

sys.path.insert(0, str(Path(__file__).parent))
import draw

HELLO = (
    b'{"type":"hello","protocol":99,"adapter":"babbler","version":"1.0.0",'
    b'"determinism":"bitwise","environment":{}}\n'
)


def _replies() -> int:
    """The channel's file descriptor, found by what it is: nobody hands it out."""
    for number in range(3, 64):
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(number).st_mode)
        except OSError:
            continue
        if is_pipe and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:
            return number
    raise LookupError


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(_replies(), view) :]


def _say(act: str) -> None:
    match act:
        case "protocol":
            _write(HELLO)
        case "line":
            _write(b"x" * 50_000_000 + b"\n")
        case "utf8":
            _write(b'{"type":"done","id":"\xff\xfe"}\n')
        case "json":
            _write(b"Loading checkpoint shards: 100%\n")
        case "done":
            _write(b'{"type":"done","id":"1","output":"1.png"}\n')
        case "hang up":
            os.close(_replies())
            time.sleep(600)


_SURPLUS: Final[Mapping[str, Callable[[Request], bytes]]] = {
    "twice": lambda request: encode(Done(id=request.id, output=request.output)),
    "late progress": lambda request: encode(Progress(id=request.id, step=1, steps=1)),
}
"""What it says after its answer, by its act."""


class Babbler:
    def environment(self) -> Mapping[str, str]:
        return {}

    def render(self, requests: Sequence[Request], _: Report) -> Iterator[Result]:
        for request in requests:
            act = str(request.parameters.get("act", ""))
            _say(act)
            if act in _SURPLUS:
                # In one write: between two, the builder could have asked for the next picture.
                _write(encode(draw.well(request)) + _SURPLUS[act](request))
                draw.hang(request.parameters)
                continue
            if act == "other":
                yield Done(id="a stranger", output=request.output)
            if act == "number":
                yield replace(draw.well(request), facts={"bytes": b"not JSON"})
            elif act != "silent":
                yield draw.well(request)
            draw.hang(request.parameters)


def load(opening: Open) -> Babbler:
    _say(str(opening.settings.get("act", "")))
    draw.hang(opening.settings)
    return Babbler()
