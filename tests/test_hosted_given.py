"""Pictures given to a provider: sent byte for byte, or refused before money is spent."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts import gemini, gpt_image, ideogram
from contracts.given import KINDS, SQUARE, asked, at, first_of, given, noise, one
from contracts.kit import Bench, bench_of
from contracts.pictures import MIME, picture
from contracts.providers import ALL
from contracts.server import Fault, Reply
from jsonschema import Draft202012Validator
from PIL import Image
from test_hosted_wire import spoiled

from engines.protocol import ErrorKind


@pytest.fixture(params=ALL, ids=lambda provider: provider.adapter)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path, monkeypatch) as bench:
        yield bench


LONGEST = {"gpt_image": 50, "gemini": 70, "stability": 10, "ideogram": 10}


def test_pictures_are_sent_byte_for_byte_in_the_order_of_their_names(bench: Bench, tmp_path: Path) -> None:
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    request = asked(bench, tmp_path / "art")
    # No order of a manifest's counts, since no recipe knows it.
    request["inputs"] = dict(reversed(request["inputs"].items()))
    bench.make(**request)
    (call,) = bench.server.paid
    sent = given(bench)
    kinds = [Image.open(io.BytesIO(data)).format or "" for data in sent.values()]
    assert bench.provider.carried(call) == [
        (MIME[kind], data) for kind, data in zip(kinds, sent.values(), strict=True)
    ]
    assert str(tmp_path).encode() not in call.raw
    assert all("/" not in item.filename for item in call.files)


def test_every_schema_knows_an_unknown_key_beside_pictures(bench: Bench, tmp_path: Path) -> None:
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    bench.make(**asked(bench, tmp_path / "art"))
    (call,) = bench.server.paid
    route = bench.provider.route(bench.provider.model)[call.path]
    for schema in route.form_schemas or route.schemas:
        held = Draft202012Validator(schema)
        assert held.is_valid(call.body)
        assert not [body for body in spoiled(call.body) if held.is_valid(body)]


def test_an_answer_that_is_lost_is_told_and_not_asked_for_again(bench: Bench, tmp_path: Path) -> None:
    (first, *_) = bench.provider.good(SQUARE, "image/png")
    reply = first(bench.server.url) if callable(first) else first
    bench.server.will(Reply(200, reply.body, reply.headers, Fault.RESET))
    bench.fail(ErrorKind.UNCERTAIN, **asked(bench, tmp_path / "art"))


def test_a_provider_s_no_to_a_picture_is_ours_to_mend(bench: Bench, tmp_path: Path) -> None:
    bench.server.will(Reply(413, b"{}", {"Content-Type": "application/json"}))
    bench.fail(ErrorKind.BAD_REQUEST, **asked(bench, tmp_path / "art"))


def test_what_is_no_picture_is_not_sent(bench: Bench, tmp_path: Path) -> None:
    failure = bench.refuse(**one(bench, tmp_path / "art", b"GIF89a, or so"))
    assert failure.message == f"`{first_of(bench)}` is not a PNG, WebP or JPEG picture"
    assert failure.hint == "save it as a PNG"


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_picture_is_not_sent(bench: Bench, tmp_path: Path, kind: str) -> None:
    data = picture((64, 64), kind)
    failure = bench.refuse(**one(bench, tmp_path / "art", data[: len(data) // 2]))
    assert failure.message.startswith(f"`{first_of(bench)}` is ")
    assert failure.hint == "export it once more"


def test_a_file_that_is_too_long_is_not_even_read(bench: Bench, tmp_path: Path) -> None:
    most = LONGEST[bench.provider.adapter]
    request = one(bench, tmp_path / "art", SQUARE)
    with (tmp_path / "art" / f"{first_of(bench).replace('.', '__')}.bin").open("r+b") as file:
        file.truncate(most * 1_000_000 + 1)
    failure = bench.refuse(**request)
    name = bench.provider.name
    assert (
        failure.message == f"`{first_of(bench)}` has {most}.1 MB, more than the {most} MB that {name} takes"
    )
    assert failure.hint == "make it smaller"


def test_a_file_that_is_gone_is_told(bench: Bench, tmp_path: Path) -> None:
    request = one(bench, tmp_path / "art", SQUARE)
    Path(request["inputs"][first_of(bench)]).unlink()
    failure = bench.fail(ErrorKind.INTERNAL, paid=0, **request)
    assert failure.message == f"`{first_of(bench)}` can't be read: No such file or directory"


@at(ideogram.PROVIDER)
def test_pictures_may_be_too_long_together(bench: Bench, tmp_path: Path) -> None:
    data = noise(6_000_000)
    failure = bench.refuse(**asked(bench, tmp_path / "art", reference__a=data, reference__b=data))
    assert failure.message == "the pictures have 12.1 MB, more than the 10 MB that Ideogram takes"
    assert failure.hint == "make them smaller"


@pytest.mark.parametrize(
    ("bench", "most"), [(gpt_image.PROVIDER, 16), (gemini.PROVIDER, 14)], indirect=["bench"]
)
def test_pictures_may_be_too_many_together(bench: Bench, tmp_path: Path, most: int) -> None:
    references = {f"reference__{number:02}": SQUARE for number in range(most)}
    failure = bench.refuse(**asked(bench, tmp_path / "art", image=SQUARE, **references))
    name = bench.provider.name
    assert failure.message == f"{most + 1} pictures are given, more than the {most} that {name} takes"
    assert failure.hint == "leave some out"
    more = {**references, "reference__99": SQUARE}
    failure = bench.refuse(**asked(bench, tmp_path / "art", **more))
    assert failure.message == f"`reference` has {most + 1} files, more than {most}"


def test_transparency_that_nobody_speaks_of_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    done = bench.make(**one(bench, tmp_path / "art", picture((64, 64), alpha=True)))
    name, what = bench.provider.name, first_of(bench)
    told = (f"{name} does not say what it makes of the transparency of `{what}`",)
    assert done.notes == (() if bench.provider is gpt_image.PROVIDER else told)
