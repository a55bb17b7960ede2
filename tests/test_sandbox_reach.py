"""What an engine could reach past files and signals, tried with and without its walls.

Other processes' limits, priority and memory; shared memory, queues and keys; sockets that no namespace ends.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_kit import burglar, older_kernel, outcome, started, tried

from engines.protocol import Done

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these walls")
x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the burglar knows the numbers of x86-64")

NO_SUCH_KEY = "ENOENT"
IPC_REMOVE = 0


@pytest.fixture
def victim() -> Iterator[int]:
    """Another process of the same user."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


def open_air(folder: Path, act: str, at: object) -> str:
    """How `act` goes without walls."""
    (folder / "open air").mkdir()
    return outcome(burglar(sandbox=False), folder / "open air", act, at)


@pytest.mark.parametrize("network", [False, True])
def test_it_sets_no_limit_of_another_process(tmp_path: Path, victim: int, network: bool) -> None:
    before = resource.prlimit(victim, resource.RLIMIT_CPU)
    assert outcome(burglar(network=network), tmp_path, "limit", victim) == "EPERM"
    assert resource.prlimit(victim, resource.RLIMIT_CPU) == before
    assert open_air(tmp_path, "limit", victim) == "done"
    assert resource.prlimit(victim, resource.RLIMIT_CPU) == (3600, 3600)


def test_it_sets_no_limit_of_the_builder_or_its_keeper(tmp_path: Path) -> None:
    with started(burglar(), tmp_path) as worker:
        keeper = worker.open().environment["keeper"]
        found = [
            tried(worker, "limit", os.getpid()),
            tried(worker, "limit", keeper),
            tried(worker, "know limits"),
        ]
    assert [one.facts["outcome"] for one in found if isinstance(one, Done)] == ["EPERM", "EPERM", "done"]


def test_it_changes_the_priority_of_no_other_process(tmp_path: Path, victim: int) -> None:
    before = os.getpriority(os.PRIO_PROCESS, victim)
    assert outcome(burglar(), tmp_path, "renice", victim) == "EPERM"
    assert os.getpriority(os.PRIO_PROCESS, victim) == before
    assert open_air(tmp_path, "renice", victim) == "done"
    assert os.getpriority(os.PRIO_PROCESS, victim) == 5


@x86
def test_nothing_traces_it_and_it_traces_nothing(tmp_path: Path) -> None:
    assert outcome(burglar(), tmp_path, "trace") == "EPERM"
    assert open_air(tmp_path, "trace", "") == "done"


@x86
def test_it_leaves_no_key_with_the_kernel(tmp_path: Path) -> None:
    name = f"artlock-{secrets.token_hex(8)}"
    assert outcome(burglar(), tmp_path, "store a key", name) == "EPERM"
    assert open_air(tmp_path, "store a key", name) in {"done", "ENOSYS"}  # a kernel may have no keys


@pytest.fixture
def segment() -> Iterator[int]:
    """The key of a byte of shared memory that belongs to another program."""
    libc = ctypes.CDLL(None)
    key = secrets.randbelow(2**30) + 1
    number = libc.shmget(key, 1, 0o1600)
    assert number >= 0
    yield key
    libc.shmctl(number, IPC_REMOVE, None)


def has_segment(key: int) -> bool:
    return int(ctypes.CDLL(None).shmget(key, 1, 0)) >= 0


@pytest.mark.parametrize("network", [False, True])
def test_it_reaches_no_shared_memory(tmp_path: Path, segment: int, network: bool) -> None:
    assert outcome(burglar(network=network), tmp_path, "share memory", segment) == NO_SUCH_KEY
    assert open_air(tmp_path, "share memory", segment) == "done"


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("container", [False, True])
def test_it_leaves_no_segment_and_no_queue(tmp_path: Path, network: bool, container: bool) -> None:
    """In namespaces of its own they end with it; where those are refused, it makes none."""
    python = older_kernel(tmp_path, "unshare") if container else ""
    key, name = secrets.randbelow(2**30) + 1, f"artlock-{secrets.token_hex(8)}"
    with started(burglar(network=network, python=python), tmp_path) as worker:
        assert "ipc" in worker.open().confined
        found = [tried(worker, "leave a segment", key)]
        expected = ["EPERM" if container else "done"]
        if platform.machine() == "x86_64":
            found.append(tried(worker, "leave a queue", name))
            expected.append("EPERM" if container else "EACCES")  # Landlock sees a file in a queue
        assert [one.facts["outcome"] for one in found if isinstance(one, Done)] == expected
        assert not has_segment(key)
        assert ctypes.CDLL(None).mq_unlink(f"/{name}".encode()) < 0


@pytest.mark.parametrize("container", [False, True])
@pytest.mark.parametrize("network", [False, True])
def test_it_opens_no_socket_that_a_namespace_does_not_end(
    tmp_path: Path, network: bool, container: bool
) -> None:
    python = older_kernel(tmp_path, "unshare") if container else ""
    with started(burglar(network=network, python=python), tmp_path) as worker:
        worker.open()
        found = [
            tried(worker, "open a socket", int(family))
            for family in (socket.AF_VSOCK, socket.AF_ALG, socket.AF_UNIX, socket.AF_INET)
        ]
    internet = "EACCES" if container and not network else "done"
    outcomes = [one.facts["outcome"] for one in found if isinstance(one, Done)]
    assert outcomes == ["EACCES", "EACCES", "done", internet]


def test_a_socket_of_the_host_is_open_without_walls(tmp_path: Path) -> None:
    found = open_air(tmp_path, "open a socket", int(socket.AF_VSOCK))
    if found == errno.errorcode[errno.EAFNOSUPPORT]:
        pytest.skip("this kernel has no such sockets")
    assert found == "done"


def test_offline_it_connects_to_no_socket_in_the_file_system(tmp_path: Path) -> None:
    """Such as the bus of the desktop, which runs programs for its user outside all walls."""
    bus = tmp_path / "bus"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(bus))
        door.listen()
        assert outcome(burglar(), tmp_path, "knock at a file", bus) == "EACCES"
        assert open_air(tmp_path, "knock at a file", bus) == "done"
        # Said in docs/workers.md: an engine of the network may connect, and nobody asks to what.
        (tmp_path / "network").mkdir()
        assert outcome(burglar(network=True), tmp_path / "network", "knock at a file", bus) == "done"
