"""Candidates when a build ends early: whoever waits for them is told, and what did not begin never does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from pool_kit import SECONDS

from buildsys.make.candidates import Candidates
from buildsys.make.gatekeeper import Gatekeeper
from buildsys.make.made import Made
from buildsys.make.maker import Maker
from buildsys.make.pool import Stopped
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.model import AssetName, Engine
from buildsys.manifest.read import parse
from buildsys.plan.record import Parts, Record
from buildsys.plan.step import Step, Verdict
from buildsys.store.objects import Store
from engines.protocol import Request

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
MANIFEST = parse(
    {
        "assets.toml": '[project]\nname = "game"\n\n[assets.hero]\nengine = "stock"\nprompt = "knight"\n'
        'seed = 7\nsize = [64, 64]\ncandidates = 3\nchoose = "contrast"\n'
    },
    root=BUNDLE,
    bundled=BUNDLE,
)
HERO = Step(
    name=AssetName("hero"),
    asset=MANIFEST.assets[AssetName("hero")],
    verdict=Verdict.BUILD,
    reasons=(),
    output="out/hero.png",
    parts=Parts(adapter="stock", adapter_version="1.0.0", prompt="knight", seed=7),
)


class Ended:
    """A pool that was stopped."""

    def render(self, engine: Engine, request: Request) -> Made:  # noqa: ARG002 - a protocol
        raise Stopped("the build was stopped")


class Held(Maker):
    """Draws nothing, and is at each candidate until it may go on."""

    def __init__(self, *, root: Path, store: Store) -> None:
        super().__init__(
            root=root,
            manifest=MANIFEST,
            store=store,
            engines=Ended(),
            inputs=root / "inputs",
            locate=Path,
            from_git=lambda _: None,
        )
        self.begun: list[int] = []
        self.at_work = threading.Event()
        self.may_go_on = threading.Event()

    def draw(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        self.begun.append(step.candidate)
        self.at_work.set()
        self.may_go_on.wait(SECONDS)
        raise Stopped("the build was stopped")


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Held]:
    held = Held(root=tmp_path, store=Store(tmp_path / "store"))
    yield held
    held.may_go_on.set()


@pytest.fixture
def chooser(tmp_path: Path, maker: Held) -> Candidates:
    store = Store(tmp_path / "store")
    keeper = Gatekeeper(
        root=tmp_path,
        manifest=MANIFEST,
        store=store,
        engines=Ended(),
        inputs=tmp_path / "gates",
        locate=Path,
    )
    return Candidates(
        maker,
        keeper,
        root=tmp_path,
        store=store,
        measure=MANIFEST.engines[MEASURE],
        engines=Ended(),
        inputs=tmp_path / "candidates",
        threads=1,
    )


def beside(work: Callable[[], object]) -> Future[object]:
    """What `work` gives or raises, by a thread that a hang does not keep the tests from ending with."""
    future: Future[object] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is what the test looks at
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def test_who_waits_for_candidates_that_did_not_begin_is_told_of_the_end(
    chooser: Candidates, maker: Held
) -> None:
    asked = beside(lambda: chooser.make(HERO))
    assert maker.at_work.wait(SECONDS)
    chooser.close()  # one is under way, on the only thread; two wait for it
    maker.may_go_on.set()
    assert isinstance(asked.exception(SECONDS), Stopped)
    assert maker.begun == [1]


def test_after_the_end_none_begins_and_that_is_no_bug(chooser: Candidates, maker: Held) -> None:
    chooser.close()
    with pytest.raises(Stopped, match=r"^the build was stopped$"):
        chooser.make(HERO)
    assert maker.begun == []
