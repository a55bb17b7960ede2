"""Candidates: their seeds, the manifest's keys, the choice as the plan sees it, and what is measured."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildsys.digest import Digest, of_bytes
from buildsys.errors import ManifestError
from buildsys.lock.model import Lock
from buildsys.lock.read import parse as parse_lock
from buildsys.lock.write import dump
from buildsys.manifest.candidates import METRICS, MOST, measures, numbered, seeds
from buildsys.manifest.kinds import BIGGEST_SEED
from buildsys.manifest.model import Asset, AssetName, Card
from buildsys.manifest.read import parse
from buildsys.plan import candidates, recipe
from buildsys.plan.candidates import Entrant, Score
from buildsys.plan.gates import Finding, Judgement, way_on
from buildsys.plan.record import Parts, Picture, Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.step import Step, Verdict, asset_of
from engines.measure.score import score
from engines.png import Pixels
from engines.protocol import Determinism

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
HEAD = '[project]\nname = "game"\n\n'
HERO = '[assets.hero]\nengine = "stock"\nprompt = "knight"\nseed = 7\nsize = [64, 64]\n'


def hero(more: str = "", text: str = HERO) -> Asset:
    return parse({"assets.toml": HEAD + text + more}, root=BUNDLE, bundled=BUNDLE).assets[AssetName("hero")]


def step_of(asset: Asset) -> Step:
    parts = Parts(adapter="stock", adapter_version="1.0.0", prompt=asset.prompt, seed=asset.seed)
    return Step(
        name=asset.name,
        asset=asset,
        verdict=Verdict.BUILD,
        reasons=(),
        output="out/hero.png",
        parts=parts,
        recipe=recipe.digest_of(parts),
    )


SEEDS = st.integers(min_value=0, max_value=BIGGEST_SEED)


@given(SEEDS, st.integers(min_value=1, max_value=MOST))
def test_seeds_begin_with_the_assets_differ_and_fit_every_engine(seed: int, count: int) -> None:
    found = seeds(seed, count)
    assert len(set(found)) == len(found) == count
    assert found[0] == seed
    assert all(1 <= derived < 2**31 for derived in found[1:])


@given(SEEDS, st.integers(min_value=1, max_value=MOST), st.integers(min_value=1, max_value=MOST))
def test_a_candidate_keeps_its_seed_whatever_their_number(seed: int, few: int, many: int) -> None:
    assert seeds(seed, min(few, many)) == seeds(seed, max(few, many))[: min(few, many)]


def test_seeds_are_what_they_always_were() -> None:
    assert seeds(7, 4) == (7, 696813426, 2005978133, 816002003)


def test_the_manifest_says_how_many_and_by_what() -> None:
    many = hero("candidates = 8\n")
    assert (many.candidates, many.choose, many.seed, many.among) == (8, METRICS[0], 7, None)
    assert hero('candidates = 3\nchoose = "first"\n').choose == "first"


def test_a_pick_is_the_asset_with_that_seed() -> None:
    picked = hero("candidates = 8\npick = 3\n")
    assert (picked.candidates, picked.seed) == (0, seeds(7, 3)[2])
    assert picked.among is not None
    assert picked.among.candidates == 8
    first = hero("candidates = 8\npick = 1\n")
    assert msgspec.structs.replace(first, among=None) == hero()


def test_without_seeds_candidates_are_told_apart_by_their_number() -> None:
    many = Asset(name=AssetName("hero"), role="", engine="gpt", candidates=3, choose="first")
    found = [numbered(many, number) for number in (1, 2, 3)]
    assert [one.candidate for one in found] == [None, 2, 3]
    parts = [recipe.leaves(Parts(adapter="a", adapter_version="1", candidate=one.candidate)) for one in found]
    assert [part.get("candidate") for part in parts] == [None, "2", "3"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("pick = 3\n", "asset `hero` has no candidates to pick"),
        ('choose = "contrast"\n', "asset `hero` has no candidates to choose"),
        ("candidates = 4\npick = 5\n", "`pick = 5` is none of the 4 candidates of `hero`"),
        ("candidates = 1\n", "`candidates` must be an integer from 2 to 64, not `1`"),
        (
            'candidates = 4\nchoose = "beauty"\n',
            (
                "`choose` must be `sharpness` or `contrast` or `colorfulness` or `coverage` "
                "or `likeness` or `seam` or `first`"
            ),
        ),
        (
            'candidates = 4\nchoose = "seam"\n',
            "`seam` is what the gate `seam` measures, and `hero` has no such gate\n\nhint: add `tile = true`",
        ),
        (
            'candidates = 4\nchoose = "likeness"\ntile = true\n',
            (
                "`likeness` is what the gate `distance` measures, and `hero` has no such gate\n\n"
                'hint: add `gates = { distance = "art/reference.png" }`'
            ),
        ),
    ],
)
def test_what_makes_no_sense_is_told(more: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        hero(more)
    assert message in str(caught.value)


def test_an_engine_that_can_only_repeat_itself_makes_no_candidates() -> None:
    text = '[assets.hero]\nengine = "vector"\ntext = "Hi"\nsize = [64, 64]\ncandidates = 4\n'
    text += 'parameters = { font = "bundled:fonts/cinzel-bold.ttf" }\n'
    with pytest.raises(ManifestError) as caught:
        hero(text=text)
    assert "without a seed, engine `vector` would make the candidates of `hero` all the same" in str(
        caught.value
    )


def test_the_choice_is_an_action_with_a_digest_of_its_own() -> None:
    asked = step_of(hero("candidates = 3\n"))
    chosen = candidates.selection(asked)
    assert chosen.recipe not in {None, asked.recipe}
    assert chosen.asked == chosen.recipe
    other = candidates.selection(step_of(hero('candidates = 3\nchoose = "contrast"\n')))
    more = candidates.selection(step_of(hero("candidates = 4\n")))
    assert len({chosen.recipe, other.recipe, more.recipe}) == 3
    plain = step_of(hero())
    assert candidates.selection(plain) is plain


def test_each_candidate_is_a_step_and_the_first_is_the_asset_itself() -> None:
    asked = candidates.selection(step_of(hero("candidates = 3\n")))
    found = candidates.each(asked)
    assert [one.label for one in found] == ["hero#1", "hero#2", "hero#3"]
    assert {asset_of(one.label) for one in found} == {"hero"}
    assert found[0].recipe == step_of(hero()).recipe
    assert {one.asked for one in found} == {asked.recipe}
    assert len({one.recipe for one in found}) == 3
    assert candidates.numbered(asked, 4) is asked
    picked = step_of(hero("candidates = 3\npick = 2\n"))
    assert picked.recipe == found[1].recipe


def test_one_refused_candidate_does_not_refuse_the_asset() -> None:
    asked = candidates.selection(step_of(hero("candidates = 3\n")))
    refusal = Refusal(engine="stock", kind="refused", message="no", dated="2026-01-01")
    keys = [recipe.refusal_key(one.parts) for one in candidates.each(asked) if one.parts]
    assert candidates.refusal(asked, dict.fromkeys(keys[:2], refusal).get) is None
    assert candidates.refusal(asked, dict.fromkeys(keys, refusal).get) is refusal


def record(name: str = "hero", *, candidate: int = 0, asked: Digest | None = None) -> Record:
    parts = Parts(adapter="stock", adapter_version="1.0.0", seed=7)
    picture = Picture(file=of_bytes(b"a"), pixels=of_bytes(b"b"), phash="0" * 16, width=1, height=1)
    return Record(
        name=AssetName(name),
        recipe=recipe.digest_of(parts),
        parts=parts,
        engine="stock",
        output=f"out/{name}.png",
        picture=picture,
        raw=of_bytes(b"c"),
        candidate=candidate,
        asked=asked,
    )


def entrant(number: int, contrast: float, *faults: str) -> Entrant:
    measured = Score(sharpness=0.0, contrast=contrast, colorfulness=0.0, coverage=1.0)
    return Entrant(number=number, seed=number, record=record(), score=measured, faults=faults)


def test_the_best_passes_and_ties_go_to_the_lower_number() -> None:
    found = [entrant(1, 3.0), entrant(2, 9.0, "too flat"), entrant(3, 5.0), entrant(4, 5.0)]
    best = candidates.best(found, "contrast")
    assert best is found[2]
    assert candidates.best(found, "first") is found[0]
    assert candidates.best([found[1]], "contrast") is None
    assert candidates.best([Entrant(number=1, seed=1, message="refused")], "first") is None


def test_the_lock_tells_which_one_won() -> None:
    made = record(candidate=3, asked=of_bytes(b"asked"))
    text = dump(Lock(records={made.name: made}))
    assert f'candidate = 3\nasked = "{of_bytes(b"asked")}"\n' in text
    assert parse_lock(text).records == {made.name: made}


def checks(side: int, first: int = 0, second: int = 255) -> Pixels:
    odd = np.indices((side, side)).sum(axis=0) % 2
    grey = np.where(odd == 1, second, first).astype(np.uint8)
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


def plain(*color: int, side: int = 16) -> Pixels:
    return np.full((side, side, 4), color, np.uint8)


def test_measures_of_known_pictures() -> None:
    flat = {"sharpness": 0.0, "contrast": 0.0, "colorfulness": 0.0}
    assert score(plain(90, 90, 90, 255)) == {**flat, "coverage": 1.0}
    assert score(plain(90, 90, 90, 0)) == {**flat, "coverage": 0.0}
    assert score(checks(16)) == {"sharpness": 255.0, "contrast": 127.5, "colorfulness": 0.0, "coverage": 1.0}
    assert score(checks(16, 100, 110))["sharpness"] == 10.0
    # One colour: no spread, and 0.3 of the distance from grey. R - G = 200, (R + G) / 2 - B = 100.
    assert score(plain(200, 0, 0, 255))["colorfulness"] == round(0.3 * (200**2 + 100**2) ** 0.5, 6)


def test_what_is_not_seen_counts_for_nothing() -> None:
    hidden = checks(16)
    hidden[:, 8:, 3] = 0
    hidden[:, 8:, :3] = 77
    assert score(hidden) == {**score(checks(16)[:, :8]), "coverage": 0.5}


def test_the_same_picture_larger_is_as_sharp() -> None:
    small = np.kron(checks(32, 40, 200), np.ones((16, 16, 1), np.uint8))
    large = np.kron(checks(32, 40, 200), np.ones((32, 32, 1), np.uint8))
    assert small.shape == (512, 512, 4)
    assert score(small) == score(large)


@pytest.mark.parametrize(
    ("seed", "count", "grade", "hint"),
    [
        (7, 4, Determinism.BITWISE, "ask for more than 4 `candidates`: each has a seed of its own"),
        (7, 64, Determinism.SEEDED, "change the asset or its `gates`"),
        (7, 0, Determinism.SEEDED, "change the asset or its `gates`"),
        (None, 4, Determinism.NONE, "run `artlock build --rebuild hero`, which draws anew"),
        (None, 0, Determinism.NONE, "run `artlock build --rebuild hero`, which draws anew"),
        (None, 0, Determinism.BITWISE, "change the asset or its `gates`"),
    ],
)
def test_what_fails_all_its_gates_is_told_what_helps(
    seed: int | None, count: int, grade: Determinism, hint: str
) -> None:
    asked = msgspec.structs.replace(hero(), seed=seed, candidates=count)
    card = Card(name="c", version="1.0.0", summary="", determinism=grade)
    assert way_on(step_of(asked), card) == hint


@pytest.mark.parametrize(
    ("gate", "measured", "metrics"),
    [
        ("seam", {"horizontal": 0.25, "vertical": 0.125}, {"seam": 0.75}),
        ("seam", {"vertical": 0.0}, {"seam": 1.0}),
        ("distance", {"hash_bits": 16}, {"likeness": 0.75}),
        ("distance", {"hash_bits": 16, "ssim": -0.5}, {"likeness": -0.5}),
        ("distance", {"changed": None}, {"likeness": 0.0}),
        ("distance", {"changed": 0.1, "psnr": 20.0}, {"likeness": 0.9}),
        ("distance", {"psnr": 20.0}, {"likeness": 0.9}),
        ("distance", {"psnr": None}, {"likeness": 1.0}),
        ("alpha", {"share": 0.5}, {}),
    ],
)
def test_what_a_gate_measured_is_a_metric(
    gate: str, measured: dict[str, float | None], metrics: dict[str, float]
) -> None:
    found = candidates.judged(Judgement(findings=(Finding(name=gate, passed=True, measured=measured),)))
    assert found == metrics
    for metric, value in metrics.items():
        one = Entrant(number=1, seed=1, record=record(), judged=found)
        assert candidates.measured(one, metric) == value
        less = msgspec.structs.replace(one, number=2, judged={metric: value - 0.01})
        assert candidates.best([less, one], metric) == one


def test_only_what_a_gate_of_the_asset_measures_is_shown() -> None:
    assert measures(hero()) == ("sharpness", "contrast", "colorfulness", "coverage")
    assert measures(hero("tile = true\n"))[-1] == "seam"
