"""Keys for one profile: what they replace, and what they are laid over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildsys.errors import ManifestError
from buildsys.manifest.model import Asset, AssetName, Manifest
from buildsys.manifest.read import parse

BUNDLE = Path(__file__).parent / "test_manifest_bundle"

HEAD = """
[project]
name = "game"

[roles]
sprite = "stock"
portrait = { draft = "sd35-turbo", final = "sd35-medium" }
"""
HERO = """
[assets.hero]
role = "portrait"
prompt = "knight"
negative = "blurry"
seed = 1
size = [512, 512]
finish = [{ resize = [64, 64] }]
parameters = { steps = 5, guidance = 1.0 }
"""


def made(text: str, profile: str | None = None) -> Manifest:
    return parse({"assets.toml": HEAD + text}, profile, root=BUNDLE, bundled=BUNDLE)


def hero(text: str, profile: str | None = None) -> Asset:
    return made(text, profile).assets[AssetName("hero")]


def test_other_profiles_are_as_they_were() -> None:
    text = HERO + "[assets.hero.profile.final]\nprompt = 'old knight'\nsize = [1024, 1024]\nseed = 2\n"
    assert hero(text, "draft") == hero(HERO, "draft")


def test_keys_are_replaced_as_a_whole() -> None:
    text = (
        HERO
        + "[assets.hero.profile.final]\nprompt = 'old knight'\nsize = [1024, 1024]\nseed = 2\nfinish = []\n"
    )
    found = hero(text, "final")
    assert (found.prompt, found.negative, found.size, found.seed) == ("old knight", "blurry", (1024, 1024), 2)
    assert found.finish == ()
    assert found.engine == "sd35-medium"


def test_parameters_are_laid_over_key_by_key() -> None:
    found = hero(HERO + "profile.final.parameters = { steps = 50 }\n", "final")
    assert (found.parameters["steps"], found.parameters["guidance"]) == (50, 1.0)


def test_a_plain_parameter_of_the_profile_wins_over_one_for_the_engine() -> None:
    text = HERO.replace("guidance = 1.0", "sd35-medium = { guidance = 9.0 }")
    assert hero(text, "final").parameters["guidance"] == 9.0
    over = text + "profile.final.parameters = { guidance = 2.0, diffusion = { steps = 7 } }\n"
    found = hero(over, "final").parameters
    assert (found["guidance"], found["steps"]) == (2.0, 7)


def test_a_profile_chooses_an_engine_or_a_role() -> None:
    text = "[assets.hero]\nengine = 'stock'\nprompt = 'x'\nseed = 1\nsize = [512, 512]\n"
    assert hero(text + "profile.final.engine = 'sd35-turbo'\n", "final").engine == "sd35-turbo"
    found = hero(text + "profile.final.role = 'portrait'\n", "final")
    assert (found.role, found.engine) == ("portrait", "sd35-medium")
    assert hero(text + "profile.final.role = 'portrait'\n", "draft").engine == "stock"


def test_a_matrix_reaches_the_keys_of_a_profile() -> None:
    text = """
    [assets."{stone}"]
    role = "sprite"
    prompt = "{stone}"
    seed = 1
    size = [64, 64]
    matrix = { stone = ["ruby", "onyx"], include = [{ light = "pale" }] }
    profile.final.prompt = "{stone}, {light}"
    """
    assert [asset.prompt for asset in made(text, "final").assets.values()] == ["ruby, pale", "onyx, pale"]
    assert [asset.prompt for asset in made(text, "draft").assets.values()] == ["ruby", "onyx"]


def test_a_derived_asset_and_a_hand_made_one_differ_by_profile() -> None:
    text = (
        HERO
        + """
    [assets.icon]
    from = "hero"
    profile.final.finish = [{ resize = [32, 32] }]

    [assets.logo]
    source = "art/sketch.png"
    profile.final.source = "art/logo.png"
    """
    )
    icon, logo = list(made(text, "final").assets.values())[1:]
    assert [step.parameters["size"] for step in icon.finish] == [[32, 32]]
    assert logo.inputs["image"].path == "art/logo.png"
    assert made(text, "draft").assets[AssetName("logo")].inputs["image"].path == "art/sketch.png"


STYLED = (
    HERO.replace("finish = [{ resize = [64, 64] }]", "style = 'night'")
    + """
[styles.keep]
prompt = "{prompt}, keep"
parameters = { steps = 6, guidance = 3.0 }
finish = [{ trim = {} }]

[styles.keep.profile.final]
prompt = "{prompt}, great keep"
parameters = { guidance = 4.0 }
finish = []

