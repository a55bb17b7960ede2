"""Manifests, locks, replies, pictures with anything in any place: what was meant, or an error that tells.

What an input must hold to is in `fuzz_targets`; here are the inputs, and those that once broke something.
"""

from __future__ import annotations

import io
import json
import struct
import tomllib
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import fuzz_targets
import pytest
import rtoml
from damage_kit import THOROUGH
from fuzz_targets import CORPUS, TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_values import DATES, TEXTS, VALUES, changed, written
from PIL import Image, PngImagePlugin
from test_lock import example, locked, record
from test_seal import said

from buildsys.digest import Digest
from buildsys.errors import LockError
from buildsys.imports import comfy, texts
from buildsys.lock import seal
from buildsys.lock.model import REVISION
from buildsys.lock.read import parse as parse_lock
from buildsys.lock.write import dump
from buildsys.plan.recipe import digest_of
from buildsys.plan.record import Parts
from engines import png, protocol
from engines.protocol import Done, EngineError, ProtocolError

ANY = VALUES | DATES
GOLDEN = sorted((Path(__file__).parent / "golden" / "protocol").iterdir())
MANIFEST = """\
[project]
name = "game"
profile = "jam"
[roles]
sprite = "stock"
tile = { jam = "stock", final = "draw" }
[variables]
who = "a {one of: red|green} knight"
[engines.draw]
adapter = "diffusion"
model = "models/knight"
price = 0.02
[engines.draw.limits]
concurrent = 2
memory = "4 GB"
[styles.dark]
prompt = "{prompt}, by night"
size = [64, 64]
[assets.hero]
role = "sprite"
prompt = "{who}"
style = ["dark"]
seed = 7
formats = ["png", "webp"]
scales = [1, 2]
finish = [{ trim = {} }, { resize = [32, 32] }]
gates = { bytes = "1 MB" }
candidates = 3
[assets."gem-{stone}"]
role = "tile"
prompt = "{stone}"
seed = 1
size = [16, 16]
matrix = { stone = ["ruby", "opal"] }
[assets.icon]
from = "hero"
[assets.sheet]
pack = ["gem-*", "icon"]
formats = ["texturepacker"]
"""


def examples(usual: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    count = usual * 50 if THOROUGH else usual
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)


# Manifest


def test_the_manifest_that_is_changed_here_is_right() -> None:
    fuzz_targets.expanded(MANIFEST)


@examples(150)
@given(changed(tomllib.loads(MANIFEST), ANY))
def test_any_manifest_is_one_or_says_what_is_wrong(tree: Any) -> None:
    if isinstance(tree, dict):
        fuzz_targets.manifest(written(tree).encode(errors="surrogatepass"))


@examples(150)
@given(st.data())
def test_any_text_in_a_manifest_is_taken_or_says_what_is_wrong(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(MANIFEST)))
    end = data.draw(st.integers(start, min(len(MANIFEST), start + 40)))
    text = MANIFEST[:start] + data.draw(TEXTS) + MANIFEST[end:]
    fuzz_targets.manifest(text.encode(errors="surrogatepass"))


@pytest.mark.parametrize("ending", ["", ".py"])
def test_an_adapter_with_a_name_that_no_file_can_have(ending: str) -> None:
    adapter = "a" * 5000 + ending
    text = f'[project]\nname = "test"\n[engines.x]\nadapter = "{adapter}"\n'
    fuzz_targets.manifest(text.encode())


# Lock


