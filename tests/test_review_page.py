"""The page of a review as a file: what is in it, what can't be, and where its pictures lie."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import page_kit as kit
import pytest

from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.review.model import Kind, Review, Revision
from buildsys.review.page import MARK, MOST_INSIDE, folder_of, write


class Reader(html.parser.HTMLParser):
    """Every element, with what stands in the scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[str] = []
        self._closed = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.raw.append("")
        self._closed = False

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - asked for by the parser
        self._closed = True

    def handle_data(self, data: str) -> None:
        if self.raw and not self._closed:
            self.raw[-1] += data

    def named(self, name: str) -> str:
        return next(
            raw for (_, found), raw in zip(self.tags, self.raw, strict=True) if found.get("id") == name
        )


def written(tmp_path: Path, review: Review, shelf: kit.Shelf, **values: Any) -> Reader:
    path = tmp_path / "review.html"
    write(review, shelf, path, **values)
    return Reader(path.read_text(encoding="utf-8"))


def data(page: Reader) -> Any:
    return json.loads(page.named("review"))


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    page = written(tmp_path, kit.believable(shelf), shelf)
    assert [tag for tag, found in page.tags if found.get("src") or tag in {"link", "iframe", "base"}] == []
    assert [found["href"] for _, found in page.tags if "href" in found] == ["#viewer"]
    assert MARK in (tmp_path / "review.html").read_text(encoding="utf-8")[:1024]
    assert list(tmp_path.iterdir()) == [tmp_path / "review.html"]


