"""What comes out of a manifest: styles, variables, matrix, roles, parameters, finish."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildsys.errors import ManifestError
from buildsys.manifest.model import Asset, AssetName, FinishStep, Input, Location, Manifest
from buildsys.manifest.read import parse

BUNDLE = Path(__file__).parent / "test_manifest_bundle"

HEAD = """
[project]
name = "moonlit-keep"

[variables]
light = "cold rim light"

[roles]
sprite = "stock"
portrait = { draft = "sd35-turbo", final = "sd35-medium" }
poster = { final = "sd35-medium" }
lettering = "vector"
sky = "clouds"

[engines.clouds]
adapter = "cloud"
"""


def made(text: str, profile: str | None = None) -> Manifest:
    return parse({"assets.toml": HEAD + text}, profile, root=BUNDLE, bundled=BUNDLE)


def asset(text: str, name: str = "hero", profile: str | None = None) -> Asset:
    return made(text, profile).assets[AssetName(name)]


def test_the_least_manifest() -> None:
    manifest = parse({"assets.toml": '[project]\nname = "game"\n'}, root=BUNDLE, bundled=BUNDLE)
    assert manifest.assets == {}
    assert manifest.project.out == "out"
    assert manifest.profile == "draft"
    assert manifest.profiles == ()
    assert manifest.files == ("assets.toml",)
    assert list(manifest.engines) == [
        *("stock", "sprite", "vector", "placeholder", "finish", "measure", "pack", "gate", "ocr"),
        *("sd35-medium", "sd35-turbo", "stability-sd35-medium", "stability-sd35-turbo"),
        *("ideogram-v1-turbo", "ideogram-v2a-turbo", "ideogram-v3-turbo"),
        *("gpt-image", "dalle3", "nano-banana-pro"),
    ]


def test_an_asset_whole() -> None:
    text = """
    [assets.hero]
    role = "sprite"
    prompt = "moon knight, {light}"
    seed = 12345
    size = [64, 32]
    format = "webp"
    """
    assert asset(text) == Asset(
        name=AssetName("hero"),
        role="sprite",
        engine="stock",
        prompt="moon knight, cold rim light",
        seed=12345,
        size=(64, 32),
        parameters={"style": "flat", "outline": 1.0},
        format="webp",
        location=Location("assets.toml", 18),
    )


PORTRAIT = """
[assets.hero]
role = "portrait"
prompt = "moon knight"
seed = 1
size = [512, 512]
"""


@pytest.mark.parametrize(
    ("profile", "engine", "steps"),
    [(None, "sd35-turbo", 4), ("draft", "sd35-turbo", 4), ("final", "sd35-medium", 40)],
)
def test_a_profile_chooses_the_engine(profile: str | None, engine: str, steps: int) -> None:
    hero = asset(PORTRAIT, profile=profile)
    assert hero.engine == engine
    assert hero.parameters["steps"] == steps


def test_an_engine_of_the_asset_wins_over_its_role() -> None:
    assert asset(PORTRAIT + 'engine = "sd35-medium"', profile="draft").engine == "sd35-medium"


def test_an_asset_may_have_an_engine_and_no_role() -> None:
    hero = asset('[assets.hero]\nengine = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]')
    assert (hero.role, hero.engine) == ("", "stock")


def test_a_role_without_an_engine_in_this_profile_blocks_the_asset() -> None:
    text = '[assets.hero]\nrole = "poster"\nprompt = "x"\nseed = 1\nsize = [512, 512]'
    hero = asset(text)
    assert hero.engine == ""
    assert hero.blocked == (
        "role `poster` has no engine in profile `draft`\n\nhint: add `draft` to `poster` under `[roles]`"
    )
    assert (hero.prompt, hero.seed, hero.size) == ("x", 1, (512, 512))
    assert asset(text, profile="final").blocked == ""


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ManifestError) as caught:
        made(PORTRAIT, "finale")
    assert str(caught.value) == "assets.toml: unknown profile `finale`\n\nhint: did you mean `final`?"
    with pytest.raises(ManifestError) as caught:
        made(PORTRAIT, "xyzzy")
    assert str(caught.value) == "assets.toml: unknown profile `xyzzy`\n\nhint: use one of `draft`, `final`"


def test_profiles_come_from_roles() -> None:
    manifest = made(PORTRAIT + 'profiles = ["final"]')
    assert manifest.profiles == ("draft", "final")
    assert manifest.assets == {}
    assert manifest.elsewhere == ("hero",)


def test_profiles_come_from_assets_where_no_role_has_any() -> None:
    text = '[project]\nname = "game"\n[roles]\nsprite = "stock"\n[assets.hero]\nrole = "sprite"\n'
    text += 'profiles = ["print"]'
    manifest = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE)
    assert manifest.profiles == ("print",)
    assert manifest.elsewhere == ("hero",)


def test_an_asset_may_be_kept_to_the_projects_own_profile() -> None:
    text = HEAD.replace("[variables]", 'profile = "jam"\n[variables]') + PORTRAIT + 'profiles = ["jam"]'
    hero = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE).assets[AssetName("hero")]
    assert hero.blocked.startswith("role `portrait` has no engine in profile `jam`")


def test_an_asset_of_another_profile_is_known_by_its_expanded_name() -> None:
    text = """
    [assets."gems/{color}"]
    role = "sprite"
    matrix = { color = ["red", "green"] }
    profiles = ["final"]
    """
    assert made(text).elsewhere == ("gems/red", "gems/green")


def test_styles_wrap_the_prompt_in_order() -> None:
    text = """
    [styles.keep]
    prompt = "{prompt}, moonlit keep"
    [styles.ink]
    prompt = "ink drawing of {prompt}, {light}"
    [assets.hero]
    role = "sprite"
    style = ["keep", "ink"]
    prompt = "a {{moon}} knight"
    seed = 1
    size = [64, 64]
    """
    assert asset(text).prompt == "ink drawing of a {moon} knight, moonlit keep, cold rim light"


def test_negatives_are_joined_the_assets_first() -> None:
    text = """
    [styles.keep]
    negative = "blurry"
    [styles.ink]
    negative = "colour"
    [assets.hero]
    engine = "sd35-medium"
    style = ["keep", "ink"]
    prompt = "x"
    negative = "horse"
    seed = 1
    size = [64, 64]
    """
    assert asset(text).negative == "horse, blurry, colour"


@pytest.mark.parametrize(("profile", "negative"), [("draft", ""), ("final", "blurry")])
def test_a_negative_for_one_engine_lets_profiles_share_a_style(profile: str, negative: str) -> None:
    text = """
    [styles.keep]
    negative = { sd35-medium = "blurry" }
    [roles.cover]
    draft = "stock"
    final = "sd35-medium"
    [assets.hero]
    role = "cover"
    style = "keep"
    prompt = { stock = "sword", diffusion = "a sword in the stone" }
    seed = 1
    size = { stock = [32, 32], sd35-medium = [512, 512] }
    """
    hero = asset(text, profile=profile)
    assert hero.negative == negative
    assert (hero.prompt, hero.size) == {
        "draft": ("sword", (32, 32)),
        "final": ("a sword in the stone", (512, 512)),
    }[profile]


def test_parameters_merge_card_engine_style_asset() -> None:
    text = """
    [engines.stock]
    outline = 2
    tint = "#AA0000"
    [styles.a]
    parameters = { tint = "#00BB00", style = "flat" }
    [styles.b]
    parameters = { stock = { style = "pixel" }, sd35-medium = { steps = 3 } }
    [assets.hero]
    role = "sprite"
    style = ["a", "b"]
    prompt = "x"
    seed = 1
    size = [64, 64]
    parameters = { outline = 3 }
    """
    assert asset(text).parameters == {"outline": 3.0, "tint": "#00bb00", "style": "pixel"}


def test_a_table_for_the_engine_wins_over_one_for_its_adapter() -> None:
    text = (
        PORTRAIT
        + "parameters = { sd35-turbo = { steps = 1 }, diffusion = { steps = 2, guidance = 2 }, guidance = 3 }"
    )
    assert asset(text).parameters == {"steps": 1, "guidance": 2.0, "max_sequence_length": 256}


def test_a_whole_number_and_its_float_are_one_value() -> None:
    one = asset(PORTRAIT + "parameters = { guidance = 4 }").parameters["guidance"]
    other = asset(PORTRAIT + "parameters = { guidance = 4.0 }").parameters["guidance"]
    assert repr(one) == repr(other) == "4.0"


def test_files_become_inputs() -> None:
    text = """
    [assets.knight]
    role = "sprite"
    prompt = "x"
    seed = 1
    size = [64, 64]
    [assets.hero]
    role = "lettering"
    text = "Moonlit Keep"
    size = [256, 64]
    parameters = { font = "bundled:fonts/cinzel-bold.ttf", backdrop = { asset = "knight" }, box = [8, 8] }
    """
    logo = asset(text)
    assert logo.parameters == {"fill": "#ffffff", "box": [8, 8]}
    assert logo.inputs == {
        "font": Input(path="bundled:fonts/cinzel-bold.ttf"),
        "backdrop": Input(asset=AssetName("knight")),
    }
    assert logo.text == "Moonlit Keep"


def test_a_seed_is_not_sent_to_an_engine_without_seeds() -> None:
    text = '[assets.hero]\nrole = "lettering"\ntext = "A"\nsize = [9, 9]\nseed = 3\nparameters.font = "a.ttf"'
    assert asset(text).seed is None


def test_an_optional_seed_stays_away() -> None:
    assert asset('[assets.hero]\nrole = "sky"\nprompt = "x"').seed is None
    assert asset('[assets.hero]\nrole = "sky"\nprompt = "x"\nseed = 3').seed == 3


def test_a_matrix_makes_every_combination_in_order() -> None:
    text = """
    [assets."{kind}/{color}-{n}"]
    role = "sprite"
    prompt = "{color} {kind}"
    seed = 7
    size = [64, 64]
    matrix = { kind = ["gem", "orb"], color = ["red", "blue"], n = [1] }
    parameters = { palette = "palettes/{color}.gpl" }
    finish = [{ lut = "luts/{kind}.cube" }]
    """
    assets = made(text).assets
    assert list(assets) == ["gem/red-1", "gem/blue-1", "orb/red-1", "orb/blue-1"]
    orb = assets[AssetName("orb/blue-1")]
    assert orb.prompt == "blue orb"
    assert orb.inputs == {
        "palette": Input(path="palettes/blue.gpl"),
        "finish.0.file": Input(path="luts/orb.cube"),
    }
    assert {item.seed for item in assets.values()} == {7}


def test_what_is_put_in_is_not_expanded_again() -> None:
    text = """
    [project]
    name = "game"
    [variables]
    word = "{{n}}"
    [styles.keep]
    prompt = "{prompt} {word}"
    [assets."a{n}"]
    engine = "stock"
    style = "keep"
    prompt = "{n} {word} {{word}}"
    seed = 1
    size = [64, 64]
    matrix = { n = [1] }
    """
    manifest = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE)
    assert manifest.assets[AssetName("a1")].prompt == "1 {n} {word} {n}"


def test_finish_steps_are_settled() -> None:
    text = PORTRAIT + 'finish = [{ trim = {} }, { resize = [32, 32] }, { lut = { file = "{light}.cube" } }]'
    hero = asset(text)
    assert hero.finish == (
        FinishStep(name="trim", version=1, parameters={}),
        FinishStep(name="resize", version=2, parameters={"size": [32, 32], "filter": "lanczos"}),
        FinishStep(name="lut", version=1, parameters={}),
    )
    assert hero.inputs == {"finish.2.file": Input(path="cold rim light.cube")}


@pytest.mark.parametrize(
    ("own", "steps"), [("", ["trim"]), ("finish = []", []), ("finish = [{ resize = [8, 8] }]", ["resize"])]
)
def test_finish_steps_of_an_asset_replace_those_of_its_style(own: str, steps: list[str]) -> None:
    text = "[styles.keep]\nfinish = [{ trim = {} }]\nsize = [128, 128]\n" + PORTRAIT.replace(
        "size = [512, 512]", ""
    )
    hero = asset(f'{text}style = "keep"\n{own}')
    assert [step.name for step in hero.finish] == steps
    assert hero.size == (128, 128)


def test_a_derived_asset_takes_a_finished_picture() -> None:
    text = PORTRAIT + '[assets.icon]\nfrom = "hero"\nfinish = [{ resize = [32, 32] }]\nformat = "webp"'
    icon = asset(text, "icon")
    assert (icon.engine, icon.role, icon.seed, icon.size, icon.prompt) == ("finish", "", None, None, "")
    assert icon.inputs == {"image": Input(asset=AssetName("hero"))}
    assert icon.format == "webp"


def test_a_matrix_derives_from_a_matrix() -> None:
    text = """
    [assets."gems/{c}"]
    role = "sprite"
    prompt = "{c}"
    seed = 1
    size = [64, 64]
    matrix = { c = ["red", "blue"] }
    [assets."icons/{c}"]
    from = "gems/{c}"
    matrix = { c = ["red", "blue"] }
    """
    assert asset(text, "icons/blue").inputs == {"image": Input(asset=AssetName("gems/blue"))}


def test_a_long_chain_of_assets_is_no_circle() -> None:
    chain = "".join(f'[assets.a{n}]\nfrom = "a{n + 1}"\n' for n in range(3000))
    text = chain + PORTRAIT.replace("hero", "a3000")
    assert len(made(text).assets) == 3001
    with pytest.raises(ManifestError) as caught:
        made(chain + '[assets.a3000]\nfrom = "a0"')
    assert "in a circle: `a0 → a1 → a2 → … → a2999 → a3000 → a0`" in str(caught.value)


def test_an_engine_changes_a_preset_key_by_key() -> None:
    engine = made('[engines.sd35-medium]\nsteps = 9\nrevision = "abc"\ndevice = "cuda:0"').engines[
        "sd35-medium"
    ]
    assert engine.model == "stabilityai/stable-diffusion-3.5-medium"
    assert engine.revision == "abc"
    assert engine.parameters == {"steps": 9, "guidance": 4.5, "max_sequence_length": 256}
    assert engine.settings == {"device": "cuda:0"}
    assert engine.licence.startswith("Stability AI Community License: ")


def test_an_engine_with_another_adapter_keeps_nothing_of_the_preset() -> None:
    engine = made('[engines.sd35-medium]\nadapter = "cloud"\nretired = 2026-08-31').engines["sd35-medium"]
    assert (engine.model, engine.licence, engine.parameters) == ("", "", {})
    assert engine.retired == "2026-08-31"


def test_an_adapter_brings_its_own_model() -> None:
    engine = made("").engines["stock"]
    assert (engine.model, engine.revision) == ("icons", "abc")


def test_included_files_are_joined() -> None:
    texts = {
        "assets.toml": HEAD,
        "art/a.toml": PORTRAIT + 'style = "keep"\n[roles]\nicon = "stock"',
        "art/b.toml": '[styles.keep]\nprompt = "{prompt}, {glow}"\n[variables]\nglow = "glowing"',
    }
    manifest = parse(texts, root=BUNDLE, bundled=BUNDLE)
    assert manifest.files == tuple(texts)
    assert manifest.assets[AssetName("hero")].prompt == "moon knight, glowing"
    assert manifest.assets[AssetName("hero")].location == Location("art/a.toml", 2)
    assert manifest.roles["icon"] == {"*": "stock"}


def test_more_than_ten_problems_are_counted() -> None:
    text = "".join(f"[assets.a{n}]\nseeed = 1\n" for n in range(13))
    with pytest.raises(ManifestError) as caught:
        made(text)
    assert str(caught.value).count("unknown key `seeed`") == 10
    assert str(caught.value).endswith("and 3 more\n\nhint: mend these first")


@pytest.mark.parametrize(
    ("encode", "parameters"),
    [
        ('"webp"', {"format": "webp", "smallest": False}),
        ("{ smallest = true }", {"smallest": True}),
    ],
)
def test_encode_agrees_with_the_format(encode: str, parameters: dict[str, object]) -> None:
    text = '[assets.hero]\nrole = "sprite"\nprompt = "x"\nseed = 1\nsize = [64, 64]\nformat = "webp"\n'
    hero = asset(text + f"finish = [{{ encode = {encode} }}]")
    assert hero.finish == (FinishStep(name="encode", version=1, parameters=parameters),)
