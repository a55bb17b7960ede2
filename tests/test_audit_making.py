"""What made a picture: cards, inputs, files that say it themselves, and people."""

from __future__ import annotations

from typing import Any

import pytest

from buildsys import digest
from buildsys.audit import making
from buildsys.audit.claims import Claims
from buildsys.audit.gather import used
from buildsys.audit.making import Word
from buildsys.audit.model import Making
from buildsys.audit.wording import Written, written
from buildsys.digest import Digest
from buildsys.imports.texts import XMP
from buildsys.manifest.model import AssetName
from buildsys.plan.provenance import TRAINED
from buildsys.plan.record import Parts, Picture, Record

TYPES = {"model": "trainedAlgorithmicMedia", "icons": "digitalCreation", "silent": ""}
PERSON = Word(Making.PERSON, "digitalCreation", "the manifest names its author: Ada")


def sha(text: str) -> Digest:
    return digest.of_bytes(text.encode())


def record(name: str, adapter: str, **paths: str) -> Record:
    """A record made of what `paths` names; an asset's digest is that of its name."""
    found = {key.replace("__", "."): path for key, path in paths.items()}
    inputs = {key: sha(path.removeprefix("asset:")) for key, path in found.items()}
    picture = Picture(file=sha(name), pixels=sha(f"{name} pixels"), phash="0" * 16, width=1, height=1)
    return Record(
        name=AssetName(name),
        recipe=sha("recipe"),
        parts=Parts(adapter=adapter, adapter_version="1.0.0", inputs=inputs),
        engine=adapter,
        output=f"out/{name}.png",
        picture=picture,
        raw=sha(f"{name} raw"),
        paths=found,
    )


def made(*records: Record, source: Word = PERSON, **more: Any) -> dict[str, str]:
    words = making.words(
        {item.name: item for item in records},
        lambda item: TYPES.get(item.parts.adapter, ""),
        lambda _: source,
        lambda path, _: (
            PERSON if "ada" in path else Word(Making.UNKNOWN, "", f"nobody says what made `{path}`")
        ),
        lambda item: more.get("handed", {}).get(item.name),
        more.get("lying", {}),
    )
    assert all(word.because for word in words.values())
    return {name: word.making.value for name, word in words.items()}


HERO = record("hero", "model")
GEM = record("gem", "icons")
ODD = record("odd", "silent")


def test_an_engine_is_what_its_card_says() -> None:
    assert made(HERO, GEM, ODD) == {"hero": "generative", "gem": "procedural", "odd": "unknown"}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (record("x", "finish", image="asset:hero"), "generative"),
        (record("x", "finish", image="asset:gem", finish__0__palette="pal.png"), "procedural"),
        (record("x", "finish", image="art/ada.png"), "person"),
        (record("x", "model", image="asset:hero"), "generative"),
        (record("x", "model", image="asset:gem"), "composite"),
        (record("x", "model", image="art/ada.png"), "composite"),
        (record("x", "model", image="art/who.png"), "composite"),
        (record("x", "model", workflow="graph.json"), "generative"),
        (record("x", "icons", image="asset:hero"), "composite"),
        (record("x", "icons", image="asset:odd"), "unknown"),
        (record("x", "icons", image="art/ada.png"), "procedural"),
        (record("x", "icons", font="a.ttf"), "procedural"),
        (record("x", "silent", image="asset:hero"), "composite"),
        (record("x", "silent", image="asset:gem"), "unknown"),
        (record("x", "finish", image="asset:gone"), "unknown"),
        (record("x", "pack", a="asset:hero", b="asset:gem"), "composite"),
        (record("x", "pack", a="asset:hero"), "generative"),
        (record("x", "pack", a="asset:gem", b="asset:odd"), "unknown"),
        (record("x", "pack", a="asset:gem"), "procedural"),
        (record("x", "pack"), "unknown"),
    ],
)
def test_what_went_in_counts(item: Record, expected: str) -> None:
    assert made(HERO, GEM, ODD, item)["x"] == expected


def test_a_chain_of_a_thousand_and_a_circle_come_to_an_end() -> None:
    chain = [
        HERO,
        *(record(f"c{n}", "finish", image=f"asset:{f'c{n - 1}' if n else 'hero'}") for n in range(1500)),
    ]
    assert made(*reversed(chain))["c1499"] == "generative"
    circle = record("a", "finish", image="asset:b"), record("b", "finish", image="asset:a")
    assert set(made(*circle).values()) == {"unknown"}
    names = [item.asset for item in used(circle[0], {item.name: item for item in circle})]
    assert names == ["a", "b"]


