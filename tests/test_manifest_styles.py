"""Styles that inherit: what an heir gets, and what its name and way of writing leave as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildsys.digest import Digest
from buildsys.manifest.circles import untangled
from buildsys.manifest.model import Asset, AssetName
from buildsys.manifest.read import parse
from buildsys.plan import recipe

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
HEAD = '[project]\nname = "game"\n'
KEEP = """
[styles.keep]
prompt = "{prompt}, moonlit keep"
negative = "blurry"
parameters = { steps = 10, guidance = 2 }
size = [512, 512]
finish = [{ trim = {} }]
"""
NIGHT = """
[styles.night]
inherits = "keep"
prompt = "{prompt}, at night"
negative = "sun"
parameters = { steps = 20 }
"""
HERO = """
[assets.hero]
engine = "sd35-medium"
prompt = "knight"
negative = "horse"
seed = 1
"""


def hero(text: str) -> Asset:
    return parse({"assets.toml": HEAD + text}, root=BUNDLE, bundled=BUNDLE).assets[AssetName("hero")]


def digest(text: str) -> Digest:
    made = parse({"assets.toml": HEAD + text}, root=BUNDLE, bundled=BUNDLE)
    asset = made.assets[AssetName("hero")]
    engine = made.engines[asset.engine]
    return recipe.digest_of(recipe.parts_of(asset, engine, made.engines["finish"].card, {}, ""))


def test_an_heir_adds_to_its_base() -> None:
    made = hero(KEEP + NIGHT + HERO + 'style = "night"')
    assert made.prompt == "knight, moonlit keep, at night"
    assert made.negative == "horse, blurry, sun"
    assert (made.parameters["steps"], made.parameters["guidance"]) == (20, 2.0)
    assert made.size == (512, 512)
    assert [step.name for step in made.finish] == ["trim"]


@pytest.mark.parametrize(
    ("own", "steps"), [("finish = []", []), ("finish = [{ resize = [8, 8] }]", ["resize"]), ("", ["trim"])]
)
def test_an_heirs_finish_and_size_replace_those_of_its_base(own: str, steps: list[str]) -> None:
    made = hero(KEEP + NIGHT + f"size = [64, 64]\n{own}\n" + HERO + 'style = "night"')
    assert made.size == (64, 64)
    assert [step.name for step in made.finish] == steps


def test_to_inherit_is_to_stand_after_the_base() -> None:
    inherited = digest(KEEP + NIGHT + HERO + 'style = "night"')
    alone = NIGHT.replace('inherits = "keep"\n', "")
    assert digest(KEEP + alone + HERO + 'style = ["keep", "night"]') == inherited
    assert digest(KEEP + alone + HERO + 'style = ["night", "keep"]') != inherited


def test_a_base_is_laid_once() -> None:
    text = KEEP + NIGHT + '[styles.fog]\ninherits = "keep"\nprompt = "{prompt}, in fog"\n'
    text += '[styles.both]\ninherits = ["night", "fog"]\nprompt = "{prompt}!"\n'
    assert hero(text + HERO + 'style = "both"').prompt == "knight, moonlit keep, at night, in fog!"
    assert hero(text + HERO + 'style = ["night", "fog"]').prompt == "knight, moonlit keep, at night, in fog"
    assert hero(text + HERO + 'style = ["fog", "keep", "fog"]').prompt == "knight, moonlit keep, in fog"


def test_a_base_may_stand_below_its_heir_and_in_another_file() -> None:
    texts = {
        "assets.toml": HEAD + 'include = ["a.toml"]\n' + NIGHT + HERO + 'style = "night"',
        "a.toml": KEEP,
    }
    made = parse(texts, root=BUNDLE, bundled=BUNDLE)
    assert made.assets[AssetName("hero")].prompt == "knight, moonlit keep, at night"


def test_a_styles_name_is_no_part_of_a_recipe() -> None:
    text = KEEP + NIGHT + HERO + 'style = "night"'
    text = text.replace("{prompt}, at night", "{prompt}, at {one of: night|dusk|dawn}")
    renamed = text.replace('"night"', '"gloom"').replace("[styles.night]", "[styles.gloom]")
    renamed = renamed.replace('"keep"', '"castle"').replace("[styles.keep]", "[styles.castle]")
    assert renamed != text
    assert digest(renamed) == digest(text)


def test_a_resolved_prompt_keeps_its_digest_however_it_is_written() -> None:
    plain = HERO.replace("knight", "knight, moonlit keep, at night").replace("horse", "horse, blurry, sun")
    plain += "size = [512, 512]\nparameters = { steps = 20, guidance = 2 }\nfinish = [{ trim = {} }]"
    assert digest(plain) == digest(KEEP + NIGHT + HERO + 'style = "night"')


def test_a_long_line_of_heirs() -> None:
    heirs = "".join(
        f'[styles.s{n}]\ninherits = "s{n + 1}"\nparameters = {{ guidance = {n + 1} }}\n' for n in range(600)
    )
    text = heirs + '[styles.s600]\nprompt = "{prompt}, old"\n' + HERO + 'size = [64, 64]\nstyle = "s0"'
    made = hero(text)
    assert (made.prompt, made.parameters["guidance"]) == ("knight, old", 1.0)


def test_circles_are_all_found() -> None:
    order, circles = untangled({"a": ["b"], "b": ["a"], "c": ["a", "e"], "d": ["d"], "e": [], "f": ["lost"]})
    assert circles == [["a", "b"], ["d"]]
    assert sorted(order) == ["c", "e", "f"]
    assert order.index("e") < order.index("c")
