"""Devices: one owner at a time, few switches, side by side, and the next one prepared meanwhile."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from pool_kit import await_end, await_entry, entries, gpu, results, running
from zookeeper import MARK, engine, left_after, request

from buildsys.make.devices import Devices
from buildsys.make.driver import Driver, DriverReport, Left, Lost
from buildsys.make.events import RequestDone, RequestSpent, RequestStarted, WorkerLost, WorkerStarted
from buildsys.make.failure import EngineFailed
from buildsys.make.pool import Stopped
from buildsys.make.worker import Worker
from buildsys.manifest.model import Engine
from engines.protocol import Done, ErrorKind


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    path = tmp_path / "diary"
    path.touch()
    return path


def noting(name: str, diary: Path, *devices: str, settings: dict[str, Any] | None = None) -> Engine:
    settings = {"diary": str(diary), **(settings or {})}
    return engine("good", name=name, settings=settings, **gpu(devices=devices))


def owners_met(diary: Path) -> bool:
    return any(word == "beside" for word, *_ in entries(diary))


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_device_has_one_owner_at_a_time_and_changes_hands_once(
    tmp_path: Path, diary: Path, device: str
) -> None:
    first, second = noting("first", diary, device), noting("second", diary, device)
    with running(tmp_path) as run:
        both = [first, second] * 3
        results([run.pool.submit(one, request(str(number))) for number, one in enumerate(both)])
        order = [event.engine for event in run.told.of(RequestDone)]
        assert order == ["first"] * 3 + ["second"] * 3
        assert [event.engine for event in run.told.of(WorkerStarted)] == ["first", "second"]
        assert {event.device for event in run.told.of(WorkerStarted)} == {
            "cuda:0" if device == "cuda" else device
        }
        # The other way round: the owner that is idle leaves, and comes back when it is asked again.
        run.pool.render(first, request())
    assert [name for word, name, _ in entries(diary) if word == "load"] == ["first", "second", "first"]
    assert not owners_met(diary)


def test_an_owner_with_more_to_do_keeps_its_device(tmp_path: Path, diary: Path) -> None:
    first, second = noting("first", diary, "cuda:0"), noting("second", diary, "cuda:0")
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        held = run.pool.submit(first, request("held", **{"await": str(gate)}))
        run.told.expect(RequestStarted)
        other = run.pool.submit(second, request("other"))
        later = run.pool.submit(first, request("later"))
        gate.touch()
        results([held, other, later])
        assert [event.asset for event in run.told.of(RequestDone)] == ["held", "later", "other"]


def test_of_those_who_wait_the_oldest_is_next(tmp_path: Path, diary: Path) -> None:
    owner, old, young = (noting(name, diary, "cuda:0") for name in ("owner", "old", "young"))
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        asked = [run.pool.submit(owner, request("held", **{"await": str(gate)}))]
        run.told.expect(RequestStarted)
        asked += [run.pool.submit(one, request()) for one in (old, young, old)]
        await_entry(diary, ("prepare", "old", "cuda:0"))
        gate.touch()
        results(asked)
        assert [event.engine for event in run.told.of(RequestDone)] == ["owner", "old", "old", "young"]
    assert not owners_met(diary)


def test_an_engine_uses_two_devices_side_by_side(tmp_path: Path, diary: Path) -> None:
    one = noting("one", diary, "cuda:0", "cuda:1")
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        asked = [run.pool.submit(one, request(name, **{"await": str(gate)})) for name in "ab"]
        run.told.expect(RequestStarted, 2)  # both are under way, and neither can end
        gate.touch()
        done = results(asked)
        assert len({one.facts["process"] for one in done}) == 2
        assert {event.device for event in run.told.of(WorkerStarted)} == {"cuda:0", "cuda:1"}


def test_two_engines_work_side_by_side_on_two_devices(tmp_path: Path, diary: Path) -> None:
    first, second = (noting(name, diary, "cuda:0", "cuda:1") for name in ("first", "second"))
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        held = {"await": str(gate)}
        asked = [run.pool.submit(first, request("a", **held))]
        run.told.expect(RequestStarted)
        asked.append(run.pool.submit(second, request("b", **held)))
        asked.append(run.pool.submit(second, request("c")))
        started = run.told.expect(RequestStarted, 2)
        assert [event.engine for event in started[:2]] == ["first", "second"]
        gate.touch()
        results(asked)
        places = {event.engine: event.device for event in run.told.of(WorkerStarted)}
    assert set(places) == {"first", "second"}
    assert not owners_met(diary)


def test_nobody_gets_a_second_device_before_all_have_one(tmp_path: Path, diary: Path) -> None:
    owner, old, young = (noting(name, diary, "cuda:0", "cuda:1") for name in ("owner", "old", "young"))
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        asked = [run.pool.submit(owner, request(name, **{"await": str(gate)})) for name in "ab"]
        run.told.expect(RequestStarted, 2)
        asked += [run.pool.submit(one, request()) for one in (old, old, young)]
        await_entry(diary, ("prepare", "old", "cuda:0"))
        await_entry(diary, ("prepare", "young", "cuda:1"))
        gate.touch()
        results(asked)
    assert not owners_met(diary)


def test_on_the_cpu_an_owner_may_have_several_processes_on_a_gpu_one(tmp_path: Path, diary: Path) -> None:
    settings = {"diary": str(diary)}
    for device, processes in (("cpu", 2), ("cuda:0", 1)):
        one = engine("good", name=device, settings=settings, **gpu(devices=(device,), concurrent=2, batch=1))
        gate = tmp_path / f"gate-{device}"
        with running(tmp_path) as run:
            held = {"await": str(gate)}
            asked = [run.pool.submit(one, request(str(number), **held)) for number in range(4)]
            run.told.expect(RequestStarted, processes)
            gate.touch()
            assert len({done.facts["process"] for done in results(asked)}) == processes


def test_the_environment_names_other_devices_for_those_who_need_any(tmp_path: Path) -> None:
    one, none = engine("good", **gpu(devices=("cuda", "cuda:0", "cpu"))), engine("good")
    assert Devices({}, 2).of(one) == ("cuda:0", "cpu")
    instead = Devices({"ARTLOCK_DEVICES": " cuda:1, cuda ,"}, 2)
    assert instead.of(one) == ("cuda:1", "cuda:0")
    assert instead.of(none) == ()
    with running(tmp_path, ARTLOCK_DEVICES="cuda:3") as run:
        run.pool.render(one, request())
        assert run.told.of(WorkerStarted)[0].device == "cuda:3"


def test_while_another_owns_the_device_the_next_is_prepared(tmp_path: Path, diary: Path) -> None:
    first, second = noting("first", diary, "cuda:0"), noting("second", diary, "cuda:0")
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        held = run.pool.submit(first, request("held", **{"await": str(gate)}))
        run.told.expect(RequestStarted)
        other = run.pool.submit(second, request("other"))
        await_entry(diary, ("prepare", "second", "cuda:0"))
        # The import of its libraries is over, and the owner is still at work: a switch need not wait for it.
        assert not held.done()
        gate.touch()
        results([held, other])
        prepared, loaded = diary.read_text().splitlines()[1:]
    assert prepared.split(" ")[:2] == ["prepare", "second"]
    assert loaded.split(" ")[:2] == ["load", "second"]
    assert prepared.split(" ")[3] == loaded.split(" ")[3], "the same process"


def test_what_goes_wrong_ahead_of_time_waits_for_the_load(tmp_path: Path, diary: Path) -> None:
    first = noting("first", diary, "cuda:0")
    second = noting("second", diary, "cuda:0", settings={"stumble": True})
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        held = run.pool.submit(first, request("held", **{"await": str(gate)}))
        run.told.expect(RequestStarted)
        other = run.pool.submit(second, request("other"))
        await_entry(diary, ("prepare", "second", "cuda:0"))
        gate.touch()
        assert all(isinstance(done, Done) for done in results([held, other]))
        assert run.told.of(WorkerLost) == []


def test_the_deadline_of_a_load_does_not_count_the_wait_for_the_device(tmp_path: Path, diary: Path) -> None:
    first = noting("first", diary, "cuda:0")
    second = engine(
        "good", name="second", settings={"diary": str(diary), "load_seconds": 60}, **gpu(load_seconds=0.5)
    )
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        held = run.pool.submit(first, request("held", **{"await": str(gate)}))
        run.told.expect(RequestStarted)
        other = run.pool.submit(second, request("other"))
        await_entry(diary, ("prepare", "second", "cuda:0"))
        time.sleep(0.7)
        assert run.told.of(WorkerLost) == []
        gate.touch()
        results([held])
        error = other.exception(20)
        assert isinstance(error, EngineFailed)
        assert error.message == "the engine `second` did not load within 0.5 s"


def test_a_process_that_is_prepared_loads_on_whatever_device_comes_free(tmp_path: Path, diary: Path) -> None:
    first, third = noting("first", diary, "cuda:0"), noting("third", diary, "cuda:1")
    second = noting("second", diary, "cuda:0", "cuda:1")
    gates = [tmp_path / "gate0", tmp_path / "gate1"]
    with running(tmp_path) as run:
        held = [
            run.pool.submit(one, request(one.name, **{"await": str(gate)}))
            for one, gate in zip((first, third), gates, strict=True)
        ]
        run.told.expect(RequestStarted, 2)
        other = run.pool.submit(second, request("other"))
        await_entry(diary, ("prepare", "second", "cuda:0"))
        # Now `first` has more to do, and `third` will be the sooner to go.
        held.append(run.pool.submit(first, request("more")))
        run.pool.render(engine("good", name="bystander"), request())
        gates[1].touch()
        process = other.result(20).facts["process"]
        gates[0].touch()
        results(held)
        assert run.told.of(WorkerLost) == []
    seconds = [line for line in diary.read_text().splitlines() if " second " in line]
    assert seconds == [f"prepare second cuda:0 {process}", f"load second cuda:1 {process}"]
    assert not owners_met(diary)


def test_a_process_that_is_prepared_is_ended_when_nobody_wants_it(tmp_path: Path, diary: Path) -> None:
    first, second = noting("first", diary, "cuda:0"), noting("second", diary, "cuda:0", "cuda:1")
    gates = [tmp_path / "gate0", tmp_path / "gate1"]
    with running(tmp_path) as run:
        asked = [run.pool.submit(first, request("first", **{"await": str(gates[0])}))]
        run.told.expect(RequestStarted)
        asked.append(run.pool.submit(second, request("second", **{"await": str(gates[1])})))
        run.told.expect(RequestStarted, 2)
        more = run.pool.submit(second, request("more"))
        await_entry(diary, ("prepare", "second", "cuda:0"))
        gates[1].touch()  # its other worker has time for it after all
        more.result(20)
        (prepared,) = (line for line in diary.read_text().splitlines() if "prepare second cuda:0" in line)
        await_end(int(prepared.split(" ")[3]))
        gates[0].touch()
        results(asked)
        assert run.told.of(WorkerLost) == []
    assert not owners_met(diary)


def test_a_picture_comes_with_the_environment_that_it_was_made_in(tmp_path: Path, diary: Path) -> None:
    one = noting("one", diary, "cuda:0", "cuda:1")
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        asked = [run.pool.submit(one, request(name, **{"await": str(gate)})) for name in "ab"]
        run.told.expect(RequestStarted, 2)
        gate.touch()
        made = [future.result(20) for future in asked]
        processes = [str(one.facts["process"]) for one in made]
        assert [one.environment["process"] for one in made] == processes
        spent = {event.asset: event.environment["process"] for event in run.told.expect(RequestSpent, 2)}
        assert [spent[name] for name in "ab"] == processes


def test_a_broken_device_is_given_up_and_its_engine_is_not(tmp_path: Path) -> None:
    one = engine("good", settings={"broken": "cuda:1"}, **gpu(devices=("cuda:0", "cuda:1")))
    gate = tmp_path / "gate"
    with running(tmp_path) as run:
        asked = [run.pool.submit(one, request(name, **{"await": str(gate)})) for name in "ab"]
        (lost,) = run.told.expect(WorkerLost)
        assert lost.reason == "there is no device `cuda:1`"
        gate.touch()
        results(asked)
        crash = request("crash", "exit", once=str(tmp_path / "once"))
        assert run.pool.render(one, crash).id == "crash"
        assert run.pool.render(one, request("later")).id == "later"
        assert {event.device for event in run.told.of(WorkerStarted)} == {"cuda:0"}
        assert len(run.told.of(WorkerLost)) == 2


def test_an_engine_is_given_up_when_no_device_is_left(tmp_path: Path) -> None:
    one = engine("good", settings={"fail": "missing"}, **gpu(devices=("cuda:0", "cuda:1")))
    with running(tmp_path) as run:
        asked = [run.pool.submit(one, request(name)) for name in "abc"]
        errors = {str(future.exception(20)) for future in asked}
        assert errors == {"it can't load: missing\n\nhint: mend it"}
        assert len(run.told.of(WorkerLost)) == 2


def test_to_cut_a_driver_does_not_wait_for_a_process_that_starts() -> None:
    starts, goes_on, told = threading.Event(), threading.Event(), SimpleQueue[DriverReport]()

    def start() -> Worker:
        starts.set()
        goes_on.wait(20)
        raise EngineFailed("it did not start", kind=ErrorKind.TRANSIENT, lost=True)

    driver = Driver(engine("good"), start=start, clear=lambda: None, tell=told.put)
    assert starts.wait(20)
    cutter = threading.Thread(target=driver.cut)
    cutter.start()
    cutter.join(20)
    assert not cutter.is_alive()
    goes_on.set()
    assert isinstance(told.get(timeout=20), Lost)
    assert isinstance(told.get(timeout=20), Left)


def test_a_stop_ends_what_is_only_prepared(tmp_path: Path, diary: Path) -> None:
    first, second = noting("first", diary, "cuda:0"), noting("second", diary, "cuda:0")
    with running(tmp_path) as run:
        held = run.pool.submit(first, request("held", **{"await": str(tmp_path / "never")}))
        run.told.expect(RequestStarted)
        other = run.pool.submit(second, request("other"))
        await_entry(diary, ("prepare", "second", "cuda:0"))
        run.pool.stop()
        for future in (held, other):
            assert isinstance(future.exception(20), Stopped)
        assert left_after(str(tmp_path), 5) == []


def test_a_device_of_its_own_is_not_waited_for(tmp_path: Path, diary: Path) -> None:
    first, second = noting("first", diary, "cuda:0"), noting("second", diary, "cuda:1")
    with running(tmp_path) as run:
        held = run.pool.submit(first, request("held", **{"await": str(tmp_path / "gate")}))
        run.told.expect(RequestStarted)
        assert isinstance(run.pool.submit(second, request()).result(20), Done)
        assert not held.done()
        (tmp_path / "gate").touch()
        results([held])


def test_a_worker_is_told_how_much_of_its_device_it_may_take(tmp_path: Path) -> None:
    for device, memory in (("cuda:0", "0.5"), ("cpu", "0.0")):
        one = engine("good", name=device, **gpu(devices=(device,), memory=0.5))
        with running(tmp_path) as run:
            assert run.pool.render(one, request()).environment["memory"] == memory
            assert MARK in run.told.of(WorkerStarted)[0].environment["seen"]
