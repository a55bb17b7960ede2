"""The journal: events become rows, and nothing that happens to the file hurts a build."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from game import ROOT, Game

from buildsys.digest import Digest
from buildsys.journal import run as run_module
from buildsys.journal.database import ASIDE, NAME, VERSION
from buildsys.journal.keeper import OUTSIDE, Journal
from buildsys.journal.rows import Rows, Unreadable, read
from buildsys.journal.run import Heading
from buildsys.make.events import RequestFailed, RequestSpent, WorkerLost, WorkerStarted
from buildsys.make.progress import (
    Action,
    ActionRecalled,
    ActionStarted,
    AssetDone,
    AssetFailed,
    AssetsKept,
    AssetStarted,
    Event,
)
from buildsys.manifest.model import AssetName
from buildsys.plan.step import Verdict
from engines.protocol import ErrorKind

KEY = Digest("ab" * 32)
RECIPE = Digest("cd" * 32)
HERO = AssetName("hero")


def started(name: str = HERO, engine: str = "noise", verdict: Verdict = Verdict.BUILD) -> AssetStarted:
    return AssetStarted(
        name=AssetName(name), engine=engine, verdict=verdict, recipe=RECIPE, reasons=("seed: 1 → 2",)
    )


def asked(action: Action, engine: str, name: str = HERO) -> ActionStarted:
    return ActionStarted(name=AssetName(name), action=action, engine=engine, key=KEY)


def spent(engine: str, name: str = HERO, **values: Any) -> RequestSpent:
    environment = {"noise": "1"} if engine == "noise" else {}
    return RequestSpent(engine=engine, asset=name, version="1.0.0", environment=environment, **values)


def hello(engine: str = "noise", **values: Any) -> WorkerStarted:
    return WorkerStarted(engine=engine, seconds=0.5, version="1.0.0", environment={"noise": "1"}, **values)


MADE: tuple[Event, ...] = (
    AssetsKept(fresh=3, edited=1),
    started(),
    hello(device="cuda:0", confined=("net",)),
    asked(Action.GENERATE, "noise"),
    spent("noise", queue_seconds=0.25, load_seconds=0.5, make_seconds=2.0, tries=2, host_bytes=10, cost=0.04),
    asked(Action.FINISH, "finish"),
    spent("finish", make_seconds=0.125, device_bytes=20),
    AssetDone(name=HERO, verdict=Verdict.BUILD, seconds=3.0),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".artlock" / NAME


def keep(path: Path, *events: Event, ended_by: type[BaseException] | None = None) -> Journal:
    journal = Journal(path, Heading(command="build", profile="draft", jobs=2))
    for event in events:
        journal.note(event)
    journal.close(ended_by)
    return journal


def rows_of(path: Path) -> Rows:
    found = read(path)
    assert found is not None
    return found


def table(path: Path, name: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY id")]  # noqa: S608 - names of this file


def test_a_build_becomes_rows(path: Path) -> None:
    assert keep(path, *MADE).trouble == ""
    (run,) = table(path, "run")
    told = {"command": "build", "profile": "draft", "jobs": 2, "process": os.getpid(), "ending": "done"}
    assert told.items() <= run.items()
    counts = {"built": 1, "restored": 0, "fresh": 3, "edited": 1, "blocked": 0, "failed": 0}
    assert counts.items() <= run.items()
    assert run["started"] <= run["ended"]
    assert run["started"].endswith("Z")
    assert run["seconds"] > 0
    generate, finish = table(path, "action")
    assert generate | {"at": "", "id": 0, "run": 0} == {
        "id": 0,
        "run": 0,
        "at": "",
        "asset": "hero",
        "action": "generate",
        "key": KEY,
        "recipe": RECIPE,
        "engine": "noise",
        "version": "1.0.0",
        "environment": 1,
        "verdict": "build",
        "reasons": '["seed: 1 → 2"]',
        "queue_seconds": 0.25,
        "load_seconds": 0.5,
        "make_seconds": 2.0,
        "finish_seconds": 0.0,
        "host_bytes": 10,
        "device_bytes": 0,
        "tries": 2,
        "error": "",
        "message": "",
        "cost": 0.04,
        "hit": 0,
    }
    assert (finish["action"], finish["make_seconds"], finish["finish_seconds"]) == ("finish", 0.0, 0.125)
    assert finish["device_bytes"] == 20
    (worker,) = table(path, "worker")
    expected = {"engine": "noise", "device": "cuda:0", "load_seconds": 0.5, "confined": '["net"]'}
    assert expected.items() <= worker.items()
    assert [item["value"] for item in table(path, "environment")] == ['{"noise":"1"}']
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_environment_is_kept_once(path: Path) -> None:
    for _ in range(2):
        keep(path, *MADE)
    assert len(table(path, "environment")) == 1
    assert [row["environment"] for row in table(path, "action")] == [1, None, 1, None]


def test_a_hit_is_a_row_without_engine_time(path: Path) -> None:
    recalled = ActionRecalled(name=HERO, action=Action.RESTORE, engine="noise", key=RECIPE)
    keep(path, started(), hello(), recalled, AssetDone(name=HERO, verdict=Verdict.RESTORE, seconds=0.1))
    (row,) = table(path, "action")
    assert (row["action"], row["hit"], row["tries"], row["environment"]) == ("restore", 1, 0, None)
    assert row["queue_seconds"] + row["load_seconds"] + row["make_seconds"] + row["finish_seconds"] == 0
    assert table(path, "run")[0]["restored"] == 1


FAILED = RequestFailed(engine="noise", asset=HERO, kind=ErrorKind.REFUSED)
SPENT = spent("noise", error=ErrorKind.REFUSED)
BLAMED = AssetFailed(name=HERO, message="the rules refused it", hint="mend it")


@pytest.mark.parametrize("order", [(FAILED, SPENT, BLAMED), (FAILED, BLAMED, SPENT)], ids=["spent", "blamed"])
def test_a_failure_carries_its_message_whichever_is_told_first(path: Path, order: tuple[Event, ...]) -> None:
    keep(path, started(), asked(Action.GENERATE, "noise"), *order)
    (row,) = table(path, "action")
    assert (row["error"], row["message"]) == ("refused", "the rules refused it")
    run = table(path, "run")[0]
    assert (run["failed"], run["ending"]) == (1, "failed")


@pytest.mark.parametrize(
    ("engine", "values", "cost"),
    [
        ("noise", {"error": ErrorKind.REFUSED}, None),
        ("noise", {"error": ErrorKind.UNCERTAIN}, None),
        ("noise", {"error": ErrorKind.QUOTA}, 0.0),
        ("noise", {"error": ErrorKind.INTERNAL, "tries": 0}, 0.0),
        ("stock", {"error": ErrorKind.INTERNAL}, 0.0),
        ("noise", {"cost": None}, None),
        ("noise", {"cost": 0.5}, 0.5),
    ],
)
def test_what_may_have_been_billed_is_no_nought(
    path: Path, engine: str, values: dict[str, Any], cost: float | None
) -> None:
    journal = Journal(path, Heading(command="build"), free={"stock", "finish"})
    for event in (asked(Action.GENERATE, engine), spent(engine, **values)):
        journal.note(event)
    journal.close()
    assert [row["cost"] for row in table(path, "action")] == [cost]


def older(path: Path) -> None:
    """Take away what journals got later."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE run DROP COLUMN dirty")


