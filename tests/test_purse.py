"""The budget: what is asked for, what is withheld, and what a failure leaves owing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made
from buildsys.make.purse import UNBILLED, Purse, Withheld
from buildsys.manifest.model import Engine
from buildsys.manifest.read import parse
from engines.protocol import ErrorKind, Request

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
MANIFEST = """
[project]
name = "game"

[engines.paid]
adapter = "cloud"
price = 0.1

[engines.tokens]
adapter = "cloud"
price = { picture = 0.1, tokens = { image_out = 30 } }

[engines.fog]
adapter = "cloud"
"""
ENGINES = parse({"assets.toml": MANIFEST}, root=BUNDLE, bundled=BUNDLE).engines


class Counting:
    """Engines that count what they are asked, and answer or fail as they are told."""

    def __init__(self, answer: Made | ErrorKind | None = None) -> None:
        self.answer = answer
        self.asked = 0
        self._lock = threading.Lock()

    def render(self, engine: Engine, request: Request) -> Made:
        with self._lock:
            self.asked += 1
        if isinstance(self.answer, ErrorKind):
            raise EngineFailed(f"`{engine.name}` failed", kind=self.answer)
        return self.answer or Made(id=request.id, output=request.output)


def ask(purse: Purse, engine: str = "paid") -> Made:
    return purse.render(ENGINES[engine], Request(id="1", asset="hero", output="hero.png"))


def test_the_spend_that_would_pass_the_budget_is_withheld() -> None:
    engines = Counting()
    purse = Purse(engines, 0.25)
    ask(purse)
    ask(purse)
    with pytest.raises(Withheld) as caught:
        ask(purse)
    assert str(caught.value) == (
        "a picture of engine `paid` costs $0.1, and of the budget of $0.25 there is $0.050 left\n\n"
        "hint: give a larger `--budget`"
    )
    assert engines.asked == 2
    assert purse.taken == pytest.approx(0.2)
    ask(purse, "stock")
    assert engines.asked == 3


def test_a_budget_is_spent_to_its_last_cent() -> None:
    engines = Counting()
    purse = Purse(engines, 2.0)
    for _ in range(20):
        ask(purse)
    with pytest.raises(Withheld):
        ask(purse)
    assert engines.asked == 20


def test_a_budget_of_nothing_makes_what_is_free() -> None:
    engines = Counting()
    ask(Purse(engines, 0.0), "stock")
    with pytest.raises(Withheld):
        ask(Purse(engines, 0.0))
    assert engines.asked == 1


def test_what_nobody_knows_the_price_of_is_withheld() -> None:
    engines = Counting()
    with pytest.raises(Withheld) as caught:
        ask(Purse(engines, 1000.0), "fog")
    assert str(caught.value) == (
        "nobody knows what engine `fog` costs, so no budget can hold it\n\n"
        "hint: add `price` to `[engines.fog]`"
    )
    assert engines.asked == 0


def test_pictures_under_way_together_do_not_pass_it_either() -> None:
    engines = Counting()
    purse = Purse(engines, 1.0)
    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(ask, purse) for _ in range(64)]
        withheld = [one for one in asked if isinstance(one.exception(20), Withheld)]
    assert (engines.asked, len(withheld)) == (10, 54)


def test_the_real_cost_takes_the_place_of_the_estimate() -> None:
    cheaper = Counting(Made(id="1", output="hero.png", cost=0.01))
    purse = Purse(cheaper, 0.1)
    ask(purse)
    assert purse.taken == pytest.approx(0.01)
    counted = Counting(Made(id="1", output="hero.png", facts={"usage": {"image_out": 10_000}}))
    purse = Purse(counted, 0.5)
    ask(purse, "tokens")
    assert purse.taken == pytest.approx(0.3)
    uncounted = Counting()
    purse = Purse(uncounted, 0.5)
    ask(purse, "tokens")
    assert purse.taken == pytest.approx(0.1)


def test_what_is_free_is_made_after_a_picture_that_was_dearer_than_its_price() -> None:
    engines = Counting(Made(id="1", output="hero.png", cost=5.0))
    purse = Purse(engines, 0.1)
    ask(purse)
    engines.answer = None
    ask(purse, "stock")
    with pytest.raises(Withheld) as caught:
        ask(purse)
    assert "there is $0.000 left" in caught.value.message
    assert engines.asked == 2


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_a_failure_that_may_be_billed_stays_spent(kind: ErrorKind) -> None:
    purse = Purse(Counting(kind), 1.0)
    with pytest.raises(EngineFailed):
        ask(purse)
    assert purse.taken == pytest.approx(0.0 if kind in UNBILLED else 0.1)


def test_a_refused_picture_and_a_lost_answer_may_be_billed() -> None:
    assert not UNBILLED & {ErrorKind.REFUSED, ErrorKind.UNCERTAIN, ErrorKind.INTERNAL}
