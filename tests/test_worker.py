"""One engine process: what it is told and shown, how it ends, and what its log keeps."""

from __future__ import annotations

import dataclasses
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zookeeper
from zookeeper import MARK, ROOT, engine, left_after, request

from buildsys.make.conduct import answered
from buildsys.make.failure import EngineFailed
from buildsys.make.runfolder import RunFolder
from buildsys.make.surroundings import settings_here, surroundings
from buildsys.make.worker import Place, Worker
from buildsys.manifest.model import Engine, Parameter
from engines.protocol import Done, ErrorKind, Failure, Progress, ProtocolError, Result

Start = Callable[..., Worker]


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def start(tmp_path: Path, mark: str) -> Iterator[Start]:
    with ExitStack() as ends:

        def start(animal: Engine, **environ: str) -> Worker:
            place = Place(tmp_path / "staging", tmp_path / "tmp", tmp_path / "log", tmp_path / "made")
            place.staging.mkdir(exist_ok=True)
            place.temporary.mkdir(exist_ok=True)
            place.made.mkdir(exist_ok=True)
            seen = {**os.environ, MARK: mark, **environ}
            worker = Worker(animal, str(ROOT / animal.card.name), place, seen)
            ends.callback(worker.kill)
            return worker

        yield start
    assert left_after(mark, 2) == []


def results(worker: Worker, *requests: Any) -> list[Result]:
    return list(worker.render(requests, lambda _: None))


def test_it_says_hello_and_makes_pictures(start: Start) -> None:
    steps: list[Progress] = []
    worker = start(engine("good"))
    hello = worker.open()
    assert (hello.adapter, hello.version, hello.batch) == ("good", "1.0.0", 4)
    asked = [request("a", steps=2), request("b")]
    answers = list(worker.render(asked, steps.append))
    assert [answer.id for answer in answers] == ["a", "b"]
    assert all(isinstance(answer, Done) and Path(answer.output).is_file() for answer in answers)
    assert steps == [
        Progress(id="a", step=1, steps=2),
        Progress(id="a", step=2, steps=2),
        Progress(id="b", step=1, steps=1),
    ]
    worker.close()


def test_a_request_that_failed_leaves_the_engine_warm(start: Start) -> None:
    worker = start(engine("good"))
    process = worker.open().environment["process"]
    (failed,) = results(worker, request("a", fail="quota"))
    assert isinstance(failed, Failure)
    assert failed.host_bytes > 0
    assert dataclasses.replace(failed, host_bytes=0) == Failure(
        id="a", kind=ErrorKind.QUOTA, message="it is quota", hint="mend it", retry_after=7.0
    )
    (done,) = results(worker, request("a"))
    assert isinstance(done, Done)
    assert str(done.facts["process"]) == process


def test_a_prompt_larger_than_a_pipe_arrives(start: Start) -> None:
    worker = start(engine("good"))
    worker.open()
    (done,) = results(worker, request("a", padding="é" * 1_000_000))
    assert isinstance(done, Done)


def test_an_engine_that_never_reads_does_not_hold_the_builder(start: Start) -> None:
    worker = start(engine("stubborn", load_seconds=0.5, settings={"act": "hang", "padding": "x" * 1_000_000}))
    with pytest.raises(EngineFailed) as caught:
        worker.open()
    fact = "the engine `stubborn` did not load within 0.5 s"
    assert str(caught.value) == f"{fact}\n\nhint: raise `limits.load_seconds` of `[engines.stubborn]`"


def test_it_sees_its_own_keys_and_no_others(start: Start) -> None:
    worker = start(
        engine("good", keys=["OWN_KEY"]), OWN_KEY="mine", OTHER_KEY="theirs", PYTHONPATH="/x", HTTPS_PROXY="y"
    )
    seen = set(worker.open().environment["seen"].split())
    assert {"OWN_KEY", "PATH", "HOME", "TMPDIR", MARK, "OMP_NUM_THREADS", "OMP_WAIT_POLICY"} <= seen
    assert not seen & {"OTHER_KEY", "PYTHONPATH", "HTTPS_PROXY"}