def test_an_older_journal_is_read_as_it_is(path: Path) -> None:
    keep(path, *MADE)
    older(path)
    before = path.read_bytes()
    (run,) = rows_of(path).runs
    assert run.dirty is None
    assert path.read_bytes() == before


def test_an_older_journal_is_written_on(path: Path) -> None:
    keep(path, *MADE)
    older(path)
    assert keep(path, *MADE).trouble == ""
    assert len(rows_of(path).runs) == 2
    assert not path.with_name(ASIDE).exists()
    assert "dirty" in table(path, "run")[0]


def test_two_runs_may_complete_an_older_journal_at_once(path: Path) -> None:
    keep(path, *MADE)
    for _ in range(8):
        older(path)
        barrier = threading.Barrier(4)

        def one(barrier: threading.Barrier = barrier) -> str:
            barrier.wait(20)
            return keep(path, *MADE).trouble

        with ThreadPoolExecutor(4) as executor:
            told = [future.result(20) for future in [executor.submit(one) for _ in range(4)]]
        assert told == [""] * 4
    assert len(rows_of(path).runs) == 1 + 8 * 4


def test_a_failure_outside_an_engine_is_a_row_of_no_engine(path: Path) -> None:
    lost = AssetFailed(name=HERO, message="`palette.png` changed while it was read")
    keep(path, started(), lost)
    (row,) = table(path, "action")
    assert (row["engine"], row["error"], row["message"]) == ("", OUTSIDE, lost.message)


