"""Cards: what an adapter says of itself, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildsys.errors import ManifestError
from buildsys.manifest import source
from buildsys.manifest.cards import BUNDLED, Cards, parse
from buildsys.manifest.model import Card, Need, Parameter
from engines.protocol import Determinism

BUNDLE = Path(__file__).parent / "test_manifest_bundle"

LEAST = """name = "mine"
version = "1.0.0"
summary = "Mine"
determinism = "seeded"
"""


def card(text: str) -> Card:
    return parse(source.parse("mine.toml", LEAST + text), "mine")


def said(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        card(text)
    return str(caught.value)


def test_the_least_card() -> None:
    least = card("")
    assert (least.name, least.determinism, least.seed, least.negative) == (
        "mine",
        Determinism.SEEDED,
        Need.REQUIRED,
        Need.NONE,
    )


def test_parameters_know_their_names() -> None:
    text = '[parameters.style]\ntype = "string"\nchoices = ["flat"]\n[settings.device]\ntype = "string"\n'
    full = card(text)
    assert full.parameters == {"style": Parameter(name="style", type="string", choices=("flat",))}
    assert full.settings == {"device": Parameter(name="device", type="string")}


def test_steps_know_their_parameters() -> None:
    text = '[steps.trim]\nversion = 1\n[steps.crop]\nversion = 3\nmain = "box"\n'
    text += 'parameters.box = { type = "numbers" }\n'
    steps = card(text).steps
    assert (steps["trim"].main, steps["trim"].parameters) == ("", {})
    assert steps["crop"].parameters["box"].type == "numbers"


@pytest.mark.parametrize("folder", [BUNDLE, BUNDLED])
def test_every_bundled_card_is_right(folder: Path, tmp_path: Path) -> None:
    cards = Cards(tmp_path, folder)
    for adapter in cards.adapters():
        assert cards.load(adapter).name == adapter


MALFORMED = "mine.toml: the card of `mine` is malformed: "
SEE = 'see "Writing an engine" in the documentation'


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    [
        ("sede = 1", "mine.toml:5:1: unknown key `sede` in a card", "did you mean `seed`?"),
        ("[parameters.a]\ntyp = 1", "mine.toml:6:1: unknown key `typ` in a card", "did you mean `type`?"),
        (
            "[steps.a]\nversion = 1\nmian = 'x'",
            "mine.toml:7:1: unknown key `mian` in a card",
            "did you mean `main`?",
        ),
        ("seed = 'always'", MALFORMED + "Invalid enum value 'always' - at `$.seed`", SEE),
        (
            "[parameters.a]\ndoc = 'x'",
            MALFORMED + "Object missing required field `type` - at `$.parameters[...]`",
            SEE,
        ),
        ("parameters = 3", MALFORMED + "`parameters` is not a table", SEE),
        ("parameters.a = 3", MALFORMED + "`parameters.a` is not a table", SEE),
        ("steps.a.parameters = 3", MALFORMED + "`steps.a.parameters` is not a table", SEE),
        (
            "minimum = 64\nmaximum = 32",
            "mine.toml:5:11: no size fits `minimum` 64, `maximum` 32, `multiple` 1",
            "correct these bounds",
        ),
        (
            "[parameters.model]\ntype = 'string'",
            "mine.toml:5:2: `model` is a key of every engine and can't be a parameter",
            "rename it",
        ),
        (
            "[parameters.a]\ntype = 'string'\n[settings.a]\ntype = 'string'",
            "mine.toml:7:2: `a` is a parameter and a setting",
            "keep one of the two",
        ),
        (
            "[parameters.mask]\ntype = 'file'\nneeds = ['imgae']\n[parameters.image]\ntype = 'file'",
            "mine.toml:7:10: `mask` needs `imgae`, which is no parameter",
            "did you mean `image`?",
        ),
        (
            "[parameters.a]\ntype = 'sting'",
            "mine.toml:6:8: unknown type `sting` of `a`",
            "did you mean `string`?",
        ),
        (
            "[parameters.a]\ntype = 'integer'\ndefault = 9\nmaximum = 8",
            "mine.toml:7:11: the default of `a` is 9, more than 8",
            "use 8 or less",
        ),
        (
            "[parameters.a]\ntype = 'string'\nvariable = 'A'",
            "mine.toml:7:1: `a` is a parameter, which no environment variable can change",
            "make it a setting",
        ),
        (
            "[settings.a]\ntype = 'number'\nvariable = 'A'",
            "mine.toml:6:8: the setting `a` has a `variable`, so it must be a string",
            'write `type = "string"`',
        ),
        (
            "[parameters.a]\ntype = 'integer'\nprocess = true",
            "mine.toml:7:1: `a` has `process`, which is for parameters that are an optional boolean",
            "remove `process`",
        ),
        (
            "[settings.a]\ntype = 'boolean'\nprocess = true",
            "mine.toml:7:1: `a` has `process`, which is for parameters that are an optional boolean",
            "remove `process`",
        ),
        (
            "bitwise_when = { slwo = true }\n[parameters.slow]\ntype = 'boolean'\nprocess = true",
            "mine.toml:5:18: `bitwise_when` names `slwo`, which is no parameter",
            "did you mean `slow`?",
        ),
        (
            "bitwise_when = { slow = true }\n[parameters.slow]\ntype = 'boolean'",
            "mine.toml:5:18: `bitwise_when` names `slow`, which does not hold for a whole process",
            "set `process = true` for it",
        ),
        (
            "[settings.pass]\ntype = 'string'",
            "mine.toml:6:8: the setting `pass` must be strings",
            'write `type = "strings"`',
        ),
        (
            "prompt_rest = 'lenght'\n[parameters.length]\ntype = 'integer'",
            "mine.toml:5:15: `prompt_rest` names `lenght`, which is no parameter",
            "did you mean `length`?",
        ),
        (
            "prompt_rest = 'x'",
            "mine.toml:5:15: `prompt_rest` names `x`, which is no parameter",
            "name one of its parameters",
        ),
        (
            "[steps.a]\nversion = 1\nmain = 'x'",
            "mine.toml:7:8: the step `a` has no parameter `x` to be its `main`",
            "name one of its parameters",
        ),
        ("lettering = 'fine'", MALFORMED + "Invalid enum value 'fine' - at `$.lettering`", SEE),
        (
            "alpha = true\nalpha_when = { grund = 'none' }\n[parameters.ground]\ntype = 'string'",
            "mine.toml:6:16: `alpha_when` names `grund`, which is no parameter",
            "did you mean `ground`?",
        ),
        (
            "alpha = true\nalpha_when = { ground = 3 }\n[parameters.ground]\ntype = 'string'",
            "mine.toml:6:25: `ground` must be a string, not `3`",
            'write it like `ground = "…"`',
        ),
        (
            "alpha_when = { ground = 'none' }\n[parameters.ground]\ntype = 'string'",
            "mine.toml:5:1: `alpha_when` says when there is alpha, and `alpha` that there is none",
            "set `alpha = true`",
        ),
        (
            "[[shapes]]\nratio = ['1:1']",
            "mine.toml:6:1: unknown key `ratio` in a card",
            "did you mean `ratios`?",
        ),
        ("[[shapes]]\nratios = ['1:0']", "mine.toml:6:11: `1:0` is no ratio", 'write it like "16:9"'),
        (
            "[[shapes]]\nsizes = [[64, 0]]",
            "mine.toml:6:10: 64 × 0 is no size",  # noqa: RUF001 - the sign for "by"
            "write a width and a height above 0",
        ),
        ("[[shapes]]\nmultiple = 0", "mine.toml:5:1: no size fits these shapes", "correct their bounds"),
        (
            "[[shapes]]\nmultiple = 8\n[[shapes]]\nmodels = ['a']",
            "mine.toml:5:1: these shapes are for every model, so what follows is never read",
            "add `models`, or move them to the end",
        ),
        ("[ends]\nbig = 'soon'", MALFORMED + "Invalid RFC3339 encoded date - at `$.ends[...]`", SEE),
        (
            "[[shapes]]\nnegative = 'no'",
            MALFORMED + "Invalid enum value 'no' - at `$.shapes[0].negative`",
            SEE,
        ),
        (
            "[[shapes]]\nchoices = { quality = [] }",
            "mine.toml:6:13: `choices` names `quality`, which is no parameter",
            "name one of its parameters",
        ),
        (
            "[[shapes]]\nchoices = { quality = [3] }\n[parameters.quality]\ntype = 'string'",
            "mine.toml:6:24: `quality` must be a string, not `3`",
            'write it like `quality = "…"`',
        ),
    ],
)
def test_a_card_with_a_mistake(text: str, fact: str, hint: str) -> None:
    assert said(text) == f"{fact}\n\nhint: {hint}"


def test_a_card_that_is_not_toml() -> None:
    assert said("x = = 1").startswith("mine.toml:5:5: not valid TOML: ")


@pytest.mark.parametrize(
    ("old", "new", "fact", "hint"),
    [
        ('"1.0.0"', '"one"', "mine.toml:2:11: `one` is not a version", 'write three numbers: "1.0.0"'),
        ('"mine"', '"yours"', "mine.toml:1:8: the card of `mine` says it is `yours`", "correct `name`"),
        ('version = "1.0.0"\n', "", MALFORMED + "Object missing required field `version`", SEE),
    ],
)
def test_a_card_that_lacks_the_least(old: str, new: str, fact: str, hint: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(source.parse("mine.toml", LEAST.replace(old, new)), "mine")
    assert str(caught.value) == f"{fact}\n\nhint: {hint}"


def test_a_card_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "adapter.toml").write_bytes(b"\xff")
    with pytest.raises(ManifestError) as caught:
        Cards(tmp_path, tmp_path).load("mine")
    assert str(caught.value).startswith("engines/mine/adapter.toml: can't be read: ")
