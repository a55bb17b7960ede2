"""Stability AI: what is sent for each model, what comes back, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.kit import Bench, bench_of
from contracts.pictures import picture
from contracts.server import Reply
from contracts.shared import SPECS
from contracts.stability import FORM, PROVIDER, good

from engines.protocol import Done, ErrorKind

SQUARE = picture((64, 64))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(PROVIDER, tmp_path, monkeypatch) as bench:
        yield bench


def sent(bench: Bench) -> Any:
    (call,) = bench.server.paid
    return call.body


def said(status: int, name: str, *errors: str) -> Reply:
    body = {"id": "e1", "name": name, "errors": errors}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def test_the_model_is_always_sent(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png"))
    assert bench.make() == Done(id="7", output="7.png", sent={"seed": 12345})
    assert sent(bench) == {
        "prompt": "a moon knight",
        "model": "sd3.5-medium",
        "mode": "text-to-image",
        "aspect_ratio": "1:1",
        "output_format": "png",
        "seed": "12345",
    }
    assert bench.server.paid[0].headers["accept"] == "image/*"


def test_everything_that_can_be_asked(bench: Bench) -> None:
    bench.server.will(*good(picture((1344, 768)), "image/png"))
    parameters = {"guidance": 4.5, "style_preset": "pixel-art"}
    bench.make(model="sd3.5-large", size=(896, 512), negative="blurry", parameters=parameters)
    assert sent(bench) == {
        "prompt": "a moon knight",
        "model": "sd3.5-large",
        "mode": "text-to-image",
        "aspect_ratio": "16:9",
        "output_format": "png",
        "negative_prompt": "blurry",
        "seed": "12345",
        "cfg_scale": "4.5",
        "style_preset": "pixel-art",
    }


def test_a_shape_without_a_size_and_no_seed(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png", seed="987"))
    done = bench.make(model="sd3.5-large-turbo", seed=None, parameters={"aspect_ratio": "9:21"})
    assert sent(bench)["aspect_ratio"] == "9:21"
    assert "seed" not in sent(bench)
    assert (done.sent, done.notes) == ({"seed": 987}, ())


def test_another_seed_is_told(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png", seed="987"))
    done = bench.make()
    assert (done.sent, done.notes) == ({"seed": 987}, ("Stability AI used the seed 987, not 12345",))


def test_a_blurred_picture_is_a_refusal(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png", **{"finish-reason": "CONTENT_FILTERED"}))
    assert bench.fail(ErrorKind.REFUSED).message == (
        "Stability AI refused it, and it may have been billed: "
        "`CONTENT_FILTERED`, and it sent a blurred picture"
    )


def test_a_moderated_prompt_is_not_billed(bench: Bench) -> None:
    bench.server.will(said(403, "content_moderation", "Your request was flagged."))
    assert bench.fail(ErrorKind.REFUSED).message == (
        "Stability AI refused it, and it was not billed: `content_moderation`; Your request was flagged."
    )


def test_a_public_figure_is_a_refusal(bench: Bench) -> None:
    bench.server.will(said(422, "public_figure", "A public figure was detected."))
    assert bench.fail(ErrorKind.REFUSED).message == (
        "Stability AI refused it, and it was not billed: `public_figure`; A public figure was detected."
    )


def test_another_language_is_a_bad_request(bench: Bench) -> None:
    bench.server.will(said(422, "invalid_language", "English is the only supported language."))
    failure = bench.fail(ErrorKind.BAD_REQUEST)
    assert failure.message == (
        "Stability AI does not take the request (422): "
        "`invalid_language`; English is the only supported language."
    )
    assert failure.hint == "change what it names"


def test_a_403_of_another_kind_is_about_the_key(bench: Bench) -> None:
    bench.server.will(said(403, "forbidden", "Not your organisation."))
    assert bench.fail(ErrorKind.AUTH).message == (
        "Stability AI does not accept the key in `STABILITY_API_KEY` (403): "
        "`forbidden`; Not your organisation."
    )


def test_an_empty_account_is_not_tried_again(bench: Bench) -> None:
    bench.server.will(said(402, "payment_required", "You lack sufficient credits."))
    assert bench.fail(ErrorKind.QUOTA).message == (
        "the account at Stability AI is used up (402): `payment_required`; You lack sufficient credits."
    )


def test_a_retired_model_is_named(bench: Bench) -> None:
    bench.server.will(said(400, "bad_request", "model: sd3.5-medium is no longer available"))
    assert bench.fail(ErrorKind.RETIRED).message == (
        "Stability AI has ended the model `sd3.5-medium` (400): "
        "`bad_request`; model: sd3.5-medium is no longer available"
    )


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"seed": 0}, "to `sd3.5-medium`, seed 0 means any seed", "use a seed from 1 to 4294967294"),
        ({"seed": 2**32 - 1}, "`sd3.5-medium` takes no seed 4294967295", "use a seed from 1 to 4294967294"),
        (
            {"size": (400, 300)},
            "no aspect ratio of `sd3.5-medium` is within 2% of the shape of 400 x 300",
            "use a size such as 400 x 320 (5:4), 400 x 267 (3:2) or 400 x 225 (16:9)",
        ),
        (
            {"model": "sd3.5-large-turbo", "negative": "blurry"},
            "`sd3.5-large-turbo` takes no negative prompt",
            "leave `negative` out",
        ),
        ({"prompt": "a" * 10_001}, "`prompt` has 10001 characters, more than 10000", "shorten it"),
        (
            {"size": (64, 64), "parameters": {"aspect_ratio": "1:1"}},
            "both `size` and `aspect_ratio` are set",
            "leave `aspect_ratio` out",
        ),
        ({"parameters": {"guidance": 0}}, "`guidance` is `0`, not within 1 to 10", ""),
    ],
)
def test_what_a_model_can_t_take_is_refused_before_money_is_spent(
    bench: Bench, changes: Any, message: str, hint: str
) -> None:
    failure = bench.refuse(**changes)
    assert (failure.message, failure.hint) == (message, hint)


def test_an_unknown_model_does_not_load(bench: Bench) -> None:
    error = bench.fail_to_load(ErrorKind.BAD_REQUEST, "sd3-medium")
    assert (error.message, error.hint) == ("model `sd3-medium` is unknown", "did you mean `sd3.5-medium`?")


@pytest.mark.skipif(not SPECS.is_dir(), reason="the provider's own schema is not here")
def test_our_contract_is_within_the_provider_s() -> None:
    theirs = json.loads((SPECS / "stability-sd3.json").read_text())["components"]["schemas"]["Sd3Request"]
    ours = FORM["properties"]
    assert set(ours) <= set(theirs["properties"])
    assert set(ours["aspect_ratio"]["enum"]) == set(theirs["properties"]["aspect_ratio"]["enum"])
    # In its text, the provider also has `sd3.5-flash`.
    assert set(ours["model"]["enum"]) - {"sd3.5-flash"} == set(theirs["properties"]["model"]["enum"])