def test_a_blocked_asset_is_counted_and_no_action(path: Path) -> None:
    keep(path, AssetFailed(name=HERO, message="its engine is retired", blocked=True))
    assert table(path, "action") == []
    assert table(path, "run")[0]["blocked"] == 1


def test_a_request_of_no_action_is_no_row(path: Path) -> None:
    keep(path, started(), spent("finish"))
    assert table(path, "action") == []


def test_a_lost_worker_says_why(path: Path) -> None:
    keep(
        path,
        hello(worker=7),
        hello(worker=8),
        hello(worker=9),
        WorkerLost(engine="noise", reason="it hung", kind=ErrorKind.TRANSIENT, worker=8),
        WorkerLost(engine="noise", reason="never said hello", kind=ErrorKind.MISSING, worker=10),
    )
    found = [
        (row["engine"], row["load_seconds"], row["lost_kind"], row["lost_reason"])
        for row in table(path, "worker")
    ]
    assert found == [
        ("noise", 0.5, "", ""),
        ("noise", 0.5, "transient", "it hung"),
        ("noise", 0.5, "", ""),
        ("noise", None, "missing", "never said hello"),
    ]


@pytest.mark.parametrize(
    ("error", "ending"), [(None, "done"), (KeyboardInterrupt, "interrupted"), (RuntimeError, "failed")]
)
def test_how_a_run_ended(path: Path, error: type[BaseException] | None, ending: str) -> None:
    keep(path, *MADE, ended_by=error)
    assert rows_of(path).runs[0].ending == ending


def test_a_run_of_which_nothing_is_told_leaves_no_trace(path: Path) -> None:
    assert keep(path).trouble == ""
    assert not path.exists()
    assert read(path) is None


def test_what_no_column_holds_is_made_to_fit(path: Path) -> None:
    huge = spent("noise", host_bytes=2**70)
    name = "bad\udcff\x00name"
    assert keep(path, started(name), asked(Action.GENERATE, "noise"), huge, MADE[3], huge).trouble == ""
    assert rows_of(path).actions[0].host_bytes == 2**63 - 1
    broken = AssetFailed(name=AssetName(name), message="a \ud800 surrogate")
    assert keep(path, started(name), broken).trouble == ""
    assert rows_of(path).actions[-1].message == "a ? surrogate"


@pytest.mark.parametrize(
    "values",
    [
        {"host_bytes": -(10**40)},
        {"device_bytes": 10**400, "tries": 10**30},
        {"cost": float("inf"), "make_seconds": float("nan")},
        {"queue_seconds": 10**400},
        {"cost": -(10**400)},
    ],
    ids=str,
)
def test_no_number_ends_it_or_what_it_is_told_by(path: Path, values: dict[str, Any]) -> None:
    odd = spent("noise", **values)
    again = asked(Action.GENERATE, "noise")
    assert keep(path, started(), again, odd, again, spent("noise", host_bytes=1)).trouble == ""
    rows = table(path, "action")
    assert [row["host_bytes"] for row in rows] == [0, 1]
    assert table(path, "run")[0]["ending"] == "done"


def test_a_value_that_no_row_holds_ends_the_journal_and_nothing_else(path: Path) -> None:
    class Odd:
        def encode(self, *_: str) -> bytes:
            detail = "no number fits"
            raise OverflowError(detail)

    journal = keep(path, started(), AssetFailed(name=HERO, message=Odd()))  # type: ignore[arg-type]
    assert journal.trouble.startswith("the journal is not kept: ")