def test_only_its_own_script_and_style_may_run(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    page = written(tmp_path, kit.believable(shelf), shelf)
    policy = next(str(found["content"]) for _, found in page.tags if "http-equiv" in found)
    code = [
        raw for (tag, found), raw in zip(page.tags, page.raw, strict=True) if tag == "script" and not found
    ]
    (style,) = [raw for (tag, _), raw in zip(page.tags, page.raw, strict=True) if tag == "style"]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (*code, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert not [name for _, found in page.tags for name in found if name.startswith("on") or name == "style"]


def test_each_picture_is_in_it_once_and_read_once(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    review = kit.believable(shelf)
    page = written(tmp_path, review, shelf)
    inside = {
        str(found["id"])[2:]: base64.b64decode(raw)
        for (_, found), raw in zip(page.tags, page.raw, strict=True)
        if str(found.get("id", "")).startswith("p-")
    }
    lost = {
        side.shown
        for change in review.changes
        for side in (change.before, change.after)
        if side and side.lost
    }
    assert inside == {file: data for file, data in shelf.files.items() if file not in lost}
    assert len(shelf.asked) == len(set(shelf.asked))


def test_a_hostile_text_is_a_text(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    pixels = kit.demo("items/key")
    before = kit.side(shelf, kit.HOSTILE, pixels, prompt=kit.HOSTILE)
    after = kit.side(shelf, kit.HOSTILE, pixels[::-1], prompt=kit.HOSTILE, engine=kit.HOSTILE)
    change = kit.changed(shelf, before, after, kit.text("prompt", "a", kit.HOSTILE), notes=(kit.HOSTILE,))
    named = Revision(asked=kit.HOSTILE, commit="a" * 40, subject=kit.HOSTILE)
    review = kit.review(change, project=kit.HOSTILE, notes=(kit.HOSTILE,), before=named)
    plain = written(tmp_path, kit.review(change, project="x"), shelf)
    page = written(tmp_path, review, shelf)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    raw = page.named("review")
    assert not re.search("[<>&\u2028\u2029]", raw)
    assert json.loads(raw)["changes"][0]["name"] == kit.HOSTILE
    assert json.loads(raw)["changes"][0]["fields"][0]["after"] == kit.HOSTILE


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\xff\xd8\xff\xe0",
        b"",
        b"RIFF....AVI ",
    ],
)
def test_bytes_that_are_no_png_or_webp_are_not_shown(tmp_path: Path, content: bytes) -> None:
    shelf = kit.Shelf()
    change = kit.simple(shelf, "items/key", kit.demo("items/key"), kit.demo("items/key")[::-1])
    assert change.after is not None
    shelf.files[change.after.shown] = content
    page = written(tmp_path, kit.review(change), shelf)
    found = data(page)["changes"][0]
    assert found["after"]["file"] == ""
    assert found["after"]["lost"] == "no bytes of this picture could be had"
    assert found["before"]["file"] == change.before.shown if change.before else False
    assert f"p-{change.after.shown}" not in {item.get("id") for _, item in page.tags}


def test_what_cannot_be_had_says_why(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    page = written(tmp_path, kit.believable(shelf), shelf)
    (bow,) = [change for change in data(page)["changes"] if change["name"] == "items/bow"]
    assert bow["before"]["lost"] == "neither git nor the store has it any more"
    assert bow["before"]["file"] == ""


def test_a_picture_that_was_changed_by_hand_has_no_mark(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    change = kit.simple(shelf, "items/key", kit.demo("items/key"), kit.demo("items/key")[::-1])
    assert change.after is not None
    painted = msgspec.structs.replace(change.after, edited=shelf.put(kit.demo("items/axe")).file)
    review = kit.review(change, msgspec.structs.replace(change, after=painted))
    marks = [item["mark"] for item in data(written(tmp_path, review, shelf))["changes"]]
    assert sorted(marks) == ["", change.after.record.picture.pixels]


def test_pictures_go_beside_the_page(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    review = kit.believable(shelf)
    page = written(tmp_path, review, shelf, folder=True)
    folder = folder_of(tmp_path / "review.html")
    assert folder == tmp_path / "review-pictures"
    assert data(page)["folder"] == "review-pictures"
    assert data(page)["pictures"] == {path.stem: "png" for path in folder.iterdir()}
    for path in folder.iterdir():
        assert path.read_bytes() == shelf.files[Digest(path.stem)]
    assert not [found for _, found in page.tags if str(found.get("id", "")).startswith("p-")]


def test_the_folder_loses_the_pictures_of_an_older_page_and_nothing_else(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    written(tmp_path, kit.believable(shelf), shelf, folder=True)
    folder = tmp_path / "review-pictures"
    (folder / "notes.txt").write_text("mine")
    change = kit.simple(shelf, "items/key", kit.demo("items/key"), kit.demo("items/key")[::-1])
    written(tmp_path, kit.review(change), shelf, folder=True)
    assert len(list(folder.glob("*.png"))) == 2
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "review-pictures").symlink_to("elsewhere")
    with pytest.raises(DiskError) as caught:
        written(tmp_path, kit.believable(shelf), shelf, folder=True)
    place = tmp_path / "review-pictures"
    assert str(caught.value) == (
        f"`{place}` is not a folder\n\nhint: move it away, or name another file for the page"
    )
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (tmp_path / "review.html").exists()


@pytest.mark.parametrize(("size", "expected"), [(MOST_INSIDE // 2, False), (MOST_INSIDE // 2 + 1, True)])
def test_the_size_decides_where_pictures_lie(tmp_path: Path, size: int, expected: bool) -> None:
    shelf = kit.Shelf()
    change = kit.simple(shelf, "items/key", kit.demo("items/key"), kit.demo("items/key")[::-1])
    assert change.before is not None
    assert change.after is not None
    large = msgspec.structs.replace(
        change,
        before=msgspec.structs.replace(change.before, file_bytes=size),
        after=msgspec.structs.replace(change.after, file_bytes=size),
    )
    written(tmp_path, kit.review(large), shelf)
    assert (tmp_path / "review-pictures").exists() is expected


def test_a_size_that_nobody_knows_is_measured(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    change = kit.simple(shelf, "items/key", kit.demo("items/key"), kit.demo("items/key")[::-1])
    assert change.after is not None
    shelf.files[change.after.shown] += bytes(MOST_INSIDE)
    unknown = msgspec.structs.replace(change.after, file_bytes=None)
    written(tmp_path, kit.review(msgspec.structs.replace(change, after=unknown)), shelf)
    assert (tmp_path / "review-pictures").exists()


def test_nothing_differs(tmp_path: Path) -> None:
    found = data(written(tmp_path, Review(before=kit.BEFORE, after=Revision(asked="")), kit.Shelf()))
    assert found["changes"] == []
    assert found["after"]["told"] == "the working tree"


def test_an_older_page_is_replaced_whole(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    written(tmp_path, kit.believable(shelf), shelf)
    written(tmp_path, kit.review(), shelf)
    assert [path.name for path in tmp_path.iterdir()] == ["review.html"]


def test_counts_are_told_in_their_order(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    found = data(written(tmp_path, kit.believable(shelf), shelf))
    assert [kind for kind, _, _ in found["counts"]] == [
        "changed", "added", "removed", "renamed", "encoding", "record",
    ]  # fmt: skip
    assert sum(number for _, _, number in found["counts"]) == len(found["changes"])
    assert {Kind(change["kind"]) for change in found["changes"]} == set(Kind)
