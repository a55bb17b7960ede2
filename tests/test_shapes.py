"""Sizes by model: the plan and the adapters judge alike, and the nearest size is one that is made."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.kit import Bench, Provider, bench_of
from contracts.providers import ALL
from contracts.server import Reply
from hypothesis import given, settings
from hypothesis import strategies as st

from buildsys.manifest import cards, shapes
from buildsys.manifest.model import Card, Engine
from buildsys.manifest.read import parse
from engines import protocol
from engines.protocol import ErrorKind, Failure

MODELS = {
    "ideogram": ("V_1", "V_1_TURBO", "V_2", "V_2_TURBO", "V_2A", "V_2A_TURBO", "V_3"),
    "stability": ("sd3.5-medium", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-flash"),
    "gemini": ("gemini-3-pro-image",),
    "gpt_image": ("gpt-image-1.5", "gpt-image-2-2026-04-21", "gpt-image-2.5-flare-2026-09-08"),
}
EACH = [pytest.param(provider, model, id=model) for provider in ALL for model in MODELS[provider.adapter]]
ENGINES = parse({"assets.toml": '[project]\nname = "sizes"\n'}, root=Path()).engines
SIDES = st.integers(1, 16384)


def card_of(adapter: str) -> Card:
    path = cards.BUNDLED / adapter / "adapter.toml"
    return cards.read(path, path.name, adapter)


def around(card: Card) -> Iterator[tuple[int, int]]:
    """Sizes at the edges of what the card allows, and others."""
    dice = random.Random(7)  # noqa: S311 - the same sizes in every run
    for entry in card.shapes:
        for width, height in dice.sample(entry.sizes, min(12, len(entry.sizes))):
            yield from ((width, height), (width - 1, height - 1), (width + 1, height), (width, height * 2))
            yield from ((width * 98 // 100, height), (width, height * 98 // 100))
        for name in entry.ratios:
            wide, high = map(int, name.split(":"))
            for unit in (1, 7, 60, 511):
                exact = wide * unit, high * unit
                yield from (exact, (exact[0] * 51 // 50, exact[1]), (exact[0] * 103 // 100, exact[1]))
    for size in ((3840, 2160), (3856, 2160), (3840, 2176), (2880, 2880), (3072, 1024), (3072, 1008)):
        yield from (size, size[::-1])
    yield from ((4096, 4096), (4097, 4096), (5000, 5000), (1, 1), (16384, 16384))
    for step in (1, 16):
        for _ in range(30):
            yield dice.randrange(1, 5000 // step) * step, dice.randrange(1, 5000 // step) * step


def refused(bench: Bench, engine: protocol.Engine, size: tuple[int, int]) -> bool:
    """Whether the adapter refuses `size` before it sends anything."""
    before = len(bench.server.paid)
    bench.server.will(Reply(500, b"{}"))
    (result,) = engine.render([bench.request(size=size)], lambda *_: None)
    assert isinstance(result, Failure)
    if len(bench.server.paid) > before:
        return False
    assert result.kind is ErrorKind.BAD_REQUEST
    return True


@pytest.mark.parametrize(("provider", "model"), EACH)
def test_plan_and_adapter_judge_alike(
    provider: Provider, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = card_of(provider.adapter)
    sizes = sorted(set(around(card)))
    with bench_of(dataclasses.replace(provider, model=model), tmp_path, monkeypatch) as bench:
        judged = {size: bool(shapes.objection(shapes.of(card, model), size)) for size in sizes}
        engine = bench.load(model)
        assert {size: refused(bench, engine, size) for size in sizes} == judged
    assert len(set(judged.values())) == 2


@pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.adapter)
@pytest.mark.parametrize("negative", ["blurry", ""])
def test_plan_and_adapter_know_the_same_negatives(
    provider: Provider, negative: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = card_of(provider.adapter)
    for model in MODELS[provider.adapter]:
        folder = tmp_path / model
        folder.mkdir()
        with bench_of(dataclasses.replace(provider, model=model), folder, monkeypatch) as bench:
            bench.server.will(Reply(500, b"{}"))
            bench.render(model=model, negative=negative)
            takes = shapes.takes_negative(Engine(name="e", card=card, model=model))
            assert len(bench.server.paid) == (takes or not negative), model


@pytest.mark.parametrize("name", ENGINES)
@settings(deadline=None, max_examples=60)
@given(width=SIDES, height=SIDES)
def test_the_nearest_size_is_one_that_is_made(name: str, width: int, height: int) -> None:
    card, model, size = ENGINES[name].card, ENGINES[name].model, (width, height)
    found = shapes.nearest(card, model, size)
    assert shapes.makes(card, model, found)
    assert (found == size) == shapes.makes(card, model, size)


@pytest.mark.parametrize(
    ("engine", "size", "nearest"),
    [
        ("ideogram-v1-turbo", (500, 300), (500, 313)),
        ("ideogram-v3-turbo", (1500, 1000), (1248, 832)),
        ("ideogram-v3-turbo", (1000, 100), (1000, 333)),
        ("stability-sd35-medium", (400, 300), (400, 320)),
        ("ideogram-v1-turbo", (1536, 1536), (1024, 1024)),
        ("stability-sd35-medium", (2048, 2048), (1024, 1024)),
        ("nano-banana-pro", (6000, 6000), (4096, 4096)),
        ("gpt-image", (500, 500), (496, 496)),
        ("gpt-image", (1600, 160), (1600, 544)),
        ("gpt-image", (3840, 3840), (2880, 2880)),
        ("sd35-medium", (100, 72), (96, 80)),
        ("stock", (2000, 1000), (1024, 512)),
    ],
)
def test_the_nearest_size_keeps_the_shape(
    engine: str, size: tuple[int, int], nearest: tuple[int, int]
) -> None:
    assert shapes.nearest(ENGINES[engine].card, ENGINES[engine].model, size) == nearest


def test_a_model_that_no_entry_names_is_not_judged() -> None:
    card = card_of("ideogram")
    assert shapes.makes(card, "V_9", (1000, 100))
    assert not shapes.makes(card, "V_3", (1000, 100))


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("stock", "sides from 16 to 1024"),
        ("sd35-medium", "sides from 64 to 2048, in steps of 16"),
        (
            "gpt-image",
            "sides from 16 to 3840, in steps of 16, 1:3 at most, at most 8,294,400 pixels",
        ),
        (
            "stability-sd35-medium",
            "1:1, 16:9, 9:16, 21:9, 9:21, 3:2, 2:3, 5:4, 4:5, at most 1,048,576 pixels",
        ),
        ("ideogram-v3-turbo", "69 sizes, up to 1024 × 1024, or smaller in these shapes"),  # noqa: RUF001 - "by"
    ],
)
def test_sizes_in_words(engine: str, told: str) -> None:
    assert shapes.told(ENGINES[engine].card, ENGINES[engine].model) == told
