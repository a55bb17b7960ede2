"""The gates, each with a picture that passes and one that fails, and the whole sentence that is told."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_child import converse
from finish_kit import CLEAR, RED, flat, noise, spot
from hypothesis import given, settings
from hypothesis import strategies as st
from texture_kit import bricks, grain, slope

from engines import gate, png
from engines.gate import engine, gates
from engines.gate.finding import percent
from engines.gate.seam import broken
from engines.png import Pixels
from engines.protocol import Done, ErrorKind, Failure, Open, Request


def opening(staging: Path) -> Open:
    return Open(
        protocol=1, adapter="gate", engine="gate", model="", revision="", staging=str(staging), settings={}
    )


def ask(staging: Path, picture: Pixels | bytes, files: dict[str, Pixels | bytes], **asked: Any) -> Any:
    """The engine's answer on `picture`, held against the gates `asked`."""
    paths = {}
    for name, item in {"image": picture, **files}.items():
        path = staging / f"in-{name}"
        path.write_bytes(item if isinstance(item, bytes) else png.encode(item))
        paths[name] = str(path)
    request = Request(
        id="1",
        asset="a",
        output="out.png",
        parameters={"gates": [[name, values] for name, values in asked.items()]},
        inputs=paths,
    )
    (result,) = gate.load(opening(staging)).render([request], lambda *_: None)
    return result


def found(staging: Path, picture: Pixels, name: str, **values: Any) -> dict[str, Any]:
    """What the gate `name` found; values that are pictures or bytes are files."""
    files = {key: value for key, value in values.items() if isinstance(value, np.ndarray | bytes)}
    given = {key: value for key, value in values.items() if key not in files}
    named = {f"gates.{name}.{key}": value for key, value in files.items()}
    result = ask(staging, picture, named, **{name: given})
    assert isinstance(result, Done), result
    (finding,) = result.facts["gates"]
    assert finding["name"] == name
    return dict(finding)


def told(staging: Path, picture: Pixels, name: str, **values: Any) -> tuple[bool, str]:
    finding = found(staging, picture, name, **values)
    return finding["passed"], finding["told"]


