"""Gates in the manifest: how they are laid over each other, and what each comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from buildsys.errors import ManifestError
from buildsys.manifest.model import Asset, AssetName, Gate, Input
from buildsys.manifest.read import parse

HEAD = '[project]\nname = "game"\n[roles]\nsprite = "stock"\nlettering = "vector"\n'
ROCK = '[assets.rock]\nrole = "sprite"\nprompt = "rock"\nseed = 1\nsize = [64, 64]\n'


def asset(text: str, root: Path, name: str = "rock") -> Asset:
    return parse({"assets.toml": HEAD + text}, root=root).assets[AssetName(name)]


def gates(text: str, root: Path, name: str = "rock") -> dict[str, Any]:
    return {gate.name: dict(gate.parameters) for gate in asset(text, root, name).gates}


def refused(text: str, root: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        asset(text, root)
    return str(caught.value)


def test_an_asset_has_no_gates_unless_it_asks(tmp_path: Path) -> None:
    assert asset(ROCK, tmp_path).gates == ()


def test_a_bare_value_is_the_main_parameter_and_true_every_default(tmp_path: Path) -> None:
    found = gates(ROCK + 'gates = { bytes = "200 kB", flat = true, seam = {}, alpha = [0, 0.5] }', tmp_path)
    assert found == {
        "bytes": {"most": 200_000},
        "alpha": {"coverage": [0.0, 0.5], "margin": 0, "hard": False},
        "flat": {"deviation": 4.0},
        "seam": {"share": 0.1, "axis": "both"},
    }


def test_the_order_is_that_of_the_cards_whatever_the_manifest_has(tmp_path: Path) -> None:
    one, other = (
        gates(ROCK + f"gates = {{ {text} }}", tmp_path) for text in ("seam={}, flat={}", "flat={}, seam={}")
    )
    assert list(one) == list(other) == ["flat", "seam"]


@pytest.mark.parametrize(
    ("written", "length"),
    [("7", 7), ('"7 kB"', 7000), ('"7KiB"', 7168), ('"2 MB"', 2_000_000), ('"1 MiB"', 2**20)],
)
def test_bytes_are_written_as_people_write_them(written: str, length: int, tmp_path: Path) -> None:
    assert gates(ROCK + f"gates.bytes = {written}", tmp_path) == {"bytes": {"most": length}}


def test_project_styles_and_asset_are_laid_over_each_other(tmp_path: Path) -> None:
    text = """
    [gates]
    flat = 2
    bytes = "1 MB"
    [styles.base]
    gates = { size = [64, 64], flat = 3 }
    [styles.icon]
    inherits = "base"
    gates = { alpha = {} }
    """
    plain = gates(text + ROCK, tmp_path)
    assert plain == {"bytes": {"most": 10**6}, "flat": {"deviation": 2.0}}
    styled = gates(text + ROCK + 'style = "icon"\ngates = { bytes = false }', tmp_path)
    assert styled == {
        "size": {"exactly": [64, 64], "multiple": 1},
        "alpha": {"margin": 0, "hard": False},
        "flat": {"deviation": 3.0},
    }
    assert gates(text + '[assets.b]\nfrom = "rock"\n' + ROCK, tmp_path, "b") == plain


def test_tile_is_short_for_the_seam_gate(tmp_path: Path) -> None:
    assert gates(ROCK + "tile = true", tmp_path) == {"seam": {"share": 0.1, "axis": "both"}}
    own = 'tile = true\ngates = { seam = { axis = "vertical" } }'
    assert gates(ROCK + own, tmp_path) == {"seam": {"share": 0.1, "axis": "vertical"}}
    assert gates(ROCK + "tile = false", tmp_path) == {}


TITLE = '[assets.title]\nrole = "lettering"\nsize = [64, 64]\n'


def test_lettering_reads_the_asset_s_text_or_its_own(tmp_path: Path) -> None:
    rest = {"tolerance": 0.2, "case": False, "anywhere": False}
    text = TITLE + 'text = "{label}"\nmatrix = { label = ["Go"] }\n'.replace("title", "title")
    named = text.replace("[assets.title]", '[assets."title-{label}"]')
    found = gates(named + "gates = { lettering = {} }", tmp_path, "title-Go")
    assert found == {"lettering": {"text": "Go", **rest}}
    found = gates(named + 'gates = { lettering = "{label}!" }', tmp_path, "title-Go")
    assert found == {"lettering": {"text": "Go!", **rest}}


def test_files_and_assets_are_inputs_of_the_gate_and_of_nothing_else(tmp_path: Path) -> None:
    other = ROCK.replace("rock", "other")
    made = asset(
        other + ROCK + 'gates = { distance = { asset = "other" }, palette = { file = "p.gpl" } }', tmp_path
    )
    assert made.inputs == {}
    assert [(gate.name, gate.inputs) for gate in made.gates] == [
        ("palette", {"file": Input(path="p.gpl")}),
        ("distance", {"reference": Input(asset=AssetName("other"))}),
    ]


def test_a_picture_is_not_held_against_itself(tmp_path: Path) -> None:
    told = refused(ROCK + 'gates = { distance = { asset = "rock" } }', tmp_path)
    assert "assets are made from one another in a circle: `rock → rock`" in told
    told = refused(ROCK + 'gates = { distance = { asset = "rook" } }', tmp_path)
    assert "takes the picture of `rook`, which does not exist\n\nhint: name an asset as it is" in told
    other = ROCK.replace("rock", "rocks")
    told = refused(other + ROCK + 'gates = { distance = { asset = "rook" } }', tmp_path)
    assert "takes the picture of `rook`, which does not exist\n\nhint: did you mean `rocks`?" in told


def test_a_derived_asset_has_gates_too(tmp_path: Path) -> None:
    found = asset(ROCK + '[assets.b]\nfrom = "rock"\ngates = { flat = {} }', tmp_path, "b").gates
    assert found == (Gate(name="flat", engine="gate", parameters={"deviation": 4.0}),)
