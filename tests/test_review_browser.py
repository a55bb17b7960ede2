"""The page of a review in a real, headless Chromium: modes by pixels, keys, filters, marks, hostile names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import page_kit as kit
import pytest
from browser_kit import Page, chromium

from buildsys.review.model import Change, Kind, Review
from buildsys.review.page import write
from engines.png import Pixels

pytestmark = [
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
    pytest.mark.slow,
]

RED, BLUE, CLEAR = (200, 40, 40, 255), (40, 40, 200, 255), (0, 0, 0, 0)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("browser") / "profile") as page:
        yield page


@pytest.fixture
def tab(browser: Page, tmp_path: Path) -> Iterator[Page]:
    """A light window of the usual size, with nothing kept; at the end, the page must not have complained."""
    browser.window(1400, 900)
    browser.prefer(prefers_color_scheme="light", prefers_reduced_motion="no-preference")
    (tmp_path / "empty.html").write_text("<!doctype html>")
    browser.open((tmp_path / "empty.html").as_uri())
    browser.do("localStorage.clear()")
    browser.complaints.clear()
    browser.requests.clear()
    yield browser
    assert browser.complaints == []


def show(tab: Page, tmp_path: Path, review: Review, shelf: kit.Shelf, **values: Any) -> Path:
    path = tmp_path / "review.html"
    fragment = values.pop("fragment", "")
    write(review, shelf, path, **values)
    tab.open(path.as_uri() + fragment)
    tab.settled()
    return path


def halves(left: tuple[int, ...], right: tuple[int, ...]) -> Pixels:
    """8 x 8 pixels of two colours."""
    pixels = np.empty((8, 8, 4), np.uint8)
    pixels[:, :4], pixels[:, 4:] = left, right
    return pixels


def two(shelf: kit.Shelf, before: Pixels, after: Pixels) -> Review:
    return kit.review(kit.simple(shelf, "two", before, after))


def plates(tab: Page) -> list[Pixels]:
    """What is seen of each plate: a colour for each pixel of the picture, from its middle."""
    tab.settled()
    boxes = tab.do(
        "[...document.querySelectorAll('#stage .plate')].map(plate => "
        "{ const box = plate.getBoundingClientRect(); return [box.left, box.top, box.width, box.height]; })"
    )
    screen = tab.seen()
    scale = int(tab.do("document.getElementById('stage').dataset.scale"))
    found = []
    for left, top, width, height in boxes:
        across = (left + scale * (np.arange(int(width) // scale) + 0.5)).astype(int)
        down = (top + scale * (np.arange(int(height) // scale) + 0.5)).astype(int)
        found.append(screen[np.ix_(down, across)][..., :3])
    return found


def columns(pixels: Pixels) -> list[tuple[int, ...]]:
    """The colour of each column; all rows are alike."""
    assert (pixels == pixels[:1]).all()
    return [tuple(map(int, color)) for color in pixels[0]]


def start(tab: Page, tmp_path: Path, before: Pixels, after: Pixels, mode: str) -> None:
    shelf = kit.Shelf()
    show(tab, tmp_path, two(shelf, before, after), shelf)
    tab.do("document.getElementById('work').scrollIntoView()")
    tab.do("document.querySelector('#zooms [value=\"16\"]').click()")
    tab.press("g")  # on black
    tab.press(mode)


def hottest(colors: list[tuple[int, ...]]) -> bool:
    """Whether all are the end of the ramp, as far as a browser rounds."""
    return bool((np.abs(np.array(colors) - (255, 246, 200)) <= 2).all())


BEFORE, AFTER = halves(RED, RED), halves(RED, BLUE)


def test_two_up_shows_both(tab: Page, tmp_path: Path) -> None:
    start(tab, tmp_path, BEFORE, AFTER, "1")
    old, new = plates(tab)
    assert columns(old) == [RED[:3]] * 8
    assert columns(new) == [RED[:3]] * 4 + [BLUE[:3]] * 4


def test_swipe_cuts_where_it_is_dragged_to(tab: Page, tmp_path: Path) -> None:
    start(tab, tmp_path, halves(RED, RED), halves(BLUE, BLUE), "2")
    left, top = tab.do(
        "(box => [box.left, box.top])(document.querySelector('#stage .plate').getBoundingClientRect())"
    )
    tab.drag((left + 10, top + 10), (left + 30, top + 20), (left + 48, top + 20))
    assert columns(plates(tab)[0]) == [RED[:3]] * 3 + [BLUE[:3]] * 5
    for _ in range(5):  # from 37.5 % by five each
        tab.press("]")
    assert float(tab.do("document.getElementById('cut').value")) == 62.5
    assert columns(plates(tab)[0]) == [RED[:3]] * 5 + [BLUE[:3]] * 3


def test_a_swipe_shows_nothing_of_before_under_a_clear_after(tab: Page, tmp_path: Path) -> None:
    start(tab, tmp_path, halves(RED, RED), halves(CLEAR, CLEAR), "2")
    tab.press("[")
    tab.do("(input => { input.value = 50; input.oninput(); })(document.getElementById('cut'))")
    found = columns(plates(tab)[0])
    assert (found[:3], found[5:]) == ([RED[:3]] * 3, [(0, 0, 0)] * 3)


@pytest.mark.parametrize("share", [0, 25, 50, 100])
def test_onion_skin_adds_shares(tab: Page, tmp_path: Path, share: int) -> None:
    start(tab, tmp_path, BEFORE, AFTER, "3")
    tab.do(f"(input => {{ input.value = {share}; input.oninput(); }})(document.getElementById('cut'))")
    found = columns(plates(tab)[0])
    mixed = [round(old + (new - old) * share / 100) for old, new in zip(RED[:3], BLUE[:3], strict=True)]
    assert np.abs(np.array(found[:4]) - RED[:3]).max() <= 2  # what both share stays as it is
    assert np.abs(np.array(found[4:]) - mixed).max() <= 2


def test_difference_is_hot_where_pictures_differ_and_only_there(tab: Page, tmp_path: Path) -> None:
    start(tab, tmp_path, BEFORE, AFTER, "4")
    found = columns(plates(tab)[0])
    assert hottest(found[4:])  # the end of the ramp: 160 of red and 160 of blue
    assert max(max(color) - min(color) for color in found[:4]) < 12  # grey
    assert len(set(found[:4])) == 1


def test_the_smallest_difference_is_seen(tab: Page, tmp_path: Path) -> None:
    start(tab, tmp_path, BEFORE, halves(RED, (201, 40, 40, 255)), "4")
    found = columns(plates(tab)[0])
    assert np.abs(np.array(found[4:]) - (97, 32, 143)).max() <= 3
    assert max(max(color) - min(color) for color in found[:4]) < 12


@pytest.mark.parametrize("alpha", [1, 128, 254])
def test_equal_pictures_have_no_difference_whatever_their_alpha(
    tab: Page, tmp_path: Path, alpha: int
) -> None:
    pixels = halves((200, 90, 40, alpha), (7, 250, 130, alpha))
    start(tab, tmp_path, pixels, halves((200, 90, 40, alpha), (7, 250, 130, 255 if alpha < 128 else 0)), "4")
    found = columns(plates(tab)[0])
    assert max(max(color) - min(color) for color in found[:4]) < 12
    assert min(max(color) - min(color) for color in found[4:]) > 50


@pytest.mark.parametrize("color", [0, 255])
def test_a_difference_of_alpha_alone_is_seen(tab: Page, tmp_path: Path, color: int) -> None:
    """Black on black, or white on white, is not: so pictures are laid on both."""
    start(tab, tmp_path, halves((color, color, color, 255), CLEAR), halves(CLEAR, CLEAR), "4")
    found = columns(plates(tab)[0])
    assert hottest(found[:4])
    assert found[4:] == [(21, 23, 28)] * 4


def test_blink_turns_over(tab: Page, tmp_path: Path) -> None:
    start(tab, tmp_path, halves(RED, RED), halves(BLUE, BLUE), "5")
    tab.until("document.querySelector('#stage .turned') !== null")
    tab.until("document.querySelector('#stage .turned') === null")
    tab.press(" ")
    seen = [columns(plates(tab)[0])[0], tab.do("document.querySelector('#control b').textContent")]
    tab.press(" ")
    again = [columns(plates(tab)[0])[0], tab.do("document.querySelector('#control b').textContent")]
    assert sorted([seen, again]) == [[BLUE[:3], "after"], [RED[:3], "before"]]


def test_nothing_moves_by_itself_for_who_asks_for_that(tab: Page, tmp_path: Path) -> None:
    tab.prefer(prefers_reduced_motion="reduce")
    start(tab, tmp_path, halves(RED, RED), halves(BLUE, BLUE), "5")
    assert tab.do("document.getElementById('pause').textContent") == "Blink"
    assert columns(plates(tab)[0])[0] == RED[:3]


def test_grounds(tab: Page, tmp_path: Path) -> None:
    start(tab, tmp_path, halves(CLEAR, RED), halves(CLEAR, BLUE), "1")
    assert columns(plates(tab)[0])[0] == (0, 0, 0)
    tab.press("g")
    assert columns(plates(tab)[0])[0] == (255, 255, 255)
    tab.press("g")
    tab.do("document.querySelector('#zooms [value=\"4\"]').click()")
    assert {tuple(color) for color in plates(tab)[0][:, 0].tolist()} == {(134, 140, 150), (118, 124, 134)}


def test_zoom_keeps_pixels_square(tab: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    show(tab, tmp_path, two(shelf, BEFORE, AFTER), shelf)
    scale = "document.getElementById('stage').dataset.scale"
    assert tab.do(scale) == "16"  # fits, by whole times
    for key, expected in (("-", "8"), ("-", "4"), ("-", "2"), ("-", "1"), ("+", "2"), ("0", "16")):
        tab.press(key)
        assert tab.do(scale) == expected
    assert tab.do("getComputedStyle(document.querySelector('#stage img')).imageRendering") == "pixelated"


def test_a_large_picture_is_fitted_and_panned_together(tab: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    large = kit.scaled(kit.demo("ui/logo"), 4)
    show(tab, tmp_path, two(shelf, large, large[::-1]), shelf)
    assert 0 < float(tab.do("document.getElementById('stage').dataset.scale")) < 1
    tab.do("document.querySelector('#zooms [value=\"1\"]').click()")
    tab.settled()
    tab.do("document.querySelector('#stage .view').scrollTo(300, 200)")
    tab.until("[...document.querySelectorAll('#stage .view')].every(view => view.scrollLeft === 300)")
    views = "[...document.querySelectorAll('#stage .view')].map(view => view.scrollTop)"
    assert tab.until(f"new Set({views}).size === 1 && {views}")[0] == 200


NAME = "document.getElementById('name').textContent"
LISTED = "[...document.querySelectorAll('#list .row')].map(row => row.title)"


@pytest.fixture
def demo(tab: Page, tmp_path: Path) -> Page:
    shelf = kit.Shelf()
    show(tab, tmp_path, kit.believable(shelf), shelf)
    return tab


def test_keys_go_through_the_list(demo: Page) -> None:
    names = demo.do(LISTED)
    assert names[:3] == ["ui/title-card", "items/gem-ruby", "items/bow"]
    seen = [demo.do(NAME)]
    for key in "jjjk":
        demo.press(key)
        seen.append(demo.do(NAME))
    assert seen == [names[0], names[1], names[2], names[3], names[2]]
    assert demo.do("decodeURIComponent(location.hash)") == f"#{names[2]}"
    assert demo.do("document.getElementById('status').textContent") == (
        "3 of 11: items/bow, changed, not measured"
    )
    assert demo.do("document.querySelectorAll('[aria-current]').length") == 2  # in the list, on the sheet


def test_who_goes_on_before_pictures_are_decoded_meets_no_mistake(tab: Page, tmp_path: Path) -> None:
    """The window may be resized just then, while two pictures lie there and the next change has one."""
    shelf = kit.Shelf()
    new = kit.side(shelf, "new", halves(RED, BLUE))
    added = Change(kind=Kind.ADDED, after=new, attention=0.0)
    found = kit.review(kit.simple(shelf, "two", halves(RED, RED), halves(RED, BLUE)), added)
    show(tab, tmp_path, found, shelf)
    tab.until("document.querySelectorAll('#stage img').length === 2")
    tab.do("window.decoded = new Promise(done => { window.go = done; }), 1")
    tab.do("HTMLImageElement.prototype.decode = () => window.decoded, 1")
    tab.press("j")
    assert tab.do(NAME) == "new"
    tab.press("0")
    tab.window(1000, 700)
    tab.do("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
    assert tab.do("document.querySelectorAll('#stage img').length") == 2
    assert tab.complaints == []
    tab.do("window.go()")
    tab.until("document.querySelectorAll('#stage img').length === 1")


def test_arrows_go_through_the_list_with_the_focus(demo: Page) -> None:
    demo.do("document.querySelector('#list .row').focus()")
    demo.press("ArrowDown")
    demo.press("ArrowDown")
    assert demo.do("document.activeElement.title") == "items/bow" == demo.do(NAME)
    assert demo.do("document.querySelectorAll('#list [tabindex=\"0\"]').length") == 1


def test_modes_need_two_pictures(demo: Page) -> None:
    demo.press("4")
    for name, disabled in (("items/crown", 4), ("items/bow", 4), ("ui/logo", 0)):
        demo.do(f"location.hash = {name!r}")
        demo.until(f"{NAME} === {name!r}")
        demo.settled()
        demo.until(f"document.querySelectorAll('#modes :disabled').length === {disabled}")
    assert demo.do("document.getElementById('stage').dataset.mode") == "heat"  # it comes back
    demo.do("location.hash = 'items/bow'")
    demo.until("document.querySelector('#stage .missing') !== null")
    assert "neither git nor the store" in demo.do("document.querySelector('#stage .missing').textContent")


def test_pictures_of_two_sizes_are_laid_on_each_other_as_they_are_or_alike(demo: Page) -> None:
    demo.do("location.hash = 'ui/logo'")
    demo.until(f"{NAME} === 'ui/logo'")
    demo.press("2")
    demo.do("document.querySelector('#zooms [value=\"1\"]').click()")
    demo.settled()
    widths = "[...document.querySelectorAll('#stage img')].map(image => image.style.width)"
    assert demo.until(f"document.querySelector('#stage .swipe') && {widths}") == ["512px", "440px"]
    demo.do("document.getElementById('align').click()")
    demo.settled()
    assert demo.do(widths) == ["440px", "440px"]


def test_the_frame_lies_where_pixels_changed(demo: Page) -> None:
    demo.do("location.hash = 'creatures/wolf'")
    demo.until(f"{NAME} === 'creatures/wolf'")
    demo.do("document.querySelector('#zooms [value=\"8\"]').click()")
    demo.press("b")
    style = demo.until("document.querySelector('#stage .frame')?.style.cssText")
    assert style == "left: 160px; top: 64px; width: 24px; height: 16px;"


def test_recipe_and_measures_stand_beside_the_picture(demo: Page) -> None:
    demo.do("location.hash = 'items/gem-ruby'")
    demo.until(f"{NAME} === 'items/gem-ruby'")
    assert demo.do("document.querySelector('#facts .words').textContent") == (
        "ruby gem, cut like a  before: tear now: star, cold rim light"
    )
    assert demo.do("document.querySelector('#facts ins').textContent") == " now: star, cold rim light"
    words = demo.do("document.getElementById('facts').textContent")
    for expected in ("Made again for", "its recipe", "seed", "SSIM", "0.912", "65 x 91 at 16, 4", "10 kB"):
        assert expected in words


def chip(page: Page, words: str) -> None:
    page.do("document.getElementById('filters').open = true")
    page.do(
        f"[...document.querySelectorAll('.chips button')]"
        f".find(button => button.textContent.startsWith({words!r})).click()"
    )


def test_filters_narrow_the_list_and_the_sheet(demo: Page) -> None:
    chip(demo, "added")
    assert demo.do(LISTED) == ["items/crown"]
    assert demo.do("document.querySelectorAll('.cell').length") == 1
    chip(demo, "removed")
    assert demo.do(LISTED) == ["items/crown", "items/key"]
    assert demo.do("document.getElementById('shown').textContent") == "2 of 11"
    chip(demo, "sd35-turbo")
    assert demo.do("document.getElementById('none').hidden") is False
    demo.do("document.getElementById('clear').click()")
    assert len(demo.do(LISTED)) == 11
    chip(demo, "the environment")
    assert demo.do(LISTED) == ["tiles/wall"]


def test_search_looks_into_names_prompts_and_engines(demo: Page) -> None:
    demo.press("/")
    assert demo.do("document.activeElement.id") == "search"
    for key in "rim light":
        demo.press(key)
    assert demo.do(LISTED) == ["items/gem-ruby"]
    assert demo.do(NAME) == "ui/title-card"  # what is typed is no key
    demo.press("Escape")
    demo.press("j")
    assert demo.do(NAME) == "items/gem-ruby"
    for words, expected in (("SD35-TURBO dawn", ["ui/title-card"]), ("nothing like it", [])):
        demo.do(f"(box => {{ box.value = {words!r}; box.oninput(); }})(document.getElementById('search'))")
        assert demo.do(LISTED) == expected


def test_orders(demo: Page) -> None:
    choose = "(box => {{ box.value = {!r}; box.onchange(); }})(document.getElementById('sort'))"
    demo.do(choose.format("name"))
    assert demo.do(LISTED) == sorted(demo.do(LISTED))
    demo.do(choose.format("share"))
    assert demo.do(LISTED)[0] == "tiles/wall"


EXPORT = (
    "new Promise(done => { const real = URL.createObjectURL; URL.createObjectURL = blob => { "
    "URL.createObjectURL = real; blob.text().then(done); return real(blob); }; "
    "document.getElementById('export').click(); })"
)


def test_marks_are_kept_and_exported_as_approve_reads_them(demo: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    review = kit.believable(shelf)
    demo.press("a")
    demo.press("j")
    demo.press("a")
    demo.press("r")
    demo.do("(box => { box.value = 'too \"cold\"'; box.oninput(); })(document.getElementById('note'))")
    demo.press("j")
    demo.press("a")
    demo.press("a")  # takes it back
    assert demo.do("document.getElementById('progress').textContent") == "1 approved, 1 rejected"
    first, second = review.changes[:2]
    assert first.after is not None
    assert second.after is not None
    expected = {
        "artlock": "marks",
        "version": 1,
        "marks": [
            {
                "name": "ui/title-card",
                "pixels": first.after.record.picture.pixels,
                "mark": "approved",
                "note": "",
            },
            {
                "name": "items/gem-ruby",
                "pixels": second.after.record.picture.pixels,
                "mark": "rejected",
                "note": 'too "cold"',
            },
        ],
    }
    assert json.loads(demo.do(EXPORT)) == expected
    show(demo, tmp_path, kit.review(second, first), shelf)  # another page of the same project
    assert json.loads(demo.do(EXPORT)) == expected
    assert demo.do("document.querySelector('#list .approved') !== null")
    assert demo.do("document.querySelector('.tile.marked b').textContent") == "2 of 2"


def test_all_is_seen_at_once_and_the_pictures_may_have_the_whole_window(demo: Page) -> None:
    height = "document.getElementById('stage').clientHeight"
    bottom = "document.getElementById('work').getBoundingClientRect().bottom"
    before = demo.do(height)
    assert demo.do(bottom) <= 900
    demo.press("f")
    demo.until(f"{height} > {before} + 150 && {bottom} <= 900")
    demo.press("f")
    demo.until(f"{height} === {before}")


def test_the_next_without_a_mark(demo: Page) -> None:
    demo.press("j")
    demo.press("a")
    demo.press("k")
    demo.press("n")
    assert demo.do(NAME) == "items/bow"


def test_what_is_gone_can_not_be_approved(demo: Page) -> None:
    demo.do("location.hash = 'items/key'")
    demo.until(f"{NAME} === 'items/key'")
    assert demo.do("document.getElementById('approve').disabled")
    demo.press("a")
    assert demo.do("document.getElementById('progress').textContent") == "0 approved, 0 rejected"
    assert "there is no picture to approve" in demo.do("document.getElementById('facts').textContent")


def test_marks_of_a_file_are_taken_over(demo: Page, tmp_path: Path) -> None:
    review = kit.believable(kit.Shelf())
    after = review.changes[1].after
    assert after is not None
    said = {
        "name": after.record.name,
        "pixels": after.record.picture.pixels,
        "mark": "approved",
        "note": "yes",
    }
    others = [{**said, "pixels": "0" * 64}, {**said, "mark": "<b>"}, None, 7]
    file = tmp_path / "marks.json"
    for text, words in (
        (json.dumps({"artlock": "marks", "version": 1, "marks": [said, *others]}), "1 mark of 5 taken over"),
        ("[]", "That is no file of marks"),
        ("{", "That is no file of marks"),
    ):
        file.write_text(text)
        node = demo.ask("Runtime.evaluate", expression="document.getElementById('file')")["result"][
            "objectId"
        ]
        demo.ask("DOM.setFileInputFiles", files=[str(file)], objectId=node)
        demo.until(f"document.getElementById('progress').textContent === {words!r}")
    assert demo.do("[...document.querySelectorAll('#list .approved')].length") == 1


def test_a_link_opens_its_asset(tab: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    show(tab, tmp_path, kit.believable(shelf), shelf, fragment="#" + quote("tiles/wall", safe=""))
    assert tab.do(NAME) == "tiles/wall"


def test_a_link_to_nothing_opens_the_first(tab: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    show(tab, tmp_path, kit.believable(shelf), shelf, fragment="#%E0%A4%A")
    assert tab.do(NAME) == "ui/title-card"


def test_help_opens_and_closes(demo: Page) -> None:
    demo.press("?")
    assert demo.do("document.getElementById('help').open")
    demo.press("j")
    assert demo.do(NAME) == "ui/title-card"  # keys rest while it is open
    demo.press("Escape")
    demo.until("!document.getElementById('help').open")


def test_hostile_texts_are_shown_and_do_nothing(tab: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    key = kit.demo("items/key")
    before = kit.side(shelf, kit.HOSTILE, key, prompt=kit.HOSTILE, negative=kit.HOSTILE)
    after = kit.side(shelf, kit.HOSTILE, key[::-1], prompt="b", negative=kit.HOSTILE, engine=kit.HOSTILE)
    change = kit.changed(shelf, before, after, kit.text("prompt", kit.HOSTILE, "b"), notes=(kit.HOSTILE,))
    other = kit.simple(shelf, "__proto__", key, key[::-1])
    show(tab, tmp_path, kit.review(change, other, project=kit.HOSTILE, notes=(kit.HOSTILE,)), shelf)
    for keys in "12345ab":
        tab.press(keys)
        tab.settled()
    tab.do("document.getElementById('filters').open = true")
    tab.press("j")
    tab.press("r")
    assert tab.do("document.title").endswith(": art review")
    assert tab.do("document.querySelectorAll('#top img[onerror], #work img[onerror], [onerror]').length") == 0
    assert tab.do("[...document.images].every(image => image.src.startsWith('data:image/png'))")
    assert tab.do(LISTED)[0].startswith("</script><img src=x")
    assert "\\u2028" in tab.do(LISTED)[0]
    assert len(json.loads(tab.do(EXPORT))["marks"]) == 2
    assert [address for address in tab.requests if not address.endswith(".html")] == []


def test_a_picture_that_is_none_is_told(tab: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    change = kit.simple(shelf, "items/key", kit.demo("items/key"), kit.demo("items/key")[::-1])
    assert change.after is not None
    shelf.files[change.after.shown] = b"\x89PNG\r\n\x1a\n and no more"
    path = tmp_path / "review.html"
    write(kit.review(change), shelf, path)
    tab.open(path.as_uri())
    assert "can't read this picture" in tab.until("document.querySelector('#stage .missing')?.textContent")


def test_a_thousand_assets(tab: Page, tmp_path: Path) -> None:
    shelf = kit.Shelf()
    show(tab, tmp_path, kit.many(shelf, 1000), shelf)
    assert len(tab.do(LISTED)) == 1000
    tab.until("document.querySelectorAll('#list .thumb img').length >= 4")
    images = "document.images.length"
    assert tab.do(images) < 200
    assert tab.do("document.querySelectorAll('*').length") < 22_000
    tab.do("(list => { list.scrollTop = list.scrollHeight; })(document.getElementById('list'))")
    tab.until("document.querySelector('#list li:last-child img') !== null")
    tab.until("document.querySelector('#list li:first-child img') === null")  # what is not seen is let go
    assert tab.do(images) < 200
    tab.do("location.hash = 'noise/tile-0500'")
    tab.until(f"{NAME} === 'noise/tile-0500'")
    tab.until("document.querySelector('#list [aria-current] img') !== null")


def test_pictures_beside_the_page(tab: Page, tmp_path: Path) -> None:
    folder = tmp_path / "a folder #1 %20"
    folder.mkdir()
    shelf = kit.Shelf()
    path = folder / "art & review?.html"
    write(two(shelf, BEFORE, AFTER), shelf, path, folder=True)
    tab.open(path.as_uri())
    tab.settled()
    tab.do("document.getElementById('work').scrollIntoView()")
    assert columns(plates(tab)[1]) == [RED[:3]] * 4 + [BLUE[:3]] * 4
    tab.press("4")
    assert hottest(columns(plates(tab)[0])[4:])
    assert all(address.startswith("file:") for address in tab.requests)


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_light_and_dark(tab: Page, tmp_path: Path, scheme: str, dark: bool) -> None:
    tab.prefer(prefers_color_scheme=scheme)
    shelf = kit.Shelf()
    show(tab, tmp_path, kit.believable(shelf), shelf)
    screen = tab.seen()
    assert (float(screen[..., :3].mean()) < 100) is dark


def test_a_narrow_window_scrolls_down_only(tab: Page, tmp_path: Path) -> None:
    tab.window(390, 800)
    shelf = kit.Shelf()
    show(tab, tmp_path, kit.believable(shelf), shelf)
    assert tab.do("document.documentElement.scrollWidth") == 390


def test_every_control_has_a_name_for_a_screen_reader(demo: Page) -> None:
    demo.press("2")
    demo.settled()
    nodes = demo.ask("Accessibility.getFullAXTree")["nodes"]
    controls = {"button", "searchbox", "slider", "combobox", "textbox", "image", "region", "link"}
    nameless = [
        node for node in nodes
        if not node.get("ignored") and node["role"]["value"] in controls and not node["name"]["value"]
    ]  # fmt: skip
    assert nameless == []
    buttons = {node["name"]["value"].strip() for node in nodes if node["role"]["value"] == "button"}
    assert {"Swipe", "Fit", "On black (g)", "Approve", "Next change"} <= buttons


def test_nothing_differs(tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "review.html"
    write(kit.review(unchanged=3), kit.Shelf(), path)
    tab.open(path.as_uri())
    assert tab.do("document.querySelector('#work').textContent") == "Nothing differs."
