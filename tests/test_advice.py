"""What a person is told to do about an engine that failed, and what is shown of its log."""

from __future__ import annotations

from pathlib import Path

import pytest
from zookeeper import engine

from buildsys.make import advice
from buildsys.make.enginelog import COLUMNS, LINES, EngineLog, shortened
from engines.protocol import ErrorKind, Failure

MORE = "raise `limits.render_seconds` of `[engines.good]`"


@pytest.mark.parametrize(
    ("tail", "alive", "told"),
    [
        ("", False, MORE),
        ("step 3 of 40", False, MORE),
        ("Traceback (most recent call last):", False, ""),
        ("CUDA error: an illegal address", False, ""),
        ("[Errno 111] Connection refused", False, ""),
        ("CUDA error: an illegal address", True, MORE),
    ],
)
def test_more_time_is_advised_only_where_it_may_help(tail: str, alive: bool, told: str) -> None:
    assert advice.on_silence(engine("good"), "render_seconds", tail, alive=alive) == told


@pytest.mark.parametrize(
    ("memory", "device", "own", "killed", "told"),
    [
        (6e9, "cpu", "try a smaller size", False, "raise `limits.memory` of `[engines.good]`"),
        (6e9, "cpu", "try a smaller size", True, "close other programs"),
        (0.0, "cpu", "try a smaller size", False, "try a smaller size"),
        (0.0, "cpu", "", False, "close other programs"),
        (0.0, "cuda:0", "", False, "choose an engine with a smaller model"),
    ],
)
def test_want_of_memory_has_one_action(memory: float, device: str, own: str, killed: bool, told: str) -> None:
    starved = engine("good", memory=memory, settings={"device": device})
    assert advice.on_want_of_memory(starved, own, killed=killed) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("the engine ran out of memory", ""),
        ("the engine ran out of memory: it may take 1 GB", ": it may take 1 GB"),
        ("`cuda:0` ran out of memory", ": `cuda:0` ran out of memory"),
    ],
)
def test_want_of_memory_names_engine_and_asset(said: str, told: str) -> None:
    failure = Failure(id="1", kind=ErrorKind.OUT_OF_MEMORY, message=said)
    found = advice.named(engine("good"), failure, "while making `hero`")
    assert found.message == f"the engine `good` ran out of memory while making `hero`{told}"
    other = Failure(id="1", kind=ErrorKind.REFUSED, message=said, hint="mend it")
    assert advice.named(engine("good"), other, "while making `hero`") == other


def test_a_log_is_named_from_the_project_where_it_lies_there(tmp_path: Path) -> None:
    log = tmp_path / "game" / ".artlock" / "logs" / "x.log"
    assert EngineLog(log, tmp_path / "game").advice == "read its log, `.artlock/logs/x.log`"
    (tmp_path / "link").symlink_to(tmp_path / "game")
    assert EngineLog(log, tmp_path / "link").advice == "read its log, `.artlock/logs/x.log`"
    assert EngineLog(log, tmp_path / "other").advice == f"read its log, `{log}`"
    assert EngineLog(log, None).advice == f"read its log, `{log}`"
    assert EngineLog(log, None).tail() == ""


def test_a_tail_is_short_however_the_log_ends() -> None:
    assert shortened("") == ""
    assert shortened("\n".join(map(str, range(50)))) == "\n".join(map(str, range(50 - LINES, 50)))
    assert shortened("x" * COLUMNS) == "x" * COLUMNS
    assert shortened("x" * 4096) == "x" * (COLUMNS - 1) + "…"


def test_a_crash_report_is_shown_from_its_cause_on() -> None:
    report = ["Fatal Python error: Segmentation fault", *(f"  File {line}" for line in range(20))]
    assert shortened("\n".join(["before", *report])) == "\n".join(report[:LINES])
