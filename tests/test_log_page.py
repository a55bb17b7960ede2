"""The page of `artlock log --html`: every picture that can be had, as a film, and what became of each."""

from __future__ import annotations

import base64
import html.parser
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from history_kit import Repository, digest_of_picture, lock_of, picture, record
from PIL import Image

from buildsys.cli import main
from buildsys.history.commits import Wanted
from buildsys.history.model import History
from buildsys.history.page import MARK, page
from buildsys.history.pictures import Collected, collected
from buildsys.history.run import history, place
from buildsys.lock.model import Approval
from buildsys.lock.write import dump
from buildsys.manifest.model import AssetName
from buildsys.store.objects import Store

HOSTILE = "</title></svg><script>alert('x')</script><img src=x onerror=alert(1)>&\"\x1b[31m"
HERO = AssetName("hero")


@pytest.fixture
def game(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "game")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def told(game: Repository, name: str = "hero") -> History:
    return history(place(game.folder, "", "HEAD"), name, Wanted())


def gathered(game: Repository, store: Store) -> Collected:
    found = place(game.folder, "", "HEAD")
    return collected(found.folder, found.above, store, told(game).versions)


def shown(game: Repository, store: Store) -> str:
    found = gathered(game, store)
    return page(told(game), found.kept, found.lost)


