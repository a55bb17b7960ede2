"""An asset's own lines, cut out of a lock: they say what the whole lock says, whatever stands in it."""

from __future__ import annotations

import pytest
from history_kit import lock_of, record
from hypothesis import given
from hypothesis import strategies as st

from buildsys.digest import Digest
from buildsys.history import cut
from buildsys.lock.read import parse
from buildsys.lock.write import dump
from buildsys.manifest.model import AssetName

NAMES = ("hero", "items/axe", "a.b", 'say "x"', "hero.recipe", "ö", "[x]", "assets")
PIECES = (
    "[assets.hero]", '[assets."items/axe"]', "[assets.hero.recipe]", "[environments.env-0]", "[approvals]",
    '"""', "'''", '""', '"', "\\", "\\n", "=", "#", "<<<<<<<", " = ", 'file = "0"', "\r", "word", " ",
)  # fmt: skip
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=3).map("".join), max_size=5).map("\n".join)


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS, min_size=1), TEXTS)
def test_a_cut_says_what_the_whole_lock_says(prompts: dict[str, str], negative: str) -> None:
    records = [
        record(name, drawn=number, prompt=prompt, negative=negative)
        for number, (name, prompt) in enumerate(prompts.items())
    ]
    text = dump(lock_of(records))
    whole = parse(text)
    data = cut.canonical(text.encode())
    if data is None:
        assert " = '''" in text
        return
    for name in (*NAMES, "nobody"):
        found = cut.of(data, name)
        if found is None:  # where in doubt, the whole text is read
            assert "[assets." in " ".join((negative, *prompts.values()))
            continue
        said = parse(found.decode()).records if found else {}
        assert said == ({AssetName(name): whole.records[AssetName(name)]} if name in prompts else {})
    for made in records:
        assert made.name in cut.named(data, made.picture.file)
    assert set(cut.names(data)) >= {made.name for made in records}


def test_what_is_not_written_by_us_is_not_cut() -> None:
    text = dump(lock_of([record("hero")]))
    assert cut.canonical(text.encode()) == text.encode()
    assert cut.canonical(text.replace("\n", "\r\n").encode()) == text.encode()
    for other in (
        f"\n{text}",
        text.replace('prompt = "a knight"', "prompt = '''a knight'''"),
        f"{text}\n<<<<<<< x",
    ):
        assert cut.canonical(other.encode()) is None


@pytest.mark.parametrize("edit", ['[assets."hero"]', "[assets.hero]\n\n[assets.hero]"])
def test_where_in_doubt_the_whole_is_read(edit: str) -> None:
    text = dump(lock_of([record("hero")])).replace("[assets.hero]", edit)
    assert cut.of(text.encode(), "hero") is None


def test_a_file_that_nobody_has() -> None:
    data = dump(lock_of([record("hero")])).encode()
    assert list(cut.named(data, Digest("0" * 64))) == []
    assert cut.of(data, "nobody") == b""
