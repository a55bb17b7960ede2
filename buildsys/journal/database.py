"""The journal's database: its tables, and how it is opened for writing and for reading.

Knows nothing of what is written. A file that is not this version's is moved aside, never mended; a column
that came later is added where it lacks, for the rows tell what was paid.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME: Final = "journal.db"
ASIDE: Final = "journal.db.old"
"""Where a journal goes that this version can't use; the one that lay there before is lost."""

VERSION: Final = 1
"""Of the tables, in `PRAGMA user_version`. A column more is no new version: an older artlock writes on."""

BUSY_SECONDS: Final = 2.0
"""How long a row waits while another command of this checkout writes."""

_APPLICATION: Final = 0x6172746C
""""artl": the mark of ours in `PRAGMA application_id`, so that a stranger's database is known as one."""

_TABLES: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,
    ended TEXT,
    command TEXT NOT NULL,
    profile TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    artlock TEXT NOT NULL,
    python TEXT NOT NULL,
    machine TEXT NOT NULL,
    revision TEXT NOT NULL,
    process INTEGER NOT NULL,
    built INTEGER NOT NULL DEFAULT 0,
    restored INTEGER NOT NULL DEFAULT 0,
    fresh INTEGER NOT NULL DEFAULT 0,
    edited INTEGER NOT NULL DEFAULT 0,
    blocked INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    seconds REAL,
    ending TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS environment (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS worker (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    engine TEXT NOT NULL,
    device TEXT NOT NULL,
    load_seconds REAL,
    confined TEXT NOT NULL,
    lost_kind TEXT NOT NULL DEFAULT '',
    lost_reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS action (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    at TEXT NOT NULL,
    asset TEXT NOT NULL,
    action TEXT NOT NULL,
    key TEXT NOT NULL,
    recipe TEXT NOT NULL,
    engine TEXT NOT NULL,
    version TEXT NOT NULL,
    environment INTEGER,
    verdict TEXT NOT NULL,
    reasons TEXT NOT NULL,
    queue_seconds REAL NOT NULL DEFAULT 0,
    load_seconds REAL NOT NULL DEFAULT 0,
    make_seconds REAL NOT NULL DEFAULT 0,
    finish_seconds REAL NOT NULL DEFAULT 0,
    host_bytes INTEGER NOT NULL DEFAULT 0,
    device_bytes INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    cost REAL,
    hit INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS action_of_run ON action (run);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""

_LATER: Final = (("run", "dirty", "INTEGER"),)
"""Columns that a journal of this version may lack: table, name, type. Each may be NULL."""


class Foreign(Exception):  # noqa: N818 - as in a sentence: the file is foreign
    """A database, but not one that this version wrote."""


class Odd(Exception):  # noqa: N818 - as in a sentence: what lies there is odd
    """What has the journal's name is not to be opened; the text says why, as half a sentence."""


def refuse_odd(path: Path) -> None:
    """Raise `Odd` for what is no file of ours: a pipe would hold us, a link lead elsewhere. Raises `OSError`.

    Its log and its index are looked at too, for SQLite opens them by their names.
    """
    for name in (path.name, *_beside(path)):
        try:
            status = path.with_name(name).lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(status.st_mode):
            raise Odd("is not a regular file" if name == path.name else f"has a `{name}` that is no file")
        # Some mounts give every file to one user: then the folder is that user's too.
        if status.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
            raise Odd("belongs to somebody else")


def _beside(path: Path) -> tuple[str, ...]:
    return tuple(f"{path.name}{suffix}" for suffix in ("-wal", "-shm"))


def open_to_write(path: Path) -> tuple[sqlite3.Connection, str]:
    """The journal at `path`, made where there is none, and what a person should know of it.

    One that can't be read goes aside, and a new one takes its place. Raises `sqlite3.Error`, `OSError`.
    """
    note = ""
    try:
        refuse_odd(path)
        return _to_write(path), note
    except Odd as error:
        note = f"the journal {error}; it is kept as `{ASIDE}`, and a new one begins"
    except Foreign:
        note = f"the journal was written by another version; it is kept as `{ASIDE}`, and a new one begins"
    except sqlite3.Error as error:
        if not damaged(error):
            raise
        note = f"the journal was damaged; it is kept as `{ASIDE}`, and a new one begins"
    put_aside(path)
    return _to_write(path), note


def _to_write(path: Path) -> sqlite3.Connection:
    # Autocommit: each statement is a transaction, so an interrupt between two leaves none open.
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        found = _mark(connection)
        if found != (_APPLICATION, VERSION):
            if connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
                _refuse_foreign(found)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLES)
        _complete(connection)
        # A power cut may lose the last rows, never the file. An fsync for each row would cost more than
        # many a picture.
        connection.execute("PRAGMA synchronous = NORMAL")
        # Each time that the log is folded in costs two fsyncs, in the middle of a build: seldom, then.
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
    except BaseException:
        connection.close()
        raise
    return connection


def _complete(connection: sqlite3.Connection) -> None:
    """Add the columns that came later."""
    if all(name in columns(connection, table) for table, name, _ in _LATER):
        return
    # Looked at again, with the file held: another command may add them just now, and twice is an error.
    connection.execute("BEGIN IMMEDIATE")
    for table, name, kind in _LATER:
        if name not in columns(connection, table):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
    connection.execute("COMMIT")


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The names of a table's columns."""
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in found)


def open_to_read(path: Path) -> sqlite3.Connection:
    """The journal at `path`, also while a build writes it. Raises `sqlite3.Error`, `Foreign`."""
    try:
        return _to_read(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if _code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        # A folder that can't be written: a reader of a live journal would have to make a file there.
        return _to_read(path, "immutable=1")


def _to_read(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{how}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    try:
        _refuse_foreign(_mark(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_foreign(mark: tuple[int, int]) -> None:
    if mark != (_APPLICATION, VERSION):
        raise Foreign


def _mark(connection: sqlite3.Connection) -> tuple[int, int]:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def damaged(error: sqlite3.Error) -> bool:
    """Whether `error` says that the file is no sound database; a disk or a lock that says no is not that."""
    broken = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA)
    return _code(error) in broken or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code: the extended one tells which system call it was."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def put_aside(path: Path) -> None:
    """Let the next journal begin anew. Raises `OSError`.

    The write-ahead log goes: it belongs to this file, and another file of the name would take it for its.
    """
    with suppress(FileNotFoundError):  # a log alone may be what is odd
        path.replace(path.with_name(ASIDE))
    for name in _beside(path):
        path.with_name(name).unlink(missing_ok=True)
