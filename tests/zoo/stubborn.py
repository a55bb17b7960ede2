"""An engine that won't end by itself: deaf, hung, with the GIL held, or with children that escape."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engines.protocol import Json, Open, Report, Request, Result

sys.path.insert(0, str(Path(__file__).parent))
import draw

ENOUGH = 0.2


def _resist(said: Mapping[str, Json]) -> None:
    """For ever; where `stuck` is false, for a while."""
    seconds = draw.LONG if said.get("stuck", True) else ENOUGH
    match said.get("act"):
        case "hang":
            draw.stuck()
            time.sleep(seconds)
        case "deaf":
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            draw.stuck()
            time.sleep(seconds)
        case "hold":
            draw.stuck()
            ctypes.PyDLL(None).usleep(int(seconds * 1e6))  # PyDLL, unlike CDLL, keeps the GIL
        case "escape":
            _escape()
            draw.stuck()
            time.sleep(seconds)
        case "stay":
            # Not a daemon: the interpreter waits for it when the input ends.
            threading.Thread(target=time.sleep, args=(draw.LONG,)).start()


def _escape() -> None:
    """A child that leaves the session, and a grandchild that does so from a parent that is gone."""
    subprocess.Popen(["sleep", str(draw.LONG)], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.execvp("sleep", ["sleep", str(draw.LONG)])  # noqa: S606 - no shell wanted
        os._exit(0)


class Stubborn:
    def environment(self) -> Mapping[str, str]:
        return {}

    def render(self, requests: Sequence[Request], _: Report) -> Iterable[Result]:
        for request in requests:
            sys.stderr.write(f"making {request.asset}\n")
            _resist(request.parameters)
            yield draw.well(request)


def load(opening: Open) -> Stubborn:
    _resist(opening.settings)
    return Stubborn()
