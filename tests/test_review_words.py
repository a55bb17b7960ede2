"""Two texts word by word: whatever they hold, the pieces make up both again."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildsys.review.words import words

TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(["red", "blue", "a", "sword", " ", "  ", ",", "剣", "\n", "\x1b[31m"])).map(
        "".join
    ),
)


def told(old: str, new: str) -> str:
    marks = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}
    return "".join(marks[word.state].format(word.text) for word in words(old, new))


@given(TEXTS, TEXTS)
def test_the_pieces_make_up_both_texts(old: str, new: str) -> None:
    found = words(old, new)
    assert "".join(word.text for word in found if word.state != "new") == old
    assert "".join(word.text for word in found if word.state != "gone") == new
    assert all(word.text for word in found)
    assert {word.state for word in found} <= {"same", "gone", "new"}
    assert all(first.state != second.state for first, second in pairwise(found))


@given(TEXTS)
def test_a_text_is_the_same_as_itself(text: str) -> None:
    assert [word.state for word in words(text, text)] == ["same"] * bool(text)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a red sword", "a blue sword", "a [-red-]{+blue+} sword"),
        ("a red big sword", "a small blue sword", "a [-red big-]{+small blue+} sword"),
        ("sword", "sword, gold", "sword{+, gold+}"),
        ("one  two", "one two", "one[-  -]{+ +}two"),
        ("reddish", "red", "[-reddish-]{+red+}"),
        ("長い剣", "短い剣", "[-長-]{+短+}い剣"),
        ("", "new", "{+new+}"),
        ("don't", "do not", "[-don't-]{+do not+}"),
    ],
)
def test_what_a_reader_sees(old: str, new: str, expected: str) -> None:
    assert told(old, new) == expected


def test_a_huge_prompt_is_compared_in_time() -> None:
    """A stranger's lock may hold one: without a bound, this would take hours."""
    old = " ".join(f"w{number}" for number in range(30_000))
    new = " ".join(f"w{number}" for number in range(30_000, 0, -1))
    started = time.monotonic()
    found = words(old, new)
    assert time.monotonic() - started < 20
    assert "".join(word.text for word in found if word.state != "gone") == new
