"""An engine that tries the act that it is asked for, and tells how that went in `facts["outcome"]`."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from engines.protocol import Done, Json, Open, Report, Request, Result


def write(at: str) -> None:
    with Path(at).open("a", encoding="utf-8") as file:
        file.write("burglar was here\n")


def write_by_a_child(at: str) -> None:
    if subprocess.run(["sh", "-c", 'echo here >> "$0"', at], check=False).returncode:
        raise PermissionError(errno.EACCES, "the child was refused")


def write_through_a_link(at: str) -> None:
    Path("link").symlink_to(at)
    write("link")


def rename_out(at: str) -> None:
    Path("mine").touch()
    Path("mine").rename(at)


def rename_in(at: str) -> None:
    Path(at).rename("theirs")


def link_out(at: str) -> None:
    Path("mine").touch()
    Path(at).hardlink_to("mine")


def use_own_folders(_: str) -> None:
    """All that a library does in its own folder, and moves between the two."""
    temporary = Path(os.environ["TMPDIR"])
    Path("folder").mkdir()
    Path("folder/file").write_text("one")
    os.truncate("folder/file", 1)
    Path("folder/file").rename(temporary / "file")
    (temporary / "file").rename("file")
    Path("link").symlink_to("file")
    os.mkfifo("pipe")
    for name in ("link", "pipe", "file"):
        Path(name).unlink()
    Path("folder").rmdir()
    cache = Path(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    cache.mkdir()
    with Path(os.devnull).open("w", encoding="utf-8") as nothing:
        nothing.write("x")


def connect(at: str) -> None:
    socket.create_connection(("127.0.0.1", int(at)), 5).close()


def send_a_datagram(at: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.sendto(b"secret", ("127.0.0.1", int(at)))


def knock(at: str) -> None:
    with socket.socket(socket.AF_UNIX) as knocker:
        knocker.connect(f"\0{at}")


def called(number: int, *arguments: object) -> None:
    """System call `number` of x86-64."""
    if ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def limit(at: str) -> None:
    """End a process by a limit, the way a signal would."""
    resource.prlimit(int(at), resource.RLIMIT_CPU, (3600, 3600))


def know_limits(at: str) -> None:
    """What needs no refusal: its own limits, and a look at those of others."""
    resource.prlimit(0, resource.RLIMIT_CPU, resource.prlimit(0, resource.RLIMIT_CPU))
    resource.setrlimit(resource.RLIMIT_STACK, resource.getrlimit(resource.RLIMIT_STACK))
    resource.prlimit(os.getppid(), resource.RLIMIT_CPU)
    os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0))


def trace(_: str) -> None:
    """Let the parent trace us: PTRACE_TRACEME."""
    called(101, 0, 0, 0, 0)


def store_a_key(at: str) -> None:
    called(248, b"user", at.encode(), b"secret", 6, ctypes.c_long(-4))


def share_memory(at: str) -> None:
    """Write into the segment of System V whose key is `at`: shmget, shmat."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(int(at), 1, 0)
    if segment < 0:
        raise OSError(ctypes.get_errno(), "shmget")
    address = libc.shmat(segment, None, 0)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "shmat")
    ctypes.memmove(address, b"X", 1)
    libc.shmdt(ctypes.c_void_p(address))


def leave_a_segment(at: str) -> None:
    if ctypes.CDLL(None, use_errno=True).shmget(int(at), 1, 0o1600) < 0:
        raise OSError(ctypes.get_errno(), "shmget")


def leave_a_queue(at: str) -> None:
    """A POSIX message queue: mq_open."""
    called(240, at.encode(), os.O_CREAT | os.O_RDWR, 0o600, None)


def knock_at_a_file(at: str) -> None:
    with socket.socket(socket.AF_UNIX) as knocker:
        knocker.connect(at)


def be_traced(_: str) -> None:
    """Be traced by a descendant in another session, which alone is told of our death; tell a pipe."""
    us = os.getpid()
    if os.fork() == 0:
        os.setsid()
        called(101, 16, us, 0, 0)  # PTRACE_ATTACH
        os.waitpid(us, 0)
        called(101, 7, us, 0, 0)  # PTRACE_CONT
        while not Path("traced").exists():
            time.sleep(0.01)
        Path("traced").write_bytes(b"x")
        time.sleep(600)
    time.sleep(600)