def half_clear(width: int = 8, height: int = 4) -> Pixels:
    pixels = flat(width, height, RED)
    pixels[:, : width // 2] = CLEAR
    return pixels


SIZES = [
    ({"exactly": [8, 6]}, True, "is 8 x 6 pixels"),
    ({"exactly": [6, 8]}, False, "is 8 x 6 pixels, not 6 x 8"),
    ({"least": [8, 7]}, False, "is 8 x 6 pixels, less than 8 x 7"),
    ({"least": [8, 6], "most": [8, 6]}, True, "is 8 x 6 pixels; it is 8 x 6 pixels"),
    ({"most": [7, 64]}, False, "is 8 x 6 pixels, more than 7 x 64"),
    ({"multiple": 2}, True, "is 8 x 6 pixels"),
    ({"multiple": 4}, False, "is 8 x 6 pixels, no multiple of 4"),
]


@pytest.mark.parametrize(("values", "passed", "words"), SIZES)
def test_size(values: dict[str, Any], passed: bool, words: str, tmp_path: Path) -> None:
    assert told(tmp_path, spot(), "size", **values) == (passed, words)


def test_bytes(tmp_path: Path) -> None:
    picture = noise(16, 16)
    length = len(png.encode(picture))
    assert told(tmp_path, picture, "bytes", most=length) == (True, f"has {length} bytes")
    refused = (False, f"has {length} bytes, more than {length - 1}")
    assert told(tmp_path, picture, "bytes", most=length - 1) == refused


ALPHAS = [
    (half_clear(), {}, True, "has 16 clear pixels"),
    (flat(8, 4), {}, False, "has 0 clear pixels, not one or more"),
    (half_clear(), {"coverage": [0.1, 0.9]}, True, "is 50 % covered"),
    (flat(8, 4), {"coverage": [0.1, 0.9]}, False, "is 100 % covered, not 10 % to 90 %"),
    (flat(8, 4), {"coverage": [1, 1]}, True, "is 100 % covered"),
    (flat(8, 4, (1, 2, 3, 254)), {"coverage": [1, 1]}, False, "is 99.6 % covered, not 100 % to 100 %"),
    (flat(8, 4, CLEAR), {"coverage": [0.25, 1]}, False, "is 0 % covered, not 25 % to 100 %"),
    (spot(), {"margin": 1}, True, "has 1 clear pixels along its edges"),
    (spot(), {"margin": 2}, False, "has 1 clear pixels along its edges, not 2"),
    (flat(8, 4, CLEAR), {"margin": 2}, True, "has 2 clear pixels along its edges"),
    (spot(), {"hard": True}, True, "has 0 half-transparent pixels"),
    (flat(4, 4, (1, 2, 3, 9)), {"hard": True}, False, "has 16 half-transparent pixels, not 0"),
    (
        flat(4, 4, (1, 2, 3, 9)),
        {"coverage": [0.5, 1], "margin": 1, "hard": True},
        False,
        (
            "is 3.53 % covered, not 50 % to 100 %; it has 0 clear pixels along its edges, not 1; "
            "it has 16 half-transparent pixels, not 0"
        ),
    ),
]


@pytest.mark.parametrize(("picture", "values", "passed", "words"), ALPHAS)
def test_alpha(picture: Pixels, values: dict[str, Any], passed: bool, words: str, tmp_path: Path) -> None:
    assert told(tmp_path, picture, "alpha", **values) == (passed, words)


def test_flat(tmp_path: Path) -> None:
    assert told(tmp_path, flat(9, 9), "flat", deviation=4) == (
        False,
        "has a deviation of 0 levels, less than 4",
    )
    assert told(tmp_path, flat(9, 9, (255, 0, 255, 0)), "flat")[0] is False
    # A silhouette is no flat picture: its shape is what there is to see.
    assert told(tmp_path, half_clear(), "flat") == (True, "has a deviation of 127.5 levels")


def test_flat_is_numpy_s_standard_deviation(tmp_path: Path) -> None:
    pixels = noise(31, 17)
    pixels[..., 3] = 255
    measured = found(tmp_path, pixels, "flat")["measured"]["deviation"]
    assert measured == round(float(pixels[..., :3].std(axis=(0, 1)).max()), 2)


def test_palette_counts_what_is_seen(tmp_path: Path) -> None:
    pixels = spot()
    pixels[0, 0] = (1, 2, 3, 0)
    assert told(tmp_path, pixels, "palette", colors=1) == (True, "has 1 colours")
    pixels[0, 0, 3] = 1
    assert told(tmp_path, pixels, "palette", colors=1) == (False, "has 2 colours, more than 1")
    assert told(tmp_path, flat(3, 3, CLEAR), "palette", colors=1) == (True, "has 0 colours")


def test_palette_allows_what_is_near(tmp_path: Path) -> None:
    pixels = flat(10, 1, RED)
    pixels[0, 0] = (200, 10, 24, 255)
    reds = b"c80a14\n000000\n"
    off = (False, "has 10 % of its pixels in colours that the palette lacks, more than 0 %")
    assert told(tmp_path, pixels, "palette", file=reds) == off
    assert told(tmp_path, pixels, "palette", file=reds, distance=4)[0] is True
    assert told(tmp_path, pixels, "palette", file=reds, distance=3)[0] is False
    assert told(tmp_path, pixels, "palette", file=reds, share=0.1)[0] is True


def test_seam(tmp_path: Path) -> None:
    passed, words = told(tmp_path, grain(64, 1, tiles=True), "seam")
    assert passed is True, words
    failed, words = told(tmp_path, slope(64, 64), "seam")
    assert failed is False
    assert words == "breaks off on 100 % of its left and right edges, more than 10 %"
    assert told(tmp_path, slope(64, 64), "seam", axis="vertical") == (
        True,
        "breaks off on 0 % of its upper and lower edges",
    )


def test_a_tile_stays_one_wherever_it_is_cut() -> None:
    """In 64 pixels of clouds a light spot may break off by chance; 0.8 % of 3,000 did, and no wall."""
    random = np.random.default_rng(0)

    def breaks_off(pixels: Pixels) -> bool:
        moved = np.roll(pixels, random.integers(0, 64, 2), axis=(0, 1))
        return bool(max(broken(moved), broken(moved.swapaxes(0, 1))) > 0.1)

    assert sum(breaks_off(grain(64, seed, tiles=True)) for seed in range(200)) <= 6
    assert not any(breaks_off(bricks(64, seed)) for seed in range(200))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_part_of_a_texture_is_no_tile(seed: int) -> None:
    pixels = grain(64, seed, tiles=False)
    assert broken(pixels) > 0.1
    assert broken(pixels.swapaxes(0, 1)) > 0.1


def test_distance(tmp_path: Path) -> None:
    picture, other = grain(64, 1, tiles=True), grain(64, 2, tiles=True)
    same = {"reference": picture, "ssim": 1.0, "psnr": 90.0, "changed": 0.0, "hash_bits": 0}
    assert found(tmp_path, picture, "distance", **same)["passed"] is True
    finding = found(tmp_path, other, "distance", **same)
    assert finding["passed"] is False
    measured = finding["measured"]
    assert finding["told"] == (
        f"differs from the reference in {measured['hash_bits']} of 64 bits, more than 0; "
        f"it has an SSIM of {measured['ssim']:g}, less than 1; "
        f"it has a PSNR of {measured['psnr']:g} dB, less than 90; "
        f"it differs in {percent(measured['changed'])} of its pixels, more than 0 %"
    )
    assert finding["wanted"] == {"hash_bits": 0, "ssim": 1.0, "psnr": 90.0, "changed": 0.0}


def test_without_a_measure_distance_asks_the_hash(tmp_path: Path) -> None:
    picture = grain(64, 1, tiles=True)
    assert found(tmp_path, picture, "distance", reference=picture)["wanted"] == {"hash_bits": 10}
    small = picture[::2, ::2].copy()
    assert found(tmp_path, small, "distance", reference=picture, changed=0.99)["passed"] is False


def test_gates_are_told_in_their_order(tmp_path: Path) -> None:
    result = ask(tmp_path, spot(), {}, flat={}, size={"exactly": [1, 1]}, alpha={})
    assert isinstance(result, Done)
    assert [(item["name"], item["passed"]) for item in result.facts["gates"]] == [
        ("flat", True),
        ("size", False),
        ("alpha", True),
    ]


def test_what_can_not_be_asked_is_an_error(tmp_path: Path) -> None:
    def message(picture: Pixels | bytes = spot(), /, **asked: Any) -> str:  # noqa: B008 - made once will do
        result = ask(tmp_path, picture, {}, **asked)
        assert isinstance(result, Failure)
        assert result.kind is ErrorKind.BAD_REQUEST
        return result.message

    assert message(palette={}) == "gate `palette`: either `colors` or `file` is needed"
    assert message(alpha={"coverage": [0.5]}) == (
        "gate `alpha`: `coverage` is `[0.5]`, not the least and the most share"
    )
    assert message(sise={}) == "gate `sise` is unknown"
    assert message(size={"exactly": "x"}) == "gate `size`: `exactly` is `x`, not a width and a height"
    assert message(b"not a picture", flat={}) == "`the picture` is not a PNG, WebP or JPEG picture"
    assert message(png.encode(spot())[:-20], flat={}).startswith("`the picture` is")


def test_a_hostile_picture_is_an_error_of_its_own_request(tmp_path: Path) -> None:
    bomb = bytearray(png.encode(flat(2, 2)))
    bomb[16:24] = (60000).to_bytes(4, "big") * 2
    result = ask(tmp_path, bytes(bomb), {}, flat={})
    assert isinstance(result, Failure)
    assert result.kind is ErrorKind.BAD_REQUEST


@pytest.mark.parametrize("share", [0, 1e-9, 0.004999, 0.05, 0.5, 0.99996, 0.9999999, 1])
def test_a_share_is_told_as_all_or_nothing_only_where_it_is(share: float) -> None:
    assert (percent(share) == "0 %") is (share == 0)
    assert (percent(share) == "100 %") is (share == 1)


def test_a_gate_takes_what_its_card_declares() -> None:
    for name, run in gates.GATES.items():
        keywords = list(inspect.signature(run).parameters)[1:]
        assert set(keywords) == set(engine.DECLARED[name])
    assert set(gates.GATES) == set(engine.DECLARED)


PAGE = (Path(__file__).parent.parent / "docs" / "gates.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("adapter", ["gate", "ocr"])
def test_the_page_names_every_parameter_and_default(adapter: str) -> None:
    sections = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
    known = engine.declared(Path(gate.__file__).parent.parent / adapter)
    assert set(known) <= set(sections)
    for name, parameters in known.items():
        rows = [line for line in sections[name].splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(parameters)
        for row, parameter in zip(rows, parameters.values(), strict=True):
            if parameter.default not in (None, ""):
                assert f"| {str(parameter.default).lower()} |" in row.replace("`", ""), row
            assert all(f"`{choice}`" in row for choice in parameter.choices)


def test_it_serves_as_a_process(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(png.encode(half_clear()))
    request = Request(
        id="1",
        asset="a",
        output="out.png",
        parameters={"gates": [["alpha", {}]]},
        inputs={"image": str(tmp_path / "in.png")},
    )
    hello, (result,) = converse(opening(tmp_path), request, tmp_path)
    assert hello.adapter == "gate"
    assert isinstance(result, Done)
    assert result.facts["gates"][0]["passed"] is True