def test_the_environment_is_an_allow_list() -> None:
    card = engine("good").card
    environ = {
        "LC_ALL": "C",
        "CUDA_VISIBLE_DEVICES": "1",
        "OMP_NUM_THREADS": "4",
        "SECRET": "s",
        "https_proxy": "p",
    }
    assert surroundings(card, environ, "/private") == {
        "LC_ALL": "C",
        "CUDA_VISIBLE_DEVICES": "1",
        "OMP_NUM_THREADS": "4",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "TMPDIR": "/private",
    }
    assert "SECRET" in surroundings(card, environ, "/private", passed=["SECRET", "NOT_SET"])
    outgoing = engine("good", network=True).card
    assert surroundings(outgoing, environ, "/private")["https_proxy"] == "p"


def test_a_variable_of_the_card_wins_over_the_manifest() -> None:
    settings = {
        "base_url": Parameter(name="base_url", type="string", variable="GOOD_BASE_URL"),
        "timeout": Parameter(name="timeout", type="number"),
    }
    card = msgspec.structs.replace(engine("good").card, settings=settings)
    said = {"base_url": "https://example.com", "timeout": 3}
    assert settings_here(card, said, {}) == said
    assert settings_here(card, said, {"GOOD_BASE_URL": " "}) == said
    assert settings_here(card, said, {"GOOD_BASE_URL": "http://here"}) == {**said, "base_url": "http://here"}
    assert settings_here(card, {}, {"GOOD_BASE_URL": "http://here"}) == {"base_url": "http://here"}


def test_a_key_is_not_in_the_message_or_the_tail(start: Start) -> None:
    worker = start(engine("mortal", keys=["OWN_KEY"]), OWN_KEY="about")
    worker.open()
    with pytest.raises(EngineFailed) as caught:
        results(worker, request(act="exit"))
    assert caught.value.log_tail == "$OWN_KEY to exit"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": "2.0.0"}, "says its version is `1.0.0`, its card says `2.0.0`"),
        ({"determinism": "seeded"}, "says its determinism is `bitwise`, its card says `seeded`"),
    ],
)
def test_an_engine_that_is_not_what_its_card_says_is_ended(
    start: Start, mark: str, change: dict[str, str], text: str
) -> None:
    with pytest.raises(EngineFailed) as caught:
        start(engine("good", **change)).open()
    hint = "use the adapter and the card of one version"
    assert str(caught.value) == f"the engine `good` {text}\n\nhint: {hint}"
    assert zookeeper.marked(mark) == []


def test_another_protocol_is_refused(start: Start) -> None:
    with pytest.raises(EngineFailed) as caught:
        start(engine("babbler", settings={"act": "protocol"})).open()
    text = "the engine `babbler` speaks protocol 99, artlock speaks 1"
    assert str(caught.value) == f"{text}\n\nhint: use one version of artlock on both sides"


def test_an_interpreter_that_is_not_there_is_named(start: Start) -> None:
    with pytest.raises(EngineFailed) as caught:
        start(engine("good", python="/nowhere/python"))
    text = "the interpreter `/nowhere/python` of `good` can't be started: No such file or directory"
    assert str(caught.value) == f"{text}\n\nhint: mend `python` of the engine `good`"
    assert caught.value.kind is ErrorKind.MISSING


def test_an_interpreter_that_is_too_old_leaves_its_complaint(start: Start, tmp_path: Path) -> None:
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\necho Unknown option: $1 >&2\nexit 2\n")
    old.chmod(0o755)
    with pytest.raises(EngineFailed) as caught:
        start(engine("good", python=str(old))).open()
    assert caught.value.message == "the engine `good` ended with exit code 2 while loading"
    assert caught.value.log_tail == "Unknown option: -P"


