"""Ideogram: what is sent for each model, what comes back, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.ideogram import PROVIDER, good, made
from contracts.kit import KEY, Bench, bench_of
from contracts.pictures import picture
from contracts.server import Fault, Reply

from engines.ideogram.models import MODELS
from engines.protocol import Done, ErrorKind

SQUARE = picture((64, 64))
ONE_TRY = {"timeout": 0.9}
"""The second try would come after a second or more."""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(PROVIDER, tmp_path, monkeypatch) as bench:
        yield bench


def sent(bench: Bench) -> Any:
    (call,) = bench.server.paid
    return call.body


def said(status: int, **body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def test_a_picture_is_kept_as_it_came(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png"))
    done = bench.make()
    assert done == Done(id="7", output="7.png", sent={"seed": 12345})
    assert (bench.staging / "7.png").read_bytes() == SQUARE
    assert sent(bench) == {
        "image_request": {
            "prompt": "a moon knight",
            "num_images": 1,
            "aspect_ratio": "ASPECT_1_1",
            "seed": 12345,
            "model": "V_1_TURBO",
            "magic_prompt_option": "OFF",
        }
    }
    assert bench.progress == [("7", 0, 2), ("7", 1, 2)]


def test_the_key_goes_to_the_provider_alone(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png"))
    bench.make()
    post, fetch = bench.server.calls
    assert post.headers["api-key"] == KEY
    assert fetch.path == "/ephemeral/x.png?exp=1&sig=2"
    assert KEY not in str(fetch)


def test_v2a_turbo_takes_a_style_and_no_negative_prompt(bench: Bench) -> None:
    bench.server.will(*good(picture((1024, 576)), "image/png"))
    parameters = {"style_type": "render_3d", "magic_prompt": "on"}
    bench.make(model="V_2A_TURBO", parameters=parameters, size=(512, 288))
    assert sent(bench)["image_request"] == {
        "prompt": "a moon knight",
        "num_images": 1,
        "aspect_ratio": "ASPECT_16_9",
        "seed": 12345,
        "style_type": "RENDER_3D",
        "model": "V_2A_TURBO",
        "magic_prompt_option": "ON",
    }


def test_v2a_turbo_refuses_a_negative_prompt(bench: Bench) -> None:
    failure = bench.refuse(model="V_2A_TURBO", negative="blurry")
    assert failure.message == "`V_2A_TURBO` takes no negative prompt"
    assert failure.hint == "leave `negative` out"


def test_v2_takes_exact_sizes(bench: Bench) -> None:
    bench.server.will(*good(picture((1280, 720)), "image/png"))
    bench.make(model="V_2", size=(1280, 720), negative="blurry", seed=None)
    request = sent(bench)["image_request"]
    assert request["resolution"] == "RESOLUTION_1280_720"
    assert request["negative_prompt"] == "blurry"
    assert not {"seed", "aspect_ratio"} & set(request)


def test_v3_has_an_address_of_its_own(bench: Bench) -> None:
    bench.server.will(*good(picture((1536, 512)), "image/png"))
    parameters = {"rendering_speed": "turbo", "style_type": "design"}
    bench.make(model="V_3", size=(300, 100), parameters=parameters, negative="blurry")
    assert bench.server.paid[0].path == "/v1/ideogram-v3/generate"
    assert sent(bench) == {
        "prompt": "a moon knight",
        "num_images": 1,
        "resolution": "1536x512",
        "negative_prompt": "blurry",
        "seed": 12345,
        "style_type": "DESIGN",
        "magic_prompt": "OFF",
        "rendering_speed": "TURBO",
    }


def test_v3_takes_a_shape_where_there_is_no_size(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png"))
    bench.make(model="V_3", parameters={"aspect_ratio": "4:5"})
    assert sent(bench)["aspect_ratio"] == "4x5"
    assert sent(bench)["rendering_speed"] == "DEFAULT"


@pytest.mark.parametrize("model", ["V_2", "V_3"])
def test_every_exact_size_keeps_the_contract(bench: Bench, model: str) -> None:
    sizes = MODELS[model].takes.sizes
    assert len(set(sizes)) == len(sizes) == {"V_2": 78, "V_3": 69}[model]
    bench.server.will(*[said(500)] * len(sizes))
    list(bench.load(model).render([bench.request(size=size) for size in sizes], lambda *_: None))
    assert len(bench.server.paid) == len(sizes)  # the server closes with an error if one was not allowed


def test_a_rewritten_prompt_and_another_seed_are_told(bench: Bench) -> None:
    bench.server.will(*good(SQUARE, "image/png", prompt="A knight under a full moon", seed=99))
    done = bench.make(parameters={"magic_prompt": "auto"})
    assert done.sent == {"seed": 99, "prompt": "A knight under a full moon"}
    assert done.notes == ("Ideogram used the seed 99, not 12345",)


def test_an_interface_that_will_end_is_told(bench: Bench) -> None:
    first, second = good(SQUARE, "image/png")
    assert callable(first)
    bench.server.will(
        lambda url: Reply(body=first(url).body, headers={"Deprecation": "Sat, 01 May 2027 00:00:00 GMT"}),
        second,
    )
    told = "Ideogram will end this interface: Sat, 01 May 2027 00:00:00 GMT"
    assert bench.make().notes == (told,)


def test_an_unsafe_picture_may_have_been_billed(bench: Bench) -> None:
    bench.server.will(made("", is_image_safe=False))
    failure = bench.fail(ErrorKind.REFUSED)
    assert failure.message == ("Ideogram refused it, and it may have been billed: `is_image_safe` is false")
    assert failure.hint == "change the prompt"


def test_an_unsafe_prompt_is_not_billed(bench: Bench) -> None:
    bench.server.will(said(422, error="Prompt failed the safety check"))
    failure = bench.fail(ErrorKind.REFUSED)
    assert failure.message == "Ideogram refused it, and it was not billed: Prompt failed the safety check"


def test_a_422_of_another_kind_is_a_bad_request(bench: Bench) -> None:
    bench.server.will(said(422, detail=[{"loc": ["seed"], "msg": "too large"}]))
    failure = bench.fail(ErrorKind.BAD_REQUEST)
    assert failure.message == (
        'Ideogram does not take the request (422): {"detail": [{"loc": ["seed"], "msg": "too large"}]}'
    )


@pytest.mark.parametrize("why", ["insufficient_funds", "daily_limit"])
def test_an_empty_account_is_not_tried_again(bench: Bench, why: str) -> None:
    bench.server.will(said(402, error="No credit", reject_reason=why))
    failure = bench.fail(ErrorKind.QUOTA)
    assert failure.message == f"the account at Ideogram is used up (402): No credit ({why})"
    assert failure.hint == "look at the account's balance and limits"


def test_too_many_under_way_is_to_wait(bench: Bench) -> None:
    bench.server.will(said(429, error="Too many", reject_reason="inflight_limit", max_inflight_requests=10))
    failure = bench.fail(ErrorKind.RATE_LIMITED)
    assert failure.message == "Ideogram asks to slow down (429): Too many (inflight_limit)"
    assert failure.retry_after is None


def test_a_retired_model_is_named(bench: Bench) -> None:
    bench.server.will(said(400, error="The model V_1_TURBO was retired."))
    failure = bench.fail(ErrorKind.RETIRED)
    assert failure.message == (
        "Ideogram has ended the model `V_1_TURBO` (400): The model V_1_TURBO was retired."
    )
    assert failure.hint == "choose another model: nothing is put in its place"


def test_an_expired_address_is_a_lost_picture(bench: Bench) -> None:
    first, _ = good(SQUARE, "image/png")
    bench.server.will(first, Reply(403, b"<Error><Code>AccessDenied</Code></Error>"))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert failure.message == (
        "Ideogram took the request (request `ideo-1`) and its answer was lost: the temporary address of the "
        "picture has expired (403). The picture may have been made, and billed"
    )
    assert failure.hint == "look at the account's usage before you build it again"


@pytest.mark.parametrize(
    "missed",
    [
        Reply(500, b"<h1>Bad day</h1>"),
        Reply(429, b"", {"Retry-After": "1"}),
        Reply(200, SQUARE, fault=Fault.RESET),
        Reply(fault=Fault.DROP),
    ],
    ids=["500", "429", "reset", "drop"],
)
def test_a_picture_that_does_not_come_at_once_is_fetched_again(bench: Bench, missed: Reply) -> None:
    first, second = good(SQUARE, "image/png")
    bench.server.will(first, missed, second)
    assert bench.make() == Done(id="7", output="7.png", sent={"seed": 12345})
    assert (bench.staging / "7.png").read_bytes() == SQUARE
    assert [call.method for call in bench.server.calls] == ["POST", "GET", "GET"]


def test_a_picture_is_fetched_again_until_its_address_expires(bench: Bench) -> None:
    first, _ = good(SQUARE, "image/png")
    bench.server.will(first, Reply(503), Reply(410))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert "the temporary address of the picture has expired (410). The picture may" in failure.message
    assert len(bench.server.calls) == 3


def test_a_server_that_asks_for_more_time_than_there_is_is_not_waited_for(bench: Bench) -> None:
    first, _ = good(SQUARE, "image/png")
    bench.server.will(first, Reply(503, b"", {"Retry-After": "600"}))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert "its answer was lost: the picture can't be fetched (503). The picture may" in failure.message


def test_a_picture_that_never_comes_is_given_up_when_the_timeout_is_over(bench: Bench) -> None:
    first, _ = good(SQUARE, "image/png")
    bench.server.will(first, *[Reply(500)] * 9)
    failure = bench.fail(ErrorKind.UNCERTAIN, settings={"timeout": 4})
    tried = len(bench.server.calls) - 1
    assert tried > 1
    assert failure.message == (
        "Ideogram took the request (request `ideo-1`) and its answer was lost: the picture can't be fetched "
        f"(500, tried {tried} times). The picture may have been made, and billed"
    )
    assert failure.hint == "look at the account's usage before you build it again"


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.DROP])
def test_a_picture_that_breaks_off_is_lost(bench: Bench, fault: Fault) -> None:
    first, _ = good(SQUARE, "image/png")
    bench.server.will(first, Reply(200, SQUARE, fault=fault))
    failure = bench.fail(ErrorKind.UNCERTAIN, settings=ONE_TRY)
    assert failure.message.startswith(
        "Ideogram took the request (request `ideo-1`) and its answer was lost: the picture can't be fetched ("
    )


def test_a_picture_that_does_not_come_in_time_is_lost(bench: Bench) -> None:
    first, _ = good(SQUARE, "image/png")
    bench.server.will(first, Reply(fault=Fault.HANG))
    failure = bench.fail(ErrorKind.UNCERTAIN, settings={"timeout": 0.3})
    assert failure.message == (
        "Ideogram took the request (request `ideo-1`) and its answer was lost: the picture can't be fetched "
        "(timed out). The picture may have been made, and billed"
    )


@pytest.mark.parametrize("status", [302, 400, 500, 503])
def test_a_picture_that_is_not_given_is_lost(bench: Bench, status: int) -> None:
    first, _ = good(SQUARE, "image/png")
    bench.server.will(first, Reply(status, b"", {"Location": "https://elsewhere.example/x.png"}))
    failure = bench.fail(ErrorKind.UNCERTAIN, settings=ONE_TRY)
    assert f"its answer was lost: the picture can't be fetched ({status})" in failure.message


def test_a_picture_from_another_plain_host_is_not_fetched(bench: Bench) -> None:
    bench.server.will(made("http://192.0.2.1/x.png"))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert "the address of the picture is not a secure one" in failure.message


@pytest.mark.parametrize("url", ["https://[fe80", "https://\n/x.png"])
def test_an_address_that_is_none_is_a_lost_picture(bench: Bench, url: str) -> None:
    bench.server.will(made(url))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert "(request `ideo-1`) and its answer was lost: " in failure.message
    assert len(bench.server.calls) == 1


def test_no_address_is_a_lost_picture(bench: Bench) -> None:
    bench.server.will(made(""))
    assert "it holds no address of a picture" in bench.fail(ErrorKind.UNCERTAIN).message


def test_more_pixels_than_it_makes_are_refused_before_money_is_spent(bench: Bench) -> None:
    failure = bench.refuse(size=(1536, 864))
    assert failure.message == "`V_1_TURBO` makes at most 1,048,576 pixels, not the 1536 x 864 asked for"
    assert failure.hint == "ask for at most 1365 x 767"


def test_a_picture_that_is_too_small_is_told(bench: Bench) -> None:
    bench.server.will(*good(picture((1280, 720)), "image/png"))
    result = bench.render(size=(1344, 756))
    assert not isinstance(result, Done)
    assert result.kind is ErrorKind.INTERNAL
    assert result.message == "`V_1_TURBO` made 1280 x 720 pixels, not the 1344 x 756 asked for"
    assert result.hint == "ask for at most 1280 x 720"


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        (
            {"size": (500, 300)},
            "no aspect ratio of `V_1_TURBO` is within 2% of the shape of 500 x 300",
            "use a size such as 500 x 312 (16:10), 500 x 281 (16:9) or 500 x 333 (3:2)",
        ),
        (
            {"model": "V_3", "size": (1500, 1000)},
            "`V_3` makes at most 1248 x 832 pixels in this shape, not the 1500 x 1000 asked for",
            "ask for at most 1248 x 832",
        ),
        (
            {"model": "V_3", "size": (1000, 100)},
            "no size of `V_3` is within 2% of the shape of 1000 x 100",
            "use a size such as 1536 x 512, 1536 x 576 or 1472 x 576",
        ),
        (
            {"size": (512, 512), "parameters": {"aspect_ratio": "1:1"}},
            "both `size` and `aspect_ratio` are set",
            "leave `aspect_ratio` out",
        ),
        (
            {"parameters": {"aspect_ratio": "4:5"}},
            "`V_1_TURBO` has no aspect ratio 4:5",
            "use one of `1:1`, `16:9`, `9:16`, `16:10`, `10:16`, `3:2`, `2:3`, `4:3`, `3:4`, `3:1`, `1:3`",
        ),
        (
            {"parameters": {"style_type": "anime"}},
            "`V_1_TURBO` has no `style_type` `anime`",
            "leave it out",
        ),
        (
            {"model": "V_3", "parameters": {"style_type": "anime"}},
            "`V_3` has no `style_type` `anime`",
            "use one of `auto`, `general`, `realistic`, `design`, `fiction`, `stylized`",
        ),
        (
            {"parameters": {"rendering_speed": "turbo"}},
            "`V_1_TURBO` takes no `rendering_speed`",
            "leave `rendering_speed` out",
        ),
        ({"seed": 2**31}, "`V_1_TURBO` takes no seed 2147483648", "use a seed from 0 to 2147483647"),
        ({"prompt": " "}, "the request has no prompt", "set `prompt`"),
        ({"text": "PLAY"}, "`V_1_TURBO` takes no exact lettering", "put it into the prompt, in quotes"),
        (
            {"parameters": {"stile_type": "auto"}},
            "parameter `stile_type` is unknown",
            "did you mean `style_type`?",
        ),
        (
            {"inputs": {"image": "/x.png"}},
            "parameter `image` is unknown",
            "use one of `aspect_ratio`, `magic_prompt`, `reference`, `rendering_speed`, `style_type`",
        ),
    ],
)
def test_what_a_model_can_t_take_is_refused_before_money_is_spent(
    bench: Bench, changes: Any, message: str, hint: str
) -> None:
    failure = bench.refuse(**changes)
    assert (failure.message, failure.hint) == (message, hint)


def test_an_unknown_model_does_not_load(bench: Bench) -> None:
    error = bench.fail_to_load(ErrorKind.BAD_REQUEST, "V_1_TURBOO")
    assert (error.message, error.hint) == ("model `V_1_TURBOO` is unknown", "did you mean `V_1_TURBO`?")


def test_the_environment_names_the_interface(bench: Bench) -> None:
    environment = bench.load().environment()
    assert environment["interface"] == "/generate"
    assert environment["host"] == bench.server.url.removeprefix("http://")
    assert "host" not in bench.load(base_url="https://api.ideogram.ai/").environment()
    assert set(environment) == {"httpx2", "interface", "host"}
