"""What all hosted adapters share, where no provider is needed to see it."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from contracts.kit import KEY
from contracts.server import Reply, Route, serving

from engines.hosted import answer, picture, ratio, web
from engines.hosted.account import Account, require
from engines.protocol import EngineError, ErrorKind


def test_the_card_says_where_and_how_long(account: Account) -> None:
    assert (account.base_url, account.timeout) == ("https://api.stability.ai", 90.0)
    assert account.environment() == {}


def test_what_a_provider_says_is_one_short_line_without_the_key(account: Account) -> None:
    assert account.beginning(f"a\n\tb\x1b[31m {KEY}!") == "a b [31m $STABILITY_API_KEY!"
    assert account.beginning("x" * 81) == "x" * 80 + "…"
    # The key is taken out before the line is cut, so no half of it is left at the end.
    assert account.beginning("x" * 70 + KEY) == "x" * 70 + "$STABILITY" + "…"
    assert len(account.sentence("y" * 500)) == 401


def test_what_an_adapter_requires_is_looked_for_before_it_is_loaded(tmp_path: Path) -> None:
    card = 'requires = ["sys", "no_such_module"]\nextra = "hosted"\n'
    (tmp_path / "adapter.toml").write_text(card)
    with pytest.raises(EngineError) as caught:
        require(tmp_path)
    assert caught.value.kind is ErrorKind.MISSING
    assert caught.value.message == "the Python module `no_such_module` is not installed"
    assert caught.value.hint == "run `pip install 'artlock[hosted]'`"


def test_an_answer_has_a_limit(account: Account) -> None:
    with serving({"/": Route()}) as server:
        server.will(Reply(200, b"x" * 3_000_000), Reply(200, b"x" * 1_000_000))
        client = web.Client(account, most=2 * 2**20)
        with pytest.raises(web.CutOff, match=r"^it is longer than 2 MiB$"):
            client.get(f"{server.url}/large")
        assert len(client.get(f"{server.url}/small").content) == 1_000_000


def test_an_unsent_request_is_not_a_lost_answer(account: Account) -> None:
    assert web.broken(account, httpx2.PoolTimeout("")).kind is ErrorKind.TRANSIENT
    assert web.broken(account, httpx2.WriteError("")).kind is ErrorKind.UNCERTAIN
    assert web.broken(account, httpx2.WriteError("")).message == (
        "Stability AI took the request and its answer was lost: WriteError. "
        "The picture may have been made, and billed"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("34s", 34.0), ("34.5s", 34.5), ("200ms", 0.2), ("2m", 120.0), ("1m30s", 90.0), ("1h", 3600.0)],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert answer.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "12", "12 sheep"])
def test_no_span_of_time(text: str) -> None:
    assert answer.duration(text) is None


def test_digging_finds_nothing_where_the_shape_is_another() -> None:
    body = {"data": [{"url": "x"}]}
    assert answer.dig(body, "data", 0, "url") == "x"
    for path in (("data", 1, "url"), ("data", "url"), (0,), ("data", 0, "url", "x"), ("other",)):
        assert answer.dig(body, *path) is None
    assert answer.dig(None, "data") is None


def test_the_nearest_ratio_within_two_percent() -> None:
    ratios = ratio.parse(("1:1", "16:9", "5:4"))
    assert ratio.fitting((1344, 768), ratios, "m") == "16:9"
    assert ratio.fitting((1000, 981), ratios, "m") == "1:1"
    with pytest.raises(EngineError):
        ratio.fitting((1000, 979), ratios, "m")


def test_the_smallest_size_that_covers() -> None:
    sizes = ((1024, 1024), (512, 512), (1280, 720))
    assert ratio.covering((300, 300), sizes, "m") == (512, 512)
    assert ratio.covering((513, 512), sizes, "m") == (1024, 1024)
    assert ratio.covering((1280, 720), sizes, "m") == (1280, 720)


def test_formats_by_their_first_bytes() -> None:
    assert picture.kind_of(b"RIFF\x10\0\0\0WEBPVP8 ") == ".webp"
    assert picture.kind_of(b"RIFF\x10\0\0\0WAVEfmt ") == ""
    assert picture.kind_of(b"GIF89a") == ""
