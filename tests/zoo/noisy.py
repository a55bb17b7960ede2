"""An engine that writes wherever it can: prints, file descriptor 1, children, 100 MB of stderr."""

# ruff: noqa: T201 - printing is what it is for
from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engines.protocol import Open, Report, Request, Result

sys.path.insert(0, str(Path(__file__).parent))
import draw

print("noise while importing")


class Noisy:
    def environment(self) -> Mapping[str, str]:
        print('{"type":"hello"}')
        return {}

    def render(self, requests: Sequence[Request], _: Report) -> Iterable[Result]:
        for request in requests:
            if request.parameters.get("act") == "flood":
                lines = (b"x" * 99 + b"\n") * 1000
                for _count in range(1000):
                    os.write(2, lines)
                os.write(2, b"the last words\n")
                while request.parameters.get("stuck"):
                    os.write(2, lines * 10)
                    draw.stuck()  # again and again: a log keeps only its beginning and its end
                    time.sleep(0.05)  # or it would take the processor from those that a test waits for
            elif request.parameters.get("act") == "drown":
                draw.stuck()
                for _child in range(3):  # and its children with it
                    os.fork()
                while True:
                    os.write(2, b"x" * 100_000)
            elif request.parameters.get("act") == "tell":
                for part in ("the key is sesa", "me, and here is one more: sesa", "me without", " a line"):
                    os.write(2, part.encode())
                    time.sleep(0.05)
            else:
                print("noise while rendering")
                os.write(1, b'{"type":"done","id":"1","output":"x.png"}\n')
                subprocess.run([sys.executable, "-c", "print('noise of a child')"], check=True)
                draw.hang(request.parameters)
            yield draw.well(request)


def load(_: Open) -> Noisy:
    print("noise while loading", flush=True)
    return Noisy()
