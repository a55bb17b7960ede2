"""What holds for every manifest, tried on many."""

from __future__ import annotations

import math
import re
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from buildsys.errors import ManifestError
from buildsys.manifest import template
from buildsys.manifest.model import AssetName, Location
from buildsys.manifest.names import Outputs, check_name, check_path
from buildsys.manifest.read import parse
from buildsys.manifest.schema import ASSETS
from buildsys.manifest.source import Fault

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
PLACE = Location("assets.toml")

SEGMENT = st.text(alphabet="abAB.-_éÉ1", min_size=1, max_size=4)
NAMES = st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)


def is_name(name: str) -> bool:
    try:
        check_name(name)
    except Fault:
        return False
    return True


@settings(deadline=None)
@given(st.text())
@example("a/../b")
@example("a\\b")
@example("C:a")
@example("nul")
def test_a_good_name_stays_where_it_is_put(name: str) -> None:
    if is_name(name):
        parts = Path("out", name).parts
        assert parts == ("out", *name.split("/"))
        assert not {".", ".."} & set(parts)
        assert not re.search(r'[\\:*?"<>|\x00-\x1f\x7f]', name)
        assert unicodedata.normalize("NFC", name) == name


@settings(deadline=None)
@given(st.text())
def test_a_good_path_stays_inside(path: str) -> None:
    try:
        check_path(path)
    except Fault:
        return
    inner = path.removeprefix("bundled:")
    assert ".." not in Path(inner).parts
    assert not Path(inner).is_absolute()


def keys(names: list[str]) -> list[str]:
    return [unicodedata.normalize("NFC", f"{name}.png".casefold()) for name in names]


@settings(deadline=None)
@given(st.lists(NAMES.filter(is_name), max_size=6))
@example(["a", "A"])
@example(["a.png/b", "a"])
@example(["a", "A.PNG/b/c"])
@example(["É", "é"])
def test_a_collision_is_found_exactly_where_there_is_one(names: list[str]) -> None:
    """The slow definition: two files with one key, or one file's key the folder of another's."""
    known = keys(names)
    files = set(known)
    folders = {"/".join(key.split("/")[:end]) for key in known for end in range(1, key.count("/") + 1)}
    outputs = Outputs()
    try:
        for name in names:
            outputs.add(AssetName(name), "png", PLACE)
    except Fault:
        clash = True
    else:
        clash = False
    assert clash == (len(files) < len(known) or bool(files & folders))


@settings(deadline=None)
@given(st.text(), st.dictionaries(st.from_regex(template.NAME, fullmatch=True), st.text()))
def test_an_escaped_text_comes_out_as_it_was(text: str, values: dict[str, str]) -> None:
    assert template.expand(template.escape(text), values) == text


@settings(deadline=None)
@given(st.text(), st.text(alphabet="ab{}"), st.text())
def test_a_value_is_put_in_as_it_is(before: str, value: str, after: str) -> None:
    text = template.escape(before) + "{x}" + template.escape(after)
    assert template.expand(text, {"x": value}) == before + value + after


@settings(deadline=None)
@given(st.text(alphabet="ab{}x "))
def test_a_template_expands_or_faults(text: str) -> None:
    try:
        made = template.expand(text, {"x": "", "a": "b"})
    except Fault as fault:
        made = fault.hint
    assert made or set(text) <= set("{x}")


WORDS = st.text(alphabet="abcdefgh", min_size=1, max_size=3)
AXES = st.dictionaries(
    st.sampled_from(["x", "y", "z"]),
    st.lists(WORDS | st.integers(0, 99), min_size=1, max_size=4, unique_by=str),
)


@settings(deadline=None)
@given(AXES.filter(bool))
def test_a_matrix_makes_one_asset_per_combination(axes: dict[str, list[str | int]]) -> None:
    name = "/".join(f"{{{axis}}}" for axis in axes)
    listed = ", ".join(f"{axis} = {list(values)!r}" for axis, values in axes.items())
    text = (
        f"[project]\nname = 'game'\n[assets.'{name}']\nengine = 'stock'\nprompt = '{name}'\n"
        f"seed = 1\nsize = [64, 64]\nmatrix = {{ {listed} }}\n"
    )
    assets = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE).assets
    assert len(assets) == math.prod(map(len, axes.values()))
    assert all(asset.prompt == name == asset.name for name, asset in assets.items())


TOKENS = """[ ] { } = , . " ' # \\n assets project roles styles engines variables name role prompt seed size
from matrix finish parameters stock sd35-medium hero icon 1 -1 1.5 nan true 2026-01-01 "x" "{x}" [1] {} [[
]]"""
LINES = st.lists(st.sampled_from(TOKENS.split()), max_size=30).map(
    lambda tokens: " ".join(tokens).replace("\\n", "\n")
)


def said(text: str) -> str | None:
    """What the manifest `text` is refused with; None where it is taken. Anything but that escapes."""
    try:
        parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE)
    except ManifestError as error:
        return error.message
    return None


@settings(max_examples=400, deadline=None)  # a busy machine is no mistake
@given(st.text() | LINES)
@example("a=" + "[" * 500)
@example(".".join("a" * 500) + "=1")
@example("\ud800")
@example("[project]\nname='a'\n[assets]\n'\\ud800'={}")
def test_any_text_is_a_manifest_or_a_manifest_error(text: str) -> None:
    assert said(text) != ""


VALUES = st.recursive(
    st.sampled_from(
        [
            "1",
            "-1",
            "1" * 30,
            "1" * 400,
            "1.5",
            "nan",
            "true",
            "2026-01-01",
            "'x'",
            "'{x}'",
            "'hero'",
            "''",
            "'stock'",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(["stock", "a", "asset", "resize", "trim"]), inner, max_size=2).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([*ASSETS.keys])


@settings(max_examples=400, deadline=None)  # a busy machine is no mistake
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from(["assets", "styles", "engines"]))
@example({"prompt": "{stock = 1}"}, "assets")
@example({"formats": "[[]]"}, "assets")
def test_any_value_under_any_key_is_a_manifest_or_a_manifest_error(
    table: dict[str, str], section: str
) -> None:
    body = "\n".join(f"{key} = {value}" for key, value in table.items())
    text = f"[project]\nname = 'game'\n[roles]\nhero = 'stock'\n[{section}.hero]\n{body}\n"
    message = said(text)
    assert message is None or re.match(r"assets\.toml:\d+:\d+: ", message)


def test_ten_thousand_assets(capsys: pytest.CaptureFixture[str]) -> None:
    asset = '[assets."a/{0}"]\nengine = "stock"\nprompt = "thing {0}"\nseed = {0}\nsize = [64, 64]\n'
    text = "[project]\nname = 'game'\n" + "".join(asset.format(n) for n in range(10_000))
    start = time.perf_counter()
    manifest = parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE)
    took = time.perf_counter() - start
    assert len(manifest.assets) == 10_000
    assert manifest.assets[AssetName("a/9999")].location == Location("assets.toml", 3 + 9999 * 5)
    with capsys.disabled():
        print(f" [10,000 assets read in {took:.2f} s]", end="")  # noqa: T201 - shown, never asserted
