"""What one engine may use: processes side by side, requests a minute; and how work is split among them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pool_kit import HandClock, HastyClock, results, running
from zookeeper import engine, request

from buildsys.make.events import RequestDone, RequestStarted, WorkerStarted


@pytest.mark.parametrize(
    ("parallel", "concurrent", "processes"), [(True, 0, 2), (False, 0, 1), (False, 3, 3), (True, 1, 1)]
)
def test_an_engine_has_as_many_processes_as_its_limit_says(
    tmp_path: Path, parallel: bool, concurrent: int, processes: int
) -> None:
    good = engine("good", batch=1, parallel=parallel, concurrent=concurrent)
    gate = tmp_path / "gate"
    with running(tmp_path, jobs=2) as run:
        asked = [run.pool.submit(good, request(str(number), **{"await": str(gate)})) for number in range(4)]
        run.told.expect(RequestStarted, processes)
        gate.touch()
        results(asked)
        assert len(run.told.of(WorkerStarted)) == processes


def test_what_waits_is_split_evenly_over_the_idle(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    good = engine("good", batch=4, settings={"await": str(gate)})
    with running(tmp_path, jobs=3) as run:
        warm = [run.pool.submit(good, request(name)) for name in "abc"]
        gate.touch()  # not before all wait: who loads first may take all of them, but three were begun
        run.told.expect(WorkerStarted, 3)
        results(warm)
        # One thread gives out work: while it tells of the plug, what is asked gathers in its inbox.
        plug = run.pool.submit(engine("good", name="other"), request("plug"))
        run.told.expect(RequestDone, 4)
        asked = [run.pool.submit(good, request(str(number))) for number in range(6)]
        run.told.plug.set()
        assert [done.facts["together"] for done in results([*asked, plug])] == [2] * 6 + [1]
        assert len({done.facts["process"] for done in results(asked)}) == 3


def test_a_minute_sees_only_so_many_requests_and_other_engines_go_on(tmp_path: Path) -> None:
    clock = HandClock()
    slow, other = engine("good", name="slow", batch=4, per_minute=3), engine("good", name="other")
    with running(tmp_path, clock=clock) as run:
        first = [run.pool.submit(slow, request(str(number))) for number in range(2)]
        results(first)
        clock.advance(30)
        rest = [run.pool.submit(slow, request(str(number))) for number in range(2, 6)]
        run.told.expect(RequestDone, 3)
        run.pool.render(other, request("free"))
        clock.advance(29.9)
        run.pool.render(other, request("free"))
        assert [event.engine for event in run.told.of(RequestDone)] == ["slow"] * 3 + ["other"] * 2
        clock.advance(0.1)  # 60 s since the first two
        run.told.expect(RequestDone, 7)
        assert sum(event.engine == "slow" for event in run.told.of(RequestStarted)) == 5
        clock.advance(30)
        results(rest)
        order = [event.asset for event in run.told.of(RequestStarted) if event.engine == "slow"]
        assert order == ["0", "1", "2", "3", "4", "5"]


def test_a_limited_engine_waits_by_the_clock_and_does_not_ask_it_again_and_again(tmp_path: Path) -> None:
    clock = HastyClock()
    slow = engine("good", batch=1, parallel=False, per_minute=1)
    with running(tmp_path, clock=clock) as run:
        began = clock.now()
        results([run.pool.submit(slow, request(str(number))) for number in range(4)])
        assert clock.now() - began == 180
        assert len(clock.waits) <= 3 * 4, "each wait is for the minute, interrupted by a few messages at most"


def test_a_try_counts_as_a_request(tmp_path: Path) -> None:
    clock = HastyClock()
    slow = engine("good", batch=1, parallel=False, per_minute=1, sandbox=False)
    with running(tmp_path, clock=clock) as run:
        began = clock.now()
        run.pool.render(slow, request(fail="transient", once=str(tmp_path / "once"), retry_after=1))
        assert clock.now() - began == 60