def test_threads_share_it(path: Path) -> None:
    journal = Journal(path, Heading(command="build"))

    def work(number: int) -> None:
        for turn in range(50):
            name = f"{number}/{turn}"
            for event in (started(name), asked(Action.GENERATE, "noise", name), spent("noise", name)):
                journal.note(event)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert journal.trouble == ""
    assert len({row.asset for row in rows_of(path).actions}) == 200


def test_a_reader_sees_each_row_while_the_run_goes_on(path: Path) -> None:
    journal = Journal(path, Heading(command="build"))
    for number, event in enumerate(MADE):
        journal.note(event)
        found = rows_of(path)
        assert (found.runs[0].ending, found.runs[0].alive) == (None, True)
        assert len(found.actions) == (number >= 4) + (number >= 6)
    journal.close()
    assert rows_of(path).runs[0].ending == "done"


def test_old_runs_make_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "KEPT_ACTIONS", 6)
    for _ in range(9):
        keep(path, *MADE)
    # The newest six actions, and those of the run that is written: the next one will drop its oldest.
    assert [run["id"] for run in table(path, "run")] == [6, 7, 8, 9]
    assert {row["run"] for row in table(path, "action")} == {6, 7, 8, 9}
    assert {row["run"] for row in table(path, "worker")} == {6, 7, 8, 9}
    monkeypatch.setattr(run_module, "KEPT_RUNS", 2)
    keep(path, *MADE)
    assert [run["id"] for run in table(path, "run")] == [8, 9, 10]
    assert len(table(path, "environment")) == 1


def test_another_version_goes_aside(path: Path) -> None:
    keep(path, *MADE)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(Unreadable, match=r"^it was written by another version of artlock$"):
        read(path)
    told = f"the journal was written by another version; it is kept as `{ASIDE}`, and a new one begins"
    assert keep(path, *MADE).trouble == told
    assert len(rows_of(path).runs) == 1
    assert len(table(path.with_name(ASIDE), "run")) == 1


