"""Inbound C2PA: found in pictures, read with bounds, and never believed.

The pictures in `golden/c2pa` were signed with c2pa-python 0.38.1 and a certificate made for it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from game import ROOT, Game
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from buildsys.audit import cbor, claims, containers
from buildsys.audit.claims import Claims
from buildsys.audit.containers import manifest_store

SIGNED = ROOT / "tests" / "golden" / "c2pa"
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
GEM = Claims(
    generator=("Test Painter 2.1",),
    title="gem",
    source_types=("trainedAlgorithmicMedia",),
    actions=("c2pa.created",),
    agents=("Test Model 7",),
    signed=True,
    manifests=1,
)


def dumps(value: Any) -> bytes:
    """CBOR of what claims are made of."""

    def head(major: int, number: int) -> bytes:
        if number < 24:
            return bytes([major << 5 | number])
        width = 0 if number < 1 << 8 else 1 if number < 1 << 16 else 2 if number < 1 << 32 else 3
        return bytes([major << 5 | 24 + width]) + number.to_bytes(1 << width, "big")

    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    match value:
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(dumps, value))
    return head(5, len(value)) + b"".join(dumps(key) + dumps(item) for key, item in value.items())


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def labelled(label: str, *inner: bytes) -> bytes:
    return box(b"jumb", box(b"jumd", bytes(16) + b"\x03" + label.encode() + b"\0") + b"".join(inner))


def store(*manifests: tuple[dict[str, Any], list[dict[str, Any]]]) -> bytes:
    """A manifest store; of each manifest its claim and its actions."""
    made = (
        labelled(
            f"urn:c2pa:{number}",
            labelled(
                "c2pa.assertions", labelled("c2pa.actions.v2__1", box(b"cbor", dumps({"actions": actions})))
            ),
            labelled("c2pa.claim.v2", box(b"cbor", dumps(claim))),
        )
        for number, (claim, actions) in enumerate(manifests)
    )
    return labelled("c2pa", *made)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def in_png(found: bytes) -> bytes:
    file = BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "PNG")
    data = file.getvalue()
    return data[:33] + chunk(b"caBX", found) + data[33:]


def in_jpeg(found: bytes, longest: int) -> bytes:
    pieces = [found[at : at + longest] for at in range(0, len(found), longest)]
    segments = b"".join(
        b"\xff\xeb" + struct.pack(">H2sHI", len(body) + 10, b"JP", 1, number) + body
        for number, piece in enumerate(pieces, 1)
        for body in [piece if number == 1 else found[:8] + piece]
    )
    return b"\xff\xd8" + segments + b"\xff\xda\0\0"


@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp"])
def test_what_a_real_signer_wrote_is_read(suffix: str) -> None:
    found = manifest_store((SIGNED / f"gem.{suffix}").read_bytes())
    assert found is not None
    assert claims.read(found) == GEM


def test_a_store_in_many_jpeg_segments_is_put_together() -> None:
    found = store(({"dc:title": "x" * 500}, []))
    assert manifest_store(in_jpeg(found, 100)) == found
    assert manifest_store(in_jpeg(found, 10_000)) == found


def test_the_active_manifest_is_the_last_one() -> None:
    older = (
        {"claim_generator": "Camera/1.0"},
        [{"action": "c2pa.created", "digitalSourceType": "x/digitalCapture"}],
    )
    newer = (
        {
            "claim_generator_info": [{"name": "Tool"}, {"name": "Lib", "version": "3"}],
            "claim_generator": "no",
        },
        [
            {"action": "c2pa.opened"},
            {"action": "c2pa.edited", "digitalSourceType": TRAINED, "softwareAgent": "Brush 1"},
            {"action": "c2pa.edited", "digitalSourceType": TRAINED},
        ],
    )
    assert claims.read(store(older, newer)) == Claims(
        generator=("Tool", "Lib 3"),
        source_types=("trainedAlgorithmicMedia",),
        actions=("c2pa.opened", "c2pa.edited"),
        agents=("Brush 1",),
        manifests=2,
    )
    assert claims.read(store(older)).generator == ("Camera/1.0",)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it holds no manifest"),
        (labelled("other", labelled("x")), "it holds no manifest"),
        (labelled("c2pa", labelled("urn")), "its manifest holds no claim that can be read"),
        (labelled("c2pa", labelled("urn", labelled("c2pa.claim", box(b"cbor", b"\x83\1")))),
         "its claim is damaged: it ends too early"),
        (labelled("c2pa", labelled("urn", labelled("c2pa.claim", box(b"cbor", b"\1")))),
         "its claim is damaged: a table is none"),
        (labelled("c2pa")[:-3], "it is damaged: a box is longer than what it stands in"),
        (b"\0\0\0", "it is damaged: a box ends too early"),
        (b"\0\0\0\1jumb" + bytes(20), "it is damaged: a box is longer than what it stands in"),
        (b"".join(box(b"free", b"") for _ in range(10_001)), "it is damaged: it has too many boxes"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_store_is_told(data: bytes, problem: str) -> None:
    assert claims.read(data).problem == problem


def test_boxes_in_boxes_come_to_an_end() -> None:
    deep = b""
    for _ in range(2000):
        deep = labelled("c2pa", deep)
    assert claims.read(deep).problem == "it is damaged: its boxes are too deep"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it ends too early"),
        (b"\1\1", "there is more behind the value"),
        (b"\x9b" + b"\xff" * 8, "it ends too early"),
        (b"\xbb" + b"\xff" * 8, "it ends too early"),
        (b"\x7b" + b"\xff" * 8, "it ends too early"),
        (b"\x81" * 100 + b"\0", "it is too deep or too much"),
        (b"\xc1" * 100 + b"\0", "it is too deep or too much"),
        (b"\x1c", "a length is of no kind"),
        (b"\x1f", "a length is of no kind"),
        (b"\x7f\x41a\xff", "a piece of a text is none"),
        (b"\xf8\x20", "a simple value is of no known kind"),
        (b"\xff", "a simple value is of no known kind"),
    ],
)
def test_cbor_is_read_with_bounds(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        cbor.read(data)


def test_cbor_of_open_length_is_read() -> None:
    assert cbor.read(b"\x9f\1\x9f\2\xff\xff") == [1, [2]]
    assert cbor.read(b"\xbf\x61a\1\xff") == {"a": 1}
    assert cbor.read(b"\x7f\x61a\x61b\xff") == "ab"
    assert cbor.read(b"\x5f\x41a\xff") == b"a"
    assert cbor.read(b"\xd8\x2a\xa1\x01\xf9\x3c\x00") == {"1": 1.0}
    assert cbor.read(b"\xf9\x7e\x00") is None  # not a number


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.text(max_size=30)
    | st.binary(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_cbor_gives_back_what_went_in(value: Any) -> None:
    assert cbor.read(dumps(value)) == value


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything(data: bytes) -> None:
    claims.read(data)
    for start in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xeb", b"RIFF\0\0\0\0WEBP"):
        manifest_store(start + data)


def damaged() -> Iterator[bytes]:
    whole = (SIGNED / "gem.png").read_bytes()
    found = manifest_store(whole)
    assert found is not None
    yield from (found[:length] for length in range(0, len(found), 7))
    yield from (found[:at] + bytes([found[at] ^ 0xFF]) + found[at + 1 :] for at in range(0, len(found), 11))


def test_every_truncation_and_flip_is_told_or_read() -> None:
    assert all(isinstance(claims.read(data), Claims) for data in damaged())


def test_a_damaged_chunk_is_none() -> None:
    data = bytearray(in_png(store(({"dc:title": "x"}, []))))
    assert manifest_store(bytes(data)) is not None
    data[60] ^= 1
    assert manifest_store(bytes(data)) is None
    assert manifest_store(b"GIF89a") is None
    assert manifest_store((SIGNED / "gem.webp").read_bytes()[:200]) is None


def test_a_store_beyond_all_measure_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "LARGEST", 100)
    assert manifest_store((SIGNED / "gem.png").read_bytes()) is None


def test_of_a_long_claim_only_so_much_is_taken() -> None:
    many = [{"action": "c2pa.edited", "digitalSourceType": f"x/{number}"} for number in range(10_000)]
    found = claims.read(store(({"claim_generator": "x" * 100_000}, many)))
    assert len(found.generator[0]) == 512
    assert len(found.source_types) == 64


SIGNING = '''\
"""Hands over a picture that a provider signed."""

import shutil

from engines.protocol import Done


def load(opening):
    return Signed()


class Signed:
    def environment(self):
        return {"signed": "1"}

    def render(self, requests, report):
        for request in requests:
            shutil.copy(PICTURE, request.output)
            yield Done(id=request.id, output=request.output)
'''


def test_what_came_in_is_told_and_written_beside(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    (game.folder / "tools" / "noise.py").write_text(f"PICTURE = {str(SIGNED / 'gem.png')!r}\n" + SIGNING)
    (game.folder / "art").mkdir()
    Image.new("RGB", (8, 8), "blue").save(game.folder / "art" / "drawn.jpg")
    game.write(
        '[assets."ui/gem"]\nrole = "sprite"\nseed = 1\nsize = [16, 16]\n'
        '[assets.bought]\nsource = "art/bought.webp"\n'
        '[assets.drawn]\nsource = "art/drawn.jpg"\nauthor = "Ada"\n'
        '[assets.small]\nfrom = "ui/gem"\nfinish = [{ resize = [8, 8] }]\n'
    )
    (game.folder / "art" / "bought.webp").write_bytes((SIGNED / "gem.webp").read_bytes())
    game.build()
    before = game.outputs()
    printed = game.run("audit", "--format", "jsonl", "--sidecars", "../cards")
    assert "2 C2PA manifests written to `../cards`" in printed.stderr
    told = {line["asset"]: line for line in map(json.loads, printed.stdout.splitlines())}
    assert {name: line["made_by"] for name, line in told.items()} == {
        "bought": "generative",
        "drawn": "person",
        "small": "generative",
        "ui/gem": "generative",
    }
    found = manifest_store((SIGNED / "gem.png").read_bytes())
    assert (tmp_path / "cards" / "ui" / "gem.c2pa").read_bytes() == found
    assert sorted(path.name for path in (tmp_path / "cards").rglob("*.c2pa")) == ["bought.c2pa", "gem.c2pa"]
    claim = told["ui/gem"]["c2pa"]
    assert claim["of"] == told["ui/gem"]["raw"]
    assert claim["generator"] == ["Test Painter 2.1"]
    assert claim["signed"] is True
    assert told["drawn"]["c2pa"] is None
    assert told["small"]["c2pa"] is None
    assert game.outputs() == before  # nothing of it gets into what ships
    assert "C2PA: claims, not verified: Test Painter 2.1, trainedAlgorithmicMedia" in game.run("audit").stdout
