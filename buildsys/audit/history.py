"""Who brought a picture into the lock, when, and in whose place: blame over its history, by asset and pixels.

One `git log` and one `cat-file` for all assets. A lock of the past is not parsed, only looked through: it may
be of any revision, and a thousand commits hold a thousand of them. Knows nothing of what a picture is.
"""

from __future__ import annotations

import json
import os
import re
from collections import OrderedDict, deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, cast

from buildsys import git
from buildsys.audit.model import Brought, Commit
from buildsys.errors import GitError
from buildsys.manifest.cards import FINISH
from buildsys.places import LOCK

_TABLE: Final = b"\n[assets."
_ASSET: Final = re.compile(rb'("(?:[^"\\\n]|\\.)*"|[A-Za-z0-9_-]+)\]\n((?:[^\n\[][^\n]*\n)*)')
_PIXELS: Final = re.compile(rb'^pixels = "([0-9a-f]{64})"$', re.MULTILINE)
_ENGINE: Final = re.compile(rb'^engine = "([^"\\\n]*)"$', re.MULTILINE)

_OWN: Final = re.compile(rb'^paths\.image = "(?!asset:)', re.MULTILINE)

_FIELDS: Final = ("%H", "%P", "%aN", "%aE", "%aI", "%s")
_KEPT: Final = 64
"""Locks in memory. Commits come with children first, so few are waited for at a time, branches or not."""


class Version(NamedTuple):
    """An asset in a lock of the past."""

    pixels: str
    engine: str
    by_hand: bool = False
    """Whether it is made of a picture of the project's own."""


class Drawn(NamedTuple):
    """An asset as it was before the project's own picture took its place."""

    commit: str
    """The newest that has it so."""
    name: str
    """Its name then."""


class Traced(NamedTuple):
    """What history tells of the pictures of a lock, by asset."""

    brought: dict[str, Brought]
    """The commit that brought each picture; an asset whose picture is not committed is left out."""
    drawn: dict[str, Drawn]
    """Of pictures of the project's own, what they took the place of, committed or not."""


class _Node(NamedTuple):
    commit: Commit
    parents: tuple[str, ...]


class _Wanted(NamedTuple):
    asset: str
    """Its name in the lock that is asked about."""
    name: str
    """Its name in the commit that is looked at."""
    drawn: bool = False
    """Whether what it was before it was made by hand is asked, and no more who brought it."""


def versions(lock: bytes) -> dict[str, Version]:
    """Name to version of what the text of a lock holds, whatever revision it is of."""
    text = b"\n" + (lock.replace(b"\r\n", b"\n") if b"\r" in lock else lock)
    # From commit to commit nearly all tables are the same, so each is looked at once.
    return dict(found for table in text.split(_TABLE)[1:] if (found := _version(table)) is not None)


@lru_cache(maxsize=1 << 15)
def _version(table: bytes) -> tuple[str, Version] | None:
    """Name and version of what stands behind `[assets.`; None for a recipe, and for what is none."""
    match = _ASSET.match(table)
    pixels = _PIXELS.search(match[2]) if match else None
    if match is None or pixels is None:
        return None
    engine = _ENGINE.search(match[2])
    name = match[1].decode(errors="replace")
    if name.startswith('"'):
        with suppress(ValueError):  # TOML's escapes are JSON's, but for `\\U`
            name = json.loads(name)
    made_by = engine[1].decode(errors="replace") if engine else ""
    return name, Version(pixels[1].decode(), made_by, made_by == FINISH and bool(_OWN.search(match[2])))


def traced(root: Path, commit: str, wanted: Mapping[str, str]) -> Traced:
    """Who brought each picture, and what it was before a person's took its place; `wanted`: asset to pixels.

    `commit` and what came before it is looked at. Of a merge, what neither side had is the merge's own.
    Raises `GitError`.
    """
    nodes = _nodes(root, commit)
    if not nodes:
        return Traced({}, {})
    with closing(_Tables(root, git.prefix(root) + LOCK, list(nodes))) as tables:
        return _blamed_on(nodes, tables, wanted, _shallow(root))


def _blamed_on(
    nodes: Mapping[str, _Node], tables: _Tables, wanted: Mapping[str, str], shallow: frozenset[str]
) -> Traced:
    tip = next(iter(nodes))
    here = tables.of(tip)
    claims: dict[str, list[_Wanted]] = {
        tip: [
            _Wanted(name, name, drawn=here[name].pixels != pixels)
            for name, pixels in wanted.items()
            if name in here
        ]
    }
    found = Traced({}, {})
    for name, node in nodes.items():
        claimed = claims.pop(name, [])
        if not claimed:
            continue
        here = tables.of(name)
        before = [(parent, tables.of(parent)) for parent in node.parents if parent in nodes]
        for item in dict.fromkeys(claimed):  # of a merge, two sides may ask the same
            if item.drawn and not here[item.name].by_hand:
                found.drawn.setdefault(item.asset, Drawn(name, item.name))
                continue
            taken = _taken_from(item, here, before)
            if taken is not None:
                claims.setdefault(taken[0], []).append(item._replace(name=taken[1]))
                continue
            if not item.drawn:
                found.brought[item.asset] = _brought(node.commit, item, before, earlier=name in shallow)
            for parent, there in before:
                if here[item.name].by_hand and item.name in there:
                    claims.setdefault(parent, []).append(item._replace(drawn=True))
    return found


