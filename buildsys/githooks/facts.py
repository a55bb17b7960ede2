"""The facts of one picture, a line each, for `git diff`: what a lock tells of it, else what is measured.

A picture that a lock knows is not decoded: it is told by the digest of its bytes. Knows nothing of revisions.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

import rtoml

from buildsys import digest as digests
from buildsys import git, lfs
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, GitError
from buildsys.files.durable import disk_error
from buildsys.githooks.origin import texts_with

Table: TypeAlias = dict[str, Any]

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_TYPES: Final = {0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGBA"}
"""Colour types of PNG, third edition, table 9."""
_MOST_CHUNKS: Final = 64
_WIDTH: Final = 8
_RECIPE: Final = (
    "text",
    "prompt",
    "negative",
    "seed",
    "candidate",
    "model",
    "revision",
    "parameters",
    "inputs",
)


def facts_of(file: Path, folder: Path = Path()) -> tuple[str, ...]:
    """The facts of the picture in `file`, which git may have put anywhere; `folder`: in the repository.

    Raises `DiskError`. What is no picture is said to be none.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise disk_error("read", file, error) from error
    meant = lfs.meant_by(data)
    wanted = meant or digests.of_bytes(data)
    named = _entry(wanted, folder, file.name)
    if named is not None:
        name, entry = named
        told = [*_of_lock(name, entry, "" if meant else colours(data))]
    elif meant:
        told = [("asset", _unknown(folder)), ("size", "only a Git LFS pointer is here")]
    else:
        told = [("asset", _unknown(folder)), *_measured(file, data)]
    told.append(("file", wanted))
    # One width for all: a longer word on one side must not make every line differ.
    return tuple(f"{word.ljust(_WIDTH)} {text}" for word, text in told)


def colours(data: bytes) -> str:
    """How the header of a PNG says that its colours are kept; empty for what is none. Decodes no pixel."""
    if not data.startswith(_PNG) or len(data) < 29 or data[12:16] != b"IHDR":  # noqa: PLR2004 - the header's end
        return ""
    depth, kind = data[24], data[25]
    if kind == 3:  # noqa: PLR2004 - PNG's number for a palette
        number = next((length // 3 for word, length in _chunks(data) if word == b"PLTE"), 0)
        clear = ", some of them clear" if any(word == b"tRNS" for word, _ in _chunks(data)) else ""
        return f"palette of {number}{clear}"
    return f"{_TYPES.get(kind, 'unknown')}, {depth} bits a channel"


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    at = len(_PNG)
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return
        length, word = struct.unpack_from(">I4s", data, at)
        yield word, length
        at += 12 + length


def _entry(wanted: Digest, folder: Path, called: str) -> tuple[str, Table] | None:
    """The nearest lock's entry of the file `wanted`, by its asset's name.

    Two assets may have the same bytes, and a renamed one has those of before: `called`, the file's name,
    tells which is meant.
    """
    nearest: tuple[str, Table] | None = None
    older: tuple[str, Table] | None = None
    for text in texts_with(wanted, folder):
        if nearest is not None and f'{called}"' not in text:
            continue  # to read it as TOML takes long
        try:
            assets = rtoml.loads(text).get("assets", {})
        except rtoml.TomlParsingError:
            continue  # with marks of a merge in it, say: another version may be whole
        for name, entry in assets.items() if isinstance(assets, dict) else ():
            if isinstance(entry, dict) and entry.get("file") == wanted:
                output = str(entry.get("output", "")).rpartition("/")[2]
                if called == output:
                    return name, entry
                # Git before 2.35 puts `hero.png` into `/tmp/XXXXXX_hero.png`.
                if called.endswith(f"_{output}"):
                    older = older or (name, entry)
                nearest = nearest or (name, entry)
    return older or nearest


def _unknown(folder: Path) -> str:
    """That no lock knows a picture; in a shallow clone, the one that does may be missing."""
    with suppress(GitError):
        if git.run(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
            return "none that a lock tells of in this shallow clone; `git fetch --unshallow` brings the rest"
    return "none that a lock tells of"


def _of_lock(name: str, entry: Table, colour: str) -> Iterator[tuple[str, str]]:
    recipe = entry.get("recipe")
    recipe = recipe if isinstance(recipe, dict) else {}
    size = entry.get("size")
    yield "asset", name
    if isinstance(size, list):
        yield "size", " x ".join(map(str, size))
    if colour:
        yield "colours", colour
    yield "pixels", str(entry.get("pixels", ""))
    yield "phash", str(entry.get("phash", ""))
    yield "engine", str(entry.get("engine", ""))
    for key in _RECIPE:
        if key in recipe:
            yield from _flat(key, recipe[key])
    for step in recipe.get("finish", ()):
        if isinstance(step, dict):
            yield "finish", f"{step.get('name')} {_plain(step.get('parameters', {}))}"
    yield "recipe", str(recipe.get("digest", ""))


def _flat(key: str, value: object) -> Iterator[tuple[str, str]]:
    """A line for each part, so that a diff shows the one that changed."""
    if isinstance(value, dict):
        for inner, part in sorted(value.items()):
            yield from _flat(f"{key}.{inner}", part)
    else:
        yield key, value if isinstance(value, str) else _plain(value)


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _measured(file: Path, data: bytes) -> Iterator[tuple[str, str]]:
    """What the engine `measure` says of a picture that no lock knows."""
    try:
        facts = _ask(file)
    except ArtlockError as error:
        yield "size", f"unknown: {error.message.splitlines()[0]}"
        return
    yield "size", f"{facts.get('width')} x {facts.get('height')}"
    yield "colours", colours(data) or str(facts.get("mode"))
    yield "pixels", str(facts.get("pixels"))
    yield "phash", str(facts.get("phash"))


def _ask(file: Path) -> Mapping[str, Any]:
    # Loaded here: nine pictures of ten need no engine, and each of them is a process of its own.
    from buildsys.make.pool import Pool  # noqa: PLC0415
    from buildsys.manifest.cards import MEASURE  # noqa: PLC0415
    from buildsys.manifest.read import MANIFEST, parse  # noqa: PLC0415
    from engines.protocol import Request  # noqa: PLC0415

    with TemporaryDirectory(prefix="artlock-diff-") as place:
        root = Path(place)
        engine = parse({MANIFEST: '[project]\nname = "diff"\n'}, root=root).engines[MEASURE]
        with Pool(root, root=root, jobs=1) as pool:
            copy = pool.inputs / "picture"
            shutil.copyfile(file, copy)
            request = Request(
                id="facts",
                asset="picture",
                output="facts.png",
                parameters={"work": "compare"},
                inputs={"image": str(copy)},
            )
            facts = pool.render(engine, request).facts.get("image")
    return facts if isinstance(facts, dict) else {}
