"""An engine's limit of memory on the CPU, really used up, and what a person reads then."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest
from sandbox_kit import burglar, started, tried

from buildsys.make.failure import EngineFailed
from buildsys.make.walls import address_space, starved
from engines.protocol import Done, ErrorKind, Failure

LIMIT = 512_000_000

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to its address space")


@linux
@pytest.mark.parametrize("act", ["eat", "spin"])
def test_an_engine_that_hits_its_limit_says_so_and_stays_warm(tmp_path: Path, act: str) -> None:
    with started(burglar(memory=LIMIT), tmp_path) as worker:
        worker.open()
        answer = tried(worker, act)
        assert isinstance(answer, Failure)
        assert 0 < answer.host_bytes < LIMIT
        assert dataclasses.replace(answer, host_bytes=0) == Failure(
            id="1",
            kind=ErrorKind.OUT_OF_MEMORY,
            message="the engine `burglar` ran out of memory while making `hero`: it may take 0.512 GB",
            hint="raise `limits.memory` of `[engines.burglar]`",
        )
        done = tried(worker, "draw")
        assert isinstance(done, Done)
        assert 0 < done.host_bytes < LIMIT


@linux
@pytest.mark.parametrize("sandbox", [True, False])
def test_a_library_that_aborts_at_its_limit_ran_out_of_memory(tmp_path: Path, sandbox: bool) -> None:
    with started(burglar(memory=LIMIT, sandbox=sandbox), tmp_path) as worker:
        worker.open()
        with pytest.raises(EngineFailed) as caught:
            tried(worker, "throw")
    text = "the engine `burglar` ran out of memory while making `hero`: it may take 0.512 GB"
    assert str(caught.value) == f"{text}\n\nhint: raise `limits.memory` of `[engines.burglar]`"
    assert caught.value.kind is ErrorKind.OUT_OF_MEMORY
    assert caught.value.lost


@linux
@pytest.mark.parametrize(("memory", "act"), [(LIMIT, "crash"), (0, "crash"), (0, "throw")])
def test_any_other_crash_is_a_crash(tmp_path: Path, memory: int, act: str) -> None:
    with started(burglar(memory=memory), tmp_path) as worker:
        worker.open()
        with pytest.raises(EngineFailed, match=r"was ended by SIG(SEGV|ABRT) while making `hero`") as caught:
            tried(worker, act)
    assert caught.value.kind is ErrorKind.TRANSIENT


@linux
def test_an_engine_that_can_not_even_load_within_its_limit_says_so(tmp_path: Path) -> None:
    with (
        started(burglar(memory=LIMIT, settings={"act": "eat"}), tmp_path) as worker,
        pytest.raises(EngineFailed) as caught,
    ):
        worker.open()
    assert caught.value.kind is ErrorKind.OUT_OF_MEMORY
    assert (
        caught.value.message == "the engine `burglar` ran out of memory while loading: it may take 0.512 GB"
    )
    assert caught.value.hint == "raise `limits.memory` of `[engines.burglar]`"


def test_a_share_is_of_the_machine_or_of_the_container() -> None:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < address_space(burglar(memory=0.5)) <= machine // 2
    assert address_space(burglar(memory=1.0)) <= machine
    assert address_space(burglar(memory=6e9)) == 6_000_000_000
    assert address_space(burglar()) == 0


def test_only_the_cpu_has_a_limit_of_address_space() -> None:
    assert address_space(burglar(memory=6e9, settings={"device": "cuda:0"})) == 0
    assert address_space(burglar(memory=6e9, devices=("cuda:0", "cuda:1"))) == 0
    assert address_space(burglar(memory=6e9, settings={"device": "cpu"}, devices=("cpu",))) == 6_000_000_000


@pytest.mark.parametrize(
    "last_words",
    [
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "memory allocation of 1073741824 bytes failed",
        "libgomp: Thread creation failed: Resource temporarily unavailable",
        "OpenBLAS blas_thread_init: pthread_create failed for thread 1 of 2",
        "RuntimeError: [enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory",
        "ImportError: libtorch_cpu.so: failed to map segment from shared object: Cannot allocate memory",
    ],
)
def test_what_libraries_say_when_there_is_no_room(last_words: str) -> None:
    assert starved(burglar(memory=6e9), -6, f"before\n{last_words}\nafter") == "6 GB"
    assert starved(burglar(), -6, last_words) == ""
    assert starved(burglar(memory=6e9), 0, last_words) == ""
