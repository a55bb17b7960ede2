"""Git, asked through its own program. Knows nothing of manifests or locks.

Each call names its repository by a folder, whatever repository a hook runs in: see `gitplace`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, cast

from buildsys import gitplace
from buildsys.errors import GitError
from buildsys.gitplace import is_repository as is_repository  # noqa: PLC0414

_INDEX: Final = ("", ":1", ":2", ":3")
_REGULAR: Final = b"100"
"""How the mode of a regular file starts, executable or not."""
_FEW: Final = 100
"""Paths that fit on a command line; for more, the whole listing is taken."""

_MENDS: Final = (
    (
        "not a git repository",
        "`{folder}` is in no git repository",
        "run `git init` in the project's folder",
    ),
    (
        "dubious ownership",
        "git does not trust the repository at `{folder}`: it belongs to another user",
        "run `git config --global --add safe.directory '{folder}'`",
    ),
)
"""What git says, what we say, and the action that mends it."""


def root(folder: Path) -> Path:
    """The top of the work tree that `folder` is in. Raises `GitError`."""
    return Path(os.fsdecode(run(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))


def prefix(folder: Path) -> str:
    """Where `folder` is below the top of its repository: empty, or ending in `/`. Raises `GitError`."""
    return os.fsdecode(run(folder, "rev-parse", "--show-prefix").removesuffix(b"\n"))


def run(folder: Path, *arguments: str, keep: Iterable[str] = (), given: bytes = b"") -> bytes:
    """What `git ARGUMENTS` prints, run in `folder`, when `given` this to read. Raises `GitError`."""
    with _start(folder, arguments, keep) as process:
        output, complaint = process.communicate(given)
    if process.returncode:
        raise _error(folder, arguments, os.fsdecode(complaint))
    return output


def identity(folder: Path) -> str:
    """Who git takes the user for, as `Name <mail>`. Raises `GitError`; without a hint where nobody told it.

    What it would make of the names of user and machine is nobody's word.
    """
    told = os.fsdecode(run(folder, "-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"))
    return told.rpartition("> ")[0] + ">"


def commit(folder: Path, revision: str) -> str:
    """The full name of the commit that `revision` means. Raises `GitError`."""
    # A revision that starts with a dash would be taken for an option.
    if not revision.startswith("-"):
        try:
            return run(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
        except GitError as error:
            if error.hint:
                raise
    if revision == "HEAD":
        raise GitError("the repository has no commit yet", "commit something first")
    raise GitError(
        f"git knows no revision `{revision}`",
        "look at `git log`; a shallow clone needs `git fetch --unshallow`",
    )


def show(folder: Path, revision: str, path: str) -> bytes:
    """The content of the file `path` (from the top of the repository) in `revision`. Raises `GitError`."""
    ((_, data),) = blobs(folder, revision, [path])
    if data is None:
        raise GitError(f"`{path}` is not in `{revision}`", f"look at `git log -- {path}`")
    return data


def blobs(folder: Path, revision: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Each path with its content in `revision`; None where there is no such file. Raises `GitError`.

    Two processes for all of them. A revision of `""` means the index; of `:1`, `:2` or `:3`, what a merge
    with conflicts left there: the common ancestor, ours, theirs. A symbolic link is no file.
    """
    wanted = list(paths)
    objects = _objects(folder, revision, wanted)
    with _start(folder, ("cat-file", "--batch"), keep=()) as process:
        questions, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            for path in wanted:
                if (name := objects.get(os.fsencode(path))) is None:
                    yield path, None
                    continue
                with suppress(BrokenPipeError):  # it ended; its answer, or none, tells why
                    questions.write(name + b"\n")
                    questions.flush()
                yield path, _answer(folder, answers, process)
        finally:
            process.kill()


def stages(folder: Path, path: str) -> tuple[bytes | None, bytes | None, bytes | None]:
    """What a merge with conflicts left of `path` (from `folder`): the common ancestor, ours, theirs.

    All None where it left none. Raises `GitError`.
    """
    above = prefix(folder)
    base, ours, theirs = (next(blobs(folder, stage, [above + path]))[1] for stage in _INDEX[1:])
    return base, ours, theirs


def rebasing(folder: Path) -> bool:
    """Whether a rebase is under way, in which `ours` is the branch below. Raises `GitError`."""
    names = ("rebase-merge", "rebase-apply")
    found = run(folder, "rev-parse", *(word for name in names for word in ("--git-path", name)))
    return any((folder / os.fsdecode(line)).exists() for line in found.splitlines())


