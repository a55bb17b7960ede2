"""What reads a stranger's bytes, each as a function that raises only what is a bug.

`test_odd_inputs.py` replays kept inputs through them, `fuzz/fuzz_inputs.py` looks for new ones.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import rtoml
from quick_pool import QUICK_DISK

from buildsys import digest, toml
from buildsys.errors import ArtlockError, LockError, ManifestError
from buildsys.files.placed import PLACE as NOTE
from buildsys.files.placed import Placed
from buildsys.imports import entry, said, texts
from buildsys.lock.model import REVISION
from buildsys.lock.read import parse as parse_lock
from buildsys.lock.write import dump
from buildsys.make import inspection
from buildsys.make.channel import Channel, Gone
from buildsys.manifest import source
from buildsys.manifest.cards import Cards
from buildsys.manifest.expand import expand
from buildsys.manifest.model import Manifest
from buildsys.manifest.read import parse as parse_manifest
from buildsys.store import actions
from engines import png, protocol
from engines.finish import marks
from engines.protocol import Done, EngineError, ErrorKind, ProtocolError

Target: TypeAlias = Callable[[bytes], None]

TESTS: Final = Path(__file__).parent
CORPUS: Final = TESTS / "corpus"
BUNDLE: Final = TESTS / "test_manifest_bundle"
KEYWORDS: Final = ("parameters", "prompt", "invokeai_metadata", "sd-metadata", "Dream", "Description")
"""Under which tools write into pictures; the first byte of a text input says which."""
_PIPE: Final = 65536
"""Bytes that a pipe takes without a reader."""
SIDE: Final = 256
"""Pixels: what a fuzzer does not need is memory."""
_ASKS: Final = """\
[project]
name = "game"
[engines.graph]
adapter = "comfyui"
[roles]
sprite = "graph"
"""


def manifest(data: bytes) -> None:
    """A manifest, or a `ManifestError` that says what is wrong."""
    with suppress(UnicodeDecodeError, ManifestError):
        expanded(data.decode())


def expanded(text: str) -> Manifest:
    """The manifest in `text`; a project's files aside. Raises `ManifestError`."""
    return expand([source.parse("assets.toml", text)], _cards(), None)


def lock(data: bytes) -> None:
    """A lock that is the same once it was written again, or a `LockError`."""
    with suppress(UnicodeDecodeError, LockError):
        text = data.decode()
        found = parse_lock(text)
        if found.revision <= REVISION:
            again = parse_lock(dump(found))
            assert (again.records, again.placeholders) == (found.records, found.placeholders)
            assert (again.approvals, again.frozen) == (found.approvals, found.frozen)


def reply(data: bytes) -> None:
    """An engine's words: messages up to the end, or to a `ProtocolError`; each can be sent on."""
    reading, writing = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.write(writing, data[:_PIPE])
        os.close(writing)
        channel = Channel(nowhere, reading)
        with suppress(Gone, ProtocolError):
            while True:
                message = channel.receive(float("inf"))
                assert protocol.decode(protocol.encode(message)) == message
                if isinstance(message, Done):
                    _told(message)
    finally:
        os.close(reading)
        os.close(nowhere)


def _told(message: Done) -> None:
    """What a provider says it used goes into the lock as it came."""
    "".join(toml.dotted("sent", message.sent))


def picture(data: bytes) -> None:
    """A picture by whoever reads one: the import, the builder's inspection, the engine `finish`."""
    file = _folder() / "picture.png"
    file.write_bytes(data)
    with suppress(ArtlockError):
        _words(texts.read(file))
    for name in ("picture.png", "picture.jpg", "picture.webp"):
        with suppress(inspection.Unfit):
            (_folder() / name).write_bytes(data)
            inspection.inspect(_folder(), name, None)
    try:
        pixels = png.decode_bytes(data, "picture", SIDE)
    except EngineError as error:
        assert (error.kind, error.hint != "") == (ErrorKind.BAD_REQUEST, True)  # noqa: PT017 - see `test_png`
        return
    assert pixels.shape[2] in (3, 4)
    own = marks.read(file)
    written = marks.into_png(png.encode(pixels), own)
    assert (png.decode_bytes(written, "picture", SIDE) == pixels).all()


def checked_png(data: bytes) -> None:
    """As `picture`, with the checksums of its chunks put right: no fuzzer guesses these."""
    picture(with_checksums(data))


def with_checksums(data: bytes) -> bytes:
    """The PNG `data` with the checksum of each whole chunk put right."""
    made, at = bytearray(data), 8
    while at + 12 <= len(made):
        end = at + 12 + int.from_bytes(made[at : at + 4], "big")
        if end > len(made):
            break
        made[end - 4 : end] = zlib.crc32(made[at + 4 : end - 4]).to_bytes(4, "big")
        at = end
    return bytes(made)


def words(data: bytes) -> None:
    """A text that a tool left in a picture; the first byte says under which keyword."""
    if data:
        _words({KEYWORDS[data[0] % len(KEYWORDS)]: data[1:].decode("latin-1")})


def _words(told: Mapping[str, str]) -> None:
    """What a picture says becomes a table of the manifest, whatever it is."""
    found = said.read(told)
    made = [entry.kept("art/picture.png", ".png", found, "")]
    if found is not None:
        made.append(entry.recipe(found, "sprite", _asking(), "graph.json"))
    for item in made:
        lines = [toml.line(toml.key(key), value) for key, value in item.table.items()]
        lines += [f"# {line}" for remark in item.remarks for line in remark.split("\n")]
        again = rtoml.loads("\n".join(lines))
        assert set(again) == set(item.table)


def action(data: bytes) -> None:
    """An action's file is another's, damaged, or the one that it was."""
    key = digest.of_bytes(b"action")
    found = actions.decode(data, key)
    assert found is None or actions.decode(actions.encode(key, found), key) == found


def note(data: bytes) -> None:
    """The note of placed files says what it can, and is written again."""
    file = _folder() / NOTE
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    placed = Placed(_folder())
    placed.sweep()
    placed.note("out/picture.png", digest.of_bytes(b""))
    assert Placed(_folder()).has("out/picture.png", digest.of_bytes(b""))
    placed.forget({"out/picture.png"})


TARGETS: Final[Mapping[str, Target]] = {
    target.__name__: target for target in (manifest, lock, reply, picture, checked_png, words, action, note)
}


@cache
def _cards() -> Cards:
    return Cards(BUNDLE, BUNDLE)


@cache
def _asking() -> Manifest:
    """A manifest whose role `sprite` runs a graph of ComfyUI."""
    return parse_manifest({"assets.toml": _ASKS}, root=TESTS)


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=QUICK_DISK)


def _folder() -> Path:
    return Path(_scratch().name)
