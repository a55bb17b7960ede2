"""An engine that does as it is told: with `seconds`, in `steps` steps; `fail`, the first time `once`.

With the setting `diary`, it notes there what it does when, and whether an owner of its device is still
there. It fits in memory `alone` if told so, and only with the `offload` that a request or `load_fits` names.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engines.protocol import Done, EngineError, ErrorKind, Open, Report, Request, Result

sys.path.insert(0, str(Path(__file__).parent))
import draw


def _note(opening: Open, word: str) -> None:
    if diary := opening.settings.get("diary"):
        line = f"{word} {opening.engine} {opening.settings.get('device', '')} {os.getpid()}\n"
        with Path(diary).open("a", encoding="utf-8") as file:
            file.write(line)


def _look_for_owners(opening: Open) -> None:
    """Every other process that loaded on this device must be gone."""
    diary = opening.settings.get("diary")
    for line in Path(diary).read_text(encoding="utf-8").splitlines() if diary else ():
        word, _, device, process = line.split(" ")
        if word == "load" and device == opening.settings.get("device") and Path(f"/proc/{process}").exists():
            _note(opening, "beside")


def _await(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.01)


class Good:
    def __init__(self, opening: Open) -> None:
        self._opening = opening
        self._renders = 0
        if batch := opening.settings.get("batch"):
            self.batch = batch

    def environment(self) -> Mapping[str, str]:
        return {
            "process": str(os.getpid()),
            "seen": " ".join(sorted(os.environ)),
            "memory": str(self._opening.memory),
        }

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        self._renders += 1
        for request in requests:
            self._fail(request, len(requests))
            if path := request.parameters.get("await"):
                _await(path)
            steps = request.parameters.get("steps", 1)
            for step in range(1, steps + 1):
                time.sleep(request.parameters.get("seconds", 0) / steps)
                report(request.id, step, steps)
            done = draw.well(request)
            facts = {"process": os.getpid(), "renders": self._renders, "together": len(requests)}
            known = {
                key: request.parameters[key] for key in ("host_bytes", "cost") if key in request.parameters
            }
            yield Done(id=done.id, output=done.output, facts=facts, **known)

    def _fail(self, request: Request, together: int) -> None:
        asked = request.parameters
        kind, once = asked.get("fail"), asked.get("once")
        if (kind or asked.get("act") == "exit") and not (once and Path(once).exists()):
            if once:
                Path(once).touch()
            if not kind:
                os._exit(3)
            wait = asked.get("retry_after", 7)
            raise EngineError(ErrorKind(kind), f"it is {kind}", hint="mend it", retry_after=wait)
        crowded = asked.get("alone") and together > 1
        if crowded or asked.get("fits", self._offload) != self._offload:
            raise EngineError(ErrorKind.OUT_OF_MEMORY, "the device is full", hint="mend it")

    @property
    def _offload(self) -> str:
        return str(self._opening.settings.get("offload", ""))


def prepare(opening: Open) -> None:
    _note(opening, "prepare")
    if opening.settings.get("stumble"):
        raise RuntimeError("it can't prepare")


def load(opening: Open) -> Good:
    _look_for_owners(opening)
    _note(opening, "load")
    if path := opening.settings.get("await"):
        _await(path)
    time.sleep(opening.settings.get("load_seconds", 0))
    if (device := opening.settings.get("device")) == opening.settings.get("broken", ""):
        raise EngineError(ErrorKind.MISSING, f"there is no device `{device}`", hint="mend it")
    if kind := opening.settings.get("fail"):
        raise EngineError(ErrorKind(kind), f"it can't load: {kind}", hint="mend it")
    offload = opening.settings.get("offload", "")
    if opening.settings.get("load_fits", offload) != offload:
        raise EngineError(ErrorKind.OUT_OF_MEMORY, "the device is full", hint="mend it")
    return Good(opening)