def _objects(folder: Path, revision: str, paths: list[str]) -> dict[bytes, bytes]:
    """Path to object name of the regular files in `revision`, in one listing.

    To ask `cat-file` for `revision:path` was refused: it reads the whole folder anew for each path, and
    10,000 pictures in one folder took half a minute.
    """
    # `./x` is sought below the current folder, `../x` is fatal, and an empty path means everything.
    sound = [path for path in paths if {"", ".", ".."}.isdisjoint(path.split("/"))]
    only = sound if len(sound) <= _FEW else []
    if not sound:
        return {}
    if revision in _INDEX:
        stage = revision.removeprefix(":").encode() or b"0"
        listing = run(
            root(folder), "--literal-pathspecs", "ls-files", "-sz", "--", *only, keep=["GIT_INDEX_FILE"]
        )
        # MODE NAME STAGE<tab>PATH
        split = (entry.partition(b"\t") for entry in listing.split(b"\0") if entry)
        rows = ((*head.split(), path) for head, _, path in split)
        return {path: name for mode, name, at, path in rows if at == stage and mode.startswith(_REGULAR)}
    tree = commit(folder, revision)
    listing = run(folder, "--literal-pathspecs", "ls-tree", "-rz", "--full-tree", tree, "--", *only)
    # MODE TYPE NAME<tab>PATH
    split = (entry.partition(b"\t") for entry in listing.split(b"\0") if entry)
    rows = ((*head.split(), path) for head, _, path in split)
    return {path: name for mode, _, name, path in rows if mode.startswith(_REGULAR)}


def named(folder: Path, revision: str, paths: Iterable[str]) -> dict[str, str]:
    """Of `paths` (from the top), the regular files in `revision` (see `blobs`), with their objects' names.

    Raises `GitError`.
    """
    wanted = list(paths)
    found = _objects(folder, revision, wanted)
    return {path: found[key].decode() for path in wanted if (key := os.fsencode(path)) in found}


def objects(folder: Path, names: Iterable[str], keep: Iterable[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Each object with its content, by one process. Raises `GitError`, also where one is missing."""
    for name, data in held(folder, names, keep):
        if data is None:
            raise GitError(f"the repository at `{folder}` lacks the object `{name}`", "run `git fsck`")
        yield name, data


def held(
    folder: Path, names: Iterable[str], keep: Iterable[str] = ()
) -> Generator[tuple[str, bytes | None], None, None]:
    """Each file that git calls so (an object, `COMMIT:PATH`), with its content; None where it has none.

    One process for all, asked as `names` are drawn. Raises `GitError`.
    """
    with _start(folder, ("cat-file", "--batch"), keep) as process:
        questions, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            for name in names:
                with suppress(BrokenPipeError):  # it ended; its answer, or none, tells why
                    questions.write(os.fsencode(name) + b"\n")
                    questions.flush()
                yield name, _answer(folder, answers, process)
        finally:
            process.kill()


def changed_paths(
    folder: Path, base: str, head: str | None = None, *, staged: bool = False, keep: Iterable[str] = ()
) -> tuple[str, ...]:
    """Paths from the top that differ between `base` and `head`; without a head, and the files on disk.

    `staged`: the index, not the files on disk. Files that git does not track are left out.
    Raises `GitError`.
    """
    revisions = [commit(folder, base), *([commit(folder, head)] if head is not None else [])]
    options = ["--cached"] if staged else []
    output = run(folder, "diff", "--name-only", "--no-renames", "-z", *options, *revisions, "--", keep=keep)
    return tuple(os.fsdecode(path) for path in output.split(b"\0") if path)


def hooks_path(folder: Path) -> Path:
    """The folder of the repository's hooks, where `core.hooksPath` puts it. Raises `GitError`."""
    found = os.fsdecode(run(folder, "rev-parse", "--git-path", "hooks").removesuffix(b"\n"))
    return Path(os.path.normpath(folder.absolute() / found))


def _start(folder: Path, arguments: Iterable[str], keep: Iterable[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - arguments are a list, and revisions are checked
            ["git", *arguments],  # noqa: S607 - the git that the user has
            cwd=folder,
            env=gitplace.environment((*keep, *gitplace.own(folder))),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except NotADirectoryError as error:
        raise GitError(f"`{folder}` is not a folder", "check the path") from error
    except FileNotFoundError as error:
        if not folder.exists():
            raise GitError(f"the folder `{folder}` is not there", "check the path") from error
        raise GitError("git is not installed, or not on the PATH", "install git") from error
    except OSError as error:
        raise GitError(f"git can't be started: {error.strerror}", "install git anew") from error


def _answer(folder: Path, answers: IO[bytes], process: subprocess.Popen[bytes]) -> bytes | None:
    """One answer of `cat-file --batch`: a head line, the content, an end of line."""
    head = answers.readline()
    if head.endswith((b" missing\n", b" ambiguous\n")):
        return None
    try:
        _, kind, size = head.split()
        data = answers.read(int(size) + 1)
    except ValueError as error:
        _, complaint = process.communicate()
        raise _error(folder, ("cat-file",), os.fsdecode(complaint)) from error
    if len(data) != int(size) + 1:
        raise GitError("git ended in the middle of a file", "run `git fsck`")
    return data[:-1] if kind == b"blob" else None


def _error(folder: Path, arguments: Iterable[str], complaint: str) -> GitError:
    for words, fact, hint in _MENDS:
        if words in complaint:
            return GitError(fact.format(folder=folder), hint.format(folder=folder))
    said = complaint.strip().removeprefix("fatal: ") or "it gave no reason"
    return GitError(f"`git {' '.join(arguments)}` failed: {said}")
