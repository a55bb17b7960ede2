"""Words that the shipped model never learned: drawn as their nearest neighbour, or said to be a guess."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.protocol import Done, Request
from engines.sprite.engine import WEIGHTS, Sprite
from engines.sprite.painter import Painter, Wish


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(WEIGHTS)


def test_an_unseen_word_is_drawn_as_its_nearest_neighbour_with_noise_of_its_own(painter: Painter) -> None:
    drawn = {
        prompt: painter.latents(Wish(prompt=prompt, seed=3, style="glossy", steps=8))
        for prompt in ("chateau", "castle", "canine", "dog", "apple")
    }
    for unseen, seen in (("chateau", "castle"), ("canine", "dog")):
        apart = {other: float(np.abs(drawn[unseen] - drawn[other]).mean()) for other in (seen, "apple")}
        assert 0 < apart[seen] < 0.7 * apart["apple"], unseen


def test_words_without_a_vector_are_not_all_one_picture(painter: Painter) -> None:
    drawn = {painter.draw(Wish(prompt=prompt, seed=3, steps=2)).tobytes() for prompt in ("xqzzyv", "vyzzqx")}
    assert len(drawn) == 2


def test_a_word_that_was_learned_stands_for_itself(painter: Painter) -> None:
    assert painter.stand_in(painter.read("castle")[0]) is None
    assert painter.stand_in([]) is None


@pytest.mark.parametrize(
    ("prompt", "note"),
    [
        ("old chateau", "`chateau` was never learned: drawn as `castle`"),
        ("tome", "`tome` was never learned: what is drawn is a guess"),
        ("xqzzyv sword", "not known, and left out: `xqzzyv`"),
        ("xqzzyv", "no word of the prompt is known: what is drawn is chance"),
    ],
)
def test_what_is_drawn_instead_is_said(painter: Painter, tmp_path: Path, prompt: str, note: str) -> None:
    request = Request(
        id="a",
        asset="a",
        output=str(tmp_path / "a.png"),
        seed=1,
        size=(32, 32),
        prompt=prompt,
        parameters={"steps": 2},
    )
    (done,) = Sprite(painter).render([request], lambda *_: None)
    assert isinstance(done, Done)
    assert done.notes == (note,)
