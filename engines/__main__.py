"""The child entry: `python -P engines/__main__.py LIFELINE ADAPTER [WALL…]`, a keeper and its engine.

The process that starts here becomes the keeper and imports next to nothing; the engine is its child,
in a session of its own. The keeper ends the engine's whole tree when the engine ends, and when the
lifeline closes, which the kernel does even for a builder that was killed. `PR_SET_PDEATHSIG` alone
was refused: it leaves grandchildren behind, and a watchdog thread can't run while the GIL is held.

What the engine may do is said by the words after the adapter (see `engines.confine`). The engine gives it
up itself, before it imports the adapter; the keeper stays outside, where it can end everything.

The keeper also drains the engine's stderr into the log. The builder could do it, but then a builder
that is busy, stopped or dead would block the engine or lose its last words.
"""

import os
import select
import signal
import sys
import time

_SUBREAPER = 36
_PARENT_DEATH_SIGNAL = 1

_CHUNK = 64 * 1024
_PIPE = 1024 * 1024
"""The most that a pipe holds, unless root said otherwise."""

_ROUND = 0.002
"""Seconds between two looks at a tree that is being ended."""

_HEAD = 256 * 1024
_TAIL = 256 * 1024
"""Bytes of a log that are kept from its beginning and its end; the file never holds 1 MiB.

Not RLIMIT_FSIZE, which would cut the pictures too, and keep the beginning, not the end.
"""


