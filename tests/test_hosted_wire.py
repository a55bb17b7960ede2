"""What can go wrong between artlock and any provider: one request, the right kind of error, no key told."""

from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.kit import KEY, Bench, bench_of
from contracts.pictures import MIME, picture
from contracts.providers import ALL
from contracts.server import Fault, Reply
from contracts.shared import SPECS
from engine_child import converse
from jsonschema import Draft202012Validator

from engines import parameters
from engines.protocol import Done, ErrorKind, Failure

HOME = Path(__file__).resolve().parent.parent
SQUARE = picture((64, 64))
HTML = Reply(
    200, b"<html>\n<body>Sign in to the  hotel's network</body></html>", {"Content-Type": "text/html"}
)


@pytest.fixture(params=ALL, ids=lambda provider: provider.adapter)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path, monkeypatch) as bench:
        yield bench


def spoiled(body: Any) -> Iterator[Any]:
    """`body` with an unheard-of key in each of its objects in turn."""
    if isinstance(body, dict):
        yield {**body, "unheard_of": "1"}
        for key, value in body.items():
            yield from ({**body, key: item} for item in spoiled(value))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from ([*body[:place], item, *body[place + 1 :]] for item in spoiled(value))


def test_every_schema_knows_an_unknown_key(bench: Bench) -> None:
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    bench.make()
    (call,) = bench.server.paid
    schemas = bench.provider.route(bench.provider.model)[call.path].schemas
    assert len(schemas) == (2 if SPECS.is_dir() else 1)
    for schema in schemas:
        held = Draft202012Validator(schema)
        assert held.is_valid(call.body)
        wrong = list(spoiled(call.body))
        assert wrong
        assert not [body for body in wrong if held.is_valid(body)]


def lost(bench: Bench) -> str:
    return f"{bench.provider.name} took the request and its answer was lost: "


BILL = ". The picture may have been made, and billed"


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_picture_is_kept_byte_for_byte_whatever_was_asked(bench: Bench, kind: str, suffix: str) -> None:
    data = picture((64, 64), kind)
    bench.server.will(*bench.provider.good(data, MIME[kind]))
    done = bench.make()
    assert done.output == f"7.{suffix}"
    assert [path.name for path in bench.staging.iterdir()] == [f"7.{suffix}"]
    assert (bench.staging / done.output).read_bytes() == data
    assert len(bench.server.paid) == 1


def test_another_format_than_was_claimed(bench: Bench) -> None:
    bench.server.will(*bench.provider.good(picture((64, 64), "JPEG"), "image/png"))
    failure = bench.fail(ErrorKind.INTERNAL)
    assert "answered with a `.jpg` picture that it calls `image/png` (200): `" in failure.message


