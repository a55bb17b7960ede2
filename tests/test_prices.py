"""What pictures should cost and did cost: known, free or unknown, and never a guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import rtoml
from test_manifest_docs import valid

from buildsys.manifest import engines
from buildsys.manifest.cards import BUNDLED, Cards
from buildsys.manifest.model import Asset, AssetName, Engine
from buildsys.manifest.prices import settle
from buildsys.manifest.pricing import PicturePrice, Price
from buildsys.manifest.read import parse
from buildsys.manifest.source import Fault
from buildsys.plan.price import Bill, actual, bills, bounds, estimate, priced, total
from buildsys.plan.step import Plan, Step, Verdict
from buildsys.plan.usage import tokens
from engines.protocol import Request

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
PROJECT = '[project]\nname = "game"\n'
CLOUD = '[engines.cloud]\nadapter = "cloud"\n'


def engine(name: str = "cloud", text: str = "", bundled: Path = BUNDLE) -> Engine:
    return parse({"assets.toml": PROJECT + CLOUD + text}, root=BUNDLE, bundled=bundled).engines[name]


def turbo(price: str) -> Engine:
    text = f"{PROJECT}[engines.sd35-turbo]\nprice = {price}\n"
    assert valid(rtoml.loads(text))
    return parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE).engines["sd35-turbo"]


def asset(name: str = "hero", size: tuple[int, int] | None = None, **parameters: Any) -> Asset:
    return Asset(name=AssetName(name), role="", engine="cloud", size=size, parameters=parameters)


def test_an_engine_off_the_network_is_free_and_any_other_is_unknown() -> None:
    local, hosted = engine("stock"), engine("cloud")
    assert local.price is None
    assert (estimate(local, asset()), actual(local, None, None), bounds(local)) == (0.0, 0.0, (0.0, 0.0))
    assert (estimate(hosted, asset()), actual(hosted, None, None), bounds(hosted)) == (None, None, None)


@pytest.mark.parametrize("price", ["0.02", "{ picture = 0.02 }", "{ pictures = [{ usd = 0.02 }] }"])
def test_a_price_for_every_picture(price: str) -> None:
    made = engine(text=f"price = {price}\n")
    assert made.price == Price(pictures=(PicturePrice(usd=0.02),))
    assert (estimate(made, asset()), bounds(made), actual(made, None, None)) == (0.02, (0.02, 0.02), 0.02)


def test_a_price_of_nothing_is_free_even_on_the_network() -> None:
    made = engine(text="price = 0\n")
    assert (estimate(made, asset()), bounds(made)) == (0.0, (0.0, 0.0))


def test_a_local_engine_may_have_a_price() -> None:
    assert estimate(turbo("0.001"), asset()) == 0.001


@pytest.mark.parametrize("date", ["2026-11-22", '"2026-11-22"', '"20261122"'])
def test_a_price_has_a_date_in_one_spelling(date: str) -> None:
    made = engine(text=f"price = {{ dated = {date}, picture = 1 }}\n")
    assert made.price == Price(dated="2026-11-22", pictures=(PicturePrice(usd=1.0),))


BY_PICTURE = """{ pictures = [
  { steps = 8, usd = 0.08 }, { size = [64, 64], usd = 0.01 }, { over = [1024, 1024], usd = 0.05 },
  { steps = 4, size = [128, 64], usd = 0.02 },
] }"""


@pytest.mark.parametrize(
    ("size", "steps", "usd"),
    [
        ((64, 64), 8, 0.08),
        ((64, 64), 4, 0.01),
        ((1024, 1024), 4, None),
        ((2048, 513), 4, 0.05),
        ((513, 2048), 4, 0.05),
        ((128, 64), 4, 0.02),
        ((128, 64), 5, None),
        ((64, 128), 4, None),
        (None, 4, None),
        (None, None, None),
    ],
)
def test_the_first_entry_that_fits_is_the_price(
    size: tuple[int, int] | None, steps: int | None, usd: float | None
) -> None:
    made = turbo(BY_PICTURE)
    parameters: dict[str, Any] = {} if steps is None else {"steps": steps}
    assert estimate(made, asset(size=size, **parameters)) == usd
    assert actual(made, None, None, asset(size=size, **parameters)) == usd
    request = Request(id="1", asset="hero", output="hero.png", size=size, parameters=parameters)
    assert estimate(made, request) == usd
    assert bounds(made) == (0.01, 0.08)


def test_a_value_fits_in_any_spelling() -> None:
    assert estimate(turbo("{ pictures = [{ guidance = 4, usd = 1 }] }"), asset(guidance=4.0)) == 1.0


def test_without_the_picture_a_price_that_depends_on_it_is_unknown() -> None:
    assert actual(turbo(BY_PICTURE), None, None) is None


def test_the_providers_own_cost_comes_first() -> None:
    assert actual(engine(text="price = { tokens = { image_out = 30 } }\n"), 0.5, None) == 0.5
    assert actual(engine(), 0.0, None) == 0.0


TOKENS = "price = { picture = 0.2, tokens = { text_in = 5, image_in = 8, image_out = 30 } }\n"
OPENAI = {
    "input_tokens": 110,
    "output_tokens": 4160,
    "total_tokens": 4270,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 100},
}
GEMINI = {
    "promptTokenCount": 12,
    "candidatesTokenCount": 1122,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 1164,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
    "candidatesTokensDetails": [
        {"modality": "IMAGE", "tokenCount": 1120},
        {"modality": "TEXT", "tokenCount": 2},
    ],
}


def test_tokens_are_paid_by_the_million() -> None:
    made = engine(text=TOKENS)
    assert estimate(made, asset()) == 0.2
    assert actual(made, None, OPENAI) == pytest.approx((10 * 5 + 100 * 8 + 4160 * 30) / 1e6)
    assert actual(made, None, {"image_out": 1_000_000}) == 30.0
    assert actual(made, None, {"image_out": 1_000_000, "text_out": 0}) == 30.0


def test_a_kind_of_token_without_a_price_makes_the_cost_unknown() -> None:
    assert actual(engine(text=TOKENS), None, GEMINI) is None


def test_tokens_that_nobody_counted_cost_an_unknown_sum() -> None:
    assert actual(engine(text=TOKENS), None, None, asset()) is None


def test_an_engine_paid_by_tokens_alone_has_no_price_beforehand() -> None:
    made = engine(text="price = { tokens = { image_out = 30 } }\n")
    assert (estimate(made, asset()), bounds(made)) == (None, None)


def test_the_counts_of_the_providers() -> None:
    assert tokens(OPENAI) == {"text_in": 10, "image_in": 100, "text_out": 0, "image_out": 4160}
    assert tokens(GEMINI) == {"text_in": 12, "image_in": 0, "text_out": 32, "image_out": 1120}
    detailed = {**OPENAI, "output_tokens_details": {"text_tokens": 160, "image_tokens": 4000}}
    assert tokens(detailed) == {"text_in": 10, "image_in": 100, "text_out": 160, "image_out": 4000}


@pytest.mark.parametrize(
    "usage",
    [
        None,
        7,
        {},
        {"total_tokens": 7},
        {"image_out": -1},
        {"image_out": True},
        {"image_out": "7"},
        {"image_out": 10**400},
        {**OPENAI, "input_tokens_details": {"text_tokens": 10}},
        {**OPENAI, "input_tokens_details": None},
        {**OPENAI, "output_tokens": 1.5},
        {**OPENAI, "output_tokens_details": []},
        {**GEMINI, "candidatesTokensDetails": None},
        {**GEMINI, "candidatesTokenCount": None},
        {**GEMINI, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 12}]},
        {**GEMINI, "promptTokensDetails": ["TEXT"]},
        {**GEMINI, "thoughtsTokenCount": None},
    ],
)
def test_a_count_that_does_not_tell_all_is_no_count(usage: Any) -> None:
    assert tokens(usage) is None


@pytest.mark.parametrize(
    "price",
    [
        "cheap",
        -1,
        1001,
        True,
        {},
        {"dated": "2026-11-22"},
        {"picture": 1, "pictures": [{"usd": 1}]},
        {"pictures": []},
        {"pictures": [{}]},
        {"pictures": [{"usd": "1"}]},
        {"pictures": [{"usd": 1, "size": [1]}]},
        {"pictures": [{"usd": 1, "over": 3}]},
        {"tokens": {}},
        {"tokens": {"image": 3}},
        {"tokens": {"image_out": -3}},
        {"picture": 1, "pictur": 2},
    ],
)
def test_the_schema_refuses_the_prices_that_the_manifest_refuses(price: Any) -> None:
    cards = Cards(BUNDLE, BUNDLE)
    assert not valid({"engines": {"cloud": {"price": price}}})
    if isinstance(price, dict):
        with pytest.raises(Fault):
            settle(cards.load("cloud"), price, cards.bundle)


def test_a_price_in_the_manifest_replaces_a_presets_as_a_whole() -> None:
    preset = {"adapter": "cloud", "price": {"dated": "2026-11-22", "picture": 1}, "limits": {"concurrent": 2}}
    assert engines.merged(preset, {"price": {"picture": 2}}) == {**preset, "price": {"picture": 2}}


def test_another_model_has_not_the_presets_price_nor_its_end() -> None:
    its_own = {"model": "old", "price": 1, "retired": "2026-12-01", "successor": "stock"}
    preset = {"adapter": "cloud", "licence": "free", **its_own}
    assert engines.merged(preset, {"model": "old"}) == preset
    changed = engines.merged(preset, {"model": "new", "successor": "vector"})
    assert changed == {"adapter": "cloud", "licence": "free", "model": "new", "successor": "vector"}


def test_fallbacks_are_kept_in_their_order() -> None:
    made = engine(text='fallback = ["stock", "vector"]\n')
    assert made.fallback == ("stock", "vector")


def test_engines_may_share_a_fallback() -> None:
    text = 'fallback = ["other", "stock"]\n[engines.other]\nadapter = "cloud"\nfallback = ["stock"]\n'
    assert engine(text=text).fallback == ("other", "stock")


def step(name: str, engine: str, verdict: Verdict = Verdict.BUILD) -> Step:
    made = msgspec.structs.replace(asset(name), engine=engine)
    return Step(name=made.name, asset=made, verdict=verdict, reasons=(), output=f"out/{name}.png")


def test_a_plan_is_priced_by_what_it_would_make() -> None:
    text = PROJECT + CLOUD + 'price = 0.1\n[engines.fog]\nadapter = "cloud"\n'
    manifest = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE)
    steps = [
        step("a", "cloud"),
        step("b", "fog"),
        step("c", "stock"),
        step("d", "cloud", Verdict.RESTORE),
        step("e", "cloud", Verdict.BLOCKED),
        step("f", "cloud"),
        step("g", "cloud"),
        step("h", "fog"),
    ]
    asked = []

    def paid(item: Step) -> bool:
        asked.append(item.name)
        return item.name in ("g", "h")

    plan = priced(Plan(steps={item.name: item for item in steps}), manifest, paid)
    assert plan.costs == {"a": 0.1, "b": None, "c": 0.0, "f": 0.1, "g": 0.0, "h": 0.0}
    assert asked == ["a", "b", "f", "g", "h"]  # never for what is free
    assert bills(plan) == (
        Bill(engine="cloud", pictures=2, usd=0.2),
        Bill(engine="fog", pictures=1, unknown=1),
    )
    assert total(plan) == Bill(pictures=3, usd=0.2, unknown=1)


def test_every_preset_on_the_network_has_a_dated_price_or_none() -> None:
    made = parse({"assets.toml": PROJECT}, root=BUNDLE, bundled=BUNDLED).engines.values()
    assert [item.name for item in made if item.price and not item.price.dated] == []
