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

from engines.protocol import Open, Report, Request, Result

sys.path.insert(0, str(Path(__file__).parent))
import draw

LONG = 600


def _resist(act: str) -> None:
    match act:
        case "hang":
            time.sleep(LONG)
        case "deaf":
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(LONG)
        case "hold":
            ctypes.PyDLL(None).sleep(LONG)  # PyDLL, unlike CDLL, keeps the GIL
        case "escape":
            _escape()
            time.sleep(LONG)
        case "stay":
            # Not a daemon: the interpreter waits for it when the input ends.
            threading.Thread(target=time.sleep, args=(LONG,)).start()
        case "leave behind":
            _escape()


def _escape() -> None:
    """A child that leaves the session, and a grandchild that does so from a parent that is gone."""
    subprocess.Popen(["sleep", str(LONG)], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.execvp("sleep", ["sleep", str(LONG)])  # noqa: S606 - no shell wanted
        os._exit(0)


class Stubborn:
    def environment(self) -> Mapping[str, str]:
        return {}

    def render(self, requests: Sequence[Request], _: Report) -> Iterable[Result]:
        for request in requests:
            sys.stderr.write(f"making {request.asset}\n")
            _resist(str(request.parameters.get("act", "")))
            yield draw.well(request)


def load(opening: Open) -> Stubborn:
    _resist(str(opening.settings.get("act", "")))
    return Stubborn()
