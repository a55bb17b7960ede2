"""The comment of a pull request: what it says, its length, and that no text in it is more than a text."""

from __future__ import annotations

import html.parser
import re

import msgspec
import page_kit as kit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from buildsys.manifest.model import AssetName
from buildsys.review.markdown import LIMIT, comment, escaped, mark
from buildsys.review.model import Cause, Change, Field, Kind, Revision, Side
from buildsys.review.words import words

TAGS = {
    "h3", "strong", "p", "blockquote", "a", "img", "table", "thead", "tbody", "tr", "th", "td", "b", "br",
    "details", "summary", "ul", "li", "ins", "del",
}  # fmt: skip
NASTY = (
    kit.HOSTILE,
    "@everyone look at #12, org/repo#7, GH-9, !3 ~bug %4 $5 ^alert#6 &7",
    "| a | b |\n|---|---|\n</details><!-- x --> ![x](javascript:alert(1)) <https://e.org> https://e.org",
    "``` **bold** __b__ ~~s~~ [x]: y [^1] :smile: www.e.org $x^2$ \\| \\",
    "\n/close\n/approve\n# Title\n- [ ] task\n> quote",
    "a\u202eb\u0000c\u2028d",
)


class Shown(html.parser.HTMLParser):
    """What a reader sees of it: the tags, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.feed(MarkdownIt("commonmark").enable("table").enable("strikethrough").render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]
        assert {name for name, _ in attrs} <= {"href", "src", "alt"}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_it_says() -> None:
    shelf = kit.Shelf()
    text = comment(kit.believable(shelf), link="https://ci.example/1", sheet="https://ci.example/s.png")
    assert text.startswith(f"{mark('')}\n\n### Art: ")
    shown = Shown(text)
    assert shown.links == ["https://ci.example/1", "https://ci.example/s.png", "https://ci.example/1"]
    for expected in (
        "Art: 6 changed, 1 added, 1 removed, 1 renamed, 1 encoding only, 1 record only; 53 unchanged",
        "known cost of the new pictures: $0.120",
        "main (1a2b3c4d5e) → HEAD (9f8e7d6c5b)",
        kit.NOTE,
        "prompt: ruby gem, cut like a tearstar, cold rim light",
        "seed: 7 → 8",
        "no picture: neither git nor the store has it any more",
        "prompt golden crown",
        "SSIM 0.912",
    ):
        assert expected in shown.text.replace("\u200b", ""), expected
    assert shown.tags.count("tr") == 12
    assert shown.tags.count("details") == 7
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("nasty", NASTY)
def test_no_text_is_more_than_a_text(nasty: str) -> None:
    shelf = kit.Shelf()
    key = kit.demo("items/key")
    before = kit.side(shelf, nasty, key, prompt=nasty, lost=nasty)
    after = kit.side(shelf, nasty, key[::-1], prompt="b", engine=nasty)
    change = Change(
        kind=Kind.CHANGED,
        before=before,
        after=after,
        fields=(
            kit.text("prompt", nasty, "b"),
            Field(name=nasty, cause=Cause.RECIPE, before=nasty, after=[nasty]),
        ),
        causes=(Cause.RECIPE,),
        notes=(nasty,),
    )
    moved = Change(kind=Kind.RENAMED, before=before, after=kit.side(shelf, "new", key))
    new = Change(kind=Kind.ADDED, after=kit.side(shelf, "newer", key, prompt=nasty, text=nasty))
    review = kit.review(change, moved, new, notes=(nasty,), before=Revision(asked=nasty, commit="a" * 40))
    text = comment(review, link="https://ci.example/(1)> [x]", sheet='https://ci.example/s.png"x')
    shown = Shown(text)
    assert set(shown.tags) <= TAGS
    assert shown.tags.count("tr") == 4
    assert shown.tags.count("td") == 12
    assert shown.tags.count("details") == 2
    assert set(shown.links) == {
        "https://ci.example/%281%29%3E%20%5Bx%5D",
        "https://ci.example/s.png%22x",
    }
    assert not re.search(r"[@#!~%$&^](?=\w)|://|www\.|GH-\d", shown.text)
    lines = text.splitlines()
    assert not [line for line in lines if line.startswith("/")]


@given(st.text(max_size=80))
@settings(deadline=None)
def test_what_is_escaped_is_read_as_it_was(text: str) -> None:
    from buildsys.journal.words import printable  # noqa: PLC0415 - what is left after control characters

    shown = Shown(f"- x {escaped(text)} x")
    expected = " ".join(f"x {printable(text)} x".split())
    assert " ".join(shown.text.replace("\u200b", "").split()) == expected
    assert shown.tags == ["ul", "li"]


def named(side: Side, name: str) -> Side:
    """The same side of another asset, without drawing it again."""
    return msgspec.structs.replace(side, record=msgspec.structs.replace(side.record, name=AssetName(name)))


@pytest.mark.parametrize("letter", ["a", "@", "é", "<"])
@pytest.mark.parametrize("number", [45, 400])
def test_it_is_never_too_long(letter: str, number: int) -> None:
    shelf = kit.Shelf()
    key, seed = kit.demo("items/key"), Field(name="seed", cause=Cause.RECIPE, before=1, after=2)
    long = letter * 3000
    before = kit.side(shelf, "a", key, prompt=long)
    changes = [
        Change(
            kind=Kind.CHANGED,
            before=before,
            after=named(before, f"{place}-{letter * 100}"),
            fields=(kit.text("prompt", long, f"{long} {long}"), seed),
            notes=(long,),
            attention=1 - place / number,
        )
        for place in range(number)
    ]
    text = comment(kit.review(*changes), link="https://ci.example/1")
    assert len(text) <= LIMIT
    assert text.count("<details>") == text.count("</details>") > 0
    told = re.search(r"The details of (\d+) changes more", text)
    assert told
    assert int(told[1]) <= number
    assert text.endswith("\n")


def test_it_says_what_the_table_is_sorted_by() -> None:
    line = "Sorted by how much each is worth a look: what it is, how different it looks, and why."
    shelf = kit.Shelf()
    text = comment(kit.review(*kit.believable(shelf).changes))
    assert f"|\n\n{line}\n\n" in text
    assert line not in comment(kit.review())


def test_many_notes_are_not_all_of_it() -> None:
    shelf = kit.Shelf()
    text = comment(
        kit.review(*kit.believable(shelf).changes, notes=("x" * 70_000, "y")), link="https://e.org"
    )
    assert len(text) <= LIMIT
    assert "items/gem-ruby" in Shown(text).text


@pytest.mark.parametrize("place", ["games/keep", "a -->b", "n\new", "-"])
def test_it_names_the_project_where_the_repository_may_hold_others(place: str) -> None:
    first, _, rest = comment(kit.review(unchanged=66), place=place).partition("\n")
    assert first == mark(place) != mark("")
    assert first.count("-->") == 1
    assert first.endswith(" -->")
    assert f"Art of {escaped(place)}: " in rest


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        (Kind.ADDED, None, 0.04, "cost $0.040"),
        (Kind.ADDED, None, 0.0, ""),
        (Kind.CHANGED, 0.04, 0.0, "cost $0.040 → free"),
        (Kind.CHANGED, 0.0, 0.0, ""),
        (Kind.ADDED, None, None, ""),
        (Kind.CHANGED, 0.02, 0.04, "cost $0.020 → $0.040"),
        (Kind.CHANGED, 0.04, 0.04, "cost $0.040"),
        (Kind.CHANGED, None, 0.04, "cost $0.040"),
        (Kind.CHANGED, 0.04, None, ""),
        (Kind.ENCODING, 0.02, 0.04, ""),
    ],
)
def test_a_new_picture_says_what_it_did_cost(
    kind: Kind, before: float | None, after: float | None, expected: str
) -> None:
    shelf = kit.Shelf()
    key = kit.demo("items/key")
    change = Change(
        kind=kind,
        before=None if kind is Kind.ADDED else kit.side(shelf, "key", key, cost=before),
        after=kit.side(shelf, "key", key[::-1], cost=after),
        fields=(Field(name="seed", cause=Cause.RECIPE, before=1, after=2),),
    )
    lines = Shown(comment(kit.review(change))).text.replace("\u200b", "").splitlines()
    assert [line for line in lines if line.startswith("cost ")] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("rusty key", "golden key", "<del>rusty</del><ins>golden</ins> key"),
        ("a key", "a old rusty key", "a <ins>old rusty</ins> key"),
        ("key", "key, rusty", "key<ins>, rusty</ins>"),
        ("one  two", "one two", "one   two"),
    ],
)
def test_a_text_has_only_its_own_spaces(before: str, after: str, expected: str) -> None:
    shelf = kit.Shelf()
    key = kit.demo("items/key")
    told = Field(name="prompt", cause=Cause.RECIPE, before=before, after=after, words=words(before, after))
    assert f"- **prompt**: {expected}\n" in comment(
        kit.review(kit.changed(shelf, kit.side(shelf, "key", key), kit.side(shelf, "key", key[::-1]), told))
    )


def test_nothing_differs() -> None:
    text = comment(kit.review(unchanged=66))
    assert "### Art: nothing differs; 66 unchanged" in text
    assert "|" not in text
    assert "](" not in text


def test_a_name_can_be_shortened() -> None:
    shelf = kit.Shelf()
    name = AssetName("x" * 300)
    text = comment(kit.review(kit.simple(shelf, name, kit.demo("items/key"), kit.demo("items/key")[::-1])))
    assert "x" * 119 + "…" in text
    assert "x" * 120 not in text
