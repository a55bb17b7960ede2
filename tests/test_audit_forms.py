"""An audit as JSON, CSV, text, page, statement and disclosure: exact, escaped, the same each time."""

from __future__ import annotations

import base64
import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from audit_kit import COMMIT, MODEL, REVISION, audit, entry, sha
from game import ROOT

from buildsys.audit import disclosure, forms, statement
from buildsys.audit.model import Accepted, Adopted, Choice, Entry, Hand, Making, State, Used
from buildsys.audit.page import page
from buildsys.audit.shown import Shown
from buildsys.manifest.model import FinishStep
from buildsys.plan.record import Credit

SCHEMA = json.loads((ROOT / "tests" / "golden" / "statement.schema.json").read_text())
HOSTILE = '<img src=x onerror="alert(1)">&\x1b[31m"\u202e'
GEM = entry(
    "ui/gem",
    made_by=Making.PROCEDURAL,
    because="the adapter `stock` says `digitalCreation`",
    source_type="digitalCreation",
    engine="stock",
    adapter="stock",
    model="artlock-icons",
    revision="b5" * 32,
    licence="",
    cost=0.0,
    used=(
        Used(digest=sha("a"), path="art/a.png", parameters=("image",), root=True),
        Used(digest=sha("hero"), asset="hero", parameters=("finish.0.palette",)),
    ),
    credits=(Credit(title="ruby", author="Lorc", licence="CC-BY-3.0", source="game-icons"),),
)


def test_a_line_of_json_holds_what_the_schema_says() -> None:
    schema = msgspec.json.schema(Entry)
    lines = [json.loads(line) for line in forms.jsonl(audit(entry(), GEM)).splitlines()]
    for line in lines:
        head = {key: line.pop(key) for key in ("audit", "commit", "working")}
        assert head == {"audit": 1, "commit": COMMIT, "working": False}
        jsonschema.validate(line, schema)
    assert [line["asset"] for line in lines] == ["hero", "ui/gem"]
    assert lines[0]["seed"] == 12345
    assert lines[0]["cost"] is None
    assert lines[1]["used"][0] == {
        "digest": sha("a"),
        "path": "art/a.png",
        "asset": "",
        "parameters": ["image"],
        "root": True,
    }


def test_every_field_of_a_line_is_in_the_documentation() -> None:
    told = (ROOT / "docs" / "audit.md").read_text()
    missing = [
        name for name in ("audit", "commit", "working", *Entry.__struct_fields__) if f"`{name}`" not in told
    ]
    assert missing == []


def rows(*entries: Entry) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(forms.comma_separated(audit(*entries)), newline="")))


def test_a_row_of_csv_has_a_cell_for_each_column() -> None:
    (row,) = rows(GEM)
    assert tuple(row) == forms.COLUMNS
    assert row["made from"] == f"art/a.png {sha('a')}; hero {sha('hero')}"
    assert row["size"] == "64x64"
    assert row["cost in USD"] == "0"
    assert row["credits"] == "ruby, Lorc, CC-BY-3.0, game-icons"
    assert row["sha256"] == sha("ui/gem")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_is_a_formula(start: str) -> None:
    (row,) = rows(entry(prompt=f'{start}HYPERLINK("x")'))
    assert row["prompt"] == f'\'{start}HYPERLINK("x")'


@pytest.mark.parametrize("start", ["\t", "\r", "\n", "\x1b"])
def test_no_cell_starts_with_what_is_not_seen(start: str) -> None:
    (row,) = rows(entry(prompt=f"{start}=1+1"))
    assert row["prompt"][0] == "'" or row["prompt"].startswith("\\")


def test_a_cell_may_hold_anything_else() -> None:
    (row,) = rows(entry(prompt='a, "b"\nc; -1', negative=HOSTILE))
    assert row["prompt"] == 'a, "b"\nc; -1'
    assert "\x1b" not in row["negative"]


