"""The page of `artlock candidates --html`: what it shows, escapes, and writes over."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from game import Game

from buildsys.comparison.choice import MARK, Choice, page
from buildsys.digest import of_bytes
from buildsys.manifest.model import AssetName
from buildsys.plan.candidates import Entrant, Score
from buildsys.plan.record import Parts, Picture, Record

KNIGHT = """
[assets."portraits/knight"]
role = "sprite"
prompt = "a knight"
seed = 7
size = [16, 16]
candidates = 3
choose = "contrast"
"""
NAME = "portraits/knight"
EVIL = '<script>alert("x")</script>'


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(KNIGHT)
    return made


def record(name: str) -> Record:
    digest = of_bytes(name.encode())
    return Record(
        name=AssetName("hero"),
        recipe=digest,
        parts=Parts(adapter="stock", adapter_version="1.0.0", seed=7),
        engine="stock",
        output="out/hero.png",
        picture=Picture(file=digest, pixels=digest, phash="0" * 16, width=1, height=1),
        raw=digest,
    )


SCORE = Score(sharpness=1.5, contrast=2.25, colorfulness=3.0, coverage=1.0)
CHOICE = Choice(
    name=AssetName("the hero"),
    prompt=EVIL,
    text=EVIL,
    choose="contrast",
    metrics=("sharpness", "contrast"),
    adopted=2,
    entrants=(
        Entrant(number=1, seed=7, record=record("one"), score=SCORE, faults=(EVIL,)),
        Entrant(number=2, seed=None, record=record("two")),
        Entrant(number=3, seed=9, message=EVIL),
        Entrant(number=4, seed=10, record=record("lost"), score=SCORE),
    ),
)


def shown(choice: Choice = CHOICE) -> str:
    return page(choice, lambda wanted: None if wanted == of_bytes(b"lost") else b"\x89PNG")


def boxes(text: str) -> list[str]:
    return re.findall('<section class="picture.*?</section>', text, re.DOTALL)


def test_each_candidate_has_a_box_with_what_speaks_for_and_against_it() -> None:
    failed, adopted, absent, lost = boxes(shown())
    assert '<dt>contrast</dt><dd class="counts">2.250</dd>' in failed
    assert '<ul class="faults"><li>&lt;script&gt;' in failed
    assert "adopted" not in failed + absent + lost
    assert adopted.startswith('<section class="picture adopted">')
    assert "<b>2 · <span>adopted</span></b>" in adopted
    assert "<dl>" not in adopted  # it was never measured
    assert '<div class="frame none">&lt;script&gt;' in absent
    assert "<b>4 · seed 10</b>" in lost
    assert "its picture is no longer in the store" in lost
    commands = re.findall("<code>(.*?)</code>", shown())
    assert commands == [f"artlock pick &#x27;the hero&#x27; {number}" for number in (1, 2, 3, 4)]


def test_the_page_escapes_and_needs_nothing_else() -> None:
    text = shown()
    assert "<script" not in text
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "//" not in re.sub('base64,[^"]*', "", text.replace("<!doctype html>", ""))


def test_none_is_adopted_before_the_first_build() -> None:
    waiting = tuple(Entrant(number=number, seed=number, message="not made") for number in (1, 2))
    text = shown(msgspec.structs.replace(CHOICE, adopted=0, entrants=waiting))
    assert "<b>0 of 2</b>candidates made" in text
    assert "<dt>adopted</dt><dd>none</dd>" in text
    assert "<img" not in text


def test_the_command_writes_the_page_and_nothing_over_a_persons_file(game: Game) -> None:
    game.build()
    for _ in range(2):
        done = game.run("candidates", NAME, "--html", "knight.html")
        assert done.stdout.splitlines()[-2:] == [f".artlock/candidates/{NAME}.png", "knight.html"]
    text = (game.folder / "knight.html").read_text(encoding="utf-8")
    assert MARK in text[:1024]
    assert len(re.findall('src="data:image/png;base64,', text)) == 3
    assert text.count('<section class="picture adopted">') == 1
    (game.folder / "mine.html").write_text("<html>")
    refused = game.run("candidates", NAME, "--html", "mine.html", code=2)
    assert refused.stderr == (
        "error: `mine.html` is not a page of `artlock candidates`\n\nhint: name another file for the page\n"
    )
    assert (game.folder / "mine.html").read_text() == "<html>"