def test_a_stranger_s_database_goes_aside(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE run (secret TEXT)")
    assert ASIDE in keep(path, *MADE).trouble
    assert len(rows_of(path).runs) == 1


def write_noise(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be one of some kind. " * 100)


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def spoil_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def make_folder_of_it(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").write_text("a person's")


def drop_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE action")


@pytest.mark.parametrize(
    "spoil",
    [write_noise, write_nothing, spoil_middle, make_folder_of_it, drop_a_table],
    ids=lambda f: f.__name__,
)
def test_a_spoilt_journal_costs_at_most_one_run(path: Path, spoil: Callable[[Path], None]) -> None:
    keep(path, *MADE)
    spoil(path)
    journal = keep(path, *MADE)
    if spoil is make_folder_of_it:
        told = f"the journal is not a regular file; it is kept as `{ASIDE}`, and a new one begins"
        assert journal.trouble == told
        assert (path.with_name(ASIDE) / "file").exists()
    assert ("the journal " in journal.trouble) == (spoil is not write_nothing)
    keep(path, *MADE)
    assert rows_of(path).runs[-1].ending == "done"


def be_a_pipe(path: Path) -> None:
    os.mkfifo(path)


def be_a_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def be_a_link_to_another(path: Path) -> None:
    keep(path.parent / "elsewhere" / ".artlock" / NAME, *MADE)
    path.symlink_to(path.parent / "elsewhere" / ".artlock" / NAME)


def be_a_link_to_nothing(path: Path) -> None:
    path.symlink_to(path.parent / "made elsewhere.db")


@pytest.mark.parametrize("be", [be_a_pipe, be_a_link, be_a_link_to_another, be_a_link_to_nothing])
def test_what_is_no_file_is_neither_read_nor_written(path: Path, be: Callable[[Path], None]) -> None:
    path.parent.mkdir()
    be(path)
    before = path.lstat()
    with pytest.raises(Unreadable, match=r"^it is not a regular file$"):
        read(path)
    told = f"the journal is not a regular file; it is kept as `{ASIDE}`, and a new one begins"
    assert keep(path, *MADE).trouble == told
    assert path.with_name(ASIDE).lstat().st_mode == before.st_mode
    assert len(rows_of(path).runs) == 1
    assert not (path.parent / "made elsewhere.db").exists()


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_log_that_is_no_file_is_not_opened(path: Path, suffix: str) -> None:
    keep(path, *MADE)
    os.mkfifo(path.with_name(NAME + suffix))
    with pytest.raises(Unreadable, match=f"^it has a `{NAME}{suffix}` that is no file$"):
        read(path)
    assert ASIDE in keep(path, *MADE).trouble
    assert len(rows_of(path).runs) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_else_s_file_goes_aside(path: Path) -> None:
    keep(path, *MADE)
    os.chown(path, 12345, 12345)
    with pytest.raises(Unreadable, match=r"^it belongs to somebody else$"):
        read(path)
    assert keep(path, *MADE).trouble.startswith("the journal belongs to somebody else; it is kept as ")
    # On some mounts all files and folders are one user's, whoever makes them.
    for mine in (path.parent, path):
        os.chown(mine, 12345, 12345)
    assert keep(path, *MADE).trouble == ""
    assert len(rows_of(path).runs) == 2


def test_a_lock_of_its_that_is_a_pipe_holds_nobody(path: Path) -> None:
    keep(path, *MADE)
    lock = path.with_name("journal.lock")
    lock.unlink()
    os.mkfifo(lock)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE run SET ending = NULL")
    assert not rows_of(path).runs[0].alive
    keep(path, *MADE)
    assert len(rows_of(path).runs) == 2


@pytest.mark.parametrize(
    ("table_", "change"),
    [
        ("run", "started = 'nonsense'"),
        ("run", "started = '2026-13-01T00:00:00Z'"),
        ("run", "seconds = 9e999"),
        ("run", "built = -1"),
        ("action", "at = ''"),
        ("action", "cost = 1.7e308"),
        ("action", "make_seconds = -1"),
        ("action", "finish_seconds = 9e999"),
        ("action", "host_bytes = -1"),
        ("worker", "load_seconds = 1e300"),
    ],
)
def test_odd_rows_are_told_and_not_summed(path: Path, table_: str, change: str) -> None:
    keep(path, *MADE)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE {table_} SET {change}")  # noqa: S608 - from the list above
    with pytest.raises(Unreadable, match=r"^it is damaged or out of reach \("):
        read(path)


def test_cut_off_at_every_512_bytes(path: Path) -> None:
    keep(path, *MADE)
    whole = path.read_bytes()
    for length in range(0, len(whole), 512):
        path.write_bytes(whole[:length])
        try:
            found = read(path)
        except Unreadable as error:
            assert str(error).startswith(("it is damaged", "it was written"))  # noqa: PT017 - either may be
        else:
            assert found is not None
        keep(path, *MADE)
        keep(path, *MADE)
        assert rows_of(path).runs[-1].ending == "done", length


def test_a_torn_write_ahead_log_costs_its_last_rows_only(path: Path) -> None:
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom test_journal import *\n"
        "journal = Journal(Path(sys.argv[1]), Heading(command='build'))\n"
        "[journal.note(event) for event in MADE]\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    killed = subprocess.run([sys.executable, "-c", script, str(path)], env=environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    log = path.with_name(f"{NAME}-wal")
    whole = log.read_bytes()
    assert len(rows_of(path).actions) == 2
    assert not rows_of(path).runs[0].alive
    log.write_bytes(whole[:-2000])
    assert len(rows_of(path).runs) == 1
    keep(path, *MADE)
    assert rows_of(path).runs[-1].ending == "done"


def test_deleted_while_it_is_kept(path: Path) -> None:
    journal = Journal(path, Heading(command="build"))
    journal.note(MADE[0])
    for file in path.parent.glob(f"{NAME}*"):
        file.unlink()
    for event in MADE[1:]:
        journal.note(event)
    journal.close()
    keep(path, *MADE)
    assert len(rows_of(path).runs) == 1


def test_a_journal_that_someone_else_holds_is_done_without(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(path, *MADE)
    monkeypatch.setattr("buildsys.journal.database.BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert keep(path, *MADE).trouble == "the journal is not kept: database is locked"
    assert keep(path, *MADE).trouble == ""
    assert len(rows_of(path).runs) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_journal_and_nothing_else(small_disk: Path) -> None:
    path = small_disk / NAME
    keep(path, *MADE)
    (small_disk / "ballast").write_bytes(b"x" * 100_000)
    journal = Journal(path, Heading(command="build"))
    for number in range(2000):
        name = f"asset-{number}"
        for event in (started(name), asked(Action.GENERATE, "noise", name), spent("noise", name)):
            journal.note(event)
    journal.close()
    assert journal.trouble == "the journal is not kept: database or disk is full"
    (small_disk / "ballast").unlink()
    assert keep(path, *MADE).trouble == ""
    assert rows_of(path).runs[-1].ending == "done"


def test_a_read_only_disk_is_done_without_and_still_read(small_disk: Path) -> None:
    path = small_disk / NAME
    keep(path, *MADE)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert keep(path, *MADE).trouble.startswith("the journal is not kept: ")
    assert len(rows_of(path).actions) == 2


SECRET = "sk-0123456789-very-secret"  # noqa: S105 - no secret


def test_no_key_is_ever_in_it(path: Path) -> None:
    journal = Journal(path, Heading(command="build"), secrets=[SECRET])
    for event in (
        started(),
        WorkerStarted(engine="noise", seconds=1),
        asked(Action.GENERATE, "noise"),
        FAILED,
        msgspec.structs.replace(SPENT, environment={"key": SECRET}),
        AssetFailed(name=HERO, message=f"401: `{SECRET}` is no key"),
        WorkerLost(engine="noise", reason=f"died with {SECRET}"),
    ):
        journal.note(event)
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in path.parent.iterdir())
    journal.close()
    assert SECRET.encode() not in path.read_bytes()
    assert rows_of(path).actions[0].message == "401: `[key]` is no key"


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


def test_a_group_is_written_at_once(path: Path) -> None:
    journal = Journal(path, Heading(command="build"))
    journal.note(AssetsKept(fresh=1, edited=0))
    for name in journal.at_once(["hero", "villain"]):
        before = actions(path)
        journal.note(started(name))
        journal.note(recalled(name))
        assert actions(path) == before
    assert actions(path) == ["hero", "villain"]
    journal.close()


def test_what_is_told_before_an_interrupt_is_kept(path: Path) -> None:
    journal = Journal(path, Heading(command="build"))
    journal.note(AssetsKept(fresh=1, edited=0))

    def restore() -> None:
        for name in journal.at_once(["hero", "villain"]):
            journal.note(recalled(name))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore()
    assert actions(path) == ["hero"]
    journal.close(KeyboardInterrupt)
    assert rows_of(path).runs[0].ending == "interrupted"


def recalled(name: str) -> ActionRecalled:
    return ActionRecalled(name=AssetName(name), action=Action.RESTORE, engine="noise", key=KEY)


def actions(path: Path) -> list[str]:
    """The assets of the rows that another process would see."""
    with closing(sqlite3.connect(path)) as connection:
        return [asset for (asset,) in connection.execute("SELECT asset FROM action ORDER BY id")]


ASSET = '[assets.{}]\nrole = "sprite"\nseed = {}\nsize = [8, 8]\n'


def journal_of(game: Game) -> Path:
    return game.folder / ".artlock" / NAME


def test_a_key_that_an_engine_shouts_is_not_in_it(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace("parallel = true", 'parallel = true\nkeys = ["NOISE_KEY"]'))
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(
        adapter.read_text().replace('request.parameters["fail"]', '__import__("os").environ["NOISE_KEY"]')
    )
    game.write(ASSET.format("hero", 1) + 'parameters = { fail = "x" }\n')
    environ = {**game.environ, "NOISE_KEY": SECRET}
    done = subprocess.run(
        [sys.executable, "-m", "buildsys", "build"],
        cwd=game.folder,
        env=environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    files = [file for file in game.folder.joinpath(".artlock").glob("journal*") if file.is_file()]
    assert files
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in files)


def test_what_a_build_did_is_in_it(game: Game) -> None:
    game.write(ASSET.format("hero", 1) + ASSET.format("wolf", 2))
    game.build()
    (game.folder / "out" / "hero.png").unlink()
    game.build()
    rows = rows_of(journal_of(game))
    assert [(run.command, run.built, run.restored, run.fresh) for run in rows.runs] == [
        ("build", 2, 0, 0),
        ("build", 0, 1, 1),
    ]
    hit = rows.actions[-1]
    assert (hit.run, hit.asset, hit.action, hit.engine, hit.hit) == (2, "hero", "restore", "noise", 1)
    assert {worker.engine for worker in rows.workers} == {"noise", "finish"}


def test_other_commands_are_in_it_by_their_name(game: Game) -> None:
    game.write(ASSET.format("hero", 1))
    game.build()
    game.run("reproduce", "hero")
    game.run("generate", "--engine", "noise", "--seed", "3", "--size", "8x8", "-o", "trial.png")
    (game.folder / "dodo.py").write_text((ROOT / "dodo.py").read_text())
    (game.folder / "out" / "hero.png").unlink()
    for words in (["list"], []):
        subprocess.run(
            [sys.executable, "-m", "doit", *words],
            cwd=game.folder,
            env=game.environ,
            check=True,
            capture_output=True,
        )
    found = [(run.command, run.ending, run.built, run.restored) for run in rows_of(journal_of(game)).runs]
    assert found == [
        ("build", "done", 1, 0),
        ("reproduce", "done", 1, 0),
        ("generate", "done", 1, 0),
        ("doit", "done", 0, 1),
    ]


@pytest.mark.parametrize(
    ("number", "ending"), [(signal.SIGKILL, "killed"), (signal.SIGINT, "interrupted")], ids=["KILL", "INT"]
)
def test_a_build_that_is_cut_off_leaves_its_rows(game: Game, number: signal.Signals, ending: str) -> None:
    game.write(ASSET.format("hero", 1))
    game.build()
    (game.folder / "out" / "hero.png").unlink()
    game.write(ASSET.format("hero", 1) + ASSET.format("wolf", 2) + "parameters = { seconds = 60 }\n")
    process = game.start("build")
    wait_for(lambda: any(row.run == 2 and row.hit for row in rows_of(journal_of(game)).actions))
    wait_for(lambda: any(row.run == 2 and row.engine == "noise" for row in rows_of(journal_of(game)).workers))
    live = json.loads(game.run("report", "--json", "--last", "1").stdout)["runs"][0]
    assert (live["ending"], live["restored"]) == ("running", 1)
    process.send_signal(number)
    process.communicate(timeout=20)
    told = json.loads(game.run("report", "--json", "--last", "1").stdout)["runs"][0]
    assert (told["ending"], told["restored"], told["command"]) == (ending, 1, "build")
    game.write(ASSET.format("hero", 1))
    assert set(game.build()) <= {"fresh", "restored"}
    assert rows_of(journal_of(game)).runs[-1].ending == "done"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_a_build_tells_once_that_its_journal_is_spoilt(game: Game) -> None:
    game.write(ASSET.format("hero", 1) + ASSET.format("wolf", 2))
    journal_of(game).parent.mkdir()
    write_noise(journal_of(game))
    done = game.run("build")
    notes = [line for line in done.stderr.splitlines() if "journal" in line]
    assert notes == [f"note: the journal was damaged; it is kept as `{ASIDE}`, and a new one begins"]
    assert (game.folder / "out" / "wolf.png").exists()
    assert "journal" not in game.run("build").stderr
    assert [run.built for run in rows_of(journal_of(game)).runs] == [2, 0]


def test_each_row_names_the_environment_of_its_own_worker(path: Path) -> None:
    both = [
        event
        for number in "01"
        for event in (
            asked(Action.GENERATE, "noise", number),
            msgspec.structs.replace(spent("noise", number), environment={"device": number}),
        )
    ]
    keep(path, hello(device="cuda:0"), hello(device="cuda:1"), *both)
    values = {row["id"]: row["value"] for row in table(path, "environment")}
    found = {row["asset"]: values[row["environment"]] for row in table(path, "action")}
    assert found == {"0": '{"device":"0"}', "1": '{"device":"1"}'}
