from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engines.stock import palette, prompt
from engines.stock.library import Library
from engines.stock.search import Searcher

_ROOT = Path(__file__).resolve().parent.parent
_TABLE = Path(__file__).with_name("stock_nouns.txt")


@pytest.fixture(scope="module")
def searcher() -> Searcher:
    return Searcher(Library())


def _first(searcher: Searcher, words: str) -> str:
    return searcher.search(words, 1).hits[0].icon.key


def test_common_nouns_find_what_they_name(searcher: Searcher) -> None:
    rows = [line.split(" = ") for line in _TABLE.read_text(encoding="utf-8").splitlines() if line]
    wrong = [
        f"{words}: {found}"
        for words, wanted in rows
        if not re.search(wanted, found := _first(searcher, words))
    ]
    assert len(rows) >= 150
    assert wrong == []


@pytest.mark.parametrize(
    ("words", "icon"),
    [
        ("scimitar", "game-icons/cracked-saber"),
        ("curved scimitar", "game-icons/cracked-saber"),
        ("airship", "game-icons/zeppelin"),
        ("old fishing rods", "game-icons/fishing-pole"),
        ("wooden rod", "game-icons/crescent-staff"),
        ("laser gun", "game-icons/ray-gun"),
        ("arcane", "game-icons/magic-swirl"),
        ("arcane spell book", "game-icons/spell-book"),
        ("health potion", "game-icons/health-potion"),
        ("red dragon head", "game-icons/dragon-head"),
        ("ring of fire", "game-icons/fire-ring"),
        ("bow and arrow", "game-icons/bow-arrow"),
        ("a spell book of shadows, candle light, cute icon", "game-icons/spell-book"),
        ("orange", "game-icons/orange"),
        ("dragon shield", "game-icons/dragon-shield"),
        ("shield with a dragon on it", "game-icons/dragon-shield"),
    ],
)
def test_phrases(searcher: Searcher, words: str, icon: str) -> None:
    assert _first(searcher, words) == icon


@pytest.mark.parametrize("words", ["arcane", "arcane orb", "airship", "fishing rod", "laser-gun", "scimitar"])
def test_words_of_games_are_known(words: str, searcher: Searcher) -> None:
    assert searcher.search(words).notes == ()


def test_a_scimitar_has_others_near_it(searcher: Searcher) -> None:
    names = [hit.icon.name for hit in searcher.search("scimitar").hits]
    assert names[:3] == ["cracked-saber", "sparkling-sabre", "crossed-sabres"]
    assert len(names) >= 5


def test_a_chest_stays_a_chest_whatever_describes_it(searcher: Searcher) -> None:
    hits = searcher.search("old wooden treasure chest", 4).hits
    assert all("chest" in hit.icon.name for hit in hits)


def test_a_color_word_does_not_change_the_icon(searcher: Searcher) -> None:
    found = {_first(searcher, f"{color} gem") for color in ("red", "green", "blue", "golden", "#ff8800")}
    assert len(found) == 1


def test_meaning_finds_what_no_name_has(searcher: Searcher) -> None:
    # No icon and no keyword has this word; only its vector knows.
    assert "physician" not in {word for icon in Library().icons for word in icon.name.split("-")}
    names = [hit.icon.name for hit in searcher.search("physician", 5).hits]
    assert any(re.search("health|doctor|stethoscope|nurse|medic", name) for name in names), names


def test_a_word_that_means_nothing_is_reported(searcher: Searcher) -> None:
    found = searcher.search("xqzzyv sword")
    assert found.notes == ("`xqzzyv` was not understood",)
    assert "sword" in found.hits[0].icon.name


def test_nothing_understood_finds_nothing(searcher: Searcher) -> None:
    found = searcher.search("xqzzyv")
    assert found.hits == ()
    assert found.notes == ("`xqzzyv` was not understood",)


def test_a_slip_of_the_pen_is_read_and_reported(searcher: Searcher) -> None:
    found = searcher.search("scimtar")
    assert found.notes == ("`scimtar` was read as `scimitar`",)
    assert found.hits[0].icon.name == "cracked-saber"


def test_a_compound_is_its_last_part(searcher: Searcher) -> None:
    assert searcher.search("frostblade").notes == ("`frostblade` was read as `sword`",)


def test_equal_scores_go_by_name(searcher: Searcher) -> None:
    keys = [(-hit.score, hit.icon.key) for hit in searcher.search("sword", 30).hits]
    assert keys == sorted(keys)


def test_a_set_can_be_asked_for(searcher: Searcher) -> None:
    for collection in ("game-icons", "fluent", "noto"):
        hits = searcher.search("castle", 5, collection=collection).hits
        assert {hit.icon.collection for hit in hits} == {collection}


def test_the_lexicon_names_only_what_exists() -> None:
    icons = {icon.key for icon in Library().icons}
    names = [name for names in prompt.picks().values() for name in names.split()]
    assert [n for n in names if (n if "/" in n else f"game-icons/{n}") not in icons] == []
    ramps = {ramp for paints in prompt.paints().values() for paint in paints for ramp in paint}
    assert ramps <= set(palette.ramps())
    assert set(palette.words().values()) <= set(palette.ramps())


def test_aliases_lead_to_something(searcher: Searcher) -> None:
    assert [word for word in prompt.aliases() if not searcher.search(word, 1).hits] == []


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engines.stock.search", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)


def test_the_program_answers_in_json() -> None:
    done = _command("--json", "--limit", "2", "golden", "crown")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert len(answer["hits"]) == 2
    assert answer["notes"] == []
    assert set(answer["hits"][0]) == {
        "author", "collection", "icon", "licence", "name", "score", "source", "title",
    }  # fmt: skip


def test_the_program_answers_in_lines() -> None:
    done = _command("anchor")
    assert done.stdout.splitlines()[0].split() == ["1040", "game-icons/anchor", "Lorc,", "CC-BY-3.0"]


def test_the_program_fails_where_it_finds_nothing() -> None:
    done = _command("xqzzyv")
    assert done.returncode == 1
    assert done.stdout == "note: `xqzzyv` was not understood\n"
