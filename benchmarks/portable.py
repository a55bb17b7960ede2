"""What `portable = true` costs: the same pictures by the same engine with and without it, in turn.

Each way is an engine process of its own, warm before anything is counted, and both draw each picture before
the next one is asked for. What is counted is time of the processor: several programs may share the machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import checkout
import models
import psutil
import result
from result import Table, tell

sys.path.insert(0, str(checkout.ROOT))

from engines import protocol
from engines.protocol import Done, Hello, Open, Progress, Render, Request

_SHAPES: Final = {
    "small": (models.Shape("narrow", width=96, layers=2, clip=512), 128, 4),
    "medium": (models.Shape("medium", width=512, layers=8, clip=512), 256, 2),
}
"""Name to shape, size of the picture, steps."""
_BATCHES: Final = (1, 4)
_PROMPTS: Final = ("a moon knight", "a red gem", "a castle at night", "an old map")


class Engine:
    """An engine process, as the builder starts one."""

    def __init__(self, model: Path, staging: Path, batch: int, *, portable: bool) -> None:
        """Start it, and wait until it has loaded."""
        staging.mkdir(parents=True)
        self._parameters = {"portable": True} if portable else {}
        self._lifeline, held = os.pipe()
        log = (staging.parent / f"{staging.name}.log").open("wb")
        entry = checkout.ROOT / "engines" / "__main__.py"
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(entry), str(self._lifeline), "diffusion"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=[self._lifeline],
        )
        os.close(self._lifeline)
        self._held = held
        opening = Open(
            protocol=protocol.PROTOCOL,
            adapter="diffusion",
            engine="measured",
            model=str(model),
            revision="",
            staging=str(staging),
            settings={"batch": batch},
            parameters=self._parameters,
        )
        self._send(opening)
        hello = self._receive()
        if not isinstance(hello, Hello):
            sys.exit(f"the engine did not load: {hello}")
        # The keeper is the process that we started; the engine is its only child.
        (self._engine,) = psutil.Process(self._process.pid).children()

    def _send(self, message: protocol.Message) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was started with one
        self._process.stdin.write(protocol.encode(message))
        self._process.stdin.flush()

    def _receive(self) -> protocol.Message:
        assert self._process.stdout is not None  # noqa: S101 - it was started with one
        return protocol.decode(self._process.stdout.readline())

    def seconds(self, requests: list[Request]) -> float:
        """Draw `requests` together: the processor's seconds for each."""
        before = self._spent()
        wanted = [replace(one, parameters={**one.parameters, **self._parameters}) for one in requests]
        self._send(Render(requests=tuple(wanted)))
        waiting = len(wanted)
        while waiting:
            message = self._receive()
            if isinstance(message, Progress):
                continue
            if not isinstance(message, Done):
                sys.exit(f"a picture failed: {message}")
            waiting -= 1
        return (self._spent() - before) / len(requests)

    def _spent(self) -> float:
        times = self._engine.cpu_times()
        return float(times.user + times.system)

    def close(self) -> None:
        """Let it leave."""
        assert self._process.stdin is not None  # noqa: S101 - it was started with one
        self._process.stdin.close()
        self._process.wait(60)
        os.close(self._held)


@contextmanager
def _running(model: Path, staging: Path, batch: int, *, portable: bool) -> Iterator[Engine]:
    engine = Engine(model, staging, batch, portable=portable)
    try:
        yield engine
    finally:
        engine.close()


def main() -> None:
    """Measure, and publish the ratios."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, help="of which the median counts; 7, or 1 with --small")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.small else 7)
    began = result.start()
    with tempfile.TemporaryDirectory(prefix="portable-") as temporary:
        work = options.work or Path(temporary)
        results = {"rounds": options.rounds, "cases": dict(measure(work, options))}
    result.publish("portable", results, tables(results), options, began)


def measure(work: Path, options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each shape, in each batch."""
    for name, (shape, size, steps) in islice(_SHAPES.items(), 1 if options.small else None):
        model = models.make(work / name, shape)
        for batch in _BATCHES:
            tell(f"{name}, {batch} at a time")
            case = f"{name}, {size} x {size}, {batch} at a time"
            requests = [_request(number, size, steps) for number in range(batch)]
            with ExitStack() as stack:
                ways = {
                    way: stack.enter_context(
                        _running(model, work / f"{name}-{batch}-{way}", batch, portable=way == "portable")
                    )
                    for way in ("default", "portable")
                }
                for engine in ways.values():
                    engine.seconds(requests)
                rounds = [
                    {way: engine.seconds(requests) for way, engine in ways.items()}
                    for _ in range(options.rounds)
                ]
            yield case, _judged(rounds)


def _judged(rounds: list[dict[str, float]]) -> dict[str, Any]:
    """The median of each way, and of the ratio within each round: a busy minute hits both ways of it."""
    return {
        "seconds": {way: statistics.median(one[way] for one in rounds) for way in rounds[0]},
        "ratio": statistics.median(one["portable"] / one["default"] for one in rounds),
        "rounds": rounds,
    }


def _request(number: int, size: int, steps: int) -> Request:
    return Request(
        id=str(number),
        asset="measured",
        output=f"{number}.png",
        prompt=_PROMPTS[number],
        seed=number,
        size=(size, size),
        parameters={"steps": steps, "guidance": 4.5, "max_sequence_length": 77},
    )


def tables(results: dict[str, Any]) -> tuple[Table, ...]:
    """One row for each case."""
    rows = [
        (name, *(f"{case['seconds'][way]:.2f}" for way in ("default", "portable")), f"{case['ratio']:.2f}")
        for name, case in results["cases"].items()
    ]
    title = f"portable: seconds of the processor for a picture, median of {results['rounds']}"
    return (Table(title, ("pictures", "default", "portable", "ratio"), tuple(rows)),)


if __name__ == "__main__":
    main()