def _prctl(option: int, value: int) -> None:
    """Linux only, and only a second line of defence: elsewhere the process group has to do."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class _Log:
    """The engine's stderr, drained into file descriptor 2, the middle of a flood left out."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._held = b""
        self._size = 0
        self._dropped = 0
        names = os.environ.get("ARTLOCK_KEYS", "").split()
        # Bare, as an adapter has it: one that was read from a file ends with a newline.
        keys = {name: os.environ.get(name, "").strip() for name in names}
        names.sort(key=lambda name: -len(keys[name]))  # a key may begin with another
        self._secrets = {keys[name].encode(): b"$" + name.encode() for name in names if keys[name]}
        os.set_blocking(source, False)

    def drain(self) -> bool:
        """Move what is there; False once nobody can write any more.

        A pipe's worth at most: an engine that never stops writing must not keep us from the lifeline.
        """
        for _ in range(_PIPE // _CHUNK):
            try:
                data = os.read(self._source, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._write(self._conceal(self._held + data))
        return True

    def flush(self) -> None:
        """Write what was held back."""
        self._write(self._held)
        self._held = b""

    def _conceal(self, data: bytes) -> bytes:
        """`data` without the values of keys, and without an end that may be the start of one."""
        for secret, name in self._secrets.items():
            data = data.replace(secret, name)
        most = max(map(len, self._secrets), default=1) - 1
        # A key has no newline: whole lines are never held back, so the last words are there to read.
        held = min(most, len(data) - data.rfind(b"\n") - 1)
        self._held = data[len(data) - held :]
        return data[: len(data) - held]

    def _write(self, data: bytes) -> None:
        try:
            self._append(data)
        except OSError:
            # A full disk costs the log, never the engine.
            pass

    def _append(self, data: bytes) -> None:
        os.pwrite(2, data, self._size)
        self._size += len(data)
        if self._size < _HEAD + 2 * _TAIL:
            return
        kept = os.pread(2, _TAIL, self._size - _TAIL)
        self._dropped += self._size - _HEAD - len(kept)
        mark = b"\n[... %d bytes left out ...]\n" % self._dropped
        os.ftruncate(2, _HEAD)
        os.pwrite(2, mark + kept, _HEAD)
        self._size = _HEAD + len(mark) + len(kept)
        self._dropped -= len(mark)


def _children() -> list[int]:
    """The keeper's own children (Linux). As the sub-reaper it inherits every orphan of the tree."""
    me = os.getpid()
    try:
        with open(f"/proc/{me}/task/{me}/children", "rb") as file:  # noqa: PTH123 - no pathlib here
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _end_tree(engine: int, status: int | None) -> int:
    """Kill the engine's group and whatever left it, until nothing is left; returns the engine's status."""
    while True:
        try:
            os.killpg(engine, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        # From the top of the tree down: a dead child's children become ours, and die in the next round.
        targets = _children() or ([engine] if status is None else [])
        killed = [pid for pid in targets if _kill(pid)]
        ended = _reap(engine)
        status = status if ended is None else ended
        if not killed:
            return signal.SIGKILL if status is None else status
        # Waiting for a death was refused: that of a traced process is told to its tracer alone, which may
        # be another of those to kill.
        time.sleep(_ROUND)


def _reap(engine: int) -> int | None:
    """Collect every child that ended, orphans included; the engine's wait status if it is one of them."""
    status = None
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            if found[0] == engine:
                status = found[1]
    except ChildProcessError:
        pass
    return status


def _keep(engine: int, lifeline: int, wake: int, log: int) -> int:
    """Wait for the engine or the lifeline, end the tree, and return the engine's exit code."""
    sink = _Log(log)
    # Not select(): the lifeline keeps the number it has in the builder, which may be beyond 1023.
    watch = select.poll()
    for number in (lifeline, wake, log):
        watch.register(number, select.POLLIN)
    status = None
    while status is None:
        ready = {number for number, _ in watch.poll()}
        if log in ready and not sink.drain():
            watch.unregister(log)
        if lifeline in ready:
            break
        if wake in ready:
            os.read(wake, 512)
            status = _reap(engine)
    status = _end_tree(engine, status)
    sink.drain()
    sink.flush()
    _tell_peak(lifeline)
    return os.waitstatus_to_exitcode(status)


def _tell_peak(lifeline: int) -> None:
    """Say what the largest process of the tree had: of one that crashed or was killed, nobody else can."""
    import resource

    # Of those that were reaped, so of the whole tree by now; the kernels disagree on the unit.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    try:
        os.write(lifeline, b"%d" % peak)
    except OSError:
        # The builder is gone.
        pass


def _leave(code: int) -> None:
    """End as the engine ended, so that the builder sees the signal that ended it."""
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core file, the engine's, is enough
        try:
            signal.signal(-code, signal.SIG_DFL)
        except (OSError, ValueError):
            # SIGKILL and SIGSTOP can't be handled, and the C library keeps 32 and 33 to itself.
            pass
        os.kill(os.getpid(), -code)
        code = 128 - code  # as a shell says it, should that have had no effect
    os._exit(code)


def _die_with(keeper: int) -> None:
    """Be killed when `keeper` is; at once, if it is gone already."""
    _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)


def _become_engine(keeper: int, log: int) -> None:
    """In the child: leave the session, put the channel out of reach, and serve."""
    os.setsid()
    _die_with(keeper)
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(log, 2)
    os.dup2(2, 1)  # before any import: a library that prints writes to the log, not to the channel
    os.close(log)

    import faulthandler
    import importlib.util
    import io
    from pathlib import Path

    faulthandler.enable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # or a killed engine's last words are lost

    # The package is loaded from this very file's folder, not searched for: an engine may run in
    # another interpreter, whose own environment has no artlock or an older one.
    home = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "engines", home / "__init__.py", submodule_search_locations=[str(home)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["engines"] = package
    spec.loader.exec_module(package)

    from engines.confine import Walls, confine

    held = confine(Walls.of(sys.argv[3:]))
    # Once more: the kernel forgets it where a process changes its credentials.
    _die_with(keeper)

    from engines.serve import serve

    serve(requests, replies, held)


def main() -> None:
    """Fork: keep in the parent, be the engine in the child."""
    lifeline = int(sys.argv[1])  # the adapter's name is there only for those who read `ps`
    os.set_inheritable(lifeline, False)
    # A builder's blocked or ignored signals come with us; an ignored SIGCHLD would eat exit codes.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    wake, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    log, log_write = os.pipe()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    _prctl(_SUBREAPER, 1)
    keeper = os.getpid()
    engine = os.fork()
    if engine == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (lifeline, wake, wake_write, log):
            os.close(number)
        _become_engine(keeper, log_write)
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The builder decides when to stop; the keeper must outlive it to clean up.
        signal.signal(number, signal.SIG_IGN)
    for number in (0, 1, log_write):
        os.close(number)
    _leave(_keep(engine, lifeline, wake, log))


if __name__ == "__main__":
    main()
