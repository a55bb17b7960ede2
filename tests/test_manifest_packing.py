"""Atlases in the manifest: which assets a glob packs, and which files are an atlas's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pack_kit import EVERY, noise, packed

from buildsys.errors import ManifestError
from buildsys.manifest import formats, packing
from buildsys.manifest.kinds import FORMATS
from buildsys.manifest.model import Input, Manifest
from buildsys.manifest.read import parse
from buildsys.manifest.schema import ATLAS
from buildsys.plan.companions import SUFFIX
from engines.pack import layout

BUNDLE = Path(__file__).parent / "test_manifest_bundle"

TEXT = """
[project]
name = "game"

[roles]
sprite = "stock"

[assets."items/{kind}"]
role = "sprite"
prompt = "{kind}"
seed = 1
size = [64, 64]
matrix = { kind = ["sword", "shield", "old-map"] }

[assets."items/gems/ruby"]
role = "sprite"
prompt = "ruby"
seed = 1
size = [64, 64]

[assets.hero]
role = "sprite"
prompt = "hero"
seed = 1
size = [64, 64]

[assets."atlas/other"]
pack = ["hero"]
formats = ["css"]
"""


def made(atlas: str) -> Manifest:
    return parse({"assets.toml": TEXT + '[assets."atlas/all"]\n' + atlas}, root=BUNDLE, bundled=BUNDLE)


@pytest.mark.parametrize(
    ("globs", "names"),
    [
        (["items/*"], ["items/old-map", "items/shield", "items/sword"]),
        (["items/s*", "items/sword"], ["items/shield", "items/sword"]),
        (["!items/old-*", "items/*"], ["items/shield", "items/sword"]),
        (["items/**"], ["items/gems/ruby", "items/old-map", "items/shield", "items/sword"]),
        (["**"], ["hero", "items/gems/ruby", "items/old-map", "items/shield", "items/sword"]),
        (["**/s*"], ["items/shield", "items/sword"]),
        (["*"], ["hero"]),
        (["her?", "items/s?o?d"], ["hero", "items/sword"]),
    ],
)
def test_what_globs_pack(globs: list[str], names: list[str]) -> None:
    asset = made(f"pack = {globs}\nformats = ['godot']").assets["atlas/all"]  # type: ignore[index] # a NewType
    assert asset.inputs == {f"sprite.{name}": Input(asset=name) for name in names}  # type: ignore[arg-type] # the same
    assert list(asset.inputs) == sorted(asset.inputs)


SCALES = (
    'role = "sprite"\nprompt = "{0}"\nseed = 1\nsize = [64, 64]\nscales = {1}\nformats = ["png", "webp"]\n'
)
COINS = "".join(
    f'[assets."coins/{name}"]\n' + SCALES.format(name, scales)
    for name, scales in (("gold", "[1, 2, 4]"), ("tin", "[1, 2]"))
)


def scaled(globs: list[str]) -> dict[str, str]:
    """What is packed, by what the sprite is called."""
    found = made(f"pack = {globs}\nformats = ['godot']\n{COINS}").assets["atlas/all"]  # type: ignore[index] # a NewType
    assert list(found.inputs) == sorted(found.inputs)
    return {field.removeprefix("sprite."): item.asset for field, item in found.inputs.items()}


@pytest.mark.parametrize(
    ("globs", "sprites"),
    [
        (["coins/*"], {"coins/gold": "coins/gold", "coins/tin": "coins/tin"}),
        (["coins/*@1x"], {"coins/gold": "coins/gold@1x", "coins/tin": "coins/tin@1x"}),
        # The largest scale is the asset itself.
        (["coins/*@2x"], {"coins/gold": "coins/gold@2x", "coins/tin": "coins/tin"}),
        (["**@4x", "hero"], {"coins/gold": "coins/gold", "hero": "hero"}),
        (["coins/*@1x", "!coins/tin"], {"coins/gold": "coins/gold@1x"}),
        (["coins/*@1x", "!coins/tin@1x"], {"coins/gold": "coins/gold@1x"}),
        (["coins/*@1x.webp"], {"coins/gold": "coins/gold@1x.webp", "coins/tin": "coins/tin@1x.webp"}),
    ],
)
def test_a_glob_may_name_a_scale(globs: list[str], sprites: dict[str, str]) -> None:
    assert scaled(globs) == sprites


@pytest.mark.parametrize(
    ("globs", "message"),
    [
        (
            ["coins/*", "coins/gold@1x"],
            (
                "`pack` names `coins/gold` twice, as `coins/gold` and as `coins/gold@1x`\n\n"
                "hint: pack each scale into an atlas of its own"
            ),
        ),
        (
            ["items/*@1x"],
            (
                "`items/*@1x` matches no scale of an asset that can be packed\n\n"
                "hint: give the assets `scales`, or leave the `@` and what follows out"
            ),
        ),
        (["coins/*@1x", "!coins/*"], "`pack` leaves nothing to pack"),
    ],
)
def test_a_scale_that_can_not_be_packed_is_told(globs: list[str], message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        scaled(globs)
    assert message in str(caught.value)


def test_every_rule_has_a_value() -> None:
    asset = made('pack = ["hero"]\nformats = ["godot"]\nfps = 8').assets["atlas/all"]  # type: ignore[index] # a NewType
    assert asset.parameters == {
        "stem": "all", "formats": ["godot"], "trim": True, "padding": 2, "extrude": 0, "power_of_two": False,
        "square": False, "max_size": 2048, "rotate": False, "animations": True, "fps": 8.0,
    }  # fmt: skip
    assert (asset.engine, asset.format, asset.finish) == ("pack", "png", ())


def test_a_project_has_its_own_defaults() -> None:
    text = 'pack = ["hero"]\nformats = ["godot"]\n[engines.pack]\npadding = 9\nextrude = 1'
    parameters = made(text).assets["atlas/all"].parameters  # type: ignore[index] # a NewType
    assert (parameters["padding"], parameters["extrude"]) == (9, 1)


def test_a_matrix_makes_several_atlases() -> None:
    axes = 'matrix = { set = ["items", "items/gems"] }'
    text = TEXT + f'[assets."atlas/{{set}}"]\npack = ["{{set}}/*"]\nformats = ["css"]\n{axes}\n'
    found = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE).assets
    assert [asset.parameters["stem"] for asset in found.values() if asset.pack] == ["other", "items", "gems"]


@pytest.mark.parametrize("format_", EVERY)
def test_the_manifest_knows_every_file_that_the_adapter_writes(tmp_path: Path, format_: str) -> None:
    """Or an atlas could write over another asset."""
    sprites = {f"tile-{chr(97 + number)}": noise(30, 30, number) for number in range(9)}
    done = packed(tmp_path, sprites, formats=[format_], max_size=64)
    known = list(packing.suffixes({"pack": ["*"], "formats": [format_]}))
    assert {*done.companions} <= {*known}
    assert all(SUFFIX.fullmatch(suffix) for suffix in known)
    assert formats.PAGES == layout.MOST_PAGES
    assert FORMATS.accepts([format_])


def test_the_example_of_the_page_is_a_manifest() -> None:
    page = (Path(__file__).parent.parent / "docs" / "atlases.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    found = parse({"assets.toml": example + '[project]\nname = "game"\n'}, root=BUNDLE, bundled=BUNDLE)
    assert list(found.assets["atlas/items"].inputs) == ["sprite.items/shield", "sprite.items/sword"]  # type: ignore[index] # a NewType
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert rows == ["formats", *ATLAS]
