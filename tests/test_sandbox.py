"""What an engine's process can't do, tried for real: within its walls, and with `sandbox = false` beside.

An act that fails within the walls and goes well without them is stopped by a wall and by nothing else.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sandbox_kit import ROOT, burglar, older_kernel, outcome, started, tried

from engines.protocol import Done

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these walls")

READ_ANYTHING = 1 << 2
NOBODY = 65534


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of somebody else, with a file."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("precious")
    return folder


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield server


def test_it_says_what_holds_it(tmp_path: Path) -> None:
    with started(burglar(memory=4e9), tmp_path) as worker:
        hello = worker.open()
        keeper, engine = int(hello.environment["keeper"]), int(hello.environment["process"])
        assert hello.confined == ("files", "ipc", "memory", "network", "signals")
        assert hello.environment["no new privileges"] == "1"
        expected = READ_ANYTHING if os.geteuid() == 0 else 0
        assert int(hello.environment["capabilities"], 16) == expected
        assert hello.environment["death signal"] == str(int(signal.SIGKILL))
        assert hello.environment["core"] == "(0, 0)"
        assert hello.environment["user"] == str(os.getuid())
        assert resource.prlimit(engine, resource.RLIMIT_AS) == (4_000_000_000, 4_000_000_000)
        assert resource.prlimit(keeper, resource.RLIMIT_AS) == resource.getrlimit(resource.RLIMIT_AS)


def test_with_sandbox_false_nothing_holds_it_but_its_limit(tmp_path: Path) -> None:
    with started(burglar(sandbox=False, memory=4e9), tmp_path) as worker:
        hello = worker.open()
        assert hello.confined == ("memory",)
        assert hello.environment["no new privileges"] == "0"


@pytest.mark.parametrize(
    ("act", "at", "refusal"),
    [
        ("write", "file", "EACCES"),
        ("write", "new", "EACCES"),
        ("write by a child", "new", "EACCES"),
        ("write through a link", "file", "EACCES"),
        ("make a folder", "new", "EACCES"),
        ("remove", "file", "EACCES"),
        ("truncate", "file", "EACCES"),
        ("rename out", "new", "EACCES"),
        ("rename in", "file", "EACCES"),
        ("link out", "new", "EACCES"),
        ("make a link", "new", "EACCES"),
    ],
)
def test_it_changes_no_file_but_its_own(
    tmp_path: Path, outside: Path, act: str, at: str, refusal: str
) -> None:
    assert outcome(burglar(), tmp_path, act, outside / at) == refusal
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("file", "precious")]
    open_air = tmp_path / "open air"
    open_air.mkdir()
    assert outcome(burglar(sandbox=False), open_air, act, outside / at) == "done"


def test_it_can_leave_nothing_in_shared_memory(tmp_path: Path) -> None:
    name = Path("/dev/shm", f"artlock-{tmp_path.name}")  # noqa: S108 - the very place that is refused
    assert outcome(burglar(), tmp_path, "write", name) == "EACCES"
    assert not name.exists()


def test_it_can_leave_nothing_beside_its_folders(tmp_path: Path) -> None:
    assert outcome(burglar(), tmp_path, "write", tmp_path / "staging.png") == "EACCES"


def test_it_reads_what_it_likes_and_works_in_its_own_folders(tmp_path: Path, outside: Path) -> None:
    with started(burglar(), tmp_path) as worker:
        worker.open()
        for act, at in (("read", outside / "file"), ("use own folders", ""), ("write", os.devnull)):
            answer = tried(worker, act, at)
            assert isinstance(answer, Done)
            assert answer.facts["outcome"] == "done", act


def test_the_mode_of_a_file_is_no_wall(tmp_path: Path, outside: Path) -> None:
    """Landlock has no say in it. Said in docs/workers.md; this test fails on the day it has."""
    assert outcome(burglar(), tmp_path, "change mode", outside / "file") == "done"


def test_it_has_no_network(tmp_path: Path, listener: socket.socket, ear: socket.socket) -> None:
    tcp, udp = listener.getsockname()[1], ear.getsockname()[1]
    acts = (("connect", tcp, "EACCES"), ("send a datagram", udp, "ENETUNREACH"))
    for number, (act, port, refusal) in enumerate(acts):
        for engine, expected in ((burglar(), refusal), (burglar(sandbox=False), "done")):
            folder = tmp_path / f"{number}-{expected}"
            folder.mkdir()
            assert outcome(engine, folder, act, port) == expected
    assert ear.recv(100) == b"secret"


def test_an_engine_of_the_network_keeps_it_and_nothing_else(
    tmp_path: Path, outside: Path, listener: socket.socket
) -> None:
    with started(burglar(network=True), tmp_path) as worker:
        assert worker.open().confined == ("files", "ipc", "signals")
        found = [
            tried(worker, "connect", listener.getsockname()[1]),
            tried(worker, "write", outside / "file"),
        ]
    assert [one.facts["outcome"] for one in found if isinstance(one, Done)] == ["done", "EACCES"]


@pytest.mark.parametrize("network", [False, True])
def test_it_reaches_no_abstract_socket(tmp_path: Path, network: bool) -> None:
    name = f"artlock-{tmp_path.name}-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"\0{name}")
        door.listen()
        expected = "EPERM" if network else "EACCES"
        assert outcome(burglar(network=network), tmp_path, "knock", name) == expected
        (tmp_path / "open air").mkdir()
        assert outcome(burglar(sandbox=False), tmp_path / "open air", "knock", name) == "done"


def test_it_signals_its_own_children_only(tmp_path: Path) -> None:
    with started(burglar(), tmp_path) as worker:
        keeper = worker.open().environment["keeper"]
        found = [
            tried(worker, "signal", os.getpid()),
            tried(worker, "signal", keeper),
            tried(worker, "end its child"),
        ]
    assert [one.facts["outcome"] for one in found if isinstance(one, Done)] == ["EPERM", "EPERM", "done"]
    (tmp_path / "open air").mkdir()
    assert outcome(burglar(sandbox=False), tmp_path / "open air", "signal", os.getpid()) == "done"


def test_the_builder_ends_what_is_within_the_walls(tmp_path: Path) -> None:
    with started(burglar(), tmp_path) as worker:
        engine = psutil.Process(int(worker.open().environment["process"]))
        worker.kill()
        assert not engine.is_running()


@pytest.mark.parametrize(
    ("refused", "confined", "outcomes"),
    [
        (["unshare"], ("files", "ipc", "network", "signals"), ["EACCES", "EACCES", "EACCES"]),
        (["seccomp"], ("files", "ipc", "network"), ["EACCES", "ENETUNREACH", "ENETUNREACH"]),
        (["unshare", "seccomp"], ("files", "tcp"), ["EACCES", "EACCES", "done"]),
        (["landlock"], ("ipc", "network"), ["done", "EACCES", "ENETUNREACH"]),
        (["landlock", "unshare"], ("ipc", "network"), ["done", "EACCES", "EACCES"]),
        (["landlock", "unshare", "seccomp"], (), ["done", "done", "done"]),
    ],
)
def test_a_kernel_that_has_less_holds_less_and_says_so(
    tmp_path: Path,
    outside: Path,
    listener: socket.socket,
    ear: socket.socket,
    refused: list[str],
    confined: tuple[str, ...],
    outcomes: list[str],
) -> None:
    with started(burglar(python=older_kernel(tmp_path, *refused)), tmp_path) as worker:
        assert worker.open().confined == confined
        found = [
            tried(worker, "write", outside / "file"),
            tried(worker, "connect", listener.getsockname()[1]),
            tried(worker, "send a datagram", ear.getsockname()[1]),
        ]
    assert [one.facts["outcome"] for one in found if isinstance(one, Done)] == outcomes


def as_nobody(home: Path, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    packages = {"PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [python, *arguments],
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
        cwd=ROOT,
        env={**os.environ, **packages, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def python_for_nobody(home: Path) -> str:
    """An interpreter of this version that an ordinary user can run, with the packages of this one."""
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    for python in (sys.executable, system):
        try:
            if python and not as_nobody(home, python, "-c", "import buildsys, msgspec, pytest").returncode:
                return python
        except PermissionError:
            continue
    pytest.skip("an ordinary user can't read this checkout or run an interpreter of this version")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as an ordinary user already")
def test_all_of_this_holds_for_an_ordinary_user() -> None:
    # Not `tmp_path`: its parents are closed to others.
    home = Path(tempfile.mkdtemp())
    try:
        os.chown(home, NOBODY, NOBODY)
        options = ("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={home / 'tests'}")
        # The third file is about keepers, which have no walls.
        files = (__file__, str(Path(__file__).with_name("test_sandbox_reach.py")))
        found = as_nobody(home, python_for_nobody(home), *options, *files)
        assert found.returncode == 0, found.stdout
        assert "1 skipped" in found.stdout, found.stdout
    finally:
        shutil.rmtree(home)
