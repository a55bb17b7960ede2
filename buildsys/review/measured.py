"""Pairs of pictures measured, many to a request, in warm processes of the adapter `measure`.

Knows nothing of what was measured before, nor of what the measures mean.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import ArtlockError
from buildsys.journal.words import count
from buildsys.make.events import Event
from buildsys.make.made import Made
from buildsys.make.pool import Pool, Stopped
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.model import Engine
from buildsys.manifest.read import MANIFEST, parse
from buildsys.review.known import Pair
from buildsys.review.model import Measure, Pictures
from buildsys.workbench import interruptible
from engines.protocol import Request

Json: TypeAlias = Any

_PAIRS: Final = 16
"""Of a request: enough that the conversation costs nothing beside the measuring."""
_PIXELS: Final = 16_000_000
"""Of a request, as the lock has it, on either side: the largest pictures go one by one."""
_UNDER_WAY: Final = 2
"""Requests for each process: one that is made, and one that waits."""
_LOST: Final = "one of its pictures could not be had"


Found: TypeAlias = Measure | str
"""What was measured, or why nothing was."""


def measured(
    pairs: Iterable[Pair],
    pictures: Pictures,
    work: Path,
    *,
    jobs: int,
    tell: Callable[[Event], None] = lambda _: None,
) -> Iterator[tuple[Pair, Found]]:
    """Each pair with its measures, or with why there are none, as they come.

    Args:
        pairs: what to measure.
        pictures: give the bytes.
        work: a folder for the copies that engines read, and for their logs.
        jobs: processes side by side.
        tell: given what happens to the processes.

    Raises `KeyboardInterrupt` on INT, TERM or HUP.
    """
    engine = _engine(work)
    with interruptible(), Pool(work, root=work, jobs=jobs, on_event=tell) as pool:
        yield from _Gauge(pool, engine, pictures).all(_batches(pairs), jobs * _UNDER_WAY)


class _Gauge:
    """Asks the engine."""

    def __init__(self, pool: Pool, engine: Engine, pictures: Pictures) -> None:
        self._pool = pool
        self._engine = engine
        self._pictures = pictures
        self._asked = 0

    def all(self, batches: Iterable[Sequence[Pair]], most: int) -> Iterator[tuple[Pair, Found]]:
        """Every pair answered, with at most so many requests under way."""
        queue = deque(batches)
        under_way: dict[Future[Made], Mapping[Pair, tuple[Path, ...]]] = {}
        while queue or under_way:
            while queue and len(under_way) < most:
                batch = queue.popleft()
                lending = {pair: lent for pair in batch if (lent := self._lent(pair))}
                yield from ((pair, _LOST) for pair in batch if pair not in lending)
                if lending:
                    under_way[self._submit(lending)] = lending
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                paths = under_way.pop(future)
                answered, again = _outcome(future, list(paths))
                for lent in paths.values():
                    for path in lent:
                        path.unlink(missing_ok=True)
                yield from answered
                queue.extendleft(again)

    def _lent(self, pair: Pair) -> tuple[Path, ...]:
        """Copies of a pair, for an engine never reads the store itself; none where one can't be had."""
        lent = []
        for file in pair[:2]:
            data = self._pictures.read(file)
            if data is None:
                return ()
            self._asked += 1
            lent.append(self._pool.inputs / f"review-{self._asked}")
            lent[-1].write_bytes(data)
        return tuple(lent)

    def _submit(self, paths: Mapping[Pair, tuple[Path, ...]]) -> Future[Made]:
        inputs = {}
        for number, (before, after) in enumerate(paths.values()):
            inputs[f"reference.{number}"], inputs[f"image.{number}"] = str(before), str(after)
        request = Request(
            id=f"review-{self._asked}",
            asset=count(len(paths), "change"),
            output=f"review-{self._asked}.png",
            parameters={"work": "review"},
            inputs=inputs,
        )
        return self._pool.submit(self._engine, request)


def _outcome(
    future: Future[Made], batch: list[Pair]
) -> tuple[list[tuple[Pair, Found]], list[Sequence[Pair]]]:
    """What is told of each pair, and what is to be asked again. Raises `Stopped`."""
    try:
        return list(zip(batch, _answers(future.result(), len(batch)), strict=True)), []
    except Stopped:
        raise
    except ArtlockError as error:
        if len(batch) == 1:
            return [(batch[0], error.message.partition("\n")[0])], []
        # One of them ended the process: each by itself, so that the others are measured.
        return [], [[pair] for pair in batch]


def _answers(made: Made, number: int) -> list[Found]:
    Path(made.output).unlink(missing_ok=True)
    told = made.facts.get("pairs")
    if not isinstance(told, list) or len(told) != number:
        return ["the measuring engine answered something else"] * number
    return [_answer(item) for item in told]


def _answer(item: Json) -> Found:
    if isinstance(item, dict) and isinstance(item.get("error"), str):
        return str(item["error"])
    try:
        return msgspec.convert(item, Measure)
    except msgspec.ValidationError as error:
        return f"the measuring engine told no usable measures: {error}"


def _batches(pairs: Iterable[Pair]) -> Iterator[Sequence[Pair]]:
    batch: list[Pair] = []
    for pair in pairs:
        if batch and (len(batch) == _PAIRS or sum(item.pixels for item in batch) + pair.pixels > _PIXELS):
            yield batch
            batch = []
        batch.append(pair)
    if batch:
        yield batch


def _engine(root: Path) -> Engine:
    """The engine `measure` as artlock brings it: what a manifest says of others is of no matter."""
    return parse({MANIFEST: '[project]\nname = "review"\n'}, root=root).engines[MEASURE]
