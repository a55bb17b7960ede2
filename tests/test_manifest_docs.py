"""The manifest's page and its JSON Schema: every example holds, and they know the same keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import rtoml

from buildsys.manifest import limits, prices
from buildsys.manifest.cards import BUNDLED
from buildsys.manifest.engines import presets
from buildsys.manifest.model import Need
from buildsys.manifest.read import parse
from buildsys.manifest.schema import SECTIONS, json_schema

HERE = Path(__file__).parent
BUNDLE = HERE / "test_manifest_bundle"
PAGE = (HERE.parent / "docs" / "manifest.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
PROJECT = '\n[project]\nname = "example"\n'

SHIPPED = all(
    (BUNDLED / table["adapter"] / "adapter.toml").is_file() for table in presets().table["engines"].values()
)


def valid(table: Any) -> bool:
    return jsonschema.Draft202012Validator(json_schema()).is_valid(table)


@pytest.mark.parametrize(
    "bundled",
    [
        BUNDLE,
        pytest.param(
            BUNDLED, marks=pytest.mark.skipif(not SHIPPED, reason="an adapter of a preset is not here")
        ),
    ],
)
@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_manifest(example: str, bundled: Path) -> None:
    text = example if "[project]" in example else example + PROJECT
    for profile in ("draft", "final"):
        chosen = profile if profile in text else None
        parse({"assets.toml": text}, chosen, root=BUNDLE, bundled=bundled)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_fits_the_json_schema(example: str) -> None:
    jsonschema.validate(rtoml.loads(example), json_schema())


def test_the_whole_example_makes_what_the_page_says() -> None:
    made = parse({"assets.toml": EXAMPLES[0]}, "final", root=BUNDLE, bundled=BUNDLE)
    sentence = next(line for line in PAGE.splitlines() if line.startswith("It makes "))
    assert re.findall(r"`out/([^`]*)`", sentence) == [
        f"{name}.{asset.format}" for name, asset in made.assets.items()
    ]


def test_the_message_on_the_page_is_the_real_one() -> None:
    told = (HERE / "test_manifest_messages.txt").read_text(encoding="utf-8")
    shown = re.findall(r"```text\nassets.toml:\d+:\d+: (.*?)\n```", PAGE, re.DOTALL)
    assert shown
    assert all(message in told for message in shown)


def test_the_page_tells_every_limit() -> None:
    section = PAGE.split("\n### Limits\n")[1].split("\n### ")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == list(limits.KEYS)
    (row,) = (line for line in section.splitlines() if line.startswith("| `tries` |"))
    assert all(f"`{kind}`" in row for kind in limits.TRIED_AGAIN)


def test_the_page_tells_every_key_of_a_price() -> None:
    section = PAGE.split("\n### Prices\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE) == list(prices.KEYS)
    (row,) = (line for line in section.splitlines() if line.startswith("| `tokens` |"))
    assert all(f"`{kind}`" in row for kind in prices.TOKENS)
    (rule,) = (line for line in section.splitlines() if line.startswith("An entry of `pictures` has"))
    assert all(f"`{name}`" in rule for name in prices.CONDITIONS)


@pytest.mark.parametrize("name", list(SECTIONS))
def test_the_page_tells_every_key(name: str) -> None:
    section = PAGE.split(f"\n## `[{name}")[1].split("\n## ")[0].split("\n### ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
    assert rows == list(SECTIONS[name].keys)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("section", [name for name, section in SECTIONS.items() if section.keys])
def test_the_schema_describes_every_key(section: str) -> None:
    body = json_schema()["properties"][section]
    keys = body["additionalProperties"]["properties"] if SECTIONS[section].named else body["properties"]
    assert list(keys) == list(SECTIONS[section].keys)
    assert all(key["description"].endswith((".", "].", '".')) for key in keys.values())


@pytest.mark.parametrize(
    "text",
    [
        "[asset.a]",
        "[project]\nname = 'a'\nnaem = 'b'",
        "[project]\nout = 'a'",
        "[project]\nname = ' '",
        "[assets.a]\npromt = 'x'",
        "[assets.a]\nseed = -1",
        "[assets.a]\nseed = 1.5",
        "[assets.a]\nsize = [1]",
        "[assets.a]\nsize = {}",
        "[assets.a]\nformat = 'jpg'",
        "[assets.a]\nfinish = [{ a = 1, b = 2 }]",
        "[assets.a]\nmatrix = { a = [] }",
        "[assets.a]\nmatrix = { a = ['x'], exclude = ['x'] }",
        "[assets.a]\nmatrix = { a = ['x'], include = [{}] }",
        "[assets.a]\nformats = ['jpg']",
        "[assets.a]\nformats = ['png', 'png']",
        "[assets.a]\nscales = [0]",
        "[assets.a]\nscales = { filter = 'area' }",
        "[assets.a]\nprofile.final = 3",
        "[assets.a]\nprofile.final.promt = 'x'",
        "[assets.a]\nprofile.final.seed = 'x'",
        "[assets.a]\nprofile.final.format = 'webp'",
        "[styles.a.profile.final]\nsize = 1",
        "[assets.a]\nprofiles = []",
        "[styles.a]\nprompt = 3",
        "[roles]\nsprite = {}",
        "[roles]\nsprite = 'a b'",
        "[variables]\na = 1",
        "[engines.a]\nretired = 'soon'",
    ],
)
def test_the_schema_refuses_what_the_manifest_refuses(text: str) -> None:
    assert not valid(rtoml.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "[engines.a]\nsteps = 4",
        "[assets.a]\nstyle = ['a', 'b']",
        "[assets.a]\nprompt = { stock = 'x' }",
        "[assets.'a/{b}']\nmatrix = { b = ['x', 1] }",
        "[assets.'a/{b}']\nmatrix = { b = ['x', 1], exclude = [{ b = 1 }], include = [{ b = 'y', c = 2 }] }",
        "[assets.a]\nformats = ['webp', 'png']\nscales = { of = [1, 3], filter = 'nearest' }",
        "[assets.a]\nsource = 'a.png'\nauthor = 'Ada'\nlicence = 'MIT'\nscales = [1, 2]",
        "[assets.a.profile.final]\nengine = 'stock'\nfinish = []\nparameters = { x = 1 }",
        "[styles.a.profile.final]\nprompt = '{prompt}'",
    ],
)
def test_the_schema_takes_what_the_manifest_takes(text: str) -> None:
    assert valid(rtoml.loads(text))


def test_presets_are_what_their_makers_advise() -> None:
    engines = parse({"assets.toml": PROJECT}, root=BUNDLE, bundled=BUNDLE).engines
    medium, turbo = engines["sd35-medium"], engines["sd35-turbo"]
    assert (medium.parameters["steps"], medium.parameters["guidance"]) == (40, 4.5)
    assert (turbo.parameters["steps"], turbo.parameters["guidance"]) == (4, 0.0)
    assert medium.revision == turbo.revision == ""
    assert medium.card.negative is Need.OPTIONAL
