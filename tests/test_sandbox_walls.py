"""Which walls an engine is asked to put up, and what a kernel of each version can hold."""

from __future__ import annotations

import errno
import struct
import sys
from pathlib import Path

import pytest
from sandbox_kit import burglar

from buildsys.make.surroundings import surroundings
from buildsys.make.walls import walls
from engines.confine import Walls, confine

FOLDERS = (Path("/run/staging"), Path("/run/tmp"))
WRITE = ("write=/run/staging", "write=/run/tmp")
REFER, TRUNCATE = 1 << 13, 1 << 14


def test_the_words_on_the_command_line() -> None:
    assert walls(burglar(), *FOLDERS) == (*WRITE, "offline")
    assert walls(burglar(network=True), *FOLDERS) == WRITE
    assert walls(burglar(memory=6e9), *FOLDERS) == (*WRITE, "offline", "memory=6000000000")
    assert walls(burglar(sandbox=False), *FOLDERS) == ()
    assert walls(burglar(sandbox=False, memory=6e9), *FOLDERS) == ("memory=6000000000",)


def test_an_engine_reads_them_as_they_were_meant() -> None:
    words = walls(burglar(memory=6e9), Path("/a=b/staging"), Path("/run/tmp"))
    asked = Walls(write=("/a=b/staging", "/run/tmp"), offline=True, memory=6_000_000_000)
    assert Walls.of(words) == asked
    assert Walls.of(()) == Walls()


@pytest.mark.parametrize("word", ["write=", "ofline", "memory=much"])
def test_a_wall_that_is_not_known_is_not_left_out_silently(word: str) -> None:
    with pytest.raises(ValueError, match=word.partition("=")[2] or word):
        Walls.of([word])


def test_nothing_asked_is_nothing_held() -> None:
    assert confine(Walls()) == ()


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
@pytest.mark.parametrize(
    ("abi", "promised"),
    [
        (1, ()),
        (2, ()),
        (3, ("files",)),
        (4, ("files", "tcp")),
        (5, ("files", "tcp")),
        (6, ("files", "signals", "tcp")),
        (7, ("files", "signals", "tcp")),
    ],
)
def test_what_each_version_of_landlock_is_asked_and_trusted_for(abi: int, promised: tuple[str, ...]) -> None:
    from engines.confine import landlock  # noqa: PLC0415 - where there is no Linux it can't be imported

    assert landlock.promises(abi, tcp=True) == promised
    assert landlock.promises(abi, tcp=False) == tuple(word for word in promised if word != "tcp")
    files, network, beyond = landlock.rights(abi, tcp=True)
    assert bool(files & REFER) is (abi >= 2)
    assert bool(files & TRUNCATE) is (abi >= 3)
    assert bool(network) is (abi >= 4)
    assert bool(beyond) is (abi >= 6)
    assert landlock.rights(abi, tcp=False)[1] == 0


PRLIMIT = {"x86_64": 302, "aarch64": 261}
CONNECT = {"x86_64": 42, "aarch64": 203}
SHMAT = {"x86_64": 30, "aarch64": 196}
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, REFUSED, CLOSED = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.EACCES


def judged(rows: list[tuple[int, int, int, int]], machine: int, call: int, *arguments: int) -> int:
    """What the kernel makes of a system call, by the rows of a filter."""
    data = struct.pack("=IIQ6Q", call, machine, 0, *arguments, *[0] * (6 - len(arguments)))
    place, value = 0, 0
    while True:
        code, if_true, if_false, operand = rows[place]
        place += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x15:
                place += if_true if value == operand else if_false
            case 0x35:
                place += if_true if value >= operand else if_false
            case _:
                return operand


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_knows_the_numbers_of_each_machine(machine: str) -> None:
    from engines.confine import calls  # noqa: PLC0415 - where there is no Linux it can't be imported

    apart = calls.program(machine, offline=True, apart=frozenset({"ipc", "network"}))
    here = calls.program(machine, offline=False, apart=frozenset())
    number, limit = MACHINES[machine], PRLIMIT[machine]
    for rows in (apart, here):
        assert judged(rows, number, limit, 0, 9, 0x7FFF_0000) == ALLOWED
        assert judged(rows, number, limit, 4711, 9, 0, 0x7FFF_0000) == ALLOWED
        assert judged(rows, number, limit, 4711, 9, 0x7FFF_0000) == REFUSED
        assert judged(rows, number, limit, 4711, 9, 0x7FFF_0000_0000) == REFUSED
        assert judged(rows, 0x40000003, limit, 0) == REFUSED
    assert [judged(rows, number, SHMAT[machine]) for rows in (apart, here)] == [ALLOWED, REFUSED]
    assert [judged(rows, number, CONNECT[machine]) for rows in (apart, here)] == [CLOSED, ALLOWED]


def test_what_names_a_device_goes_to_an_engine_of_any_maker() -> None:
    names = {
        "CUDA_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES",
        "ROCR_VISIBLE_DEVICES",
        "HSA_OVERRIDE_GFX_VERSION",
    }
    assert names <= set(surroundings(burglar().card, dict.fromkeys(names, "0"), "/run/tmp"))


def test_a_confined_engine_keeps_its_caches_to_itself() -> None:
    card = burglar().card
    environ = {"CUDA_CACHE_PATH": "/home/ada/.nv", "HF_HOME": "/models", "XDG_CACHE_HOME": "/cache"}
    inside = surroundings(card, environ, "/run/tmp", confined=True)
    assert inside["CUDA_CACHE_PATH"] == "/run/tmp/cuda"
    assert inside["TRITON_CACHE_DIR"] == "/run/tmp/triton"
    assert (inside["HF_HOME"], inside["XDG_CACHE_HOME"]) == ("/models", "/cache")
    free = surroundings(card, environ, "/run/tmp")
    assert free["CUDA_CACHE_PATH"] == "/home/ada/.nv"
    assert "TRITON_CACHE_DIR" not in free