def test_no_picture_at_all(bench: Bench) -> None:
    bench.server.will(*bench.provider.good(b"GIF89a, or so", "image/png"))
    failure = bench.fail(ErrorKind.INTERNAL)
    name = bench.provider.name
    assert failure.message == (f"{name} answered with `image/png` that is no picture (200): `GIF89a, or so`")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_is_cut_off(bench: Bench, kind: str) -> None:
    data = picture((64, 64), kind)
    bench.server.will(*bench.provider.good(data[: len(data) // 2], MIME[kind]))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert "its answer was lost: `picture." in failure.message
    assert failure.hint == "look at the account's usage before you build it again"


def test_an_answer_that_is_cut_at_any_length_is_never_a_picture(bench: Bench) -> None:
    (first, *_) = bench.provider.good(SQUARE, "image/png")
    whole = first(bench.server.url) if callable(first) else first
    replies = [Reply(200, whole.body[:length], whole.headers) for length in range(0, len(whole.body), 5)]
    bench.server.will(*replies)
    results = list(bench.load().render([bench.request()] * len(replies), lambda *_: None))
    # Fewer bytes than tell a format are no picture; more are one that is lost.
    kinds = [result.kind for result in results if isinstance(result, Failure)]
    assert len(kinds) == len(bench.server.paid) == len(replies)
    assert set(kinds) <= {ErrorKind.UNCERTAIN, ErrorKind.INTERNAL}
    assert set(kinds[2:]) == {ErrorKind.UNCERTAIN}
    assert list(bench.staging.iterdir()) == []


def test_a_compressed_answer_is_unpacked_once(bench: Bench) -> None:
    (first, *rest) = bench.provider.good(SQUARE, "image/png")
    reply = first(bench.server.url) if callable(first) else first
    packed = Reply(200, gzip.compress(reply.body), {**reply.headers, "Content-Encoding": "gzip"})
    bench.server.will(packed, *rest)
    assert (bench.staging / bench.make().output).read_bytes() == SQUARE


def test_a_hotel_s_page_instead_of_an_answer(bench: Bench) -> None:
    bench.server.will(HTML)
    failure = bench.fail(ErrorKind.INTERNAL)
    assert failure.message.startswith(f"{bench.provider.name} answered with `text/html` ")
    assert failure.message.endswith("(200): `<html> <body>Sign in to the hotel's network</body></html>`")
    assert failure.hint == "check `base_url`, and what stands between"


def test_no_answer_in_time(bench: Bench) -> None:
    bench.server.will(Reply(fault=Fault.HANG))
    failure = bench.fail(ErrorKind.UNCERTAIN, settings={"timeout": 0.3})
    assert failure.message == f"{lost(bench)}none came within 0.3 seconds{BILL}"


def test_an_answer_that_never_ends(bench: Bench) -> None:
    bench.server.will(Reply(200, b'{"' + b" " * 500, {"Content-Type": "application/json"}, Fault.DRIP))
    failure = bench.fail(ErrorKind.UNCERTAIN, settings={"timeout": 0.3})
    assert failure.message == f"{lost(bench)}it did not end within 0.3 seconds{BILL}"


def test_a_connection_that_closes_without_an_answer(bench: Bench) -> None:
    bench.server.will(Reply(fault=Fault.DROP))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert failure.message == f"{lost(bench)}Server disconnected without sending a response.{BILL}"


def test_a_connection_that_is_reset_half_way(bench: Bench) -> None:
    (first, *_) = bench.provider.good(SQUARE, "image/png")
    reply = first(bench.server.url) if callable(first) else first
    bench.server.will(Reply(200, reply.body, {**reply.headers, "x-request-id": "req-9"}, Fault.RESET))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert failure.message.startswith(
        f"{bench.provider.name} took the request (request `req-9`) and its answer was lost: "
    )
    assert failure.message.endswith(BILL)


def test_nobody_listens(bench: Bench) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failure = bench.fail(ErrorKind.TRANSIENT, paid=0, settings={"base_url": f"http://127.0.0.1:{port}"})
    name = bench.provider.name
    assert failure.message.startswith(f"{name} can't be reached at `127.0.0.1:{port}`: ")
    assert failure.hint == "check the network"


def test_a_name_that_nobody_knows(bench: Bench) -> None:
    failure = bench.fail(ErrorKind.TRANSIENT, paid=0, settings={"base_url": "http://nowhere.invalid"})
    assert failure.message.startswith(f"{bench.provider.name} can't be reached at `nowhere.invalid`: ")


@pytest.mark.parametrize("status", [500, 503])
def test_the_provider_s_own_failures_may_pass(bench: Bench, status: int) -> None:
    bench.server.will(Reply(status, b"<h1>Bad day</h1>", {"Content-Type": "text/html"}))
    failure = bench.fail(ErrorKind.TRANSIENT)
    assert failure.message == f"{bench.provider.name} can't serve now ({status}): <h1>Bad day</h1>"
    assert failure.retry_after is None


@pytest.mark.parametrize(
    ("status", "fact"),
    [(502, "a gateway got no answer"), (504, "it took too long"), (524, "it took too long")],
)
def test_a_gateway_without_an_answer_has_lost_it(bench: Bench, status: int, fact: str) -> None:
    headers = {"Content-Type": "text/html", "x-request-id": "req-9"}
    bench.server.will(Reply(status, b"<h1>Timeout</h1>", headers))
    failure = bench.fail(ErrorKind.UNCERTAIN)
    assert failure.message == (
        f"{bench.provider.name} took the request (request `req-9`) and its answer was lost: "
        f"{fact} ({status}): <h1>Timeout</h1>{BILL}"
    )


def test_a_failure_whose_words_are_cut_off_is_the_same_failure(bench: Bench) -> None:
    bench.server.will(Reply(503, b"<h1>Bad day</h1>" * 100, {"Retry-After": "7"}, Fault.RESET))
    failure = bench.render()
    assert not isinstance(failure, Done)
    assert failure.kind is ErrorKind.TRANSIENT
    assert failure.retry_after == 7.0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "Mon, 23 Nov 2026 10:02:00 GMT", "Date": "Mon, 23 Nov 2026 10:00:30 GMT"}, 90.0),
        ({"Retry-After": "Mon, 23 Nov 2026 10:00:00 GMT", "Date": "Mon, 23 Nov 2026 10:00:30 GMT"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(bench: Bench, status: int, headers: dict[str, str], seconds: float | None) -> None:
    bench.server.will(Reply(status, b"{}", {"Content-Type": "application/json", **headers}))
    kind = ErrorKind.RATE_LIMITED if status == 429 else ErrorKind.TRANSIENT
    assert bench.fail(kind).retry_after == seconds


def test_a_key_that_is_not_accepted_is_not_quoted(bench: Bench) -> None:
    words = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY[:4]}****{KEY[-4:]}"}})
    bench.server.will(Reply(401, words.encode(), {"Content-Type": "application/json"}))
    failure = bench.fail(ErrorKind.AUTH)
    name, variable = bench.provider.name, bench.provider.variable
    assert failure.message == f"{name} does not accept the key in `{variable}` (401)"
    assert failure.hint == f"set `{variable}` to a valid key"


def test_a_key_in_the_provider_s_words_is_concealed(bench: Bench) -> None:
    bench.server.will(Reply(403, f"{KEY} may not do that".encode(), {"Content-Type": "text/plain"}))
    failure = bench.fail(ErrorKind.AUTH)
    assert failure.message.endswith(f"(403): ${bench.provider.variable} may not do that")


def test_no_redirect_is_followed(bench: Bench) -> None:
    bench.server.will(Reply(307, b"", {"Location": "https://elsewhere.example/generate"}))
    failure = bench.fail(ErrorKind.INTERNAL)
    name = bench.provider.name
    assert failure.message == f"{name} sends the request on to `elsewhere.example` (307)"
    assert failure.hint == "correct `base_url`: a key follows no redirect"


def test_a_model_that_is_gone(bench: Bench) -> None:
    words = json.dumps({"error": {"message": "This model has been shut down.", "code": 410}})
    bench.server.will(Reply(410, words.encode(), {"Content-Type": "application/json"}))
    failure = bench.fail(ErrorKind.RETIRED)
    assert failure.message.startswith(
        f"{bench.provider.name} has ended the model `{bench.provider.model}` (410): "
    )


def test_a_picture_of_fewer_pixels_than_asked(bench: Bench) -> None:
    bench.server.will(*bench.provider.good(picture((512, 512)), "image/png"))
    result = bench.render(size=(1024, 1024))
    assert not isinstance(result, Done)
    assert result.kind is ErrorKind.INTERNAL
    assert result.message == (
        f"`{bench.provider.model}` made 512 x 512 pixels, not the 1024 x 1024 asked for"
    )


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_no_key(bench: Bench, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    variable = bench.provider.variable
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    error = bench.fail_to_load(ErrorKind.AUTH)
    assert error.message == f"{bench.provider.name} needs the key `{variable}`"
    assert error.hint == f"set `{variable}`"


def test_a_key_from_a_file_may_end_with_a_newline(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(bench.provider.variable, f"{KEY}\n")
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    bench.make()


def test_a_key_that_can_t_be_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(bench.provider.variable, f"{KEY}\u20ac")
    error = bench.fail_to_load(ErrorKind.AUTH)
    assert error.message == f"`{bench.provider.variable}` holds a character that no key has"


@pytest.mark.parametrize(
    "address", ["example.com", "ftp://example.com", "https://u:p@example.com", "https://"]
)
def test_an_address_that_is_none(bench: Bench, address: str) -> None:
    error = bench.fail_to_load(ErrorKind.BAD_REQUEST, base_url=address)
    assert error.message == "`base_url` is not the address of a server"


def test_a_wait_that_is_none(bench: Bench) -> None:
    error = bench.fail_to_load(ErrorKind.BAD_REQUEST, timeout=0)
    assert error.message == "`timeout` is `0`, not a number of seconds"


def test_one_failure_does_not_stop_the_others(bench: Bench) -> None:
    bench.server.will(Reply(500, b"{}"), *bench.provider.good(SQUARE, "image/png"))
    results = list(bench.load().render([bench.request()] * 2, lambda *_: None))
    assert [type(result).__name__ for result in results] == ["Failure", "Done"]


def test_the_child_process_pays_once_and_tells_no_key(
    bench: Bench, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert os.environ[bench.provider.variable] == KEY
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    hello, rest = converse(bench.opening(), bench.request(), tmp_path)
    card = parameters.card(HOME / "engines" / bench.provider.adapter)
    assert (hello.adapter, hello.determinism) == (card["name"], card["determinism"])
    done = rest[-1]
    assert isinstance(done, Done), done
    assert (bench.staging / done.output).read_bytes() == SQUARE
    assert len(bench.server.paid) == 1
    assert KEY not in repr((hello, rest))
    assert KEY not in capfd.readouterr().err
