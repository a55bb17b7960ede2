from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from engines import stock
from engines.stock import layers, library, pack, raster, svgpath
from engines.stock.library import Icon, Library

_HOME = Path(stock.__file__).parent


def test_the_card_names_the_library_that_is_there() -> None:
    card = tomllib.loads((_HOME / "adapter.toml").read_text(encoding="utf-8"))
    assert card["model"] == "artlock-icons"
    assert card["revision"] == hashlib.sha256(library.PATH.read_bytes()).hexdigest()


def test_every_icon_has_a_licence_whose_text_is_here() -> None:
    icons = Library().icons
    assert len(icons) > 5900
    assert {icon.collection for icon in icons} == {"game-icons", "fluent", "noto"}
    for licence in {icon.licence for icon in icons}:
        assert (_HOME / "licences" / f"{licence}.txt").stat().st_size > 1000
    assert all(icon.author for icon in icons)
    collective = [icon for icon in icons if icon.author == "game-icons.net contributors"]
    assert len(collective) < 20


def test_the_package_states_the_licence_of_every_icon() -> None:
    root = _HOME.parent.parent
    stated = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"]
    ours = (root / "LICENSE").read_text(encoding="utf-8")
    for licence in {icon.licence for icon in Library().icons}:
        assert licence in stated.split(" AND ")
        assert licence.replace("-", " ") in ours.replace("-", " ")


def test_bodies_draw_shapes_and_nothing_else() -> None:
    packed = Library()
    for icon in packed.icons:
        body = packed.body(icon)
        # Text asks for fonts, images for files, arcs and rotations for the machine's sines.
        assert not re.search(r"<(text|image|style|script|foreignObject)|rotate\(|skew[XY]\(", body), icon.key
        assert not re.search(r'href="[^#]|url\([^#]', body), icon.key
        paths = [body] if icon.collection == "game-icons" else re.findall(r' d="([^"]*)"', body)
        assert not any(re.search("[aA]", data) for data in paths), icon.key


@pytest.mark.parametrize("name", ["articulated-lorry", "fire-engine"])
def test_an_icon_that_makes_the_renderer_panic_is_drawn_all_the_same(name: str) -> None:
    packed = Library()
    (icon,) = (icon for icon in packed.icons if icon.key == f"fluent/{name}")
    left, top, side = icon.view
    pixels = raster.render(packed.body(icon), f"{left} {top} {side} {side}", 64)
    assert pixels.shape == (64, 64, 4)
    assert (pixels[..., 3] > 0).sum() > 500


def test_vectors_are_whole_numbers_of_one_length() -> None:
    packed = Library()
    assert packed.vectors.shape == (len(packed.words), 128)
    assert packed.vectors.dtype == np.int8
    lengths = np.sqrt((packed.vectors.astype(np.float64) ** 2).sum(axis=1))
    assert lengths.min() > 270
    assert lengths.max() < 330


def test_quantising_keeps_the_order_of_neighbours() -> None:
    rows = np.random.default_rng(1).standard_normal((400, 128)).astype(np.float16)
    unit = rows.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    small = pack.quantise(rows).astype(np.int32)
    same = 0
    for index in range(400):
        exact, whole = unit @ unit[index], small @ small[index]
        exact[index], whole[index] = -2, -(10**9)
        same += int(exact.argmax()) == int(whole.argmax())
    assert same >= 380


def test_a_pack_is_read_as_it_was_written_and_written_the_same(tmp_path: Path) -> None:
    icon = Icon("round-thing", "game-icons", (1.5, 2.0, 500.0), "A", "CC-BY-3.0", ("disc", "big coin"), 0, 0)
    vectors = np.arange(256, dtype=np.int16).reshape(2, 128).astype(np.int8)
    paths = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for path in paths:
        library.write(path, [(icon, "M0 0h1z\n\n\n")], ["disc", "coin"], vectors, "dictionary")
    assert paths[0].read_bytes() == paths[1].read_bytes()
    packed = Library(paths[0])
    (found,) = packed.icons
    assert (found.key, found.title, found.keywords) == (
        "game-icons/round-thing",
        "round thing",
        icon.keywords,
    )
    assert packed.body(found) == "M0 0h1z\n\n\n"
    assert packed.words == ("disc", "coin")
    assert (packed.vectors == vectors).all()


@pytest.mark.parametrize(
    ("data", "written"),
    [
        ("M10 10h5v5z", "M10 10l5 0 0 5z"),
        ("m1 1 2 0 0 2z", "M1 1l2 0 0 2z"),
        ("M0 0C1 1 2 1 3 0S5-1 6 0", "M0 0c1 1 2 1 3 0 1-1 2-1 3 0"),
        ("M0 0q1 1 2 0t2 0", "M0 0q1 1 2 0 1-1 2 0"),
        ("M.5.5l.25-.25", "M.5 .5l.3-.3"),
    ],
)
def test_path_data_is_written_short(data: str, written: str) -> None:
    assert svgpath.write(svgpath.parse(data), 1) == written


def test_arcs_become_the_same_curve() -> None:
    data = "M10 60a50 50 0 11100 0a50 50 0 11-100 0z"
    curved = svgpath.write(svgpath.parse(data), 2)
    assert "a" not in curved
    circle = '<circle cx="60" cy="60" r="50"/>'
    one, two = (raster.render(body, "0 0 120 120", 120)[..., 3] for body in (circle, f'<path d="{curved}"/>'))
    # One of the sixteen samples that the renderer takes of a pixel.
    assert int(abs(one - two).max()) <= 16


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^not path data at 2: ' %'$"):
        svgpath.parse("M0 %")


def test_rotations_become_matrices() -> None:
    assert pack._ROTATE.sub(pack._matrix, "rotate(90 4 2)") == "matrix(6.12323e-17 1 -1 6.12323e-17 6 -2)"  # noqa: SLF001 - the rule itself


def test_islands_holes_and_lines_are_told_apart() -> None:
    # A big square, a square hole in it, a middle square inside the hole, and a small one outside.
    data = "M0 0H400V400H0zM50 50V350H350V50zM125 125H275V275H125zM430 430H500V500H430z"
    large, middle, small, ink = layers.separate("chest", f'<path d="{data}"/>').split("\n")
    assert large.count("M") == 2
    assert middle.count("M") == 1
    assert small.count("M") == 1
    assert ink.count("M") == 1


def test_one_looks_through_a_ring() -> None:
    data = "M0 0H400V400H0zM50 50V350H350V50z"
    assert layers.separate("chest", f'<path d="{data}"/>').split("\n")[3]
    assert not layers.separate("ring", f'<path d="{data}"/>').split("\n")[3]
