"""The errors that a person sees, and the exit codes they end in.

Knows nothing of how they are printed; `buildsys.cli` catches them in one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """What the process returns."""

    FINE = 0
    FAILED = 1
    """An asset failed, or a check found a difference; in `check --json`, differences of several kinds."""
    USAGE = 2
    """Wrong usage, manifest or lock."""
    BUG = 3
    """A bug in artlock."""
    RECIPE = 10
    """From here on, what `check --json` found where nothing else differs: another recipe is asked for."""
    NEW = 11
    """The lock does not know an asset."""
    MISSING = 12
    """A file is not there."""
    EDITED = 13
    """A file was changed by hand."""
    FOREIGN = 14
    """A file that artlock did not make lies where an asset goes."""
    MOVED = 15
    """The picture of another asset lies where one goes."""
    LEFT = 16
    """A picture of a build that was killed lies where an asset goes."""
    GATES = 17
    """What a picture must pass is not what it passed."""
    PLACEHOLDER = 18
    """A stand-in lies where an asset goes."""
    ORPHAN = 19
    """The manifest no longer has an asset of the lock."""
    BLOCKED = 20
    """An asset can't be made, such as one of a role that the profile maps to no engine."""
    CONFLICT = 21
    """Both sides of a merge changed an asset; told first, for what else differs may go with it."""
    UNAPPROVED = 22
    """Nobody has accepted the picture that the lock has of an asset, and `check --approved` asks for that."""
    UNJUDGED = 125
    """`check` could not judge: `git bisect run` skips a commit of which it hears this."""
    INTERRUPTED = 130
    UNHEARD = 141
    """Whoever read the output left before all was said: as the shell tells of what SIGPIPE ended."""


class ArtlockError(Exception):
    """A fact in one sentence, with names in backticks, and one action that mends it."""

    exit_code = Exit.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n\nhint: {self.hint}" if self.hint else self.message


class ManifestError(ArtlockError):
    """The manifest can't be read as one; the message starts with `file:line:column:` where known."""


class NoProjectError(ManifestError):
    """There is no manifest at all."""


class LockError(ArtlockError):
    """The lock can't be read, or is of a version that this artlock does not know."""


class NewerLockError(LockError):
    """The lock is of a version that this artlock does not know."""


class StoreError(ArtlockError):
    """The store can't be read or written."""

    exit_code = Exit.FAILED


class GitError(ArtlockError):
    """Git is missing, or said no."""


class MakeError(ArtlockError):
    """An asset could not be made; the others go on."""

    exit_code = Exit.FAILED


class DiskError(ArtlockError):
    """The file system said no: full, read-only, not ours."""

    exit_code = Exit.FAILED


class RemoteError(ArtlockError):
    """The remote can't be reached, read or written."""

    exit_code = Exit.FAILED


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean `x`?` for the nearest of `known`, or an empty string."""
    import difflib  # noqa: PLC0415 - 10 ms that only an error may cost

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""