def end_by(at: str) -> None:
    """Die of the signal with this number, whatever the C library says of it."""
    os.kill(os.getpid(), int(at))
    time.sleep(600)


def leave_a_child(_: str) -> None:
    """Leave a child in a session of its own, and kill the keeper."""
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


def eat(_: str) -> None:
    held = []
    while True:
        held.append(bytearray(16 * 1024 * 1024))


def throw(_: str) -> None:
    """Ask C++ for more than there is; nobody catches what it throws."""
    new = ctypes.CDLL("libstdc++.so.6")._Znwm  # noqa: SLF001 - `operator new`, as C++ spells it
    new.argtypes = [ctypes.c_size_t]
    new(1 << 40)


def spin(_: str) -> None:
    """Start threads until there is no room for another stack."""
    enough = threading.Event()
    threading.stack_size(64 * 1024 * 1024)
    started = []
    try:
        while True:
            started.append(threading.Thread(target=enough.wait))
            started[-1].start()
    finally:
        enough.set()


def crash(_: str) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def death_signal() -> int:
    """What the kernel sends this process when its parent is gone."""
    found = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(found), 0, 0, 0)
    return found.value


ACTS: Mapping[str, Callable[[str], object]] = {
    "draw": lambda _: None,
    "write": write,
    "write by a child": write_by_a_child,
    "write through a link": write_through_a_link,
    "make a folder": lambda at: Path(at).mkdir(),
    "remove": lambda at: Path(at).unlink(),
    "truncate": lambda at: os.truncate(at, 0),
    "rename out": rename_out,
    "rename in": rename_in,
    "link out": link_out,
    "make a link": lambda at: Path(at).symlink_to("target"),
    "change mode": lambda at: Path(at).chmod(0o600),
    "read": lambda at: Path(at).read_bytes(),
    "use own folders": use_own_folders,
    "connect": connect,
    "send a datagram": send_a_datagram,
    "knock": knock,
    "signal": lambda at: os.kill(int(at), 0),
    "end its child": lambda _: subprocess.Popen(["sleep", "600"]).kill(),
    "limit": limit,
    "know limits": know_limits,
    "renice": lambda at: os.setpriority(os.PRIO_PROCESS, int(at), 5),
    "trace": trace,
    "store a key": store_a_key,
    "share memory": share_memory,
    "leave a segment": leave_a_segment,
    "leave a queue": leave_a_queue,
    "open a socket": lambda at: socket.socket(int(at), socket.SOCK_STREAM).close(),
    "knock at a file": knock_at_a_file,
    "be traced": be_traced,
    "end by": end_by,
    "leave a child": leave_a_child,
    "eat": eat,
    "throw": throw,
    "spin": spin,
    "crash": crash,
}


def _status() -> Mapping[str, str]:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress((b"\0" + bytes(3 * width)) * height))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


class Burglar:
    def environment(self) -> Mapping[str, str]:
        status = _status()
        return {
            "process": str(os.getpid()),
            "keeper": str(os.getppid()),
            "capabilities": status["CapEff"],
            "no new privileges": status["NoNewPrivs"],
            "death signal": str(death_signal()),
            "core": str(resource.getrlimit(resource.RLIMIT_CORE)),
            "user": str(os.getuid()),
        }

    def render(self, requests: Sequence[Request], _: Report) -> Iterable[Result]:
        for request in requests:
            outcome: Json = "done"
            try:
                ACTS[str(request.parameters["act"])](str(request.parameters.get("at", "")))
            except OSError as error:
                sys.stderr.write(f"{error}\n")
                outcome = errno.errorcode[error.errno or 0]
            Path(request.output).write_bytes(_png(*(request.size or (1, 1))))
            yield Done(id=request.id, output=request.output, facts={"outcome": outcome})


def load(opening: Open) -> Burglar:
    ACTS[opening.settings.get("act", "draw")]("")
    return Burglar()
