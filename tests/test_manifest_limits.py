"""Limits, devices, sandbox and prices: where each comes from, what it comes to; no recipe knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import rtoml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_manifest_cards import card, said
from test_manifest_docs import valid

from buildsys.manifest import limits
from buildsys.manifest.allowance import Limits
from buildsys.manifest.cards import BUNDLED
from buildsys.manifest.model import AssetName, Engine
from buildsys.manifest.read import parse
from buildsys.manifest.source import Fault
from buildsys.plan import recipe
from engines.protocol import ErrorKind

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
PROJECT = '[project]\nname = "game"\n'
HERO = '[assets.hero]\nengine = "sd35-turbo"\nprompt = "knight"\nseed = 1\nsize = [64, 64]\n'


def engine(name: str, text: str = "", bundled: Path = BUNDLE) -> Engine:
    return parse({"assets.toml": PROJECT + text}, root=BUNDLE, bundled=bundled).engines[name]


def test_an_engine_has_the_limits_of_its_card() -> None:
    plain = engine("sd35-medium", bundled=BUNDLED)
    assert plain.limits == plain.card.limits
    assert plain.limits.load_seconds == 900


def test_the_manifest_changes_limits_key_by_key() -> None:
    text = "[engines.sd35-medium.limits]\nrender_seconds = 7\ntries = { transient = 5 }\n"
    changed = engine("sd35-medium", text, BUNDLED)
    assert changed.limits.render_seconds == 7
    assert changed.limits.load_seconds == 900
    assert changed.limits.tries == {ErrorKind.TRANSIENT: 5}


def test_tries_are_merged_kind_by_kind() -> None:
    of_the_card = limits.settle(Limits(), {"per_minute": 3, "tries": {"internal": 2, "transient": 4}})
    both = limits.merged({"tries": {"transient": 5}}, {"concurrent": 1, "tries": {"rate_limited": 9}})
    assert limits.settle(of_the_card, both) == Limits(
        concurrent=1,
        per_minute=3,
        tries={ErrorKind.INTERNAL: 2, ErrorKind.TRANSIENT: 5, ErrorKind.RATE_LIMITED: 9},
    )


@pytest.mark.parametrize(
    ("memory", "comes_to"),
    [
        ('"6 GB"', 6e9),
        ('"6GiB"', 6 * 2**30),
        ('"512 MB"', 512e6),
        ('"1.5 GiB"', 1.5 * 2**30),
        ("0.5", 0.5),
        ("0.01", 0.01),
        ("1", 1.0),
        ("0", 0.0),
    ],
)
def test_memory_is_a_size_or_a_share(memory: str, comes_to: float) -> None:
    text = f"[engines.stock]\nlimits = {{ memory = {memory} }}\n"
    assert engine("stock", text).limits.memory == comes_to
    assert valid(rtoml.loads(text))


@pytest.mark.parametrize(
    "inner",
    [
        {"memory": "6 gb"},
        {"memory": 1.5},
        {"memory": 0.0001},
        {"memory": 6_000_000_000},
        {"concurrent": -1},
        {"concurrent": True},
        {"per_minute": 1.5},
        {"load_seconds": 0},
        {"tries": {"refused": 2}},
        {"tries": {"internal": 0}},
        {"tries": 3},
        {"memroy": 1},
    ],
)
def test_the_schema_refuses_the_limits_that_the_manifest_refuses(inner: dict[str, Any]) -> None:
    with pytest.raises(Fault):
        limits.settle(Limits(), inner)
    assert not valid({"engines": {"stock": {"limits": inner}}})


def test_a_share_that_holds_nothing_is_a_slip() -> None:
    with pytest.raises(Fault) as caught:
        limits.settle(Limits(), {"memory": 0.0001})
    assert caught.value.fact == (
        "`memory` must be a size of 64 MB or more, a share from 0.01 to 1, or 0, not `0.0001`"
    )
    assert caught.value.hint == 'write it like `memory = "6 GB"`'


def test_every_kind_of_error_either_may_be_tried_again_or_is_told_not_to() -> None:
    for kind in ErrorKind:
        if kind in limits.TRIED_AGAIN:
            assert limits.settle(Limits(), {"tries": {kind.value: 2}}).tries == {kind: 2}
            continue
        with pytest.raises(Fault) as caught:
            limits.settle(Limits(), {"tries": {kind.value: 2}})
        assert caught.value.fact == f"a request that failed as `{kind}` is never tried again"


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("", ("cpu",)),
        ('device = "cuda"', ("cuda:0",)),
        ('device = "cuda:1"', ("cuda:1",)),
        ('devices = ["cuda:1"]', ("cuda:1",)),
        ('devices = ["cuda:1", "cuda"]', ("cuda:1", "cuda:0")),
    ],
)
def test_devices_are_those_that_are_written_or_the_default(text: str, devices: tuple[str, ...]) -> None:
    made = engine("sd35-turbo", f"[engines.sd35-turbo]\n{text}\n")
    assert made.devices == devices
    assert made.settings["device"] == devices[0]


def test_an_adapter_without_the_setting_works_on_no_device() -> None:
    assert engine("stock").devices == ()


def test_the_sandbox_stands_unless_the_manifest_opens_it() -> None:
    assert engine("stock").sandbox
    assert not engine("stock", "[engines.stock]\nsandbox = false\n").sandbox


RUNS = st.fixed_dictionaries(
    {},
    optional={
        "devices": st.lists(st.sampled_from(["cpu", "cuda:0", "cuda:1"]), min_size=1, unique=True),
        "sandbox": st.booleans(),
        "price": st.one_of(
            st.floats(0, 1000),
            st.fixed_dictionaries(
                {"picture": st.integers(0, 1000)}, optional={"dated": st.just("2026-11-22")}
            ),
            st.fixed_dictionaries({"tokens": st.just({"image_out": 30})}),
        ),
        "limits": st.fixed_dictionaries(
            {},
            optional={
                "concurrent": st.integers(0, 1000),
                "per_minute": st.integers(0, 100),
                "load_seconds": st.floats(0.1, 86_400),
                "render_seconds": st.integers(1, 100),
                "memory": st.sampled_from([0, 0.5, 1, "6 GB", "512 MiB"]),
                "tries": st.dictionaries(st.sampled_from(["transient", "internal"]), st.integers(1, 20)),
            },
        ),
    },
)


@settings(deadline=None)  # a busy machine is no mistake
@given(RUNS)
def test_no_recipe_knows_how_its_engine_runs(run: dict[str, Any]) -> None:
    def digest(own: dict[str, Any]) -> str:
        text = PROJECT + HERO + rtoml.dumps({"engines": {"sd35-turbo": own}})
        made = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE)
        asset, finish = made.assets[AssetName("hero")], made.engines["finish"].card
        return recipe.digest_of(recipe.parts_of(asset, made.engines[asset.engine], finish, {}, ""))

    assert digest(run) == digest({})
    assert digest({**run, "steps": 5}) != digest(run)


def test_a_card_may_have_limits_and_relief() -> None:
    text = 'relief = [{ offload = "model" }]\n[settings.offload]\ntype = "string"\nchoices = ["model"]\n'
    full = card(text + '[limits]\nmemory = "2 GB"\ntries = { internal = 1 }\n')
    assert full.relief == ({"offload": "model"},)
    assert full.limits == Limits(memory=2e9, tries={ErrorKind.INTERNAL: 1})


OFFLOAD = '[settings.offload]\ntype = "string"\nchoices = ["model"]\n'


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    [
        ("limits = 3", "5:10: `limits` must be a table, not `3`", "write `[limits]` on a line of its own"),
        ("[limits]\nmemroy = 1", "6:1: unknown limit `memroy`", "did you mean `memory`?"),
        (
            "[limits]\nload_seconds = 0",
            "6:16: `load_seconds` must be a number from 0.1 to 86400, not `0`",
            "write it like `load_seconds = 120`",
        ),
        (
            f"relief = [{{ ofload = 'model' }}]\n{OFFLOAD}",
            "5:13: `relief` names `ofload`, which is no setting",
            "did you mean `offload`?",
        ),
        (
            "relief = [{ xyzzy = 1 }]",
            "5:13: `relief` names `xyzzy`, which is no setting",
            "name one of its settings",
        ),
        (
            f"relief = [{{ offload = 'modle' }}]\n{OFFLOAD}",
            '5:23: `offload` can\'t be `"modle"`',
            "did you mean `model`?",
        ),
        ("relief = [{}]", "5:11: this step of `relief` changes nothing", "remove it"),
        (
            "[settings.device]\ntype = 'integer'",
            "6:8: the setting `device` must be a string",
            'write `type = "string"`',
        ),
    ],
)
def test_a_card_with_a_mistake_in_its_limits(text: str, fact: str, hint: str) -> None:
    assert said(text) == f"mine.toml:{fact}\n\nhint: {hint}"