def test_a_module_in_the_current_folder_shadows_nothing(start: Start, tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "json.py").write_text("raise SystemExit(9)")
    start(engine("good")).open()


@pytest.mark.parametrize("act", ["", "flood"])
def test_noise_goes_to_the_log_and_a_flood_is_cut(start: Start, tmp_path: Path, act: str) -> None:
    worker = start(engine("noisy"))
    worker.open()
    (done,) = results(worker, request(act=act))
    assert isinstance(done, Done)
    worker.close()
    log = (tmp_path / "log").read_bytes()
    if act:
        written = 100_000_000 + len(b"the last words\n")
        noise = log.index(b"x" * 99)
        left_out = int(log.split(b"\n[... ")[1].split()[0])
        mark_length = len(b"\n[... %d bytes left out ...]\n" % left_out)
        assert left_out == written + noise - (len(log) - mark_length)
        assert len(log) < 1024 * 1024
        assert log.startswith(b"noise while importing\n")
        assert log.endswith(b"x\nthe last words\n")
    else:
        assert b"noise while importing\nnoise while loading\n" in log
        assert b'noise while rendering\n{"type":"done"' in log
        assert log.endswith(b"noise of a child\n")


def test_a_key_does_not_reach_the_log(start: Start, tmp_path: Path) -> None:
    worker = start(engine("noisy", keys=["OWN_KEY", "UNSET_KEY"]), OWN_KEY="sesame")
    worker.open()
    results(worker, request(act="tell"))
    worker.close()
    log = (tmp_path / "log").read_text()
    assert log.endswith("the key is $OWN_KEY, and here is one more: $OWN_KEY without a line")


def test_progress_extends_the_deadline_only_while_it_goes_on(start: Start) -> None:
    worker = start(engine("good", render_seconds=0.4))
    worker.open()
    (done,) = results(worker, request(seconds=1.2, steps=12))
    assert isinstance(done, Done)
    with pytest.raises(EngineFailed) as caught:
        results(worker, request("slow", seconds=1.2))
    fact = "the engine `good` gave no sign of life for 0.4 s while making `slow`"
    assert str(caught.value) == f"{fact}\n\nhint: raise `limits.render_seconds` of `[engines.good]`"
    assert caught.value.lost


def test_more_time_is_not_advised_where_the_log_tells_of_an_error(start: Start, tmp_path: Path) -> None:
    worker = start(engine("stubborn", render_seconds=0.5))
    worker.open()
    with pytest.raises(EngineFailed) as caught:
        results(worker, request("a fatal error", "hang"))
    assert caught.value.log_tail == "making a fatal error\nstuck"
    assert caught.value.hint == f"read its log, `{tmp_path / 'log'}`"


def test_cut_from_another_thread_ends_a_render_at_once(start: Start, mark: str) -> None:
    worker = start(engine("stubborn"))
    worker.open()
    threading.Timer(0.2, worker.cut).start()
    began = time.monotonic()
    with pytest.raises(EngineFailed):
        results(worker, request(act="escape"))
    assert time.monotonic() - began < 2
    assert zookeeper.marked(mark) == []


def test_a_process_that_will_not_leave_is_ended(start: Start, mark: str) -> None:
    worker = start(engine("stubborn"))
    worker.open()
    results(worker, request(act="stay"))
    worker.close()
    assert zookeeper.marked(mark) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the parent death signal is Linux's")
def test_an_engine_follows_a_keeper_that_was_killed(start: Start, mark: str) -> None:
    worker = start(engine("stubborn"))
    worker.open()
    (keeper,) = (process for process in zookeeper.marked(mark) if process.ppid() == os.getpid())
    threading.Timer(0.2, keeper.kill).start()
    with pytest.raises(EngineFailed, match="was killed by SIGKILL while making `hero`"):
        results(worker, request(act="hold"))
    assert left_after(mark, 2) == []


