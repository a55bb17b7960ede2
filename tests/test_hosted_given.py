"""Pictures given to a provider: sent byte for byte, or refused before money is spent."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from contracts import gemini, gpt_image, ideogram, stability
from contracts.kit import Bench, Provider, bench_of
from contracts.pictures import MIME, picture
from contracts.providers import ALL
from contracts.server import Fault, Reply
from jsonschema import Draft202012Validator
from PIL import Image
from test_hosted_wire import spoiled

from engines.protocol import Done, ErrorKind

SQUARE = picture((64, 64))
KINDS = ("JPEG", "PNG", "WEBP")


@pytest.fixture(params=ALL, ids=lambda provider: provider.adapter)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path, monkeypatch) as bench:
        yield bench


def at(provider: Provider) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("bench", [provider], indirect=True, ids=lambda item: item.adapter)


def placed(folder: Path, **pictures: bytes) -> dict[str, str]:
    """Files that hold `pictures`, by the name of each; `reference__a` is the `a` of a table."""
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, data in pictures.items():
        path = folder / f"{name}.bin"
        path.write_bytes(data)
        paths[name.replace("__", ".")] = str(path)
    return paths


def mask(size: tuple[int, int] = (64, 64), *, clear: bool = True) -> bytes:
    """A PNG of which one half is transparent."""
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    if clear:
        image.paste((255, 255, 255, 0), (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def given(bench: Bench) -> dict[str, bytes]:
    """A different picture for each that the provider takes."""
    return {
        name: mask() if name == "mask" else picture((64 + number, 64 + number) if number else (64, 64), kind)
        for (number, name), kind in zip(enumerate(bench.provider.pictures), KINDS * 2, strict=False)
    }


def asked(bench: Bench, folder: Path, **pictures: bytes) -> dict[str, Any]:
    """A request with these pictures, or with every one that the provider takes."""
    found = pictures or {name.replace(".", "__"): data for name, data in given(bench).items()}
    return {**bench.provider.takes, "inputs": placed(folder, **found)}


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


def first_of(bench: Bench) -> str:
    return bench.provider.pictures[0]


def one(bench: Bench, folder: Path, data: bytes) -> dict[str, Any]:
    return asked(bench, folder, **{first_of(bench).replace(".", "__"): data})


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


LONGEST = {"gpt_image": 50, "gemini": 70, "stability": 10, "ideogram": 10}


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


def noise(length: int) -> bytes:
    """A PNG of about so many bytes."""
    side = int((length / 3) ** 0.5) + 1
    image = Image.frombytes("RGB", (side, side), random.Random(7).randbytes(side * side * 3))  # noqa: S311 - a picture
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=0)
    return file.getvalue()


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


def render(bench: Bench, folder: Path, parameters: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**asked(bench, folder, image=picture((128, 64))), "parameters": parameters, **more}


@at(stability.PROVIDER)
@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({}, "`image` is given without `strength`", "set `strength` too, or leave `image` out"),
        (
            {"strength": 0.5, "aspect_ratio": "16:9"},
            "both `image` and `aspect_ratio` are set",
            "leave `aspect_ratio` out",
        ),
        ({"strength": 1.5}, "`strength` is `1.5`, not within 0 to 1", ""),
    ],
)
def test_a_start_at_stability(bench: Bench, tmp_path: Path, changes: Any, message: str, hint: str) -> None:
    failure = bench.refuse(**render(bench, tmp_path / "art", changes))
    assert (failure.message, failure.hint) == (message, hint)


@at(stability.PROVIDER)
def test_a_start_keeps_its_shape(bench: Bench, tmp_path: Path) -> None:
    request = render(bench, tmp_path / "art", {"strength": 0.25}, size=(64, 64))
    failure = bench.refuse(**request)
    assert failure.message == "`image` is 128 x 64 pixels, not within 2% of the shape of `size`"
    assert failure.hint == "crop it, or ask for 64 x 32"
    bench.server.will(*bench.provider.good(picture((128, 64)), "image/png"))
    bench.make(**{**request, "size": (64, 32)})
    (call,) = bench.server.paid
    told = {name: call.body.get(name) for name in ("mode", "strength", "aspect_ratio", "model")}
    assert told == {
        "mode": "image-to-image",
        "strength": "0.25",
        "aspect_ratio": None,
        "model": "sd3.5-medium",
    }


@at(stability.PROVIDER)
def test_a_start_that_is_too_small(bench: Bench, tmp_path: Path) -> None:
    failure = bench.refuse(**one(bench, tmp_path / "art", picture((200, 63))))
    assert failure.message == "`image` is 200 x 63 pixels, and Stability AI takes none below 64"
    assert failure.hint == "make it at least 64 on each side"


@at(stability.PROVIDER)
@pytest.mark.parametrize(("strength", "told"), [(0, "0"), (1.0, "1.0"), (0.00001, "0.00001")])
def test_a_strength_is_a_plain_number(bench: Bench, tmp_path: Path, strength: float, told: str) -> None:
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    bench.make(**render(bench, tmp_path / "art", {"strength": strength}))
    (call,) = bench.server.paid
    assert call.body["strength"] == told


@at(stability.PROVIDER)
def test_a_strength_of_nothing(bench: Bench) -> None:
    failure = bench.refuse(parameters={"strength": 0})
    assert failure.message == "`strength` is given without `image`"


@at(gpt_image.PROVIDER)
@pytest.mark.parametrize(
    ("over", "message", "hint"),
    [
        (
            picture((64, 64), "WEBP", alpha=True),
            "`mask` is no PNG, the only format that OpenAI takes for it",
            "save it as a PNG",
        ),
        (mask((64, 32)), "`mask` is 64 x 32 pixels, and `image` 64 x 64", "make them the same size"),
        (
            mask(clear=False),
            "`mask` is nowhere transparent, and OpenAI changes only what is",
            "erase from it what is to be changed",
        ),
        (noise(4_100_000), "`mask` has 4.2 MB, more than the 4 MB that OpenAI takes", "make it smaller"),
    ],
    ids=["format", "size", "opaque", "length"],
)
def test_a_mask_that_would_change_nothing(
    bench: Bench, tmp_path: Path, over: bytes, message: str, hint: str
) -> None:
    failure = bench.refuse(**asked(bench, tmp_path / "art", image=SQUARE, mask=over))
    assert (failure.message, failure.hint) == (message, hint)


@at(gpt_image.PROVIDER)
def test_a_mask_needs_what_it_lies_over(bench: Bench, tmp_path: Path) -> None:
    failure = bench.refuse(**asked(bench, tmp_path / "art", mask=mask(), reference__a=SQUARE))
    assert failure.message == "`mask` is given without `image`"


@at(gpt_image.PROVIDER)
def test_an_edit_is_all_that_is_asked_for_and_no_more(bench: Bench, tmp_path: Path) -> None:
    usage = {"input_tokens": 300, "output_tokens": 1056}
    bench.server.will(*gpt_image.good(picture((1024, 1024), alpha=True), "image/png", usage=usage))
    parameters = {"background": "transparent", "quality": "high"}
    request = {**asked(bench, tmp_path / "art", image=SQUARE), "parameters": parameters}
    assert bench.make(**request, size=(1024, 1024)) == Done(id="7", output="7.png", facts={"usage": usage})
    (call,) = bench.server.paid
    assert call.path == "/images/edits"
    assert {name: value for name, value in call.body.items() if name != "image[]"} == {
        "model": bench.provider.model,
        "prompt": "a moon knight",
        "n": "1",
        "size": "1024x1024",
        "output_format": "png",
        "quality": "high",
        "background": "transparent",
    }
    assert [item.filename for item in call.files] == ["image.png"]


@at(gpt_image.PROVIDER)
def test_an_edit_has_no_moderation_to_choose(bench: Bench, tmp_path: Path) -> None:
    failure = bench.refuse(**render(bench, tmp_path / "art", {"moderation": "low"}))
    assert failure.message == "`moderation` is `low`, which OpenAI takes only without pictures"


@at(gemini.PROVIDER)
@pytest.mark.parametrize(
    ("name", "more", "shape"),
    [
        ("image", {}, None),
        ("image", {"size": (1024, 1024)}, "1:1"),
        ("image", {"parameters": {"aspect_ratio": "16:9"}}, "16:9"),
        ("reference__a", {}, "1:1"),
    ],
)
def test_gemini_keeps_the_shape_of_what_it_changes(
    bench: Bench, tmp_path: Path, name: str, more: Any, shape: str | None
) -> None:
    bench.server.will(*bench.provider.good(picture((1024, 1024)), "image/png"))
    bench.make(**asked(bench, tmp_path / "art", **{name: SQUARE}), **more)
    (call,) = bench.server.paid
    assert call.body["generationConfig"]["imageConfig"].get("aspectRatio") == shape


@at(ideogram.PROVIDER)
def test_only_the_third_ideogram_is_guided_by_pictures(bench: Bench, tmp_path: Path) -> None:
    failure = bench.refuse(**{**asked(bench, tmp_path / "art", reference__a=SQUARE), "model": "V_2"})
    assert (failure.message, failure.hint) == ("`V_2` takes no `reference`", "leave `reference` out")


def test_transparency_that_nobody_speaks_of_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    done = bench.make(**one(bench, tmp_path / "art", picture((64, 64), alpha=True)))
    name, what = bench.provider.name, first_of(bench)
    told = (f"{name} does not say what it makes of the transparency of `{what}`",)
    assert done.notes == (() if bench.provider is gpt_image.PROVIDER else told)
