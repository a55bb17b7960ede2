"""What a person sees of engines while they work: rows on a terminal, remarks above them or in a log."""

from __future__ import annotations

import errno
import os
import pty
import sys
from pathlib import Path

import pytest

from buildsys.cli import streams
from buildsys.cli.console import say
from buildsys.cli.live import WHY, LiveRows, PlainLines, Remarks
from buildsys.cli.rows import RECENT, Cells, EngineRow, again, fitting
from buildsys.make import retry
from buildsys.make.events import (
    RequestFailed,
    RequestPutOff,
    RequestStarted,
    WorkerLoading,
    WorkerLost,
    WorkerStarted,
)
from engines.protocol import ErrorKind

ASKS = "the provider asks to wait"


def test_an_engine_with_nothing_to_do_has_no_row() -> None:
    row = EngineRow("vector")
    assert not row.shown(0.0)
    row.begin("hero")
    assert row.shown(1000.0)
    row.end("hero", 1000.0, made=True)
    assert row.shown(1000.0 + RECENT - 0.1)
    assert not row.shown(1000.0 + RECENT)


def test_what_was_made_and_what_failed_are_counted_apart() -> None:
    row = EngineRow("vector")
    for asset, made in [("a", True), ("b", False), ("c", True)]:
        row.begin(asset)
        row.end(asset, 1.0, made=made)
    assert row.cells(1.0) == Cells("vector", "2 made", "1 failed", "")


def test_an_engine_that_loads_says_for_how_long() -> None:
    row = EngineRow("sd35")
    row.load(1, 10.0)
    row.load(2, 30.0)
    assert row.cells(52.0).doing == "loading for 42 s"
    row.load(0, 60.0)
    assert not row.shown(60.0)


def test_what_is_put_off_says_until_when_and_why() -> None:
    row = EngineRow("hosted")
    row.begin("hero")
    row.put_off("hero", 120.0, ASKS)
    assert row.cells(100.0).doing == f"hero is tried again in 20 s: {ASKS}"
    assert row.cells(121.0).doing == f"hero is tried again: {ASKS}"
    row.begin("hero", " step 1 of 4")
    assert row.cells(122.0).doing == "hero step 1 of 4"


def test_a_large_batch_is_not_told_name_by_name() -> None:
    row = EngineRow("stock")
    for name in "abcde":
        row.begin(name)
    assert row.cells(0.0).doing == "a, b, c, and 2 more"


def test_no_more_rows_than_fit_and_who_works_comes_first() -> None:
    rows = [EngineRow(name) for name in "abcdef"]
    for row in rows[:4]:
        row.end("x", 100.0, made=True)
    rows[4].put_off("y", 200.0, ASKS)
    rows[5].begin("z")
    assert [cells.engine for cells in fitting(rows, 100.0, 6)] == list("feabcd")
    shown = fitting(rows, 100.0, 4)
    assert [cells.engine for cells in shown] == ["f", "e", "a", ""]
    assert shown[-1].doing == "and 3 more"


def test_each_kind_of_error_that_is_tried_again_has_its_reason() -> None:
    for kind in ErrorKind:
        assert (kind in WHY) is (kind in retry._TRIES)  # noqa: SLF001 - a table held against the other
    assert again(0.2, WHY[ErrorKind.INTERNAL]) == "is tried again: its engine broke down"


def test_a_loss_says_whether_there_is_another_try() -> None:
    remarks = Remarks()
    told = [
        remarks.on(event)
        for event in (
            WorkerLoading("x", "", 1),
            WorkerLoading("x", "", 0),
            WorkerStarted("x", 1.0),
            WorkerLost("x", "the engine `x` ended\nat length", ErrorKind.TRANSIENT),
            RequestPutOff("x", "hero", ErrorKind.TRANSIENT, 0.0),
            WorkerLoading("x", "", 1),
            WorkerLoading("x", "", 2),
            RequestPutOff("y", "tree", ErrorKind.RATE_LIMITED, 20.0),
        )
    ]
    assert [line for line in told if line] == [
        "engine x was lost: the engine `x` ended",
        "hero is tried again: what failed may pass",
        "engine x is started again",
        f"tree is tried again in 20 s: {ASKS}",
    ]


def test_a_log_holds_the_same_remarks(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    lines.tell(WorkerLost("x", "the engine `x` ended", ErrorKind.TRANSIENT))
    lines.tell(RequestPutOff("x", "hero", ErrorKind.TRANSIENT, 0.0))
    lines.tell(RequestStarted("x", "hero"))
    lines.tell(RequestFailed("x", "hero", ErrorKind.TRANSIENT))
    assert capsys.readouterr().err == (
        "engine x was lost: the engine `x` ended\nhero is tried again: what failed may pass\n"
    )


def test_a_terminal_that_is_closed_takes_no_word_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        with LiveRows() as rows:
            os.close(ours)
            rows.tell(WorkerLost("x", "the engine `x` ended", ErrorKind.TRANSIENT))
        say("the last word")
        assert os.path.samestat(os.fstat(terminal.fileno()), Path(os.devnull).stat())


def test_any_other_refusal_is_told() -> None:
    with pytest.raises(OSError, match="full"), streams.outliving(sys.stderr):
        raise OSError(errno.ENOSPC, "the disk is full")
