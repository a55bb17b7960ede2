"""What each request took: tries, waiting, loading, making, memory, cost; told once, when it is sure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from pool_kit import HandClock, gpu, results, running
from zookeeper import engine, request

from buildsys.make.accounts import Account, LoadingTime
from buildsys.make.events import (
    RequestDone,
    RequestFailed,
    RequestSpent,
    RequestStarted,
    WorkerLost,
    WorkerStarted,
)
from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made
from engines.protocol import ErrorKind


def test_loading_time_is_counted_once_however_many_load() -> None:
    loading = LoadingTime()
    loading.begin(10)
    loading.begin(12)
    assert loading.seconds(13) == 3
    loading.end(14)
    loading.end(15)
    assert loading.seconds(99) == 5


def test_waiting_is_loading_or_queueing_and_making_is_a_share() -> None:
    loading, account = LoadingTime(), Account()
    loading.begin(0)
    account.wait(2, loading)
    loading.end(5)
    account.work(9, loading, "cuda:0")
    account.wait(11, loading)  # its batch goes on while it waits for its second try
    account.work(12, loading, "cuda:1")
    account.pay(1.5)
    account.outcome = Made(id="7", output="7.png", host_bytes=3, device_bytes=4, cost=0.5)
    sure = [account.closed]
    account.pay(2.5)
    sure.append(account.closed)
    assert sure == [False, True]
    assert account.spent("e", "a", "1.0.0") == RequestSpent(
        engine="e",
        asset="a",
        version="1.0.0",
        device="cuda:1",
        tries=2,
        queue_seconds=5,
        load_seconds=3,
        make_seconds=4,
        host_bytes=3,
        device_bytes=4,
        cost=0.5,
    )


def test_a_request_is_accounted_for_by_the_clock(tmp_path: Path) -> None:
    clock = HandClock()
    loads, gate = tmp_path / "loads", tmp_path / "gate"
    one = engine("good", settings={"await": str(loads)}, **gpu(batch=2))
    with running(tmp_path, clock=clock) as run:
        held: dict[str, Any] = {"await": str(gate), "host_bytes": 10, "cost": 0.25}
        asked = [run.pool.submit(one, request("a", **held))]
        run.pool.render(engine("good", name="other"), request())  # so that both have been seen
        clock.advance(3)
        loads.touch()
        run.told.expect(RequestStarted, 2)
        asked += [run.pool.submit(one, request(name, cost=0.5)) for name in "bc"]
        run.pool.render(engine("good", name="other"), request())
        clock.advance(4)
        gate.touch()
        results(asked)
        spent = {event.asset: event for event in run.told.of(RequestSpent) if event.engine == "good"}
        assert set(spent) == set("abc")
        assert {event.environment["memory"] for event in spent.values()} == {"0.0"}
        spent = {asset: msgspec.structs.replace(event, environment={}) for asset, event in spent.items()}
        assert spent["a"] == RequestSpent(
            engine="good",
            asset="a",
            version="1.0.0",
            device="cuda:0",
            load_seconds=3,
            make_seconds=4,
            host_bytes=10,
            cost=0.25,
        )
        assert (spent["b"].queue_seconds, spent["b"].load_seconds, spent["b"].make_seconds) == (4, 0, 0)
        (started,) = [event for event in run.told.of(WorkerStarted) if event.engine == "good"]
        assert (started.device, started.version) == ("cuda:0", "1.0.0")


def test_the_account_of_a_lone_request_is_told_before_its_answer(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.pool.render(engine("good"), request(steps=1))
        assert isinstance(run.told.events[-2], RequestDone)
        assert isinstance(run.told.events[-1], RequestSpent)


def test_of_a_batch_all_accounts_are_told_once_it_has_ended(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    good = engine("good", parallel=False, settings={"await": str(gate), "load_seconds": 0.3})
    with running(tmp_path) as run:
        asked = [run.pool.submit(good, request(name)) for name in "abc"]
        gate.touch()
        results(asked)
        kinds = [type(event) for event in run.told.events if isinstance(event, RequestDone | RequestSpent)]
        assert kinds == [RequestDone] * 3 + [RequestSpent] * 3
        spent = run.told.of(RequestSpent)
        assert [event.asset for event in spent] == ["a", "b", "c"]
        assert len({event.make_seconds for event in spent}) == 1
        assert all(event.load_seconds >= 0.2 and event.make_seconds > 0 for event in spent)


def test_tries_of_a_lost_process_are_summed_and_the_kind_is_told(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed):
            run.pool.render(engine("mortal"), request(act="exit"))
        (spent,) = run.told.of(RequestSpent)
        assert (spent.tries, spent.error, spent.cost) == (2, ErrorKind.TRANSIENT, None)
        assert [event.kind for event in run.told.of(WorkerLost)] == [ErrorKind.TRANSIENT] * 2
        assert isinstance(run.told.events[-2], RequestFailed)
        assert run.told.events[-1] is spent


def test_a_failure_says_what_memory_its_process_had(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed):
            run.pool.render(engine("good"), request(fail="refused"))
        with pytest.raises(EngineFailed):
            run.pool.render(engine("good", name="late", render_seconds=0.5), request(seconds=600))
        assert all(spent.host_bytes > 2**20 for spent in run.told.of(RequestSpent))


@pytest.mark.parametrize("act", ["exit", "segfault", "killed"])
def test_what_a_lost_process_had_is_known_by_its_keeper(tmp_path: Path, act: str) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed):
            run.pool.render(engine("mortal"), request(act=act, bytes=2**26))
        (lost,) = run.told.of(RequestSpent)
        assert 2**26 < lost.host_bytes < 2**28


def test_a_request_whose_engine_never_loaded_was_not_tried(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        with pytest.raises(EngineFailed):
            run.pool.render(engine("good", settings={"fail": "missing"}), request())
        (spent,) = run.told.of(RequestSpent)
        assert (spent.tries, spent.error, spent.make_seconds) == (0, ErrorKind.MISSING, 0)
        assert spent.load_seconds > 0


def test_a_stop_tells_no_account_of_what_was_cut_short(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        asked = run.pool.submit(engine("good"), request(**{"await": str(tmp_path / "never")}))
        run.told.expect(RequestStarted)
        run.pool.stop()
        assert asked.exception(20) is not None
        assert run.told.of(RequestSpent) == []