class _Any(str):
    """A digest that is equal to every other: past it, a changed recipe is read as its own writer's is."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def sealed(tree: dict[str, Any]) -> dict[str, Any]:
    """`tree` with a seal that fits, where each asset has one."""
    assets = tree.get("assets")
    for table in assets.values() if isinstance(assets, dict) else ():
        if isinstance(table, dict) and isinstance(table.get("seal"), str):
            with suppress(ValueError, TypeError, RecursionError):
                table["seal"] = seal.of(rtoml.loads(written({"asset": table}))["asset"])
    return tree


def resealed(parts: Parts) -> Digest:
    digest_of(parts)  # or it raises what a recipe is refused for
    return Digest(_Any())


@examples(250)
@given(changed(tomllib.loads(dump(said(example()))), ANY))
def test_any_lock_is_refused_or_written_again_as_it_was(tree: Any) -> None:
    if not isinstance(tree, dict):
        return
    text = written(sealed(tree))
    fuzz_targets.lock(text.encode())
    try:
        found = parse_lock(text, check=resealed)
        if found.revision <= REVISION:
            again = parse_lock(dump(found), check=resealed)
            assert again.records == found.records
    except LockError as error:
        assert error.hint  # noqa: PT017 - whether it is raised is not the point


@pytest.mark.parametrize("value", ["3", "[]", '"x"'])
def test_environments_that_are_no_table_on_a_side_of_a_merge(value: str) -> None:
    with pytest.raises(LockError):
        parse_lock(f"<<<<<<< a\nenvironments = {value}\n=======\n>>>>>>> b\nversion = 1\n")


def test_a_list_of_digits_is_no_digest() -> None:
    digits = ", ".join(['"a"'] * 64)
    with pytest.raises(LockError, match="`placeholders` holds what is no digest"):
        parse_lock(f"version = 1\nrevision = 1\nplaceholders = {{ hero = [{digits}] }}\n")


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        ("nan", "has a bad `sent`: nan is not a number that a recipe can hold"),
        ("2026-01-01", "holds the date 2026-01-01, which is nothing that a recipe can hold"),
        ("{ json = '1e999' }", "has a bad `sent`: inf is not a number that a recipe can hold"),
        ("{ json = '\"\\ud800\"' }", "has a bad `sent`: a lone surrogate (U+D800) is not a character"),
    ],
)
def test_what_no_lock_could_hold_again_is_refused_when_it_is_read(value: str, fact: str) -> None:
    """Else the next build would make its pictures, and fail to write of them."""
    text = dump(locked(record("gem"))).replace("raw = ", f"sent.seed = {value}\nraw = ")
    with pytest.raises(LockError) as caught:
        parse_lock(text)
    assert caught.value.message == f"assets.lock: asset `gem` {fact}"


@pytest.mark.parametrize("deep", [15, 16, 17, 60, 99])
def test_a_value_however_deep_comes_back(deep: int) -> None:
    """TOML's reader gives up at 80 lists within each other: what an engine sent would have ended the lock."""
    value: Any = 1
    for number in range(deep):
        value = [value] if number % 2 else {"a": value}
    parts = record("gem", parameters={"x": value, "y": [value]})
    assert parse_lock(dump(locked(parts))) == locked(parts)


# Replies


