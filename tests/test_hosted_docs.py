"""The cards of the hosted adapters, and what their pages tell a reader to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from contracts.kit import Provider
from contracts.providers import ALL

from buildsys.manifest import cards
from buildsys.manifest.model import Card
from buildsys.manifest.read import parse

HOME = Path(__file__).resolve().parent.parent

each = pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.adapter)


def page(provider: Provider) -> str:
    name = provider.adapter.replace("_", "-")
    return (HOME / "docs" / f"engine-{name}.md").read_text(encoding="utf-8")


def card_of(provider: Provider) -> Card:
    path = HOME / "engines" / provider.adapter / "adapter.toml"
    return cards.read(path, path.name, provider.adapter)


@each
def test_the_examples_are_manifests(provider: Provider, tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", page(provider), re.DOTALL)
    assets = []
    for example in examples:
        manifest = parse({"assets.toml": f'[project]\nname = "page"\n{example}'}, root=tmp_path)
        (asset,) = manifest.assets.values()
        engine = manifest.engines[asset.engine]
        assert engine.card.name == provider.adapter
        assert not asset.blocked
        assets.append(asset)
    plain, given = assets
    assert not plain.inputs
    assert {name.partition(".")[0] for name in given.inputs} == {
        name.partition(".")[0] for name in provider.pictures
    }


@each
def test_the_page_tells_every_parameter_the_key_and_the_extra(provider: Provider) -> None:
    card, text = card_of(provider), page(provider)
    for name in (*card.parameters, *card.settings):
        assert f"`{name}`" in text, name
    assert f"pip install 'artlock[{card.extra}]'" in text
    assert f"export {card.keys[0]}=" in text
    assert f"`{card.determinism}`. " in text
    assert f"({card.settings['timeout'].default}" in text


@each
def test_the_card_is_sound(provider: Provider) -> None:
    card = card_of(provider)
    assert card.parallel
    assert card.network
    assert card.batch == 1
    assert card.limits.concurrent > 0
    # A process that is ended for its slowness is started anew, and would pay again.
    longest = card.settings["timeout"].maximum
    assert longest is not None
    assert longest < card.limits.render_seconds
