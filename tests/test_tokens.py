"""Tokens of CLIP: counted as CLIP's own tokenizer counts them, or estimated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildsys.plan.tokens import Vocabulary, estimate, read

MERGES = (
    "#version: 0.2\nm o\no n</w>\nmo on</w>\nk n\ni g\nh t</w>\nkn ig\nknig ht</w>\n, ,</w>\n! !\n!! !</w>\n"
)
VOCABULARY = Vocabulary(MERGES)

PROMPTS = [
    ("blurry, extra fingers, low quality, jpeg artifacts, watermark, text, signature", 20),
    ("isometric pixel art treasure chest with glowing runes, 16-bit, transparent background, no shadow", 23),
    ("the keep at night, seen from the bridge, fog rolling over the moat, lanterns", 20),
    ("rusty key, bent teeth, verdigris, macro, black background", 16),
]
"""Prompts, and the tokens that the vocabulary of CLIP ViT-L/14 makes of them."""


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 2),
        ("moon", 3),
        ("Moon  KNIGHT\n", 4),
        ("moonknight", 2 + 4),
        ("3/4 16", 2 + 3 + 2),
        ("moon, moon!!!", 2 + 1 + 1 + 1 + 1),
        ("it's", 2 + 2 + 2),
        ("é", 2 + 2),
        ("e\u0301", 2 + 2),
        ("x²", 2 + 1 + 2),
    ],
)
def test_a_vocabulary_counts(text: str, tokens: int) -> None:
    assert read(text, 77, VOCABULARY.weigh).tokens == tokens


@pytest.mark.parametrize(
    ("text", "limit", "unseen"),
    [
        ("moon knight moon", 5, ""),
        ("moon Knight Moon", 4, "Moon"),
        ("moon, knight; moon", 4, "knight; moon"),
        ("moon e\u0301 x", 3, "é x"),
        ("İ moon Knight", 6, "knight"),
        ("moon knight", 2, "moon knight"),
    ],
)
def test_what_is_cut_off_is_told(text: str, limit: int, unseen: str) -> None:
    assert read(text, limit, VOCABULARY.weigh).unseen == unseen


@pytest.mark.parametrize(("text", "tokens"), PROMPTS)
def test_the_estimate_is_near(text: str, tokens: int) -> None:
    assert read(text, 77, estimate).tokens == pytest.approx(tokens, rel=0.3)


def test_the_estimate_knows_letters_that_are_spelled_out() -> None:
    assert read("月夜の城", 77, estimate).tokens == 2 + 8
    assert read("замок", 77, estimate).tokens == 2 + 5
    assert read("straße", 77, estimate).tokens == 2 + 2


@settings(deadline=None)
@given(st.text())
def test_whatever_a_person_types_has_tokens(text: str) -> None:
    for weigh in (estimate, VOCABULARY.weigh):
        found = read(text, 77, weigh)
        assert found.tokens >= 2
        assert bool(found.unseen) <= (found.tokens > 77)


@pytest.fixture(scope="module")
def clip() -> Any:
    transformers = pytest.importorskip("transformers")
    letters = sorted({*range(33, 127), *range(161, 173), *range(174, 256)})
    words = [chr(byte) for byte in letters] + [chr(256 + number) for number in range(256 - len(letters))]
    pairs = [tuple(line.split()) for line in MERGES.splitlines()[1:]]
    known = [*words, *(f"{word}</w>" for word in words), *("".join(pair) for pair in pairs)]
    known += ["<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(
        vocab={word: number for number, word in enumerate(dict.fromkeys(known))}, merges=pairs
    )


@settings(deadline=None, max_examples=300)
@given(
    text=st.text(
        alphabet=st.one_of(
            st.sampled_from("moonknight ,!'s'4²éİß月\u0301_\n-"),
            st.characters(
                max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc", "Cn", "Zs", "Zl", "Zp", "Cf"]
            ),
        )
    )
)
def test_the_count_is_that_of_clips_own_tokenizer(clip: Any, text: str) -> None:
    assert read(text, 77, VOCABULARY.weigh).tokens == len(clip(text).input_ids)