MESSAGES = [json.loads(path.read_text()) for path in GOLDEN]


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    body = draw(changed(draw(st.sampled_from(MESSAGES)), VALUES))
    line = json.dumps(body, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    match draw(st.integers(0, 7)):
        case 0:
            return line[: draw(st.integers(0, len(line)))]
        case 1:
            return line + b"\n" + line[: draw(st.integers(0, len(line)))]
        case 2:
            at = draw(st.integers(0, len(line)))
            return (
                line[:at]
                + draw(st.sampled_from([b"\0", b"\n", b"\xff", b'"', b"{", b"1e999", b"9" * 5000]))
                + line[at:]
            )
    return line + b"\n"


@examples(150)
@given(st.lists(lines(), max_size=3).map(b"".join))
def test_any_reply_is_a_message_or_breaks_the_protocol(data: bytes) -> None:
    fuzz_targets.reply(data)


def nested(deep: int) -> bytes:
    value = "[" * deep + "]" * deep
    return f'{{"type":"done","id":"1","output":"a.png","sent":{{"x":{value}}}}}\n'.encode()


def test_a_message_is_nested_no_deeper_than_all_can_walk_it() -> None:
    message = protocol.decode(nested(protocol.DEEPEST - 2))
    assert isinstance(message, Done)
    for deep in (protocol.DEEPEST - 1, 500, 50_000):
        with pytest.raises(ProtocolError):
            protocol.decode(nested(deep))
    with pytest.raises(ProtocolError, match="nested more than 100 deep"):
        protocol.decode(nested(protocol.DEEPEST - 1))


def test_many_brackets_are_not_deep() -> None:
    line = nested(1).replace(b"[]", b"[" + b"[]," * 500 + b"[]]")
    assert isinstance(protocol.decode(line), Done)


# Pictures


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(
    width: int, height: int, depth: int, color: int, *, interlaced: bool = False, rows: bytes = b""
) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def told() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a knight\nNegative prompt: blur\nSteps: 20, Seed: 7, Size: 64x64", zip=True)
    info.add_itxt("prompt", json.dumps({"1": {"class_type": "K", "inputs": {"seed": 1, "positive": "a"}}}))
    return info


def exif() -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = 6
    made.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "a\nSteps: 1, Seed: 2, Size: 8x8".encode("utf-16-be")
    return made


NOISE = Image.effect_noise((9, 7), 50)
COLOR = Image.merge("RGB", (NOISE, NOISE.rotate(180), NOISE))
PICTURES: Mapping[str, bytes] = {
    "text": saved(COLOR, "PNG", pnginfo=told()),
    "turned": saved(COLOR, "PNG", exif=exif()),
    "palette": saved(COLOR.quantize(8), "PNG", transparency=b"\0\x80\xff"),
    "keyed": saved(NOISE, "PNG", transparency=3),
    "bits": saved(COLOR.convert("1"), "PNG"),
    "sixteen": saved(Image.new("I;16", (5, 5), 300), "PNG"),
    "sixteen-rgb": png_of(2, 2, 16, 2, rows=bytes(26)),
    "interlaced": png_of(1, 1, 8, 2, interlaced=True, rows=bytes(4)),
    "moving": saved(COLOR, "PNG", save_all=True, append_images=[COLOR.rotate(90)]),
    "jpeg": saved(COLOR, "JPEG", exif=exif(), quality=30),
    "progressive": saved(NOISE, "JPEG", progressive=True),
    "cmyk": saved(COLOR.convert("CMYK"), "JPEG"),
    "webp": saved(COLOR.convert("RGBA"), "WEBP", lossless=True, exif=exif(), xmp=b"<x/>"),
    "lossy": saved(COLOR, "WEBP"),
    "moving-webp": saved(COLOR, "WEBP", save_all=True, append_images=[COLOR.rotate(90)]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_that_are_changed_here_are_read(name: str) -> None:
    fuzz_targets.picture(PICTURES[name])
    refused = name in {"moving", "cmyk", "moving-webp"}
    try:
        png.decode_bytes(PICTURES[name], name)
    except EngineError:
        assert refused
    else:
        assert not refused


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(sorted(PICTURES.values()))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0:
                data[at : at + 4] = draw(
                    st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"])
                )
            case 1:
                data[at : at + draw(st.integers(1, 30))] = b""
            case 2:
                data[at:at] = data[at : at + draw(st.integers(1, 60))]
            case 3:
                kind = draw(
                    st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tRNS", b"PLTE", b"acTL", b"iCCP"])
                )
                data[33:33] = chunk(kind, draw(st.binary(max_size=40)))
            case _:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=3))
    return bytes(data)


@examples(250)
@given(spoilt())
def test_any_picture_is_decoded_or_refused(data: bytes) -> None:
    fuzz_targets.picture(data)
    fuzz_targets.checked_png(data)


@pytest.mark.parametrize("side", [2**31 - 1, 2**32 - 1, 100_000, 8193])
def test_a_huge_picture_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(EngineError):
        png.decode_bytes(png_of(side, side, 8, 6), "huge.png")


def bombs(count: int, tmp_path: Path) -> Path:
    bomb = chunk(b"zTXt", b"prompt\0\0" + zlib.compress(bytes(texts.LONGEST + 1)))
    last = chunk(b"tEXt", b"parameters\0the last")
    plain = png_of(1, 1, 8, 2, rows=bytes(4))
    path = tmp_path / "bombs.png"
    path.write_bytes(plain[:33] + bomb * count + last + plain[33:])
    return path


def test_a_few_texts_without_end_are_passed_over(tmp_path: Path) -> None:
    assert texts.read(bombs(3, tmp_path)) == {"parameters": "the last"}


def test_a_picture_full_of_texts_without_end_is_read_no_further(tmp_path: Path) -> None:
    """Each of them is 8 KB and takes the unpacking of 8 MB; a file has room for a hundred thousand."""
    assert texts.read(bombs(9, tmp_path)) == {}


def test_a_long_chain_of_nodes_without_a_sampler_ends() -> None:
    """Each node was walked from again, and for 2,000 of them that took most of a minute."""
    chain = {str(at): {"class_type": "Save", "inputs": {"images": [str(at + 1), 0]}} for at in range(9_999)}
    assert comfy.read(json.dumps(chain)) is None


def test_a_node_with_half_a_surrogate_pair_for_a_name_is_no_node() -> None:
    sampler = {"class_type": "K", "inputs": {"seed": 3, "positive": "a"}}
    saving = {"class_type": "SaveImage", "inputs": {"images": ["\ud800", 0]}}
    assert comfy.read(json.dumps({"1": saving, "\ud800": sampler})) is None


# The corpus


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_broke_or_covers_much_is_read(name: str) -> None:
    files = sorted((CORPUS / name).iterdir())
    assert files
    for file in files:
        TARGETS[name](file.read_bytes())


def test_the_corpus_is_small_and_all_of_it_is_read() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
    assert sum(file.stat().st_size for file in CORPUS.rglob("*") if file.is_file()) < 300_000
