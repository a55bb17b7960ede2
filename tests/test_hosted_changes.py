"""What each provider makes of pictures: a start, a change, a mask, a style; and what it would not take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import gemini, gpt_image, ideogram, stability
from contracts.given import SQUARE, asked, at, mask, noise, one, render
from contracts.kit import Bench, bench_of
from contracts.pictures import picture

from engines.protocol import Done


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path, monkeypatch) as bench:
        yield bench


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
