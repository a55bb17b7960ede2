"""Engines that misbehave, seen by the pool: which kind of failure it is, and what the engine makes next.

What a person sees of the zoo, and who outlives a build of it, is in `test_zoo_build`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest
from zoo_matrix import PATIENCE, ZOO
from zookeeper import MARK, ROOT, engine, left_after, request

from buildsys.make.events import Event, WorkerLost, WorkerStarted
from buildsys.make.failure import EngineFailed
from buildsys.make.pool import Pool
from engines.protocol import Done, ErrorKind

TRANSIENT, INTERNAL, OOM = ErrorKind.TRANSIENT, ErrorKind.INTERNAL, ErrorKind.OUT_OF_MEMORY
SUSPICION = "perhaps the machine ran out of memory"


class Zoo:
    """A pool with its events."""

    def __init__(self, work: Path, mark: str) -> None:
        self.events: list[Event] = []
        environ = {**os.environ, MARK: mark}
        self.pool = Pool(work, root=ROOT, jobs=2, on_event=self.events.append, environ=environ)

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def zoo(tmp_path: Path, mark: str) -> Iterator[Zoo]:
    zoo = Zoo(tmp_path / "work", mark)
    yield zoo
    zoo.pool.close()
    assert left_after(mark, 20) == []
    assert list((tmp_path / "work").glob("run-*")) == []


def misbehave(zoo: Zoo, animal: Any, act: str) -> EngineFailed:
    """The error of one bad request, made beside a good engine and before a good request."""
    bystander = zoo.pool.submit(engine("good"), request("bystander", seconds=0.1))
    bad = zoo.pool.submit(animal, request("hero", act))
    error = bad.exception(20)
    assert isinstance(error, EngineFailed)
    assert isinstance(bystander.result(20), Done)
    return error


ON_REQUEST = [
    ("mortal", "leave", TRANSIENT, "the engine `mortal` ended with exit code 0 while making `hero`"),
    ("mortal", "raise", INTERNAL, "RuntimeError: a bug of the adapter"),
    ("babbler", "silent", INTERNAL, "the adapter gave no result for this request"),
    (
        "babbler",
        "json",
        INTERNAL,
        "the engine `babbler` broke the protocol: not JSON: b'Loading checkpoint shards: 100%\\n'",
    ),
    ("babbler", "number", INTERNAL, "a `done` message holds what JSON can't carry: a `bytes`"),
    ("liar", "nothing", INTERNAL, "it wrote no file"),
    ("liar", "another", INTERNAL, "it handed over `another.png`, not the file that it was asked for"),
    ("liar", "fifo", INTERNAL, "it handed over something else than a regular file"),
    ("liar", "page", INTERNAL, "its file is not a PNG: it starts with b'<!DOCTYPE ht'"),
]


@pytest.mark.parametrize(("animal", "act", "kind", "text"), ON_REQUEST, ids=lambda value: str(value)[:12])
def test_a_bad_answer_is_named_and_the_rest_goes_on(
    zoo: Zoo, animal: str, act: str, kind: ErrorKind, text: str
) -> None:
    error = misbehave(zoo, engine(animal), act)
    if animal == "liar":
        text = f"the engine `liar` made no usable picture of `hero`: {text}"
    assert error.message == text
    assert error.kind is kind
    assert error.hint == hint_of(zoo, error, animal)
    assert isinstance(zoo.pool.render(engine(animal), request("next")), Done)


def test_an_engine_that_lies_is_replaced_once_its_batch_is_answered(zoo: Zoo) -> None:
    liar = engine("liar", batch=2)
    held = zoo.pool.submit(liar, request("first"))
    lie, truth = zoo.pool.submit(liar, request("hero", "empty")), zoo.pool.submit(liar, request("truth"))
    assert isinstance(held.result(20), Done)
    assert isinstance(lie.exception(20), EngineFailed)
    assert isinstance(truth.result(20), Done)
    assert isinstance(zoo.pool.render(liar, request("next")), Done)
    lost = [event.reason for event in zoo.events if isinstance(event, WorkerLost)]
    assert lost == ["the engine `liar` handed over what can't be used"]
    assert zoo.count(WorkerStarted) == 2


def hint_of(zoo: Zoo, error: EngineFailed, animal: str) -> str:
    """What an error advises where the engine gave no hint of its own: its log, if the engine is to blame."""
    if not error.lost and error.kind is not INTERNAL:
        return ""
    return f"read its log, `{zoo.pool.inputs.parent.parent / 'logs' / animal}.log`"


def test_every_misdeed_has_its_kind(zoo: Zoo) -> None:
    asked = {}
    for row in ZOO:
        if row.kind is None:
            continue
        said: dict[str, Any] = {"act": row.act, "stuck": True}
        patience = PATIENCE if row.stuck else 60
        animal = engine(
            row.animal,
            name=row.me,
            settings=said if row.loads else {},
            load_seconds=patience if row.loads else 60,
            render_seconds=patience,
            memory=1e9 if row.memory else 0.0,
        )
        one = request(f"bad/{row.me}", **({} if row.loads else said))
        asked[row] = zoo.pool.submit(animal, one)
    kinds = {}
    for row, future in asked.items():
        error = future.exception(60)
        assert isinstance(error, EngineFailed)
        kinds[row.me] = error.kind
    assert kinds == {row.me: row.kind for row in asked}


ON_LOAD = [
    ("mortal", "exit", TRANSIENT, 2, "the engine `mortal` ended with exit code 3 while loading"),
    ("mortal", "raise", INTERNAL, 1, "RuntimeError: a bug of the adapter"),
    (
        "babbler",
        "done",
        INTERNAL,
        1,
        "the engine `babbler` broke the protocol: it answered `open` with something else than `hello`",
    ),
]


@pytest.mark.parametrize(("animal", "act", "kind", "lost", "text"), ON_LOAD)
def test_an_engine_that_cannot_load_fails_each_of_its_requests_once(
    zoo: Zoo, animal: str, act: str, kind: ErrorKind, lost: int, text: str
) -> None:
    bad = engine(animal, settings={"act": act})
    more = zoo.pool.submit(bad, request("another"))
    error = misbehave(zoo, bad, "")
    assert (error.message, error.kind) == (text, kind)
    assert isinstance(more.exception(1), EngineFailed)
    assert zoo.count(WorkerLost) == lost
    assert isinstance(zoo.pool.submit(bad, request("later")).exception(1), EngineFailed)
    assert zoo.count(WorkerLost) == lost


def test_a_word_too_many_costs_the_engine_its_place_not_the_next_request(zoo: Zoo) -> None:
    assert isinstance(zoo.pool.render(engine("babbler"), request("first", "late progress")), Done)
    assert isinstance(zoo.pool.render(engine("babbler"), request("second")), Done)
    lost = [event.reason for event in zoo.events if isinstance(event, WorkerLost)]
    assert lost == ["the engine `babbler` broke the protocol: it spoke without being asked"]


def test_an_answer_given_twice_in_a_batch_is_told(zoo: Zoo) -> None:
    both = engine("babbler")
    first = zoo.pool.submit(both, request("first", "twice"))
    second = zoo.pool.submit(both, request("second"))
    assert isinstance(first.result(20), Done)
    assert isinstance(second.result(20), Done)
    lost = [event.reason for event in zoo.events if isinstance(event, WorkerLost)]
    assert [re.sub(r"`\d+`", "`N`", reason) for reason in lost] == [
        "the engine `babbler` broke the protocol: request `N` was already answered"
    ]


def test_a_crash_that_does_not_return_costs_one_more_try(zoo: Zoo, tmp_path: Path) -> None:
    once = request("hero", "segfault", once=str(tmp_path / "crashed"))
    batch = engine("mortal", sandbox=False)
    futures = [zoo.pool.submit(batch, one) for one in (request("a"), once, request("b"))]
    assert wait(futures, timeout=20).not_done == set()
    assert all(isinstance(future.result(), Done) for future in futures)
    assert zoo.count(WorkerLost) == 1
    assert zoo.count(WorkerStarted) == 2


BUILDERS = [
    ("stubborn", "stay", "close"),
    ("noisy", "drown", "render"),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
@pytest.mark.parametrize(("animal", "act", "mode"), BUILDERS)
def test_nothing_outlives_a_builder(
    tmp_path: Path, mark: str, animal: str, act: str, mode: str, number: signal.Signals
) -> None:
    builder, said = interrupted(tmp_path, mark, (animal, act, mode), number)
    assert left_after(mark, 20) == []
    assert (builder, said) == (-number, "")
    if number == signal.SIGINT:
        assert list((tmp_path / "work").glob("run-*")) == []


def test_a_handler_may_stop_the_pool(tmp_path: Path, mark: str) -> None:
    ended, said = interrupted(tmp_path, mark, ("stubborn", "hold", "handler"), signal.SIGTERM)
    assert (ended, said) == (130, "the build was stopped\n")
    assert left_after(mark, 20) == []


def test_a_run_that_was_killed_is_cleared_by_the_next(tmp_path: Path, mark: str) -> None:
    interrupted(tmp_path, mark, ("stubborn", "hang", "render"), signal.SIGKILL)
    (left,) = (tmp_path / "work").glob("run-*")
    with Pool(tmp_path / "work", root=ROOT, jobs=1) as one:
        assert not left.exists()
        with Pool(tmp_path / "work", root=ROOT, jobs=1):
            assert one.inputs.is_dir()
    assert list((tmp_path / "work").glob("run-*")) == []


def interrupted(
    tmp_path: Path, mark: str, words: tuple[str, str, str], number: signal.Signals
) -> tuple[int, str]:
    """Exit code and last words of a builder that got `number` while its engine misbehaved."""
    script = ROOT / "tests" / "zoo" / "builder.py"
    command = [sys.executable, str(script), str(tmp_path / "work"), *words]
    with subprocess.Popen(
        command,
        env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as builder:
        assert builder.stdout is not None
        if words[-1] == "close":
            assert builder.stdout.readline() == "closing\n"
        else:
            log = tmp_path / "work" / "logs" / f"{words[0]}.log"
            deadline = time.monotonic() + 20
            while not log.is_file() or b"stuck" not in log.read_bytes():
                assert time.monotonic() < deadline
                time.sleep(0.02)
        os.killpg(builder.pid, number)
        builder.wait(20)
        return builder.returncode, builder.stdout.read()