def test_an_engine_that_hangs_up_and_stays_is_ended(start: Start) -> None:
    worker = start(engine("babbler"))
    worker.open()
    with pytest.raises(EngineFailed) as caught:
        results(worker, request(act="hang up"))
    assert caught.value.message == "the engine `babbler` closed its channel while making `hero`"
    assert caught.value.lost


def test_a_builder_that_ignores_sigchld_still_learns_how_it_ended() -> None:
    life, held = os.pipe()
    shell = 'trap \'\' CHLD; exec "$0" -P "$1" "$2" mortal'
    answer = subprocess.run(
        ["sh", "-c", shell, sys.executable, ROOT / "engines" / "__main__.py", str(life)],
        input=b"nonsense\n",
        stdout=subprocess.PIPE,
        pass_fds=[life],
        timeout=20,
        check=False,
    )
    os.close(life)
    os.close(held)
    assert answer.returncode == 0
    assert answer.stdout.startswith(b'{"type":"error","id":null,"kind":"internal"')


@pytest.mark.parametrize(("number", "name"), [(33, "signal 33"), (34, "SIGRTMIN"), (35, "signal 35")])
def test_a_signal_without_a_name_is_told_by_its_number(start: Start, number: int, name: str) -> None:
    worker = start(engine("mortal"))
    worker.open()
    with pytest.raises(EngineFailed) as caught:
        results(worker, request(act=str(number)))
    assert caught.value.message == f"the engine `mortal` was ended by {name} while making `hero`"


def test_a_file_that_vanishes_while_it_is_looked_at_is_kept(start: Start) -> None:
    worker = start(engine("liar"))
    worker.open()
    answer = next(worker.render([request(act="vanishing")], lambda _: None))
    if isinstance(answer, Done):
        assert Path(answer.output).is_file()
    else:  # on a machine that is slow enough
        assert answer.message == ("the engine `liar` made no usable picture of `hero`: it wrote no file")


@pytest.mark.parametrize(("step", "steps"), [(2, 1), (1, 100_001), (-1, 1)])
def test_more_steps_than_there_can_be_break_the_protocol(step: int, steps: int) -> None:
    said = Progress(id="hero", step=step, steps=steps)
    with pytest.raises(ProtocolError) as caught:
        answered(said, {"hero": request()}, [request()])
    assert str(caught.value) == f"it says it is at step {step} of {steps}; there may be 100000"


def test_an_engine_says_how_many_requests_it_makes_together(start: Start) -> None:
    assert start(engine("good", settings={"batch": 1})).open().batch == 1


def test_a_lack_of_files_is_not_the_interpreters_fault(start: Start) -> None:
    good = engine("good")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(EngineFailed) as caught:
            start(good)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    hint = "raise the limit of open files (`ulimit -n`)"
    assert str(caught.value) == f"the engine `good` can't be started: Too many open files\n\nhint: {hint}"


def test_a_log_that_cannot_be_written_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(EngineFailed) as caught:
        start(engine("good"))
    fact = f"the engine `good` can't be started: can't open `{tmp_path / 'log'}`: a folder is there"
    assert str(caught.value) == f"{fact}\n\nhint: move the folder away"


@pytest.fixture
def anyones() -> Iterator[Path]:
    """A folder for an ordinary user, which root becomes meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        me = os.geteuid()
        os.seteuid(me or 65534)
        try:
            yield path
        finally:
            os.seteuid(me)


def test_a_folder_without_rights_is_removed_all_the_same(anyones: Path) -> None:
    run = RunFolder(anyones / "work")
    place = run.place("good", 1, 1)
    (place.staging / "deep" / "deeper").mkdir(parents=True)
    (place.staging / "deep" / "deeper" / "file").touch()
    (place.staging / "deep" / "deeper").chmod(0)
    (place.staging / "deep").chmod(0)
    place.staging.chmod(0)
    run.clear(place)
    assert not place.staging.parent.exists()
    run.remove()
    assert not run.path.exists()
