"""Ends that a keeper must survive, and what is done where it does not: nothing of an engine stays."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sandbox_kit import HOME, ROOT, ask, burglar, started, tried
from zookeeper import MARK, left_after, marked

from buildsys.make import strays
from buildsys.make.worker import EngineFailed
from engines import protocol
from engines.protocol import Open, Render

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has sub-reapers")


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Inherited by all that the test starts."""
    monkeypatch.setenv(MARK, str(tmp_path))
    return str(tmp_path)


@contextmanager
def keeper(folder: Path, act: str, at: str = "") -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A keeper whose engine, without walls, is asked for `act`; and the lifeline that holds it."""
    opening = Open(
        protocol=protocol.PROTOCOL,
        adapter=str(HOME / "burglar.py"),
        engine="burglar",
        model="",
        revision="",
        staging=str(folder),
        settings={},
    )
    lines = protocol.encode(opening) + protocol.encode(Render(requests=(ask(act, at),)))
    theirs, lifeline = os.pipe()
    with (
        (folder / "log").open("w+b") as log,
        subprocess.Popen(
            [sys.executable, "-P", ROOT / "engines" / "__main__.py", str(theirs), "burglar"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            pass_fds=[theirs],
        ) as process,
    ):
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(lines)
        process.stdin.flush()
        try:
            yield process, lifeline
        finally:
            process.kill()
            for one in marked(os.environ[MARK]):
                if one.pid != os.getpid():
                    one.kill()


@linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the burglar knows the numbers of x86-64")
def test_a_keeper_ends_an_engine_whose_death_is_told_to_a_tracer(tmp_path: Path, mark: str) -> None:
    with keeper(tmp_path, "be traced") as (process, lifeline):
        assert process.stdout is not None
        assert b'"hello"' in process.stdout.readline()
        traced = tmp_path / "traced"
        os.mkfifo(traced)
        assert traced.read_bytes() == b"x"
        os.close(lifeline)
        assert process.wait(20) == -9
        assert left_after(mark, 0) == []


@linux
@pytest.mark.parametrize("number", [32, 33, 34, 64])
def test_a_keeper_ends_as_its_engine_did_whatever_the_signal(tmp_path: Path, mark: str, number: int) -> None:
    with keeper(tmp_path, "end by", str(number)) as (process, lifeline):
        assert process.wait(20) == -number, (tmp_path / "log").read_text()
        os.close(lifeline)
    assert left_after(mark, 0) == []


@linux
def test_what_a_killed_keeper_left_in_other_sessions_is_ended(tmp_path: Path, mark: str) -> None:
    with started(burglar(sandbox=False), tmp_path) as worker:
        worker.open()
        with pytest.raises(EngineFailed, match="was killed by SIGKILL while making `hero`"):
            tried(worker, "leave a child")
        assert left_after(mark, 0) == []


@linux
def test_only_what_was_started_with_the_mark_is_ended() -> None:
    variables = ("ARTLOCK_TREE=one", "ARTLOCK_TREE=ones", "ANOTHER_ARTLOCK_TREE=one", "ARTLOCK_TREE=two")
    processes = [subprocess.Popen(["env", "-i", text, "sleep", "600"]) for text in variables]
    ours = processes[0]
    while b"sleep" not in Path(f"/proc/{ours.pid}/cmdline").read_bytes().split(b"\0")[0]:
        pass
    try:
        assert strays.end("ARTLOCK_TREE=one", 20)
        assert [process.poll() for process in processes] == [-9, None, None, None]
    finally:
        for process in processes:
            process.kill()
            process.wait()