def test_the_text_says_what_there_is_to_say() -> None:
    one = entry(
        state=State.EDITED,
        lying=sha("changed"),
        choice=Choice(number=3, of=8, by="sharpness"),
        accepted=Accepted(by="Ada <ada@example.invalid>", holds=False),
        hands=(Hand(what="edited", told="the file was changed by hand since it was made"),),
        cost=0.04,
        prompt="a\nb",
        parameters={"style": "pixel"},
        finish=(FinishStep(name="resize", version=1, parameters={"size": [32, 32]}),),
    )
    assert forms.text(audit(one)) == (
        f"test: 1 asset at {COMMIT}\n\nhero\n"
        "  made by: generative (the adapter `diffusion` says `trainedAlgorithmicMedia`)\n"
        "  engine: sd35-medium, adapter diffusion 1.0.0\n"
        f"  model: {MODEL} {REVISION[:12]}\n"
        "  licence: Stability AI Community License\n"
        "  prompt: a b\n"
        "  seed: 12345\n"
        "  by hand: the file was changed by hand since it was made\n"
        "  candidate: 3 of 8, by sharpness\n"
        "  approved: lapsed: Ada <ada@example.invalid> accepted another picture\n"
        "  cost: $0.040\n"
        f"  file: out/hero.png, sha256 {sha('changed')}\n"
        "  state: edited\n"
        "  size: 64x64\n"
        '  parameters: {"style":"pixel"}\n'
        '  finish: [{"name":"resize","parameters":{"size":[32,32]},"version":1}]\n'
        "  environment: torch 2.13.0\n"
        f"  recipe: {sha('hero recipe')}\n"
        f"  pixels: {sha('hero pixels')}\n"
        f"  raw: {sha('hero raw')}\n"
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def test_nothing_on_the_page_is_markup_of_a_stranger() -> None:
    one = entry(
        HOSTILE,
        files={f"out/{HOSTILE}.png": sha("x")},
        prompt=HOSTILE,
        model=HOSTILE,
        licence=HOSTILE,
        because=HOSTILE,
        made_by=Making.UNKNOWN,
    )
    shown = page(audit(one, project=HOSTILE, notes=(HOSTILE,)))
    parser = Tags()
    parser.feed(shown)
    tags = {tag for tag, _ in parser.found}
    assert not tags & {"img", "script", "a", "iframe", "object"}
    assert not [name for _, attrs in parser.found for name, _ in attrs if name.startswith("on")]
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "default-src 'none'" in shown


def test_the_page_tells_what_the_text_tells_and_shows_small_pictures() -> None:
    one = entry(parameters={"style": "<b>"}, finish=(FinishStep(name="trim", version=1, parameters={}),))
    data = b"\x89PNG and so on"
    drawn = page(audit(one, entry("far")), {one.asset: Shown(data, (64, 32))})
    parser = Tags()
    parser.feed(drawn)
    (picture,) = [dict(attrs) for tag, attrs in parser.found if tag == "img"]
    assert picture == {
        "class": "small wide",
        "alt": "hero",
        "src": f"data:image/png;base64,{base64.b64encode(data).decode()}",
    }
    assert "img-src data:" in drawn
    for told in (one.recipe, one.pixels, one.raw, "torch 2.13.0", "64x64", "{&quot;style&quot;:&quot;&lt;b"):
        assert told in drawn
    assert drawn == page(audit(one, entry("far")), {one.asset: Shown(data, (64, 32))})


def stated(*entries: Entry, **changes: Any) -> dict[str, Any]:
    made = statement.statement(audit(*entries, **changes))
    jsonschema.validate(made, SCHEMA)
    return made


def test_a_statement_says_what_was_made_of_what() -> None:
    made = stated(entry(), GEM)
    assert made["subject"] == [
        {"name": "out/hero.png", "digest": {"sha256": sha("hero")}},
        {"name": "out/ui/gem.png", "digest": {"sha256": sha("ui/gem")}},
    ]
    definition = made["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["assets"]["hero"] == {
        "engine": "sd35-medium",
        "adapter": "diffusion",
        "adapterVersion": "1.0.0",
        "model": MODEL,
        "revision": REVISION,
        "prompt": "moon knight",
        "seed": 12345,
        "size": [64, 64],
        "recipe": sha("hero recipe"),
    }
    assert definition["externalParameters"]["assets"]["ui/gem"]["inputs"] == {
        "image": sha("a"),
        "finish.0.palette": sha("hero"),
    }
    assert definition["internalParameters"]["environments"]["hero"] == {"torch": "2.13.0"}
    assert definition["resolvedDependencies"] == [
        {"name": "art/a.png", "digest": {"sha256": sha("a")}},
        {"name": "asset:hero", "digest": {"sha256": sha("hero")}},
        {
            "name": "model:artlock-icons",
            "digest": {"artlockModel": "b5" * 32},
            "uri": "pkg:generic/stock/artlock-icons",
        },
        {
            "name": f"model:{MODEL}",
            "digest": {"gitCommit": REVISION},
            "uri": f"pkg:huggingface/{MODEL}@{REVISION}",
        },
        {"name": "source", "digest": {"gitCommit": COMMIT}},
    ]
    details = made["predicate"]["runDetails"]
    assert details["builder"] == {"id": "pkg:pypi/artlock"}
    assert details["byproducts"][0] == {"name": "raw:hero", "digest": {"sha256": sha("hero raw")}}
    assert "metadata" not in details  # nobody knows when it was built


def test_a_statement_attests_no_file_that_a_person_changed() -> None:
    made = stated(entry(state=State.EDITED, lying=sha("x")), entry("gone", state=State.MISSING), GEM)
    assert [item["name"] for item in made["subject"]] == ["out/ui/gem.png"]
    assert list(made["predicate"]["buildDefinition"]["externalParameters"]["assets"]) == ["ui/gem"]


def test_a_statement_claims_no_commit_for_a_working_tree() -> None:
    made = stated(entry(), working=True)
    names = [item["name"] for item in made["predicate"]["buildDefinition"]["resolvedDependencies"]]
    assert names == [f"model:{MODEL}"]


def test_a_hosted_model_has_a_name_and_no_digest() -> None:
    made = stated(entry(adapter="gpt_image", model="gpt image/2", revision=""))
    assert made["predicate"]["buildDefinition"]["resolvedDependencies"][0] == {
        "name": "model:gpt image/2",
        "uri": "pkg:generic/gpt_image/gpt%20image%2F2",
    }


def test_a_statement_is_what_the_published_messages_hold() -> None:
    provenance = pytest.importorskip("in_toto_attestation.predicates.provenance.v1.provenance_pb2")
    messages = pytest.importorskip("in_toto_attestation.v1.statement_pb2")
    json_format = pytest.importorskip("google.protobuf.json_format")
    made = stated(entry(), GEM)
    parsed = json_format.ParseDict(made, messages.Statement())
    assert [item.name for item in parsed.subject] == ["out/hero.png", "out/ui/gem.png"]
    json_format.ParseDict(made["predicate"], provenance.Provenance())


MIXED = audit(
    entry(accepted=Accepted(by="Ada", holds=True)),
    entry("poster", made_by=Making.COMPOSITE, engine="finish", model="", revision="", licence=""),
    GEM,
    entry("scan", made_by=Making.PERSON, engine="finish", model="", licence=""),
    entry("found", made_by=Making.UNKNOWN, engine="finish", model="", licence=""),
)


def test_the_disclosure_says_what_really_ships() -> None:
    assert disclosure.disclosure(MIXED) == (ROOT / "tests" / "golden" / "disclosure.txt").read_text()


def test_without_a_model_nothing_is_disclosed_and_nothing_promised() -> None:
    text = disclosure.disclosure(audit(GEM))
    assert "- Pre-generated: none of the pictures in the lock.\n" in text
    assert "Models: none is named in the lock\n" in text
    unknown = disclosure.disclosure(audit(GEM, entry("found", made_by=Making.UNKNOWN, engine="x", model="")))
    assert "- Pre-generated: not known. Of 1 picture, listed below, nobody says what made them.\n" in unknown


def test_the_model_of_what_was_adopted_is_named() -> None:
    old = Adopted(
        engine="sd",
        adapter="diffusion",
        model=MODEL,
        revision=REVISION,
        licence="Free",
        prompt="moon",
        seed=5,
    )
    adopted = entry(made_by=Making.COMPOSITE, engine="finish", model="", licence="", adopted=old)
    assert f"- {MODEL} at {REVISION[:12]}, engine sd: 1 picture\n  Licence: Free\n" in (
        disclosure.disclosure(audit(adopted))
    )
    found = stated(adopted)["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert f"model:{MODEL}" in [item["name"] for item in found]
    (row,) = rows(adopted)
    assert row["adopted picture"] == (
        f"engine sd, adapter diffusion; model {MODEL} {REVISION[:12]}; licence Free; seed 5; prompt moon"
    )
    assert f"  adopted: {row['adopted picture']}\n" in forms.text(audit(adopted))


def test_the_same_audit_is_the_same_bytes(tmp_path: Path) -> None:
    for form in (forms.jsonl, forms.comma_separated, forms.text, page, disclosure.disclosure):
        assert form(MIXED) == form(MIXED)
    assert json.dumps(statement.statement(MIXED)) == json.dumps(statement.statement(MIXED))
