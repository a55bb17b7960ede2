"""An engine that says `done` and hands over something else."""

from __future__ import annotations

import os
import struct
import sys
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engines.protocol import Open, Report, Request, Result

sys.path.insert(0, str(Path(__file__).parent))
import draw


def _lie(act: str, request: Request) -> str:  # noqa: C901 - a list of lies
    file = Path(request.output)
    width, height = request.size or (1, 1)
    match act:
        case "nothing":
            pass
        case "outside":
            # In its temporary folder: a confined engine can write nowhere else.
            outside = f"{os.path.relpath(os.environ['TMPDIR'])}/outside.png"
            Path(outside).write_bytes(draw.png(width, height))
            return outside
        case "another":
            Path("another.png").write_bytes(draw.png(width, height))
            return "another.png"
        case "folder":
            file.mkdir()
        case "link":
            Path("real.png").write_bytes(draw.png(width, height))
            file.symlink_to("real.png")
        case "fifo":
            os.mkfifo(file)
        case "empty":
            file.touch()
        case "page":
            file.write_bytes(b"<!DOCTYPE html><title>Please sign in</title>")
        case "cut":
            file.write_bytes(draw.png(width, height)[:-20])
        case "huge":
            file.write_bytes(_claim(draw.png(width, height), 100_000, 100_000))
        case "vanishing":
            # So many chunks that it is still looked at when it goes.
            file.write_bytes(
                draw.png(width, height)[:-12] + draw.chunk(b"teXt", b"") * 90_000 + draw.png(1, 1)[-12:]
            )
            threading.Timer(0.02, file.unlink, (True,)).start()
        case "other size":
            file.write_bytes(draw.png(width + 1, height))
    return request.output


def _beside(request: Request) -> dict[str, str]:
    """A picture as it was asked for, and a file beside it that nobody asked for."""
    draw.well(request)
    file = Path(request.output).with_suffix(".json")
    file.write_text("{}")
    return {".json": file.name}


def _claim(picture: bytes, width: int, height: int) -> bytes:
    """`picture` with another size in its header, correctly signed."""
    header = b"IHDR" + struct.pack(">II", width, height) + picture[24:29]
    return picture[:12] + header + struct.pack(">I", zlib.crc32(header)) + picture[33:]


class Liar:
    def environment(self) -> Mapping[str, str]:
        return {}

    def render(self, requests: Sequence[Request], _: Report) -> Iterable[Result]:
        for request in requests:
            act = request.parameters.get("act")
            if act:
                told = replace(draw.well(replace(request, output="unused.png")), output=_lie(act, request))
                yield replace(told, companions=_beside(request)) if act == "companions" else told
                draw.hang(request.parameters)
            else:
                yield draw.well(request)


def load(_: Open) -> Liar:
    return Liar()
