"""What is tried again: how often, when, with whom, and with how much less memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pool_kit import HandClock, HastyClock, gpu, results, running
from zookeeper import engine, left_after, request

from buildsys.make import retry
from buildsys.make.events import (
    RequestDone,
    RequestFailed,
    RequestPutOff,
    RequestSpent,
    RequestStarted,
    WorkerLost,
    WorkerStarted,
)
from buildsys.make.failure import EngineFailed
from buildsys.manifest.model import Engine
from engines.protocol import ErrorKind

ONCE = frozenset(ErrorKind) - {
    ErrorKind.TRANSIENT,
    ErrorKind.RATE_LIMITED,
    ErrorKind.OUT_OF_MEMORY,
}
TRIES = {
    **dict.fromkeys(ONCE, 1),
    ErrorKind.TRANSIENT: 2,
    ErrorKind.RATE_LIMITED: 5,
    ErrorKind.OUT_OF_MEMORY: 2,
}


@pytest.mark.parametrize("kind", ErrorKind)
def test_how_often_something_is_tried_depends_on_the_kind(tmp_path: Path, kind: ErrorKind) -> None:
    with running(tmp_path, clock=HastyClock()) as run:
        with pytest.raises(EngineFailed) as caught:
            run.pool.render(engine("good"), request(fail=str(kind)))
        who = "the engine `good` ran out of memory while making `hero`: "
        said = f"{who if kind is ErrorKind.OUT_OF_MEMORY else ''}it is {kind}"
        assert (str(caught.value), caught.value.kind) == (f"{said}\n\nhint: mend it", kind)
        assert (caught.value.retry_after, caught.value.lost) == (7.0, False)
        assert len(run.told.of(RequestStarted)) == TRIES[kind]
        assert len(run.told.of(RequestPutOff)) == TRIES[kind] - 1
        assert run.told.of(RequestFailed) == [RequestFailed("good", "hero", kind)]


def failed(kind: ErrorKind, *, lost: bool = False, retry_after: float | None = None) -> EngineFailed:
    return EngineFailed("it failed", kind=kind, lost=lost, retry_after=retry_after)


def waits(one: Engine, error: EngineFailed) -> list[float | None]:
    """Until it has failed for good."""
    found: list[float | None] = []
    while None not in found:
        found.append(retry.wait_for(one, error, (error.kind,) * (len(found) + 1)))
    return found


def test_a_lost_process_is_tried_again_at_once() -> None:
    one = engine("good")
    assert waits(one, failed(ErrorKind.INTERNAL, lost=True)) == [0.0, None]
    assert waits(one, failed(ErrorKind.TRANSIENT, lost=True)) == [0.0, None]
    assert waits(one, failed(ErrorKind.INTERNAL)) == [None]


def test_what_goes_out_has_one_more_try() -> None:
    assert len(waits(engine("good"), failed(ErrorKind.TRANSIENT))) == 2
    assert len(waits(engine("good", network=True), failed(ErrorKind.TRANSIENT))) == 3


def test_the_manifest_says_how_often_but_not_for_what_never_helps() -> None:
    tries = {ErrorKind.RATE_LIMITED: 9, ErrorKind.TRANSIENT: 1, ErrorKind.REFUSED: 4}
    one = engine("good", tries=tries)
    assert len(waits(one, failed(ErrorKind.RATE_LIMITED))) == 9
    assert waits(one, failed(ErrorKind.TRANSIENT, lost=True)) == [None]
    assert waits(one, failed(ErrorKind.REFUSED)) == [None]


def test_waits_grow_and_are_never_shorter_than_the_provider_asks() -> None:
    one = engine("good", tries={ErrorKind.RATE_LIMITED: 9})
    for wait, least in zip(
        waits(one, failed(ErrorKind.RATE_LIMITED)), (1, 2, 4, 8, 16, 32, 60, 60), strict=False
    ):
        assert wait is not None
        assert least <= wait <= min(least + 1, 60)
    assert waits(one, failed(ErrorKind.RATE_LIMITED, retry_after=90))[0] == 90


def test_other_failures_do_not_count() -> None:
    before = (ErrorKind.RATE_LIMITED, ErrorKind.RATE_LIMITED, ErrorKind.TRANSIENT)
    assert retry.wait_for(engine("good"), failed(ErrorKind.TRANSIENT, lost=True), before) == 0.0


def test_a_rate_limit_holds_up_its_whole_engine_and_no_other(tmp_path: Path) -> None:
    clock = HandClock()
    one, other = (
        engine("good", name="one", batch=1, parallel=False, sandbox=False),
        engine("good", name="other"),
    )
    with running(tmp_path, clock=clock) as run:
        once: dict[str, Any] = {
            "once": str(tmp_path / "once"),
            "fail": "rate_limited",
            "retry_after": 30,
        }
        asked = [run.pool.submit(one, request("first", **once)), run.pool.submit(one, request("second"))]
        (put_off,) = run.told.expect(RequestPutOff)
        assert put_off == RequestPutOff("one", "first", ErrorKind.RATE_LIMITED, 30.0)
        run.pool.render(other, request("free"))
        clock.advance(29.9)
        run.pool.render(other, request("free"))
        assert [event.asset for event in run.told.of(RequestDone)] == ["free", "free"]
        clock.advance(0.2)
        results(asked)
        started = [event.asset for event in run.told.of(RequestStarted) if event.engine == "one"]
        assert started == ["first", "first", "second"]


def test_a_passing_failure_holds_up_only_itself(tmp_path: Path) -> None:
    clock = HandClock()
    one = engine("good", batch=1, parallel=False, sandbox=False)
    with running(tmp_path, clock=clock) as run:
        once = {"once": str(tmp_path / "once"), "fail": "transient"}
        asked = [run.pool.submit(one, request("first", **once)), run.pool.submit(one, request("second"))]
        asked[1].result(20)
        assert not asked[0].done()
        clock.advance(8)
        results(asked)
        assert [event.asset for event in run.told.of(RequestDone)] == ["second", "first"]


@pytest.mark.parametrize(
    ("seconds", "told"), [(1e300, "24 h"), (10_000, "3 h"), (3601, "2 h"), (3600, "60 min"), (901, "16 min")]
)
def test_nobody_waits_for_as_long_as_some_provider_asks(tmp_path: Path, seconds: float, told: str) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed) as caught:
            run.pool.render(engine("good"), request(fail="rate_limited", retry_after=seconds))
        assert caught.value.message == f"it is rate_limited: it asks to wait {told}"
        assert caught.value.hint == f"build again in {told}"
        assert run.told.of(RequestPutOff) == []


def test_a_quarter_of_an_hour_is_waited_for() -> None:
    one = engine("good", tries={ErrorKind.RATE_LIMITED: 9})
    assert waits(one, failed(ErrorKind.RATE_LIMITED, retry_after=900))[0] == 900
    assert waits(one, failed(ErrorKind.RATE_LIMITED, retry_after=901)) == [None]


def test_a_batch_that_ran_out_of_memory_is_tried_again_alone_and_so_is_all_after_it(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    good = engine("good", parallel=False, settings={"await": str(gate)})
    with running(tmp_path) as run:
        asked = [run.pool.submit(good, request(name, alone=True)) for name in "abcdef"]
        gate.touch()
        done = results(asked)
        assert [one.facts["together"] for one in done] == [1] * 6
        started = [event.asset for event in run.told.of(RequestStarted)]
        assert started == [*"abcd", *"abcd", *"ef"]
        assert {(event.kind, event.seconds) for event in run.told.of(RequestPutOff)} == {
            (ErrorKind.OUT_OF_MEMORY, 0.0)
        }
        assert len(run.told.of(WorkerStarted)) == 2
        assert run.told.of(WorkerLost) == []


RELIEF = ({"offload": "model"}, {"offload": "sequential"})


def starved(**changes: Any) -> Engine:
    return engine("good", relief=RELIEF, **gpu(**changes))


def test_what_ran_out_alone_is_tried_with_less_appetite_for_the_rest_of_the_run(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        first = run.pool.render(starved(), request(fits="sequential"))
        assert len(run.told.of(WorkerStarted)) == 3
        second = run.pool.render(starved(), request(fits="sequential"))
        assert first.facts["process"] == second.facts["process"]


def test_when_nothing_is_left_the_message_says_what_was_tried(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed) as caught:
            run.pool.render(starved(), request(fits="a larger machine"))
        assert str(caught.value) == (
            "the engine `good` ran out of memory while making `hero`: the device is full; "
            'tried alone, then with `offload = "model"`, '
            'then with `offload = "sequential"`\n\nhint: mend it'
        )
        assert caught.value.kind is ErrorKind.OUT_OF_MEMORY
        (spent,) = run.told.of(RequestSpent)
        assert spent.tries == 3


def test_a_batch_goes_down_the_whole_ladder(tmp_path: Path) -> None:
    one = starved(batch=4)
    with running(tmp_path) as run:
        gate = tmp_path / "gate"
        held = run.pool.submit(one, request("held", **{"await": str(gate)}))
        run.told.expect(RequestStarted)
        asked = [run.pool.submit(one, request(name, fits="model", alone=True)) for name in "ab"]
        gate.touch()
        assert [done.facts["together"] for done in results([held, *asked])] == [1, 1, 1]
        assert len(run.told.of(WorkerStarted)) == 3


def test_the_processor_knows_no_relief(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed) as caught:
            run.pool.render(starved(devices=("cpu",)), request(fits="model"))
        assert caught.value.message == (
            "the engine `good` ran out of memory while making `hero`: the device is full"
        )
        assert len(run.told.of(RequestStarted)) == 2


def test_the_manifest_may_forbid_the_ladder(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed, match=r"making `hero`: the device is full\n"):
            run.pool.render(starved(tries={ErrorKind.OUT_OF_MEMORY: 1}), request(fits="model"))
        assert len(run.told.of(RequestStarted)) == 1


def test_an_engine_that_does_not_fit_when_it_loads_goes_the_same_way(tmp_path: Path) -> None:
    one = engine("good", relief=RELIEF, settings={"load_fits": "model"}, **gpu())
    none = engine("good", name="none", relief=RELIEF, settings={"load_fits": "no way"}, **gpu())
    with running(tmp_path) as run:
        assert run.pool.render(one, request()).id == "hero"
        assert len(run.told.of(WorkerLost)) == 1
        assert run.told.of(WorkerLost)[0].kind is ErrorKind.OUT_OF_MEMORY
        with pytest.raises(EngineFailed) as caught:
            run.pool.render(none, request())
        assert caught.value.message == (
            "the engine `none` ran out of memory while loading: the device is full; "
            'tried with `offload = "model"`, then with `offload = "sequential"`'
        )


def test_an_engine_that_cannot_load_on_one_device_goes_on_on_the_other(tmp_path: Path) -> None:
    one = engine("good", name="one", **gpu(devices=("cuda:0",)))
    broken = engine("good", name="one", settings={"fail": "missing"}, **gpu(devices=("cuda:1",)))
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        asked = [run.pool.submit(one, request("first", **{"await": str(gate)}))]
        run.told.expect(RequestStarted)
        asked.append(run.pool.submit(broken, request("second")))
        run.told.expect(WorkerLost)
        gate.touch()
        assert [done.id for done in results(asked)] == ["first", "second"]
        assert len(run.told.of(WorkerLost)) == 1


def test_a_kill_says_nothing_of_the_device_and_leads_to_no_relief(tmp_path: Path) -> None:
    one = engine("mortal", relief=RELIEF, **gpu())
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed) as caught:
            run.pool.render(one, request(act="killed"))
        assert str(caught.value) == (
            "the engine `mortal` was killed by SIGKILL while making `hero`: "
            "perhaps the machine ran out of memory\n\nhint: close other programs"
        )
        assert len(run.told.of(RequestStarted)) == 2


def test_an_engine_that_is_killed_when_it_loads_on_a_gpu_is_tried_once_more(tmp_path: Path) -> None:
    one = engine("mortal", relief=RELIEF, settings={"act": "killed"}, **gpu())
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed, match="was killed by SIGKILL while loading: perhaps the machine"):
            run.pool.render(one, request())
        assert len(run.told.of(WorkerLost)) == 2


def test_nobody_is_charged_for_an_engine_that_died_while_it_was_idle(tmp_path: Path) -> None:
    one = engine("mortal", tries={ErrorKind.TRANSIENT: 1}, parallel=False)
    with running(tmp_path) as run:
        run.pool.render(one, request("last", "later"))
        assert left_after(str(tmp_path), 20) == []
        assert run.pool.render(one, request("innocent")).id == "innocent"
        (lost,) = run.told.of(WorkerLost)
        fact = "the engine `mortal` ended with exit code 3 before it was asked for `innocent`"
        assert lost.reason == fact
        assert [event.tries for event in run.told.expect(RequestSpent, 2)] == [1, 1]


PAID: dict[str, Any] = {"keys": ["OWN_KEY"], "network": True}


@pytest.mark.parametrize("act", ["segfault", "exit", "killed"])
def test_a_paid_request_whose_process_is_lost_is_not_sent_again(tmp_path: Path, act: str) -> None:
    with running(tmp_path, OWN_KEY="mine-5f2c") as run:
        with pytest.raises(EngineFailed) as caught:
            run.pool.render(engine("mortal", **PAID), request(act=act))
        assert caught.value.kind is ErrorKind.UNCERTAIN
        assert caught.value.message.endswith(". The provider may have made it, and billed it")
        assert caught.value.hint == "look at the account's usage before you build it again"
        assert len(run.told.of(RequestStarted)) == 1


def test_what_an_engine_with_a_key_does_not_say_is_taken_as_paid() -> None:
    paid = engine("good", **PAID)
    for kind in (ErrorKind.INTERNAL, ErrorKind.OUT_OF_MEMORY):
        assert waits(paid, failed(kind, lost=True)) == [None]
    assert waits(paid, failed(ErrorKind.TRANSIENT))[-1] is None
    assert len(waits(paid, failed(ErrorKind.TRANSIENT))) == 3
    assert retry.wait_to_load(paid, failed(ErrorKind.TRANSIENT, lost=True), [ErrorKind.TRANSIENT]) == 0.0
