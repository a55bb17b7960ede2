"""Matrices with `exclude` and `include`, and variables in names."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from buildsys.manifest.combinations import combine
from buildsys.manifest.model import Manifest
from buildsys.manifest.read import parse
from buildsys.manifest.source import Fault

BUNDLE = Path(__file__).parent / "test_manifest_bundle"

HEAD = '[project]\nname = "game"\n'
ITEMS = """
[assets."items/{stone}-{kind}"]
engine = "stock"
prompt = "{kind} of {stone}"
seed = 1
size = [64, 64]
"""


def made(text: str) -> Manifest:
    return parse({"assets.toml": HEAD + text}, root=BUNDLE, bundled=BUNDLE)


def names(matrix: str) -> list[str]:
    return [name.removeprefix("items/") for name in made(f"{ITEMS}matrix = {{ {matrix} }}\n").assets]


AXES = 'stone = ["ruby", "onyx"], kind = ["ring", "crown"]'


def test_a_whole_combination_is_excluded() -> None:
    found = names(f'{AXES}, exclude = [{{ stone = "ruby", kind = "crown" }}]')
    assert found == ["ruby-ring", "onyx-ring", "onyx-crown"]


def test_a_part_excludes_all_that_have_it() -> None:
    assert names(f'{AXES}, exclude = [{{ stone = "ruby" }}]') == ["onyx-ring", "onyx-crown"]


def test_a_number_and_its_text_are_one_value() -> None:
    text = '[assets."a{n}"]\nengine = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]\n'
    found = made(text + 'matrix = { n = [1, 2], exclude = [{ n = "2" }] }').assets
    assert list(found) == ["a1"]


def test_a_new_combination_comes_last() -> None:
    found = names(f'{AXES}, include = [{{ kind = "staff", stone = "jade" }}]')
    assert found == ["ruby-ring", "ruby-crown", "onyx-ring", "onyx-crown", "jade-staff"]


def test_what_is_excluded_can_be_included_again() -> None:
    found = names(
        f'{AXES}, exclude = [{{ stone = "ruby" }}], include = [{{ stone = "ruby", kind = "crown" }}]'
    )
    assert found == ["onyx-ring", "onyx-crown", "ruby-crown"]


LIT = """
[assets."{stone}"]
engine = "stock"
prompt = "{stone}, {light}"
seed = 1
size = [64, 64]

[assets."{stone}".matrix]
stone = ["ruby", "onyx"]
include = [
  { light = "pale" },
  { stone = "ruby", light = "warm" },
  { stone = "jade" },
]
"""


def test_values_are_laid_on_and_a_later_entry_wins() -> None:
    prompts = {name: asset.prompt for name, asset in made(LIT).assets.items()}
    assert prompts == {"ruby": "ruby, warm", "onyx": "onyx, pale", "jade": "jade, pale"}


def test_a_value_that_is_laid_on_draws_no_wildcard_anew() -> None:
    text = LIT.replace("{stone}, {light}", "{one of: a|b|c|d|e|f|g|h|i|j|k|l}{light}")
    drawn = [asset.prompt for asset in made(text.replace("pale", "x").replace("warm", "x")).assets.values()]
    again = [asset.prompt for asset in made(text.replace("pale", "y").replace("warm", "y")).assets.values()]
    assert [prompt[:-1] for prompt in drawn] == [prompt[:-1] for prompt in again]


def test_a_value_that_is_laid_on_may_be_in_the_name() -> None:
    text = LIT.replace('"{stone}"', '"{stone}-{light}"')
    assert list(made(text).assets) == ["ruby-warm", "onyx-pale", "jade-pale"]


def test_a_variable_may_be_in_a_name() -> None:
    text = """
    [variables]
    act = "act-1"

    [assets."{act}/{stone}"]
    engine = "stock"
    prompt = "{stone}"
    seed = 1
    size = [64, 64]
    matrix = { stone = ["ruby"] }

    [assets."{act}/icon"]
    from = "{act}/ruby"
    """
    assert list(made(text).assets) == ["act-1/ruby", "act-1/icon"]


def test_variables_and_axes_reach_every_text() -> None:
    text = """
    [variables]
    light = "cold light"
    ink = "#102030"
    size = "small"

    [styles.keep]
    prompt = "{prompt}, {light}"
    negative = { sd35-turbo = "no {light}" }

    [assets."{stone}"]
    engine = "sd35-turbo"
    style = "keep"
    prompt = "{stone}"
    negative = "{stone} dust, {size}"
    seed = 1
    size = [512, 512]
    finish = [{ lut = "luts/{stone}-{size}.cube" }]
    matrix = { stone = ["ruby"] }

    [assets."{stone}-title"]
    engine = "vector"
    text = "{stone}, {size}"
    size = [64, 64]
    parameters = { fill = "{ink}", font = "a.ttf" }
    matrix = { stone = ["ruby"] }

    [assets."{stone}-drawn"]
    source = "art/{stone}-{size}.png"
    matrix = { stone = ["ruby"] }
    """
    ruby, title, drawn = made(text).assets.values()
    assert ruby.prompt == "ruby, cold light"
    assert ruby.negative == "ruby dust, small, no cold light"
    assert ruby.inputs["finish.0.file"].path == "luts/ruby-small.cube"
    assert (title.text, title.parameters["fill"]) == ("ruby, small", "#102030")
    assert drawn.inputs["image"].path == "art/ruby-small.png"


VALUES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
SOME = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("abc"), min_size=1, max_size=3)


@settings(deadline=None)
@given(st.fixed_dictionaries({"x": VALUES, "y": VALUES, "z": VALUES}), st.lists(SOME, min_size=1, max_size=3))
def test_exclude_leaves_what_no_entry_fits(axes: dict[str, list[str]], entries: list[Any]) -> None:
    """The slow definition: a combination stays where each entry has a value that is not its own."""
    every = [dict(zip(axes, chosen, strict=True)) for chosen in itertools.product(*axes.values())]
    left = [item for item in every if all(entry.items() - item.items() for entry in entries)]
    try:
        found = [item.chosen for item in combine(axes, exclude=entries)]
    except Fault:
        # Refused: an entry that excludes nothing of what those before it left, or all that was left.
        idle = [
            not any(
                not entry.items() - item.items()
                and all(before.items() - item.items() for before in entries[:number])
                for item in every
            )
            for number, entry in enumerate(entries)
        ]
        assert any(idle) or not left
    else:
        assert found == left


@settings(deadline=None)
@given(
    st.fixed_dictionaries({"x": VALUES, "y": VALUES}),
    st.lists(
        st.dictionaries(st.sampled_from("xyv"), st.sampled_from("abcd"), min_size=1, max_size=3),
        min_size=1,
        max_size=4,
    ),
)
def test_include_keeps_the_axes_and_adds_to_all_or_none(
    axes: dict[str, list[str]], entries: list[dict[str, str]]
) -> None:
    try:
        found = combine(axes, include=entries)
    except Fault:
        return
    count = math.prod(map(len, axes.values()))
    assert [item.chosen for item in found[:count]] == [item.chosen for item in combine(axes)]
    assert all(list(item.chosen) == list(axes) for item in found)
    keys = [tuple(item.chosen.items()) for item in found]
    assert len(set(keys)) == len(keys)
    for item in found:
        fitting = [
            entry
            for entry in entries
            if not {key: value for key, value in entry.items() if key != "v"}.items() - item.chosen.items()
        ]
        last = [entry["v"] for entry in fitting if "v" in entry]
        assert item.added == ({"v": last[-1]} if last else {})
    assert len({bool(item.added) for item in found}) == 1