def blame(root: Path, commit: str | None, file: str, lines: tuple[int, ...]) -> dict[int, Commit]:
    """Who wrote these lines of `file`, counted from 1; of the working tree where `commit` is None.

    One process for all of them. A line that was not committed is left out. Raises `GitError`.
    """
    if not lines:
        return {}
    ranges = [f"-L{line},{line}" for line in sorted(set(lines))]
    output = git.run(root, "blame", "--line-porcelain", *ranges, *([commit] if commit else []), "--", file)
    found: dict[int, Commit] = {}
    told: dict[str, str] = {}
    head: list[str] = []
    for row in output.decode(errors="replace").split("\n"):
        if row.startswith("\t"):
            if head and set(head[0]) != {"0"}:
                found[int(head[2])] = _blamed(head[0], told)
            head, told = [], {}
        elif not head:
            head = row.split(" ")
        else:
            key, _, value = row.partition(" ")
            told.setdefault(key, value)
    return found


def _blamed(commit: str, told: Mapping[str, str]) -> Commit:
    return Commit(
        commit=commit,
        name=told.get("author", ""),
        mail=told.get("author-mail", "").strip("<>"),
        date=_date(int(told.get("author-time", "0")), told.get("author-tz", "+0000")),
        subject=told.get("summary", ""),
    )


def _date(seconds: int, zone: str) -> str:
    """As git's `%aI` has it."""
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    where = timezone(timedelta(minutes=-minutes if zone.startswith("-") else minutes))
    return datetime.fromtimestamp(seconds, UTC).astimezone(where).isoformat()


def _taken_from(
    item: _Wanted, here: Mapping[str, Version], before: list[tuple[str, Mapping[str, Version]]]
) -> tuple[str, str] | None:
    """The parent that had the picture already, and the asset's name there; None where none had."""
    pixels = here[item.name].pixels
    for parent, there in before:
        if item.name in there:
            if there[item.name].pixels == pixels:
                return parent, item.name
            continue
        # The same picture under a name that is gone: it was renamed.
        for other, version in there.items():
            if version.pixels == pixels and other not in here:
                return parent, other
    return None


def _brought(
    commit: Commit, item: _Wanted, before: list[tuple[str, Mapping[str, Version]]], *, earlier: bool
) -> Brought:
    replaced = next((there[item.name].engine for _, there in before if item.name in there), "")
    return Brought(
        commit=commit.commit,
        name=commit.name,
        mail=commit.mail,
        date=commit.date,
        subject=commit.subject,
        earlier=earlier,
        was=item.name if item.name != item.asset else "",
        replaced=replaced,
    )


def _nodes(root: Path, commit: str) -> dict[str, _Node]:
    """The commits that changed the lock, children first, with their parents among these."""
    words = ["log", "-z", "--topo-order", "--parents", "--encoding=UTF-8", "--no-show-signature"]
    # Where a merge took one side's lock as it was, only that side is followed, as `git log` does by itself.
    output = git.run(root, *words, f"--format={'%x00'.join(_FIELDS)}", commit, "--", LOCK)
    fields = os.fsdecode(output).split("\0")
    nodes: dict[str, _Node] = {}
    for at in range(0, len(fields) - len(_FIELDS) + 1, len(_FIELDS)):
        name, parents, author, mail, date, subject = (_clean(text) for text in fields[at : at + len(_FIELDS)])
        told = Commit(commit=name, name=author, mail=mail, date=date, subject=subject)
        nodes[name] = _Node(told, tuple(parents.split()))
    return nodes


def _clean(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="replace").strip("\n")


def _shallow(root: Path) -> frozenset[str]:
    """The commits at which a shallow clone ends."""
    path = root / os.fsdecode(git.run(root, "rev-parse", "--git-path", "shallow").removesuffix(b"\n"))
    try:
        return frozenset(path.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError):
        return frozenset()


class _Tables:
    """The locks of the past by commit, each read when it is asked for."""

    def __init__(self, root: Path, path: str, commits: list[str]) -> None:
        if "\n" in path:
            raise GitError(f"the path `{path}` holds the end of a line", "rename the folder")
        questions = "".join(f"{commit}:{path}\n" for commit in commits)
        given = questions.encode(errors="surrogateescape")
        answers = git.run(root, "cat-file", "--batch-check=%(objecttype) %(objectname)", given=given)
        split = (answer.split(b" ") for answer in answers.splitlines())
        self._blobs = {
            commit: words[1].decode()
            for commit, words in zip(commits, split, strict=True)
            if words[0] == b"blob"  # else there was no lock then
        }
        self._asked: deque[str] = deque()
        self._answers = cast("Generator[tuple[str, bytes], None, None]", git.objects(root, self._questions()))
        self._kept: OrderedDict[str, dict[str, Version]] = OrderedDict()

    def of(self, commit: str) -> Mapping[str, Version]:
        """The lock of `commit`; nothing where it had none."""
        blob = self._blobs.get(commit)
        if blob is None:
            return {}
        if blob in self._kept:
            self._kept.move_to_end(blob)
            return self._kept[blob]
        self._asked.append(blob)
        _, data = next(self._answers)
        self._kept[blob] = versions(data)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[blob]

    def close(self) -> None:
        """End git."""
        self._answers.close()

    def _questions(self) -> Iterator[str]:
        while self._asked:
            yield self._asked.popleft()
