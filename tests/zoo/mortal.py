"""An engine that dies: while it loads (setting `act`), on a request (parameter `act`), or later.

With `once`, a file outside its own folder, it dies only the first time. With `stuck`, a child of it hangs
and holds on to all that was its.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engines.protocol import Json, Open, Report, Request, Result

sys.path.insert(0, str(Path(__file__).parent))
import draw


def _leave_later() -> None:
    """Die of nothing that anybody asked for, once it is idle."""
    threading.Timer(0.2, os._exit, (3,)).start()


def _die(act: Json, *, stuck: bool = False) -> None:
    sys.stderr.write(f"about to {act}\n")
    if stuck and os.fork() == 0:
        time.sleep(draw.LONG)
    match act:
        case "exit":
            sys.exit(3)
        case "leave":
            os._exit(0)
        case "raise":
            raise RuntimeError("a bug of the adapter")
        case "segfault":
            ctypes.string_at(0)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case str() if act.isdigit():
            os.kill(os.getpid(), int(act))
        case "eat":
            _eat()


def _eat() -> None:
    """Take address space until there is no more; zeroes that nobody touches take no memory."""
    held = []
    for _ in range(256):
        held.append(bytes(16 * 1024 * 1024))  # noqa: PERF401 - a list made at once would not be `held`
    raise RuntimeError("nobody stopped it at 4 GiB")


class Mortal:
    def environment(self) -> Mapping[str, str]:
        return {}

    def render(self, requests: Sequence[Request], _: Report) -> Iterable[Result]:
        for request in requests:
            act, once = request.parameters.get("act"), request.parameters.get("once")
            if act == "later":
                yield draw.well(request)
                _leave_later()
            elif act and not (once and Path(once).exists()):
                if once:
                    Path(once).touch()
                held = b"x" * request.parameters.get("bytes", 0)
                _die(act, stuck=bool(request.parameters.get("stuck")))
                del held
            if act != "later":
                yield draw.well(request)


def load(opening: Open) -> Mortal:
    if act := opening.settings.get("act"):
        _die(act)
    return Mortal()
