"""Gemini: what is sent, the picture among the parts, and blocks that come as HTTP 200."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.gemini import PROVIDER, candidate, good, inline, reply
from contracts.kit import KEY, Bench, bench_of
from contracts.pictures import picture
from contracts.server import Reply

from engines.protocol import Done, ErrorKind

SQUARE = picture((64, 64))
BILLED = "Gemini refused it, and it may have been billed: "


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(PROVIDER, tmp_path, monkeypatch) as bench:
        yield bench


def sent(bench: Bench) -> Any:
    (call,) = bench.server.paid
    return call.body


def said(code: int, status: str, message: str, *details: Any) -> Reply:
    body = {"error": {"code": code, "message": message, "status": status, "details": details}}
    return Reply(code, json.dumps(body).encode(), {"Content-Type": "application/json"})


def test_what_is_sent_and_what_is_told(bench: Bench) -> None:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 1120, "totalTokenCount": 1125}
    bench.server.will(reply(candidate(inline(SQUARE, "image/png")), usageMetadata=usage))
    assert bench.make() == Done(id="7", output="7.png", facts={"usage": usage})
    assert sent(bench) == {
        "contents": [{"role": "user", "parts": [{"text": "a moon knight"}]}],
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "seed": 42,
            "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
        },
    }
    assert bench.server.paid[0].headers["x-goog-api-key"] == KEY


@pytest.mark.parametrize(
    ("size", "resolution"),
    [((1024, 1024), "1K"), ((1025, 1024), "2K"), ((2048, 2048), "2K"), ((2049, 2049), "4K")],
)
def test_the_resolution_is_the_least_that_is_enough(
    bench: Bench, size: tuple[int, int], resolution: str
) -> None:
    bench.server.will(Reply(500, b"{}"))
    bench.fail(ErrorKind.TRANSIENT, size=size)
    assert sent(bench)["generationConfig"]["imageConfig"] == {"aspectRatio": "1:1", "imageSize": resolution}


def test_shape_and_resolution_may_be_chosen(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png"))
    bench.make(parameters={"aspect_ratio": "21:9", "image_size": "4K"}, seed=None)
    config = sent(bench)["generationConfig"]
    assert config["imageConfig"] == {"aspectRatio": "21:9", "imageSize": "4K"}
    assert "seed" not in config


def test_thoughts_are_left_out_and_words_are_a_note(bench: Bench) -> None:
    sketch, drawn = picture((32, 32)), inline(SQUARE, "image/png")
    parts = (inline(sketch, "image/png", thought=True), {"text": "Here is your knight."}, drawn)
    bench.server.will(reply(candidate(*parts), modelVersion="gemini-3-pro-image-0528"))
    done = bench.make()
    assert (bench.staging / "7.png").read_bytes() == SQUARE
    assert done.notes == ("Gemini said: Here is your knight.",)
    assert done.sent == {"model": "gemini-3-pro-image-0528"}


def test_a_jpeg_is_kept_as_one(bench: Bench) -> None:
    bench.server.will(*good(picture((64, 64), "JPEG"), "image/jpeg"))
    assert bench.make().output == "7.jpg"


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY"])
def test_a_blocked_prompt_comes_as_200(bench: Bench, reason: str) -> None:
    bench.server.will(reply(promptFeedback={"blockReason": reason}))
    failure = bench.fail(ErrorKind.REFUSED)
    assert failure.message == f"{BILLED}the prompt is blocked as `{reason}`"
    assert failure.hint == "change the prompt"


@pytest.mark.parametrize(
    "reason",
    [
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_OTHER",
        "NO_IMAGE",
        "IMAGE_RECITATION",
        "SAFETY",
        "PROHIBITED_CONTENT",
        "RECITATION",
    ],
)
def test_a_blocked_picture_comes_as_200(bench: Bench, reason: str) -> None:
    bench.server.will(reply({"finishReason": reason, "index": 0}))
    assert bench.fail(ErrorKind.REFUSED).message == f"{BILLED}`{reason}`"


def test_a_block_s_own_words_are_told(bench: Bench) -> None:
    words = "Unable to show the generated image."
    bench.server.will(reply({"finishReason": "IMAGE_SAFETY", "finishMessage": words}))
    assert bench.fail(ErrorKind.REFUSED).message == f"{BILLED}`IMAGE_SAFETY`, {words}"


def test_words_instead_of_a_picture(bench: Bench) -> None:
    bench.server.will(reply(candidate({"text": "I can describe a knight for you."})))
    failure = bench.fail(ErrorKind.INTERNAL)
    assert failure.message == "Gemini answered with no picture (200): `I can describe a knight for you.`"
    assert failure.hint == "ask for a picture in the prompt"


@pytest.mark.parametrize("cut", [1, 3, 4])
def test_base64_that_is_cut_off_is_a_lost_picture(bench: Bench, cut: int) -> None:
    part = dict(inline(SQUARE, "image/png"))
    part["inlineData"]["data"] = part["inlineData"]["data"][: 80 - cut]
    bench.server.will(reply(candidate(part)))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert failure.message.startswith("Gemini took the request (request `gem-1`) and its answer was lost: ")
    assert failure.message.endswith(". The picture may have been made, and billed")


def test_json_that_is_cut_off_is_a_lost_picture(bench: Bench) -> None:
    (whole,) = good(SQUARE, "image/png")
    assert isinstance(whole, Reply)
    bench.server.will(Reply(200, whole.body[:-40], whole.headers))
    assert bench.fail(ErrorKind.UNCERTAIN).message == (
        "Gemini took the request and its answer was lost: its JSON is cut off or damaged. "
        "The picture may have been made, and billed"
    )


def test_a_wrong_key_comes_as_400(bench: Bench) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    bench.server.will(said(400, "INVALID_ARGUMENT", "API key not valid.", info))
    failure = bench.fail(ErrorKind.AUTH)
    assert failure.message == (
        "Gemini does not accept the key in `GEMINI_API_KEY` (400): INVALID_ARGUMENT: API key not valid."
    )


def test_another_400_is_a_bad_request(bench: Bench) -> None:
    bench.server.will(said(400, "INVALID_ARGUMENT", "Unknown name."))
    assert bench.fail(ErrorKind.BAD_REQUEST).message == (
        "Gemini does not take the request (400): INVALID_ARGUMENT: Unknown name."
    )


def test_the_minute_s_share_is_used_up(bench: Bench) -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    quota = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]}
    bench.server.will(said(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", quota, retry))
    failure = bench.fail(ErrorKind.RATE_LIMITED)
    assert failure.message == "Gemini asks to slow down (429): RESOURCE_EXHAUSTED: Quota exceeded."
    assert failure.retry_after == 34.5


@pytest.mark.parametrize(
    ("message", "quota"),
    [("Quota exceeded.", "GenerateRequestsPerDayPerProjectPerModel"), ("Quota exceeded, limit: 0", "")],
)
def test_no_wait_helps_where_the_day_s_share_is_used_up(bench: Bench, message: str, quota: str) -> None:
    details = {"violations": [{"quotaId": quota}]}
    bench.server.will(said(429, "RESOURCE_EXHAUSTED", message, details))
    assert bench.fail(ErrorKind.QUOTA).message == (
        f"the account at Gemini is used up (429): RESOURCE_EXHAUSTED: {message}"
    )


def test_a_retired_model_is_named_with_its_day(bench: Bench) -> None:
    message = "models/gemini-3-pro-image-preview is not found for API version v1beta"
    bench.server.will(said(404, "NOT_FOUND", message))
    failure = bench.fail(ErrorKind.RETIRED, model="gemini-3-pro-image-preview")
    assert failure.message == (
        "Gemini has ended the model `gemini-3-pro-image-preview` on 2026-06-25 (404): "
        "NOT_FOUND: models/gemini-3-pro-image-preview is not found for API version v1beta"
    )


def test_a_model_that_never_was_is_a_bad_request(bench: Bench) -> None:
    bench.server.will(said(404, "NOT_FOUND", "models/gemini-9 is not found"))
    assert bench.fail(ErrorKind.BAD_REQUEST, model="gemini-9").message == (
        "Gemini does not take the request (404): NOT_FOUND: models/gemini-9 is not found"
    )


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"negative": "blurry"}, "`gemini-3-pro-image` takes no negative prompt", "leave `negative` out"),
        ({"seed": -1}, "`gemini-3-pro-image` takes no seed -1", "use a seed from 0 to 2147483647"),
        (
            {"size": (100, 50)},
            "no aspect ratio of `gemini-3-pro-image` is within 2% of the shape of 100 x 50",
            "use a size such as 100 x 56 (16:9), 100 x 43 (21:9) or 100 x 67 (3:2)",
        ),
        (
            {"size": (5000, 5000)},
            "5000 x 5000 has more pixels than `4K`, the most of `gemini-3-pro-image`",
            "ask for a smaller `size`",
        ),
        (
            {"size": (64, 64), "parameters": {"aspect_ratio": "1:1"}},
            "both `size` and `aspect_ratio` are set",
            "leave `aspect_ratio` out",
        ),
        ({"parameters": {"image_size": "8K"}}, "`image_size` `8K` is unknown", "use one of `1K`, `2K`, `4K`"),
    ],
)
def test_what_it_can_t_take_is_refused_before_money_is_spent(
    bench: Bench, changes: Any, message: str, hint: str
) -> None:
    failure = bench.refuse(**changes)
    assert (failure.message, failure.hint) == (message, hint)


@pytest.mark.parametrize("model", ["../secrets", "a b", "models/x"])
def test_a_name_that_is_no_model_does_not_load(bench: Bench, model: str) -> None:
    assert bench.fail_to_load(ErrorKind.BAD_REQUEST, model).message == f"`{model}` is no model"
