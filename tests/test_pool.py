"""The pool: who makes what, together with whom, what is tried again, and what happens at the end."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from zookeeper import MARK, ROOT, engine, left_after, request

from buildsys.errors import DiskError
from buildsys.make.events import (
    Event,
    RequestDone,
    RequestStarted,
    StepMade,
    WorkerLoading,
    WorkerLost,
    WorkerStarted,
)
from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made
from buildsys.make.pool import Pool, Stopped
from buildsys.manifest.pricing import PicturePrice, Price
from engines.protocol import Done, ErrorKind


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def pool(tmp_path: Path, mark: str, events: list[Event]) -> Iterator[Pool]:
    environ = {**os.environ, MARK: mark}
    with Pool(tmp_path / "work", root=ROOT, jobs=2, on_event=events.append, environ=environ) as pool:
        yield pool
    assert left_after(mark, 2) == []


def results(futures: list[Future[Made]]) -> list[Done]:
    return [future.result(20) for future in futures]


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_picture_lies_in_the_pools_folder_under_the_callers_id(pool: Pool) -> None:
    done = pool.render(engine("good"), request())
    file = Path(done.output)
    assert (done.id, file.suffix) == ("hero", ".png")
    assert file.parent.parent == pool.inputs.parent
    assert file.read_bytes().startswith(b"\x89PNG")
    assert oct(pool.inputs.parent.stat().st_mode & 0o777) == "0o700"
    staging = list(pool.inputs.parent.glob("worker-*/staging/*"))
    assert staging == []


def test_the_events_of_a_request_come_in_order(pool: Pool, events: list[Event]) -> None:
    steps: list[tuple[int, int]] = []
    pool.render(engine("good"), request(steps=2), lambda step, steps_: steps.append((step, steps_)))
    began, started, loaded, *rest = events
    assert (began, loaded) == (WorkerLoading("good", "", 1), WorkerLoading("good", "", 0))
    assert isinstance(started, WorkerStarted)
    assert started.engine == "good"
    assert 0 < started.seconds < 20
    assert rest[:3] == [
        RequestStarted("good", "hero"),
        StepMade("good", "hero", 1, 2),
        StepMade("good", "hero", 2, 2),
    ]
    assert isinstance(rest[3], RequestDone)
    assert steps == [(1, 2), (2, 2)]


def test_one_process_stays_warm_for_all_requests(pool: Pool) -> None:
    good = engine("good", parallel=False, batch=1)
    done = results([pool.submit(good, request(str(number))) for number in range(5)])
    assert len({one.facts["process"] for one in done}) == 1
    assert [one.facts["renders"] for one in done] == [1, 2, 3, 4, 5]


def test_what_waited_while_the_engine_loaded_is_sent_together(pool: Pool, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    good = engine("good", parallel=False, settings={"await": str(gate)})
    asked = [pool.submit(good, request(str(number))) for number in range(6)]
    gate.touch()
    done = results(asked)
    assert [one.facts["together"] for one in done] == [4, 4, 4, 4, 2, 2]


def test_requests_of_one_batch_may_share_names_with_each_other(pool: Pool, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    good = engine("good", parallel=False, settings={"await": str(gate)})
    asked = [pool.submit(good, replace(request("hero"), seed=seed)) for seed in (1, 2)]
    gate.touch()
    one, other = results(asked)
    assert one.facts["together"] == 2
    assert (one.id, other.id) == ("hero", "hero")
    assert Path(one.output).read_bytes() != Path(other.output).read_bytes()


def test_a_process_that_ran_out_of_memory_is_replaced(pool: Pool, events: list[Event]) -> None:
    good = engine("good", parallel=False)
    before = pool.render(good, request()).facts["process"]
    with pytest.raises(EngineFailed):
        pool.render(good, request(fail="out_of_memory"))
    assert pool.render(good, request()).facts["process"] != before
    assert names(events).count("WorkerStarted") == 3
    assert names(events).count("WorkerLost") == 0


def test_what_failed_together_is_tried_again_alone_and_before_the_rest(
    pool: Pool, tmp_path: Path, events: list[Event]
) -> None:
    gate = tmp_path / "gate"
    good = engine("good", parallel=False, sandbox=False, settings={"await": str(gate)})
    hero = request("hero", "exit", once=str(tmp_path / "once"))
    asked = [pool.submit(good, one) for one in (hero, *map(request, "abcd"))]
    gate.touch()
    done = results(asked)
    assert [one.facts["together"] for one in done] == [1, 1, 1, 1, 1]
    started = [event.asset for event in events if isinstance(event, RequestStarted)]
    assert started == ["hero", "a", "b", "c", "hero", "a", "b", "c", "d"]


@pytest.mark.parametrize("kind", ["missing", "auth"])
def test_an_engine_that_cannot_load_is_asked_once(pool: Pool, events: list[Event], kind: str) -> None:
    bad = engine("good", settings={"fail": kind})
    futures = [pool.submit(bad, request(str(number))) for number in range(3)]
    for future in [*futures, pool.submit(bad, request("later"))]:
        error = future.exception(20)
        assert isinstance(error, EngineFailed)
        assert (error.message, error.hint, error.kind) == (f"it can't load: {kind}", "mend it", kind)
    assert names(events).count("WorkerLost") == 1


def test_a_request_too_long_to_send_is_its_own_fault(pool: Pool, events: list[Event]) -> None:
    good = engine("good", parallel=False)
    with pytest.raises(EngineFailed) as caught:
        pool.render(good, request(padding="x" * 5_000_000))
    assert (caught.value.kind, caught.value.hint) == (ErrorKind.BAD_REQUEST, "shorten the prompt or the text")
    assert caught.value.message.startswith(
        "the engine `good` can't be asked for `hero`: a `render` message of 5"
    )
    assert names(events).count("RequestStarted") == 1
    assert isinstance(pool.render(good, request()), Done)


def test_stop_ends_every_wait_at_once(pool: Pool, mark: str) -> None:
    hung = engine("stubborn")
    futures = [pool.submit(hung, request(str(number), "deaf")) for number in range(3)]
    futures.append(pool.submit(engine("good", name="loading", settings={"load_seconds": 60}), request()))
    time.sleep(0.5)
    began = time.monotonic()
    pool.stop()
    for future in futures:
        with pytest.raises(Stopped, match=r"^the build was stopped$"):
            future.result(2)
    assert time.monotonic() - began < 0.5
    assert left_after(mark, 2) == []
    with pytest.raises(Stopped):
        pool.submit(hung, request()).result(2)


def test_after_close_nothing_starts(tmp_path: Path) -> None:
    pool = Pool(tmp_path, root=ROOT, jobs=1)
    pool.close()
    with pytest.raises(Stopped):
        pool.submit(engine("good"), request()).result(2)
    pool.close()
    pool.stop()


def test_many_threads_may_render(pool: Pool) -> None:
    good = engine("good")
    done: list[Done] = []
    threads = [
        threading.Thread(target=lambda name=str(number): done.append(pool.render(good, request(name))))
        for number in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(int(one.id) for one in done) == list(range(24))


@pytest.mark.parametrize("kind", [WorkerStarted, RequestStarted, StepMade, RequestDone])
def test_a_listener_that_raises_ends_the_build_instead_of_hanging_it(
    tmp_path: Path, kind: type[Event]
) -> None:
    def listener(event: Event) -> None:
        if isinstance(event, kind):
            raise ZeroDivisionError

    with Pool(tmp_path, root=ROOT, jobs=1, on_event=listener) as pool:
        first = pool.submit(engine("good"), request(steps=2, seconds=1 if kind is StepMade else 0))
        if kind is RequestDone:
            assert isinstance(first.result(20), Done), "it was made before anyone was told"
        else:
            assert isinstance(first.exception(20), ZeroDivisionError)
        assert isinstance(pool.submit(engine("good"), request()).exception(20), ZeroDivisionError)


def test_a_bug_in_a_drivers_thread_is_raised_where_the_build_waits(pool: Pool) -> None:
    impossible = engine("good", python="no\0name")
    futures = [pool.submit(impossible, request(str(number))) for number in range(3)]
    for future in futures:
        assert isinstance(future.exception(20), ValueError)


class Unreadable(dict[str, Any]):
    def items(self) -> NoReturn:
        raise ZeroDivisionError


def test_a_bug_between_an_answer_and_its_sum_is_raised_where_the_build_waits(pool: Pool) -> None:
    price = Price(pictures=(PicturePrice(usd=1, parameters=Unreadable(any="thing")),))
    asked = pool.submit(msgspec.structs.replace(engine("good"), price=price), request())
    assert isinstance(asked.exception(20), ZeroDivisionError)


def test_a_flood_of_steps_is_told_thinned_out(pool: Pool, events: list[Event]) -> None:
    pool.render(engine("good"), request(steps=2000))
    steps = [event.step for event in events if isinstance(event, StepMade)]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (1, 2000)
    assert len(steps) < 1000


def test_a_lost_worker_is_told_with_its_reason(pool: Pool, events: list[Event]) -> None:
    with pytest.raises(EngineFailed):
        pool.render(engine("mortal"), request(act="exit"))
    lost = WorkerLost(
        "mortal", "the engine `mortal` ended with exit code 3 while making `hero`", ErrorKind.TRANSIENT
    )
    told = [event for event in events if isinstance(event, WorkerLost)]
    assert [msgspec.structs.replace(event, worker=0) for event in told] == [lost] * 2
    assert [event.worker for event in told] == [
        event.worker for event in events if isinstance(event, WorkerStarted)
    ]
    assert told[0].worker != told[1].worker


def test_adapter_and_interpreter_are_found_from_the_projects_folder(tmp_path: Path) -> None:
    script = tmp_path / "venv" / "bin" / "python"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\ntouch {tmp_path}/was-here\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    shutil.copytree(ROOT / "tests" / "zoo", tmp_path / "tests" / "zoo")
    with Pool(tmp_path / "work", root=tmp_path, jobs=1) as pool:
        pool.render(engine("good", python="venv/bin/python"), request())
    assert (tmp_path / "was-here").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    with pytest.raises(DiskError) as caught:
        Pool(tmp_path / "work", root=ROOT, jobs=1)
    assert str(caught.value) == (
        f"can't write into `{tmp_path / 'work'}`: something else has that name\n\nhint: move it away"
    )


def test_a_pool_that_has_no_room_for_a_worker_says_so_to_all_who_come_later(tmp_path: Path) -> None:
    with Pool(tmp_path / "work", root=ROOT, jobs=1) as pool:
        shutil.rmtree(pool.inputs.parent)  # as good as a full disk: nothing can be made in it
        for name in ("hero", "gem"):
            with pytest.raises(DiskError) as caught:
                pool.render(engine("good"), request(name))
            assert caught.value.message == f"can't write into `{tmp_path / 'work'}`: it is not there"