def test_what_a_provider_says_counts_where_a_card_does_not() -> None:
    handed = {name: Word(Making.GENERATIVE, TRAINED, "it says so") for name in ("hero", "gem", "odd")}
    assert set(made(HERO, GEM, ODD, handed=handed).values()) == {"generative"}
    assert made(HERO, ODD, handed={"hero": PERSON, "odd": PERSON}) == {"hero": "generative", "odd": "unknown"}


def test_what_is_made_from_a_changed_file_knows_it() -> None:
    changed = record("x", "finish", image="asset:hero")
    lying = changed.parts.inputs["image"]
    old = record("hero", "model")
    other = Picture(file=sha("as made"), pixels=sha("p"), phash="0" * 16, width=1, height=1)
    hero = Record(**{field: getattr(old, field) for field in old.__struct_fields__} | {"picture": other})
    assert made(hero, changed, lying={hero.name: lying})["x"] == "composite"


A1111 = {"parameters": "a knight\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 64x64"}
OURS = {"parameters": "a knight\nSteps: 20, Seed: 1, Size: 64x64, Version: artlock"}


def xmp(word: str) -> dict[str, str]:
    return {XMP: f"<x DigitalSourceType='http://cv.iptc.org/newscodes/digitalsourcetype/{word}'/>"}


@pytest.mark.parametrize(
    ("claims", "texts", "author", "expected", "because"),
    [
        ((), {}, "", "unknown", "it does not say what made it, and the manifest names no author"),
        ((), {}, "Ada", "person", "the manifest names its author: Ada"),
        ((), A1111, "Ada", "generative", "as it came, it says that A1111 made it"),
        ((), OURS, "", "unknown", "it does not say what made it, and the manifest names no author"),
        ((), xmp("trainedAlgorithmicMedia"), "Ada", "generative",
         "as it came, it says `trainedAlgorithmicMedia` in its XMP packet"),
        ((), xmp("digitalCapture"), "", "person", "as it came, it says `digitalCapture` in its XMP packet"),
        ((), xmp("composite"), "", "unknown",
         "it does not say what made it, and the manifest names no author"),
        (("trainedAlgorithmicMedia",), {}, "Ada", "generative",
         "the C2PA manifest that came with it claims `trainedAlgorithmicMedia`"),
        (("digitalCapture", "compositeWithTrainedAlgorithmicMedia"), {}, "", "composite",
         "the C2PA manifest that came with it claims `compositeWithTrainedAlgorithmicMedia`"),
        (("trainedAlgorithmicMedia", "humanEdits"), {}, "", "generative",
         "the C2PA manifest that came with it claims `trainedAlgorithmicMedia`"),
        (("empty",), {}, "Ada", "person", "the manifest names its author: Ada"),
    ],
)  # fmt: skip
def test_a_file_says_it_itself(
    claims: tuple[str, ...], texts: dict[str, str], author: str, expected: str, because: str
) -> None:
    found = making.of_file(Claims(source_types=claims), texts, author)
    assert (found.making, found.because) == (expected, because)


def test_a_hand_makes_a_composite_of_what_a_model_made() -> None:
    model, icons = making.of_adapter("m", TYPES["model"]), making.of_adapter("i", TYPES["icons"])
    nobody = Word(Making.UNKNOWN, "", "nobody says")
    assert making.edited(model).type == "compositeWithTrainedAlgorithmicMedia"
    assert making.edited(icons).making is Making.PROCEDURAL
    assert making.adopted(PERSON, model).making is Making.COMPOSITE
    assert making.adopted(model, None).making is Making.COMPOSITE
    assert making.adopted(nobody, icons).making is Making.PROCEDURAL
    assert making.adopted(PERSON, None) == Word(
        Making.UNKNOWN, "", "it was adopted with a person's changes, and what made it before is not known"
    )


MANIFEST = """\
[assets.hero]
source = "art/hero.png"
# Before it was adopted:
# role = "sprite"
# prompt = "knight"
[assets.gem]
candidates = 4
  pick = 2
[assets.other]
# role = "sprite"
"""


def test_what_the_manifest_says_beside_its_values() -> None:
    assert written(MANIFEST, 1) == Written(adopted=True, key="role", value="sprite")
    assert written(MANIFEST, 6) == Written(pick=8, number=2)
    assert written(MANIFEST, 9) == written(MANIFEST, 0) == written(MANIFEST, 99) == Written()


def test_what_went_in_is_told_down_to_the_roots() -> None:
    cut = record("cut", "finish", image="asset:hero")
    sheet = record("sheet", "icons", image="asset:cut", font="fonts/a.ttf")
    hero = record("hero", "model", image="art/ada.png")
    found = used(sheet, {item.name: item for item in (sheet, cut, hero)})
    assert [(item.asset or item.path, item.parameters, item.root) for item in found] == [
        ("art/ada.png", (), True),
        ("cut", ("image",), False),
        ("hero", (), False),
        ("fonts/a.ttf", ("font",), True),
    ]