class Outline(html.parser.HTMLParser):
    """Which tags and attributes a page has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def test_every_version_has_its_picture_and_each_picture_is_there_once(game: Repository, store: Store) -> None:
    game.commit(record("knight", drawn=1), subject="First", pictures=True)
    game.commit(record("knight", drawn=2, prompt="a cold knight"), subject="Second", pictures=True)
    game.git("rm", "-q", "out/knight.png")
    game.commit(record("hero", drawn=2, prompt="a cold knight"), subject="Renamed", pictures=True)
    text = shown(game, store)
    inlined = re.findall(r'href="data:image/png;base64,([^"]+)"', text)
    assert sorted(map(base64.b64decode, inlined)) == sorted([picture(1), picture(2)])
    used = re.findall(r'<use href="#(p-[0-9a-f]{24})"/>', text)
    assert len(used) == 6  # three versions, on the strip and below it
    assert set(used) == {f"p-{digest_of_picture(number)[:24]}" for number in (1, 2)}
    assert "a <ins>cold </ins>knight" in text
    assert "renamed from knight" in text
    anchors = re.findall(r'<section class="version" id="([^"]+)"', text)
    assert re.findall(r'<a href="#([^"]+)"', text) == anchors
    assert len(set(anchors)) == 3
    # A day's versions are told apart, and the one that the tip has stands out.
    named = [game.git("rev-parse", "--short=10", f"HEAD~{back}").strip() for back in range(3)]
    assert re.findall(r"<b>2026-01-0\d <code>(\w+)</code></b>", text) == named
    assert text.count("● current") == text.count('<span class="chip yes">current</span>') == 1
    assert text.index("● current") < text.index(f"<code>{named[1]}</code>")


def test_pictures_of_a_project_in_a_subfolder_and_of_a_bare_clone(tmp_path: Path, store: Store) -> None:
    game = Repository(tmp_path / "all", "games/one")
    game.commit(record("hero", drawn=1), pictures=True)
    assert set(gathered(game, store).kept) == {digest_of_picture(1)}
    subprocess.run(["git", "clone", "-q", "--bare", game.top, tmp_path / "all.git"], check=True)
    found = place(tmp_path / "all.git", "", "HEAD")
    versions = history(found, "hero", Wanted()).versions
    assert set(collected(found.folder, found.above, store, versions).kept) == {digest_of_picture(1)}


def test_where_pictures_are_found_and_which_are_lost(game: Repository, store: Store) -> None:
    game.commit(record("hero", drawn=1), subject="Nowhere")
    game.commit(record("hero", drawn=2), subject="In the store")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest_of_picture(3)}\nsize 70\n"
    place_of = game.folder / "out" / "hero.png"
    place_of.parent.mkdir()
    place_of.write_text(pointer)
    game.commit(record("hero", drawn=3), subject="A pointer alone")
    place_of.write_text(pointer.replace(digest_of_picture(3), digest_of_picture(4)))
    game.commit(record("hero", drawn=4), subject="In Git LFS")
    game.commit(record("hero", drawn=5), subject="The lock first")
    place_of.write_bytes(picture(5))
    game.save("The picture after it")
    game.commit(record("hero", drawn=6), subject="Not committed")
    place_of.write_bytes(picture(6))
    store.put_bytes(picture(2))
    name = digest_of_picture(4)
    kept = game.folder / ".git" / "lfs" / "objects" / name[:2] / name[2:4] / name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(picture(4))
    found = gathered(game, store)
    assert {digest_of_picture(number) for number in (2, 4, 5, 6)} == set(found.kept)
    assert all(
        data == picture(number) for number in (2, 4, 5, 6) if (data := found.kept[digest_of_picture(number)])
    )
    assert found.lost == {
        digest_of_picture(1): "neither git nor the store has it",
        digest_of_picture(3): "Git LFS has not fetched it",
    }
    text = shown(game, store)
    assert text.count('<div class="shot none">neither git nor the store has it</div>') == 2
    assert "<b>2</b>pictures lost</div>" in text


def test_what_a_stranger_wrote_is_text(game: Repository, store: Store) -> None:
    hostile = record("hero", drawn=1, prompt=HOSTILE, negative=HOSTILE, parameters={"style": HOSTILE})
    game.commit(hostile, subject=HOSTILE.replace("\x1b", ""), author="A")
    second = record("hero", drawn=2, prompt=f"{HOSTILE} too", parameters={"style": f"{HOSTILE}2"})
    said = {HERO: Approval(pixels=digest_of_picture(2), by=HOSTILE)}
    game.commit_text(dump(lock_of([second], approvals=said)), subject=HOSTILE.replace("\x1b", ""))
    game.commit_text("[", subject="Broken")
    text = shown(game, store)
    outline = Outline(text)
    assert "script" not in outline.tags
    assert "img" not in outline.tags
    assert not any(name.startswith("on") for name in outline.attributes)
    assert "\x1b" not in text
    assert "<h1>hero</h1>" in text
    assert "not readable: the lock:1:" in text


def test_a_page_needs_nothing_else(game: Repository, store: Store) -> None:
    for number in range(4):
        phash = f"{(1 << 4 * number) - 1:016x}"
        game.commit(record("hero", drawn=number, phash=phash), subject=f"{number}", pictures=True)
    text = shown(game, store)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert "From one version to the next" in text
    assert "<title>2026-01-05: From the first version here 12 of 64 bits</title>" in text


def test_versions_of_one_day_are_told_apart_by_their_times(game: Repository) -> None:
    for number in range(4):
        game.commit(record("hero", drawn=number, phash=f"{number:016x}"), subject=f"{number}")
    found = told(game)
    versions = [
        msgspec.structs.replace(
            version,
            commit=msgspec.structs.replace(version.commit, date=f"2026-01-05T1{number}:30:00+01:00"),
        )
        for number, version in zip((4, 3, 2, 1), found.versions, strict=True)
    ]
    text = page(msgspec.structs.replace(found, entries=tuple(versions)), {}, {})
    assert "<title>14:30: From the first version here" in text
    assert "<title>2026-01-05: " not in text


def test_few_versions_have_no_chart_and_many_have_room(game: Repository, store: Store) -> None:
    for number in range(2):
        game.commit(record("hero", drawn=number, phash=f"{number:016x}"), subject=f"{number}")
    assert "From one version to the next" not in shown(game, store)
    for number in range(2, 50):
        game.commit(record("hero", drawn=number, phash=f"{number:016x}"), subject=f"{number}")
    text = shown(game, store)
    assert len(re.findall(r'<section class="version"', text)) == 50


def test_the_command_writes_it_over_nothing_but_its_own(
    game: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "cache"))
    game.commit(record("hero", drawn=1), pictures=True)
    target = tmp_path / "hero.html"
    for _ in range(2):
        assert main(["log", "-C", str(game.folder), "hero", "--html", str(target)]) == 0
        assert capsys.readouterr().out == f"{target}\n"
    assert MARK in target.read_text(encoding="utf-8")[:1024]
    manifest = game.folder / "assets.toml"
    assert main(["log", "-C", str(game.folder), "hero", "--html", str(manifest)]) == 2
    assert "is not a page of `artlock log`" in capsys.readouterr().err


def test_a_range_with_nothing_in_it(game: Repository, store: Store) -> None:
    game.commit(record("hero", drawn=1))
    empty = history(place(game.folder, "", "HEAD"), "hero", Wanted(revision="HEAD..HEAD"))
    assert "no version here" in page(empty, {}, {})
    assert store.layout.parent.name == "store"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_shows_the_pictures(game: Repository, store: Store, tmp_path: Path, dark: bool) -> None:
    game.commit(record("hero", drawn=1), subject="First", pictures=True)
    game.commit(record("hero", drawn=200, seed=4), subject="Second", pictures=True)
    (tmp_path / "log.html").write_text(shown(game, store), encoding="utf-8")
    words = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--screenshot={tmp_path / 'page.png'}", "--window-size=1280,1000",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
        (tmp_path / "log.html").as_uri(),
    ]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    with Image.open(tmp_path / "page.png") as shot:
        found = shot.convert("RGB")
    assert found.getpixel((2, 2)) == ((0x14, 0x17, 0x1C) if dark else (0xF6, 0xF5, 0xF2))
    colours = {colour: number for number, colour in found.getcolors(1 << 24) or []}
    # On the strip and on the card, each some 160 pixels wide and as high.
    for number in (1, 200):
        assert colours.get((number, 40, 200), 0) > 2 * 150 * 150
    # The newest stands to the right of the strip.
    strip = [found.getpixel((x, 330)) for x in range(1280)]
    assert strip.index((1, 40, 200)) < strip.index((200, 40, 200))
