"""An engine that does as it is told: with `seconds`, in `steps` steps; `fail`, the first time `once`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engines.protocol import EngineError, ErrorKind, Open, Report, Request, Result

sys.path.insert(0, str(Path(__file__).parent))
import draw


class Good:
    def __init__(self, opening: Open) -> None:
        self._opening = opening
        self._renders = 0

    def environment(self) -> Mapping[str, str]:
        return {"process": str(os.getpid()), "seen": " ".join(sorted(os.environ))}

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        self._renders += 1
        for request in requests:
            kind, once = request.parameters.get("fail"), request.parameters.get("once")
            if kind and not (once and Path(once).exists()):
                if once:
                    Path(once).touch()
                raise EngineError(ErrorKind(kind), f"it is {kind}", hint="mend it", retry_after=7)
            steps = request.parameters.get("steps", 1)
            for step in range(1, steps + 1):
                time.sleep(request.parameters.get("seconds", 0) / steps)
                report(request.id, step, steps)
            done = draw.well(request)
            facts = {"process": os.getpid(), "renders": self._renders, "together": len(requests)}
            yield type(done)(id=done.id, output=done.output, facts=facts)


def load(opening: Open) -> Good:
    time.sleep(opening.settings.get("load_seconds", 0))
    if kind := opening.settings.get("fail"):
        raise EngineError(ErrorKind(kind), f"it can't load: {kind}", hint="mend it")
    return Good(opening)
