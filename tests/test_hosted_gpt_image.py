"""OpenAI: what is sent through the SDK, what comes back, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.gpt_image import PROVIDER, good
from contracts.kit import KEY, Bench, bench_of
from contracts.pictures import picture
from contracts.server import Reply

from engines.protocol import Done, ErrorKind

SQUARE = picture((64, 64))
MODEL = PROVIDER.model


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(PROVIDER, tmp_path, monkeypatch) as bench:
        yield bench


def sent(bench: Bench) -> Any:
    (call,) = bench.server.paid
    return call.body


def said(status: int, message: str, code: str | None = None, kind: str = "", **more: Any) -> Reply:
    error = {"message": message, "type": kind or "invalid_request_error", "param": None, "code": code}
    return Reply(
        status, json.dumps({"error": {**error, **more}}).encode(), {"Content-Type": "application/json"}
    )


def test_what_is_sent_and_what_is_told(bench: Bench) -> None:
    usage = {"input_tokens": 12, "output_tokens": 1056, "total_tokens": 1068}
    bench.server.will(*good(SQUARE, "image/png", usage=usage))
    assert bench.make() == Done(id="7", output="7.png", facts={"usage": usage})
    assert (bench.staging / "7.png").read_bytes() == SQUARE
    assert sent(bench) == {
        "model": MODEL,
        "prompt": "a moon knight",
        "n": 1,
        "size": "auto",
        "output_format": "png",
        "quality": "medium",
        "background": "auto",
        "moderation": "auto",
    }
    assert bench.server.paid[0].headers["authorization"] == f"Bearer {KEY}"


def test_exact_sizes_and_transparency(bench: Bench) -> None:
    bench.server.will(*good(picture((1536, 864), alpha=True), "image/png"))
    parameters = {"background": "transparent", "quality": "xhigh", "moderation": "low"}
    done = bench.make(model="gpt-image-2.5-flare-2026-09-08", size=(1536, 864), parameters=parameters)
    assert done.notes == ()
    body = sent(bench)
    assert (body["size"], body["background"], body["quality"]) == ("1536x864", "transparent", "xhigh")
    assert body["moderation"] == "low"


def test_a_picture_without_the_transparency_asked_for_is_told(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png"))
    done = bench.make(parameters={"background": "transparent"})
    assert done.notes == ("OpenAI sent a picture without transparency",)


def test_a_rewritten_prompt_is_recorded(bench: Bench) -> None:
    (whole,) = good(SQUARE, "image/png")
    assert isinstance(whole, Reply)
    body = json.loads(whole.body)
    body["data"][0]["revised_prompt"] = "A knight under a full moon"
    bench.server.will(Reply(200, json.dumps(body).encode(), whole.headers))
    assert bench.make().sent == {"prompt": "A knight under a full moon"}


def test_a_jpeg_is_kept_as_one(bench: Bench) -> None:
    bench.server.will(*good(picture((64, 64), "JPEG"), "image/jpeg"))
    assert bench.make().output == "7.jpg"


def test_older_models_make_three_sizes(bench: Bench) -> None:
    bench.server.will(*good(picture((1536, 1024)), "image/png"))
    bench.make(model="gpt-image-1.5", size=(300, 200))
    assert sent(bench)["size"] == "1536x1024"


@pytest.mark.parametrize("code", ["moderation_blocked", "content_policy_violation"])
def test_a_refusal(bench: Bench, code: str) -> None:
    bench.server.will(said(400, "Rejected by the safety system.", code, "image_generation_user_error"))
    failure = bench.fail(ErrorKind.REFUSED)
    assert failure.message == (
        f"OpenAI refused it, and it may have been billed: `{code}`, Rejected by the safety system."
    )


def test_a_refusal_by_its_details(bench: Bench) -> None:
    details = {"categories": ["violence"], "moderation_stage": "output"}
    bench.server.will(said(400, "Rejected.", "image_blocked", moderation_details=details))
    assert bench.fail(ErrorKind.REFUSED).message == (
        "OpenAI refused it, and it may have been billed: `image_blocked`, Rejected."
    )


@pytest.mark.parametrize(
    ("status", "code"), [(429, "insufficient_quota"), (400, "billing_hard_limit_reached")]
)
def test_an_empty_account_is_not_tried_again(bench: Bench, status: int, code: str) -> None:
    bench.server.will(said(status, "You exceeded your current quota.", code))
    assert bench.fail(ErrorKind.QUOTA).message == (
        f"the account at OpenAI is used up ({status}): You exceeded your current quota."
    )


@pytest.mark.parametrize(
    ("words", "headers", "seconds"),
    [
        ("Rate limit reached. Please try again in 12s.", {}, 12.0),
        ("Rate limit reached. Please try again in 1m30s.", {}, 90.0),
        ("Rate limit reached. Please try again in 250ms.", {}, 0.25),
        ("Rate limit reached. Please try again in 12s.", {"retry-after-ms": "1500"}, 1.5),
        ("Rate limit reached. Please try again in 12s.", {"retry-after": "20"}, 20.0),
        ("Rate limit of 5 images in 60s reached.", {}, None),
    ],
)
def test_how_long_to_wait(bench: Bench, words: str, headers: dict[str, str], seconds: float | None) -> None:
    reply = said(429, words, "rate_limit_exceeded", "requests")
    bench.server.will(Reply(429, reply.body, {**reply.headers, **headers}))
    failure = bench.fail(ErrorKind.RATE_LIMITED)
    assert failure.message == f"OpenAI asks to slow down (429): {words}"
    assert failure.retry_after == seconds


@pytest.mark.parametrize(
    ("model", "day"), [("dall-e-3", "2026-05-12"), ("dall-e-2", "2026-05-12"), ("gpt-image-1", "2026-10-23")]
)
@pytest.mark.parametrize("status", [400, 404])
def test_a_retired_model_is_never_another_one(bench: Bench, model: str, day: str, status: int) -> None:
    bench.server.will(said(status, f"The model `{model}` does not exist.", "model_not_found"))
    failure = bench.fail(ErrorKind.RETIRED, model=model)
    assert failure.message == (
        f"OpenAI has ended the model `{model}` on {day} ({status}): The model `{model}` does not exist."
    )
    assert failure.hint == "choose another model: nothing is put in its place"
    assert sent(bench)["model"] == model


def test_a_model_that_ended_since(bench: Bench) -> None:
    bench.server.will(said(404, "The model `gpt-image-2` has been deprecated.", "model_not_found"))
    assert bench.fail(ErrorKind.RETIRED, model="gpt-image-2").message == (
        "OpenAI has ended the model `gpt-image-2` (404): The model `gpt-image-2` has been deprecated."
    )


def test_a_model_that_never_was_is_a_bad_request(bench: Bench) -> None:
    bench.server.will(said(404, "The model `gpt-image-9` does not exist.", "model_not_found"))
    assert bench.fail(ErrorKind.BAD_REQUEST, model="gpt-image-9").message == (
        "OpenAI does not take the request (404): The model `gpt-image-9` does not exist."
    )


def test_a_parameter_that_ended_is_no_model_that_did(bench: Bench) -> None:
    words = "The parameter `user` is deprecated for this model."
    bench.server.will(said(400, words, "unsupported_parameter"))
    assert bench.fail(ErrorKind.BAD_REQUEST).message == f"OpenAI does not take the request (400): {words}"


def test_an_unverified_organisation(bench: Bench) -> None:
    bench.server.will(said(403, "Your organization must be verified."))
    assert bench.fail(ErrorKind.AUTH).message == (
        "OpenAI does not accept the key in `OPENAI_API_KEY` (403): Your organization must be verified."
    )


@pytest.mark.parametrize("data", [[], [{}], [{"b64_json": ""}], [{"url": "https://example.com/x.png"}]])
def test_an_answer_without_a_picture(bench: Bench, data: Any) -> None:
    body = json.dumps({"created": 1, "data": data}).encode()
    bench.server.will(Reply(200, body, {"Content-Type": "application/json"}))
    assert bench.fail(ErrorKind.INTERNAL).message.startswith("OpenAI answered with no picture (200): `{")


def test_base64_that_is_cut_off_is_a_lost_picture(bench: Bench) -> None:
    (whole,) = good(SQUARE, "image/png")
    assert isinstance(whole, Reply)
    body = json.loads(whole.body)
    body["data"][0]["b64_json"] = body["data"][0]["b64_json"][:81]
    bench.server.will(Reply(200, json.dumps(body).encode(), whole.headers))
    assert bench.fail(ErrorKind.UNCERTAIN).message == (
        "OpenAI took the request (request `oai-1`) and its answer was lost: its base64 is cut off or "
        "damaged. The picture may have been made, and billed"
    )


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"seed": 3}, f"`{MODEL}` takes no seed", "leave `seed` out"),
        ({"negative": "blurry"}, f"`{MODEL}` takes no negative prompt", "leave `negative` out"),
        (
            {"size": (500, 500)},
            f"`{MODEL}` makes no 500 x 500 pixels: both sides must be multiples of 16",
            "use 512 x 512, and the finish step `resize`",
        ),
        (
            {"size": (1600, 160)},
            f"`{MODEL}` makes no 1600 x 160 pixels: the longer side may be 3 times the shorter",
            "use a size such as 3840 x 2160, 2048 x 2048 or 1024 x 1024",
        ),
        (
            {"size": (3840, 3840)},
            f"`{MODEL}` makes no 3840 x 3840 pixels: the most is 3840 x 2160",
            "use a size such as 3840 x 2160, 2048 x 2048 or 1024 x 1024",
        ),
        (
            {"model": "gpt-image-1.5", "size": (2048, 2048)},
            "`gpt-image-1.5` makes at most 1024 x 1024 pixels in this shape, not the 2048 x 2048 asked for",
            "ask for at most 1024 x 1024",
        ),
        ({"parameters": {"quality": "max"}}, f"`{MODEL}` has no quality `max`", "use `high`"),
        ({"prompt": "a" * 32_001}, "`prompt` has 32001 characters, more than 32000", "shorten it"),
    ],
)
def test_what_it_can_t_take_is_refused_before_money_is_spent(
    bench: Bench, changes: Any, message: str, hint: str
) -> None:
    failure = bench.refuse(**changes)
    assert (failure.message, failure.hint) == (message, hint)


def test_the_sdk_is_no_way_round_the_settings(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://192.0.2.1")
    bench.server.will(*good(SQUARE, "image/png"))
    bench.make()
    assert len(bench.server.paid) == 1
