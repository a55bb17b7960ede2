"""Several outputs of one asset: their names, files, recipes; and pictures that were made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildsys.manifest.cards import FINISH
from buildsys.manifest.model import Asset, AssetName, FinishStep, Input, Manifest
from buildsys.manifest.outputs import finished_size, planned
from buildsys.manifest.read import parse

BUNDLE = Path(__file__).parent / "test_manifest_bundle"

HERO = """
[project]
name = "game"

[assets.hero]
engine = "stock"
prompt = "knight"
seed = 5
size = [256, 128]
"""


def made(text: str, profile: str | None = None) -> Manifest:
    return parse({"assets.toml": text}, profile, root=BUNDLE, bundled=BUNDLE)


def files(text: str) -> dict[str, str]:
    return {name: asset.path for name, asset in made(HERO + text).assets.items()}


def asset(text: str, name: str) -> Asset:
    return made(HERO + text).assets[AssetName(name)]


def test_an_asset_without_either_is_one_file() -> None:
    assert files("") == {"hero": "hero.png"}
    assert files('formats = ["webp"]') == {"hero": "hero.webp"}
    assert files("scales = [1]") == {"hero": "hero.png"}
    assert asset("scales = [1]", "hero") == asset("", "hero")


def test_scales_are_files_by_the_usual_convention() -> None:
    assert files("scales = [1, 4, 2]") == {
        "hero": "hero@4x.png",
        "hero@2x": "hero@2x.png",
        "hero@1x": "hero.png",
    }
    assert files("scales = [2, 3]\nfinish = [{ resize = [33, 9] }]") == {
        "hero": "hero@3x.png",
        "hero@2x": "hero@2x.png",
    }


def test_formats_are_files_of_one_name() -> None:
    assert files('formats = ["png", "webp"]') == {"hero": "hero.png", "hero@webp": "hero.webp"}
    assert files('formats = ["webp", "png"]') == {"hero": "hero.webp", "hero@png": "hero.png"}


def test_scales_and_formats() -> None:
    assert files('scales = [1, 2]\nformats = ["png", "webp"]') == {
        "hero": "hero@2x.png",
        "hero@2x.webp": "hero@2x.webp",
        "hero@1x": "hero.png",
        "hero@1x.webp": "hero.webp",
    }


def test_the_asset_keeps_its_recipe_whatever_else_is_made_of_it() -> None:
    one, several = asset("", "hero"), asset('scales = [1, 2]\nformats = ["png", "webp"]', "hero")
    assert several.file == "hero@2x"
    for field in ("engine", "prompt", "seed", "size", "parameters", "finish", "inputs", "format"):
        assert getattr(one, field) == getattr(several, field)


def scale(up: int, down: int, method: str = "area") -> FinishStep:
    return FinishStep(name="scale", version=1, parameters={"down": down, "up": up, "filter": method})


def test_a_scale_is_made_from_the_largest() -> None:
    small = asset("scales = [1, 2, 4]", "hero@1x")
    assert small == Asset(
        name=AssetName("hero@1x"),
        role="",
        engine=FINISH,
        finish=(scale(1, 4),),
        inputs={"image": Input(asset=AssetName("hero"))},
        file="hero",
        main=AssetName("hero"),
        location=small.location,
    )
    assert asset("scales = [1, 2, 4]", "hero@2x").finish == (scale(1, 2),)
    text = 'scales = { of = [2, 3], filter = "nearest" }\nfinish = [{ resize = [96, 48] }]'
    assert asset(text, "hero@2x").finish == (scale(2, 3, "nearest"),)


def test_a_format_is_made_from_its_own_scale() -> None:
    text = 'scales = [1, 2]\nformats = ["png", "webp"]'
    small, large = asset(text, "hero@1x.webp"), asset(text, "hero@2x.webp")
    assert (small.inputs["image"].asset, small.finish, small.format) == ("hero@1x", (), "webp")
    assert large.inputs["image"].asset == "hero"
    assert small.main == large.main == "hero"


def test_the_smallest_file_is_a_wish_for_all_pngs() -> None:
    text = 'scales = [1, 2]\nformats = ["png", "webp"]\nfinish = [{ encode = { smallest = true } }]'
    assert [step.name for step in asset(text, "hero@1x").finish] == ["scale", "encode"]
    assert asset(text, "hero@1x.webp").finish == ()


def test_other_outputs_are_assets_to_be_made_from() -> None:
    text = HERO + 'scales = [1, 2]\n[assets.icon]\nfrom = "hero@1x"\n'
    assert made(text).assets[AssetName("icon")].inputs["image"].asset == "hero@1x"


def test_derived_and_matrix_assets_have_outputs_too() -> None:
    text = """
    scales = [1, 2]
    [assets."{size}-icon"]
    from = "hero"
    finish = [{ resize = [32, 32] }]
    matrix = { size = ["a", "b"] }
    formats = ["png", "webp"]
    """
    assert list(files(text))[2:] == ["a-icon", "a-icon@webp", "b-icon", "b-icon@webp"]


def test_other_profiles_know_the_outputs() -> None:
    text = HERO + 'scales = [1, 2]\nprofiles = ["final"]\n'
    assert made(text, "draft").elsewhere == ("hero", "hero@1x")
    assert list(made(text, "final").assets) == ["hero", "hero@1x"]


@pytest.mark.parametrize(
    ("finish", "size"),
    [
        ("[]", (256, 128)),
        ("[{ resize = [30, 20] }]", (30, 20)),
        ("[{ resize = [30, 20] }, { lut = 'a.cube' }]", (30, 20)),
        ("[{ trim = {} }]", None),
        ("[{ trim = {} }, { resize = [30, 20] }]", (30, 20)),
        ("[{ scale = { up = 3 } }]", (768, 384)),
        ("[{ scale = 64 }]", (4, 2)),
        ("[{ scale = 3 }]", None),
        ("[{ encode = { smallest = true } }]", (256, 128)),
    ],
)
def test_the_finished_size_is_known_where_it_can_be(finish: str, size: tuple[int, int] | None) -> None:
    assert finished_size(asset(f"finish = {finish}", "hero")) == size


def test_a_hand_made_picture_goes_through_finish() -> None:
    text = """
    [assets.logo]
    source = "art/logo.png"
    author = "Ada"
    licence = "CC-BY-4.0"
    finish = [{ resize = [64, 64] }]
    format = "webp"
    """
    logo = asset(text, "logo")
    assert logo == Asset(
        name=AssetName("logo"),
        role="",
        engine=FINISH,
        finish=logo.finish,
        inputs={"image": Input(path="art/logo.png")},
        format="webp",
        author="Ada",
        licence="CC-BY-4.0",
        location=logo.location,
    )
    assert [step.name for step in logo.finish] == ["resize"]


@pytest.mark.parametrize("path", ["a.png", "art/A.PNG", "art/b.jpg", "b.jpeg", "c.webp", "output/d.png"])
def test_these_are_pictures(path: str) -> None:
    assert asset(f'[assets.logo]\nsource = "{path}"', "logo").inputs["image"].path == path


@settings(deadline=None)
@given(
    st.sets(st.integers(1, 16), min_size=1, max_size=5),
    st.sampled_from([[], ["png"], ["webp"], ["png", "webp"], ["webp", "png"]]),
)
def test_every_scale_has_one_file_in_every_format(scales: set[int], formats: list[str]) -> None:
    table = {"scales": sorted(scales), **({"formats": formats} if formats else {})}
    found = planned(AssetName("a/hero"), table)
    assert len({item.name for item in found}) == len(found)
    assert {f"{item.file}.{item.format}" for item in found} == {
        f"a/hero{'' if scale == 1 else f'@{scale}x'}.{suffix}"
        for scale in scales
        for suffix in formats or ["png"]
    }
    own, *others = found
    assert (own.name, own.origin) == ("a/hero", "")
    sizes = {own.name: (max(scales), 1)}
    for item in others:
        assert "@" in item.name
        width, unit = sizes[item.origin]  # each after what it is made from
        sizes[item.name] = width * item.ratio[0], unit * item.ratio[1]
        label = item.file.rpartition("@")[2].removesuffix("x") if "@" in item.file else "1"
        assert sizes[item.name][0] == int(label) * sizes[item.name][1]
