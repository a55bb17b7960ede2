"""Pairs of pictures measured, many to a request, in warm processes of the adapter `measure`.

What was measured once is known from then on: the store has it by the digests of the two files. Not by those
of their pixels: a lock only claims these, and a stranger's could make a change pass for another one, measured
long ago. Knows nothing of what the measures mean.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, StoreError
from buildsys.make.events import Event
from buildsys.make.made import Made
from buildsys.make.pool import Pool, Stopped
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.model import Engine
from buildsys.manifest.read import MANIFEST, parse
from buildsys.review.model import Measure, Pictures
from buildsys.store.objects import Store
from buildsys.workbench import interruptible
from engines.protocol import Request

Json: TypeAlias = Any

_PAIRS: Final = 16
"""Of a request: enough that the conversation costs nothing beside the measuring."""
_PIXELS: Final = 16_000_000
"""Of a request, as the lock has it, on either side: the largest pictures go one by one."""
_UNDER_WAY: Final = 2
"""Requests for each process: one that is made, and one that waits."""
_SALT: Final = 1


class Pair(NamedTuple):
    """Two files to hold against each other."""

    before: Digest
    after: Digest
    pixels: int = 0
    """Of the larger one, as far as known."""


Found: TypeAlias = Measure | str
"""What was measured, or why nothing was."""


def measured(
    pairs: Iterable[Pair],
    pictures: Pictures,
    store: Store,
    work: Path,
    *,
    jobs: int,
    tell: Callable[[Event], None] = lambda _: None,
) -> Mapping[tuple[Digest, Digest], Found]:
    """Each pair with its measures, or with why there are none. Starts no process where all is known.

    Args:
        pairs: what to measure.
        pictures: give the bytes.
        store: remembers.
        work: a folder for the copies that engines read, and for their logs.
        jobs: processes side by side.
        tell: given what happens to the processes.

    Raises `KeyboardInterrupt` on INT, TERM or HUP.
    """
    engine = _engine(work)
    found: dict[tuple[Digest, Digest], Found] = {}
    waiting: list[Pair] = []
    for pair in dict.fromkeys(pairs):
        known = _recalled(store, engine, pair)
        if known is not None:
            found[pair[:2]] = known
        else:
            waiting.append(pair)
    if not waiting:
        return found
    with interruptible(), Pool(work, root=work, jobs=jobs, on_event=tell) as pool:
        for pair, answer in _Gauge(pool, engine, pictures).all(_batches(waiting), jobs * _UNDER_WAY):
            found[pair[:2]] = answer
            if isinstance(answer, Measure):
                _remember(store, engine, pair, answer)
    return found


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
        under_way: dict[Future[Made], tuple[Sequence[Pair], list[Path]]] = {}
        while queue or under_way:
            while queue and len(under_way) < most:
                batch = []
                paths: list[Path] = []
                for pair in queue.popleft():
                    lent = self._lent(pair, paths)
                    if lent:
                        yield pair, lent
                    else:
                        batch.append(pair)
                if batch:
                    under_way[self._submit(batch, paths)] = (batch, paths)
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                batch, paths = under_way.pop(future)
                for path in paths:
                    path.unlink(missing_ok=True)
                try:
                    yield from zip(batch, _answers(future.result(), len(batch)), strict=True)
                except Stopped:
                    raise
                except ArtlockError as error:
                    if len(batch) == 1:
                        yield batch[0], error.message.partition("\n")[0]
                    # One of them ended the process: each by itself, so that the others are measured.
                    queue.extendleft([pair] for pair in (batch if len(batch) > 1 else ()))

    def _lent(self, pair: Pair, paths: list[Path]) -> str:
        """Copies of a pair, for an engine never reads the store itself; else why there are none."""
        lent = []
        for file in pair[:2]:
            data = self._pictures.read(file)
            if data is None:
                return "one of its pictures could not be had"
            self._asked += 1
            path = self._pool.inputs / f"review-{self._asked}"
            path.write_bytes(data)
            lent.append(path)
        paths += lent
        return ""

    def _submit(self, batch: Sequence[Pair], paths: Sequence[Path]) -> Future[Made]:
        inputs = {}
        for number in range(len(batch)):
            inputs[f"reference.{number}"] = str(paths[2 * number])
            inputs[f"image.{number}"] = str(paths[2 * number + 1])
        request = Request(
            id=f"review-{self._asked}",
            asset=f"{len(batch)} pictures" if len(batch) > 1 else "a picture",
            output=f"review-{self._asked}.png",
            parameters={"work": "review"},
            inputs=inputs,
        )
        return self._pool.submit(self._engine, request)


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


def _key(engine: Engine, pair: Pair) -> Digest:
    version = engine.card.version
    return digests.of_value({"artlock": _SALT, "review": version, "before": pair.before, "after": pair.after})


def _recalled(store: Store, engine: Engine, pair: Pair) -> Measure | None:
    with suppress(DiskError, StoreError):
        return store.recall(_key(engine, pair), Measure)
    return None


def _remember(store: Store, engine: Engine, pair: Pair, measure: Measure) -> None:
    with suppress(DiskError, StoreError):  # a store that can't be written costs the next review some time
        store.record_action(_key(engine, pair), msgspec.to_builtins(measure), sync=False)
