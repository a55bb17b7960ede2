"""What fails on our side once a request was sent: told as paid for, and never as one that did not leave."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from contracts.kit import KEY, Bench, bench_of
from contracts.pictures import picture
from contracts.providers import ALL
from contracts.server import Reply, Route, serving

from engines.hosted import paid, web
from engines.hosted.account import Account
from engines.protocol import Done, ErrorKind, Failure, Request

SQUARE = picture((64, 64))
BILL = ". The picture may have been made, and billed"
LOOK = "look at the account's usage before you build it again"
IDS = {"ideogram": "ideo-1", "stability": "stab-1", "gpt_image": "oai-1"}
"""What a good answer's headers call the request."""

REQUEST = Request(id="7", asset="hero", output="7.png", prompt="a moon knight")


@pytest.fixture(params=ALL, ids=lambda provider: provider.adapter)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path, monkeypatch) as bench:
        yield bench


def test_a_picture_that_can_t_be_kept_was_paid_for(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    # As a full disk would, but on every machine.
    (bench.staging / "7.png" / "in the way").mkdir(parents=True)
    bench.server.will(*bench.provider.good(SQUARE, "image/png"))
    failure = bench.render()
    assert isinstance(failure, Failure), failure
    assert failure.kind is ErrorKind.INTERNAL
    name = bench.provider.name
    known = IDS.get(bench.provider.adapter)
    whose = f"{name} (request `{known}`)" if known else name
    assert failure.message.startswith(f"artlock failed over the answer of {whose}: `IsADirectoryError: ")
    assert failure.message.endswith(BILL)
    assert failure.hint == LOOK
    assert len(bench.server.paid) == 1
    assert "Traceback" in capfd.readouterr().err
    (bench.staging / "7.png" / "in the way").rmdir()
    (bench.staging / "7.png").rmdir()


def test_one_such_failure_does_not_stop_the_others(bench: Bench) -> None:
    (bench.staging / "7.png").mkdir()
    good = bench.provider.good(SQUARE, "image/png")
    bench.server.will(*good, *good)
    results = iter(bench.load().render([bench.request()] * 2, lambda *_: None))
    assert isinstance(next(results), Failure)
    (bench.staging / "7.png").rmdir()
    assert isinstance(next(results), Done)
    assert len(bench.server.paid) == 2


class Broken(web.Client):
    """A client with a bug, which shows once the request is on its way."""

    def _read(self, response: httpx2.Response, until: float) -> bytes:
        del response, until
        detail = f"no word for {KEY}"
        raise KeyError(detail)


def test_a_bug_while_the_answer_comes_is_a_lost_answer(account: Account) -> None:
    client = Broken(account)
    with serving({"/": Route()}) as server:
        server.will(Reply(200, b"{}"))

        def make(request: Request) -> Done:
            client.get(f"{server.url}/")
            return Done(id=request.id, output=request.output)

        (failure,) = paid.one_by_one([REQUEST], make, account, client)
    assert isinstance(failure, Failure)
    assert failure.kind is ErrorKind.UNCERTAIN
    assert failure.message == (
        "Stability AI took the request and its answer was lost: artlock failed while it waited, "
        f"`KeyError: 'no word for $STABILITY_API_KEY'`{BILL}"
    )
    assert failure.hint == LOOK


def test_a_bug_before_anything_was_sent_is_just_a_bug(account: Account) -> None:
    def make(request: Request) -> Done:
        raise ZeroDivisionError(request.id)

    with pytest.raises(ZeroDivisionError):
        list(paid.one_by_one([REQUEST], make, account, web.Client(account)))


def test_what_was_sent_for_one_picture_says_nothing_of_the_next(account: Account) -> None:
    client = web.Client(account)

    def make(request: Request) -> Done:
        if request.id == "7":
            client.get(f"{server.url}/")
            return Done(id=request.id, output=request.output)
        raise ZeroDivisionError(request.id)

    with serving({"/": Route()}) as server:
        server.will(Reply(200, b"{}"))
        both = [REQUEST, dataclasses.replace(REQUEST, id="8")]
        results = paid.one_by_one(both, make, account, client)
        assert isinstance(next(results), Done)
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_what_can_t_be_told_to_the_builder_is_told_as_paid_for(account: Account) -> None:
    client = web.Client(account)
    torn = json.loads('"half of a pair: \\ud83d"')

    def make(request: Request) -> Done:
        client.get(f"{server.url}/")
        return Done(id=request.id, output=request.output, sent={"prompt": torn})

    with serving({"/": Route()}) as server:
        server.will(Reply(200, b"{}", {"X-Request-Id": "req-9"}))
        (failure,) = paid.one_by_one([REQUEST], make, account, client)
    assert isinstance(failure, Failure)
    assert failure.kind is ErrorKind.INTERNAL
    assert failure.message.startswith(
        "artlock failed over the answer of Stability AI (request `req-9`): `ProtocolError: a `done` message"
    )
    assert failure.message.endswith(BILL)