[styles.night]
inherits = "keep"
prompt = "{prompt}, night"
"""
)


def test_a_style_differs_by_profile_and_so_do_its_heirs() -> None:
    draft, final = hero(STYLED, "draft"), hero(STYLED.replace("guidance = 1.0", ""), "final")
    assert draft.prompt == "knight, keep, night"
    assert final.prompt == "knight, great keep, night"
    assert (len(draft.finish), len(final.finish)) == (1, 0)
    assert (final.parameters["steps"], final.parameters["guidance"]) == (5, 4.0)


def test_the_profiles_that_tables_name_exist() -> None:
    text = (
        '[project]\nname = "game"\n[assets.hero]\nengine = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]\n'
    )
    text += "profile.final.size = [128, 128]\n[styles.a]\nprofile.print.size = [8, 8]\n"
    manifest = parse({"assets.toml": text}, "final", root=BUNDLE, bundled=BUNDLE)
    assert manifest.profiles == ("final", "print")
    assert manifest.assets[AssetName("hero")].size == (128, 128)


def test_several_outputs_are_made_of_what_the_profile_says() -> None:
    text = HERO + "scales = [1, 2]\nprofile.final.finish = [{ resize = [128, 96] }]\n"
    assert list(made(text, "final").assets) == ["hero", "hero@1x"]


@pytest.mark.parametrize("profile", ["draft", "final"])
@pytest.mark.parametrize(
    ("over", "fact"),
    [
        ("promt = 'x'", "unknown key `promt` in `[assets.hero.profile.final]`"),
        ("size = 3", "`size` must be a width and a height"),
        ("engine = 'stok'", "unknown engine `stok`"),
        ("role = 'portrai'", "unknown role `portrai`"),
        ("style = 'keeep'", "unknown style `keeep`"),
        ("parameters = { stepps = 3 }", "adapter `diffusion` has no parameter `stepps`"),
        ("finish = [{ resiez = [1, 1] }]", "unknown finish step `resiez`"),
        ("size = [500, 512]", "engine `sd35-medium` can't make 500"),
        ("prompt = '{lihgt}'", "unknown name `{lihgt}`"),
        (
            "finish = [{ lut = { file = { asset = 'hro' } } }]",
            "takes the picture of `hro`, which does not exist",
        ),
    ],
)
def test_a_typo_shows_in_every_profile_at_its_place(over: str, fact: str, profile: str) -> None:
    with pytest.raises(ManifestError) as caught:
        made(HERO + f"\n[assets.hero.profile.final]\n{over}\n", profile)
    assert fact in caught.value.message
    line = (HEAD + HERO).count("\n") + 3
    assert caught.value.message.startswith(f"assets.toml:{line}:"), caught.value.message


@pytest.mark.parametrize("profile", ["draft", "final"])
@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        ("{prompt}, great keep", "great keep", "the prompt of style `keep` lacks `{prompt}`"),
        ("guidance = 4.0", "gidance = 4.0", "adapter `diffusion` has no parameter `gidance`"),
        ("finish = []", "inherits = 'kep'", "unknown style `kep`"),
    ],
)
def test_a_typo_in_a_style_shows_in_every_profile(old: str, new: str, fact: str, profile: str) -> None:
    with pytest.raises(ManifestError) as caught:
        made(STYLED.replace(old, new), profile)
    assert fact in caught.value.message
    assert "\n\n" not in caught.value.message.strip(), "told once"


SCALARS = {"prompt": st.sampled_from(["a", "b"]), "seed": st.integers(0, 3)}
PARAMETERS = st.dictionaries(st.sampled_from(["steps", "guidance"]), st.integers(1, 9))


def table(keys: dict[str, object], parameters: dict[str, int]) -> str:
    lines = [f"{key} = {value!r}" for key, value in keys.items()]
    inner = ", ".join(f"{key} = {value}" for key, value in parameters.items())
    return "\n".join([*lines, f"parameters = {{ {inner} }}" if inner else ""])


@settings(deadline=None)
@given(st.fixed_dictionaries(SCALARS), st.fixed_dictionaries({}, optional=SCALARS), PARAMETERS, PARAMETERS)
def test_a_profile_is_as_if_its_keys_were_the_assets_own(
    own: dict[str, object], over: dict[str, object], first: dict[str, int], second: dict[str, int]
) -> None:
    start = "[assets.hero]\nrole = 'portrait'\nsize = [512, 512]\n"
    layered = f"{start}{table(own, first)}\n[assets.hero.profile.final]\n{table(over, second)}\n"
    plain = start + table({**own, **over}, {**first, **second})
    assert hero(layered, "final") == hero(plain, "final")
    assert hero(layered, "draft") == hero(start + table(own, first), "draft")
