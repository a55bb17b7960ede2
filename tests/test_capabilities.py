"""Capabilities: what an asset needs is held against its engine when planning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from game import Game

from buildsys.comparison.model import Subject
from buildsys.comparison.subject import adapted
from buildsys.digest import Digest
from buildsys.errors import ManifestError
from buildsys.manifest.ability import Capability, Lettering
from buildsys.manifest.model import Asset, AssetName, Manifest
from buildsys.manifest.read import parse
from buildsys.plan import recipe
from buildsys.plan.record import Parts

PROJECT = """
[project]
name = "needs"

[roles]
poster = { draft = "ideogram-v3-turbo", final = "gpt-image" }
"""


def made(text: str, profile: str | None = None) -> Manifest:
    return parse({"assets.toml": PROJECT + text}, profile, root=Path())


def asset(text: str, profile: str | None = None) -> Asset:
    return made("[assets.a]\n" + text, profile).assets[AssetName("a")]


def said(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        made(text)
    return str(caught.value).partition(": ")[2]


def parts(manifest: Manifest, name: str = "a") -> Parts:
    found = manifest.assets[AssetName(name)]
    engine, finish = manifest.engines[found.engine], manifest.engines["finish"].card
    digests = {key: Digest("0" * 64) for key in found.inputs}
    return recipe.parts_of(found, engine, finish, digests, "")


@pytest.mark.parametrize(
    "text",
    [
        'engine = "stock"\nprompt = "axe"\nseed = 1\nsize = [32, 32]\nneeds = ["alpha", "seed"]',
        'engine = "vector"\ntext = "Play"\nsize = [64, 64]\nneeds = ["alpha", "lettering"]',
        'engine = "gpt-image"\nprompt = "axe"\nneeds = ["alpha"]\nparameters.background = "transparent"',
        'engine = "nano-banana-pro"\nprompt = "axe"\nneeds = ["alpha"]\nfinish = [{ alpha = {} }]',
        'engine = "gpt-image"\nprompt = "axe"\nneeds = ["alpha"]\nfinish = [{ alpha = {} }]',
    ],
)
def test_needs_that_are_met(text: str) -> None:
    assert asset(text).engine


def test_an_asset_says_what_its_engine_must_do() -> None:
    text = 'engine = "nano-banana-pro"\nprompt = "axe"\nseed = 2\nneeds = ["alpha", "seed", "lettering"]\n'
    found = asset(text + "finish = [{ alpha = {} }]")
    assert found.needs == (Capability.SEED, Capability.LETTERING)


def test_the_finish_of_a_style_counts() -> None:
    text = '[styles.cut]\nfinish = [{ alpha = {} }]\n[assets.a]\nengine = "nano-banana-pro"\nprompt = "axe"\n'
    assert made(text + 'style = "cut"\nneeds = ["alpha"]').assets[AssetName("a")].needs == ()


def test_a_matrix_needs_for_each_of_its_assets() -> None:
    text = '[assets."a/{b}"]\nengine = "nano-banana-pro"\nprompt = "{b}"\nmatrix = { b = ["x", "y"] }\n'
    found = made(text + 'needs = ["lettering"]').assets
    assert [item.needs for item in found.values()] == [(Capability.LETTERING,)] * 2
    assert said(text + 'needs = ["tiling"]').startswith("asset `a/x` needs `tiling`")


def test_needs_are_no_part_of_a_recipe() -> None:
    text = '[assets.a]\nengine = "stock"\nprompt = "axe"\nseed = 1\nsize = [32, 32]\n'
    assert parts(made(text)) == parts(made(text + 'needs = ["alpha"]'))


def test_a_seed_that_is_not_needed_is_left_out() -> None:
    assert asset('engine = "gpt-image"\nprompt = "axe"\nseed = 3').seed is None
    assert said('[assets.a]\nengine = "gpt-image"\nprompt = "axe"\nseed = 3\nneeds = ["seed"]') == (
        "asset `a` needs `seed`, which engine `gpt-image` does not offer\n\n"
        "hint: engines that could: `ideogram-v1-turbo`, `ideogram-v2a-turbo`, `ideogram-v3-turbo`, "
        "`stability-sd35-medium`"
    )


@pytest.mark.parametrize("engine", ["gpt-image", "nano-banana-pro", "ideogram-v1-turbo", "sd35-medium"])
def test_text_in_the_prompt_is_told_by_the_prompt(engine: str) -> None:
    text = f'[assets.a]\nengine = "{engine}"\nseed = 4\nsize = [512, 512]\ntext = "LAST LIGHT"\n'
    with_text = made(text + "prompt = \"a poster with the words '{text}'\"")
    found = with_text.assets[AssetName("a")]
    assert found.prompt == "a poster with the words 'LAST LIGHT'"
    assert found.text == "LAST LIGHT"
    assert parts(with_text).text == ""
    # Written out, it is the same picture.
    plain = text.replace('text = "LAST LIGHT"\n', "") + "prompt = \"a poster with the words 'LAST LIGHT'\""
    assert parts(made(plain)) == parts(with_text)


def test_text_is_drawn_once_for_the_prompt_too() -> None:
    text = 'engine = "gpt-image"\nseed = 4\ntext = "{one of: PLAY|START|BEGIN|GO}"\n'
    found = asset(text + 'prompt = "say {text}, {text}"')
    assert found.prompt == f"say {found.text}, {found.text}"


def test_text_with_braces_is_not_looked_at_again() -> None:
    assert asset('engine = "gpt-image"\ntext = "{{x}}"\nprompt = "say {text}"').prompt == "say {x}"


@pytest.mark.parametrize(
    "text",
    [
        '[variables]\ntext = "mine"\n[assets.a]\nprompt = "say {text}"\n',
        '[assets."a{text}"]\nmatrix = { text = ["mine"] }\nprompt = "say {text}"\n',
    ],
)
def test_a_variable_and_an_axis_of_that_name_stay_what_they_were(text: str) -> None:
    (found,) = made(text + 'engine = "gpt-image"\ntext = "mine"').assets.values()
    assert found.prompt == "say mine"


def test_text_that_an_engine_takes_is_sent_as_ever() -> None:
    found = made('[assets.a]\nengine = "vector"\ntext = "Play"\nsize = [64, 64]')
    assert parts(found).text == "Play"


def test_a_style_may_put_the_text_into_the_prompt_of_none() -> None:
    text = '[styles.s]\nprompt = "{prompt}, LAST LIGHT"\n[assets.a]\nengine = "gpt-image"\nstyle = "s"\n'
    assert made(text + 'prompt = "a poster"\ntext = "LAST LIGHT"').assets[AssetName("a")].text


def test_engines_of_the_role_come_first_and_those_that_end_are_left_out() -> None:
    text = '[engines.gone]\nadapter = "gpt_image"\nmodel = "gpt-image-1.5"\nretired = 2099-01-01\n'
    text += '[assets.a]\nrole = "poster"\nprompt = "a"\nneeds = ["alpha"]\nseed = 1\n'
    fact = "asset `a` needs `alpha`, which engine `ideogram-v3-turbo` does not offer\n\nhint: "
    assert said(text + "size = [512, 512]") == (
        fact + "add the finish step `alpha`; engines that could: `gpt-image`, `sprite`, `stock`"
    )
    # Of a size that the older model alone could make: it ends, and is not named.
    assert (
        said(text + "size = [300, 200]") == fact + "add the finish step `alpha`; engines that could: `stock`"
    )


def test_the_size_of_the_style_and_of_one_engine_is_looked_at() -> None:
    text = '[styles.s]\nsize = { gpt-image = [608, 400], stock = [64, 64] }\n[assets.a]\nrole = "poster"\n'
    told = said(text + 'style = "s"\nprompt = "a"\nneeds = ["alpha"]')
    assert told.endswith("hint: add the finish step `alpha`; engines that could: `gpt-image`")


def test_a_picture_to_start_from_is_a_need() -> None:
    text = '[engines.flow]\nadapter = "comfyui"\nworkflow = "flow.json"\n[assets.a]\nengine = "stock"\n'
    told = said(text + 'prompt = "a"\nseed = 1\nsize = [64, 64]\nparameters = { image = "a.png" }')
    assert told.startswith("adapter `stock` has no parameter `image`\n\nhint: put it under `parameters.")
    assert "; engines that could: `sd35-medium`, `sd35-turbo`, `flow`" in told


def test_on_the_command_line_too(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    words = ["--engine", "stock", "--seed", "1", "--size", "64x64", "--prompt", "axe", "--text", "Play"]
    told = game.run("generate", *words, code=2).stderr
    assert told.startswith(
        "error: command line: engine `stock` takes no text\n\nhint: leave `--text` out; engines that could: "
    )


def test_a_comparison_asks_each_engine_for_what_it_makes() -> None:
    engines = made("").engines
    subject = Subject(prompt="say LAST LIGHT", negative="blur", text="LAST LIGHT", size=(2000, 1000))

    def notes(engine: str) -> tuple[Any, tuple[str, ...]]:
        found, notes = adapted(subject, engines[engine], 1, AssetName("c"))
        return found.size, notes

    assert notes("ideogram-v3-turbo") == ((1408, 704), ("makes no 2000 x 1000: asked for 1408 x 704",))
    assert notes("ideogram-v2a-turbo")[1][0] == "takes no negative prompt"
    assert notes("gpt-image")[0] == (2000, 1008)
    assert notes("stock")[1][:2] == ("takes no negative prompt", "takes no text")


def test_a_comparison_leaves_out_what_a_model_does_not_take() -> None:
    engines = made("").engines
    subject = Subject(prompt="axe", parameters={"style_type": "anime"})
    found, notes = adapted(subject, engines["ideogram-v1-turbo"], 1, AssetName("c"))
    assert "style_type" not in found.parameters
    assert notes == ("the model `V_1_TURBO` of engine `ideogram-v1-turbo` takes no `style_type`",)


def test_engines_tell_what_they_can_do(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    found = {item["name"]: item["capabilities"] for item in json.loads(game.run("engines", "--json").stdout)}
    assert found["gpt-image"] == {
        "alpha": True,
        "alpha_when": {"background": "transparent"},
        "seed": "none",
        "tiling": False,
        "lettering": "good",
        "prompt": "required",
        "negative": "none",
        "text": "none",
        "sizes": "sides from 16 to 3840, in steps of 16, 1:3 at most, at most 8,294,400 pixels",
        "files": ["image", "mask", "reference"],
    }
    assert found["ideogram-v2a-turbo"]["negative"] == "none"
    assert found["ideogram-v1-turbo"]["negative"] == "optional"
    assert found["vector"]["files"] == ["font", "template"]
    assert [name for name, item in found.items() if item["lettering"] == Lettering.EXACT] == ["vector"]
    whole = [" ".join(line.split()) for line in game.run("engines", "gpt-image").stdout.splitlines()]
    assert {"can alpha yes", "can alpha_when background transparent", "can lettering good"} <= set(whole)
