"""The truth table of verdicts: lock, file, store and engine to verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildsys import digest
from buildsys.digest import Digest
from buildsys.manifest.model import (
    Asset,
    AssetName,
    Card,
    Engine,
    FinishStep,
    Input,
    Manifest,
)
from buildsys.manifest.project import Project
from buildsys.plan import graph, recipe
from buildsys.plan.gates import Judgement
from buildsys.plan.judge import Judge, Wishes
from buildsys.plan.record import Parts, Picture, Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.stale import differences
from buildsys.plan.step import Reason, Step, Verdict, Why
from engines.protocol import Determinism

HERO, ICON, MEDAL = AssetName("hero"), AssetName("icon"), AssetName("medal")


def sha(text: str) -> Digest:
    return digest.of_bytes(text.encode())


def card(name: str) -> Card:
    return Card(name=name, version="1.0.0", summary="", determinism=Determinism.BITWISE)


def manifest(*assets: Asset) -> Manifest:
    engines = {name: Engine(name=name, card=card(name)) for name in ("stock", "finish")}
    return Manifest(
        project=Project(name="test"),
        profile="draft",
        profiles=("draft",),
        roles={},
        engines=engines,
        assets={asset.name: asset for asset in assets},
        elsewhere=(),
        files=("assets.toml",),
    )


def hero(prompt: str = "knight") -> Asset:
    return Asset(name=HERO, role="sprite", engine="stock", prompt=prompt, seed=7, size=(64, 64))


def derived(name: AssetName, source: AssetName) -> Asset:
    step = FinishStep(name="resize", version=1, parameters={"size": [16, 16]})
    return Asset(name=name, role="", engine="finish", inputs={"image": Input(asset=source)}, finish=(step,))


class FakeWorld:
    """A checkout in memory."""

    def __init__(self) -> None:
        self.files: dict[str, Digest] = {}
        self.stored: set[Digest] = set()
        self.pointers: set[str] = set()
        self.records: dict[Digest, Record] = {}
        self.obstacles: dict[str, Reason] = {}
        self.left: set[tuple[str, Digest]] = set()
        self.refusals: dict[Digest, Refusal] = {}
        self.judgements: dict[Digest, Judgement] = {}

    def file(self, path: str) -> Digest | None:
        return self.files.get(path)

    def pointer(self, path: str) -> bool:
        return path in self.pointers

    def restorable(self, digest: Digest, path: str) -> bool:
        assert path.startswith("out/")
        return digest in self.stored

    def known(self, key: Digest) -> Record | None:
        return self.records.get(key)

    def judged(self, key: Digest) -> Judgement | None:
        return self.judgements.get(key)

    def refused(self, key: Digest) -> Refusal | None:
        return self.refusals.get(key)

    def placed(self, path: str, found: Digest) -> bool:
        return (path, found) in self.left

    def blocked(self, engine: Engine) -> Reason | None:
        return self.obstacles.get(engine.name)

    def revision(self, engine: Engine) -> str:
        return engine.revision


def record(step_parts: Parts, name: AssetName = HERO, file: str = "picture") -> Record:
    return Record(
        name=name,
        recipe=recipe.digest_of(step_parts),
        parts=step_parts,
        engine="stock",
        output=f"out/{name}.png",
        picture=Picture(file=sha(file), pixels=sha(f"{file} pixels"), phash="0" * 16, width=64, height=64),
        raw=sha(f"{file} raw"),
    )


def parts(asset: Asset, inputs: Mapping[str, Digest] | None = None) -> Parts:
    game = manifest(asset)
    return recipe.parts_of(asset, game.engines[asset.engine], card("finish"), inputs or {}, "")


LOCKED: dict[str, Callable[[], Mapping[AssetName, Record]]] = {
    "no entry": dict[AssetName, Record],
    "same recipe": lambda: {HERO: record(parts(hero()))},
    "other recipe": lambda: {HERO: record(parts(hero("squire")))},
}
FILES = {"no file": None, "locked file": sha("picture"), "edited file": sha("painted over")}

TABLE = [
    # lock entry, file, bytes known, engine ready → verdict, first reason
    ("no entry", "no file", False, True, Verdict.BUILD, Why.NEW),
    ("no entry", "no file", True, True, Verdict.RESTORE, Why.NEW),
    ("no entry", "no file", False, False, Verdict.BLOCKED, Why.ENGINE),
    ("no entry", "no file", True, False, Verdict.RESTORE, Why.NEW),
    ("no entry", "edited file", False, True, Verdict.EDITED, Why.FOREIGN),
    ("no entry", "edited file", True, True, Verdict.EDITED, Why.FOREIGN),
    ("no entry", "edited file", False, False, Verdict.EDITED, Why.FOREIGN),
    # Killed between placing the file and writing the lock.
    ("no entry", "locked file", True, True, Verdict.RESTORE, Why.NEW),
    ("no entry", "locked file", True, False, Verdict.RESTORE, Why.NEW),
    ("no entry", "locked file", False, True, Verdict.EDITED, Why.FOREIGN),
    ("same recipe", "no file", False, True, Verdict.BUILD, Why.MISSING),
    ("same recipe", "no file", True, True, Verdict.RESTORE, Why.MISSING),
    ("same recipe", "no file", False, False, Verdict.BLOCKED, Why.ENGINE),
    ("same recipe", "no file", True, False, Verdict.RESTORE, Why.MISSING),
    ("same recipe", "locked file", False, True, Verdict.FRESH, None),
    ("same recipe", "locked file", True, True, Verdict.FRESH, None),
    ("same recipe", "locked file", False, False, Verdict.FRESH, None),
    ("same recipe", "edited file", False, True, Verdict.EDITED, Why.EDITED),
    ("same recipe", "edited file", True, True, Verdict.EDITED, Why.EDITED),
    ("same recipe", "edited file", False, False, Verdict.EDITED, Why.EDITED),
    ("other recipe", "no file", False, True, Verdict.BUILD, Why.PART),
    ("other recipe", "no file", True, True, Verdict.RESTORE, Why.PART),
    ("other recipe", "no file", False, False, Verdict.BLOCKED, Why.ENGINE),
    ("other recipe", "locked file", False, True, Verdict.BUILD, Why.PART),
    ("other recipe", "locked file", False, False, Verdict.BLOCKED, Why.ENGINE),
    ("other recipe", "edited file", False, True, Verdict.EDITED, Why.EDITED),
    ("other recipe", "edited file", False, False, Verdict.EDITED, Why.EDITED),
]


def judged(
    world: FakeWorld,
    records: Mapping[AssetName, Record],
    *assets: Asset,
    wishes: Wishes | None = None,
    placeholders: Mapping[AssetName, Digest] | None = None,
) -> Mapping[AssetName, Step]:
    return Judge(manifest(*assets), records, placeholders or {}, world, wishes or Wishes()).plan().steps


def world_of(file: str, *, known: bool, ready: bool) -> FakeWorld:
    world = FakeWorld()
    found = FILES[file]
    if found is not None:
        world.files["out/hero.png"] = found
    if known:
        world.stored.add(sha("picture"))
        world.records[recipe.digest_of(parts(hero()))] = record(parts(hero()))
    if not ready:
        world.obstacles["stock"] = Reason(why=Why.ENGINE, new="no key", hint="set it")
    return world


@pytest.mark.parametrize(("entry", "file", "known", "ready", "verdict", "why"), TABLE)
def test_verdict(entry: str, file: str, known: bool, ready: bool, verdict: Verdict, why: Why | None) -> None:
    step = judged(world_of(file, known=known, ready=ready), LOCKED[entry](), hero())[HERO]
    assert (step.verdict, step.reasons[0].why if step.reasons else None) == (verdict, why)


@pytest.mark.parametrize("entry", LOCKED)
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("ready", [True, False])
def test_only_fresh_has_no_reason(entry: str, file: str, known: bool, ready: bool) -> None:
    step = judged(world_of(file, known=known, ready=ready), LOCKED[entry](), hero())[HERO]
    assert (step.verdict is Verdict.FRESH) == (not step.reasons)


def test_force_overwrites_an_edit_and_rebuild_does_not() -> None:
    world = world_of("edited file", known=False, ready=True)
    records = LOCKED["same recipe"]()
    for wishes, verdict in [
        (Wishes(force=frozenset({HERO})), Verdict.BUILD),
        (Wishes(rebuild=frozenset({HERO})), Verdict.EDITED),
    ]:
        assert judged(world, records, hero(), wishes=wishes)[HERO].verdict is verdict


def test_rebuild_makes_what_is_fresh_and_what_is_known() -> None:
    world = world_of("locked file", known=True, ready=True)
    wishes = Wishes(rebuild=frozenset({HERO}))
    step = judged(world, LOCKED["same recipe"](), hero(), wishes=wishes)[HERO]
    assert (step.verdict, step.reasons) == (Verdict.BUILD, (Reason(why=Why.ASKED),))


def test_a_placeholder_is_not_an_edit() -> None:
    world = world_of("edited file", known=False, ready=True)
    step = judged(world, {}, hero(), placeholders={HERO: sha("painted over")})[HERO]
    assert step.verdict is Verdict.BUILD
    assert Why.PLACEHOLDER in {reason.why for reason in step.reasons}


@pytest.mark.parametrize("entry", LOCKED)
@pytest.mark.parametrize("known", [True, False])
def test_a_picture_that_a_killed_build_left_is_no_edit(entry: str, known: bool) -> None:
    """Not even where the lock has this very recipe with another picture: then it is not fresh either."""
    world = world_of("edited file", known=known, ready=True)
    world.left.add(("out/hero.png", sha("painted over")))
    step = judged(world, LOCKED[entry](), hero())[HERO]
    assert step.verdict is (Verdict.RESTORE if known else Verdict.BUILD)
    assert step.reasons[0].text() == "a picture of a build that was killed lies where it goes"


@pytest.mark.parametrize("left", [("out/hero.png", sha("picture")), ("out/icon.png", sha("painted over"))])
def test_an_edit_after_the_kill_and_a_copy_of_another_picture_are_edits(left: tuple[str, Digest]) -> None:
    world = world_of("edited file", known=False, ready=True)
    world.left.add(left)
    assert judged(world, LOCKED["other recipe"](), hero())[HERO].verdict is Verdict.EDITED


def test_nothing_is_made_from_what_a_killed_build_left_of_a_blocked_asset() -> None:
    world = world_of("edited file", known=False, ready=False)
    world.left.add(("out/hero.png", sha("painted over")))
    steps = judged(world, {}, hero(), derived(ICON, HERO))
    assert [step.verdict for step in steps.values()] == [Verdict.BLOCKED] * 2


def test_nothing_is_made_from_a_placeholder() -> None:
    world = world_of("edited file", known=False, ready=False)
    steps = (
        Judge(manifest(hero(), derived(ICON, HERO)), {}, {HERO: sha("painted over")}, world, Wishes())
        .plan()
        .steps
    )
    assert steps[ICON].verdict is Verdict.BLOCKED
    assert steps[ICON].reasons[0].text() == "made from `hero`, which is blocked"


def test_what_is_made_from_a_stale_asset_waits_and_is_cut_off_when_the_bytes_are_equal() -> None:
    world = world_of("no file", known=False, ready=True)
    world.files["out/icon.png"] = sha("small")
    icon = derived(ICON, HERO)
    records = {ICON: record(parts(icon, {"image": sha("picture")}), ICON, "small")}
    judge = Judge(manifest(hero(), icon), records, {}, world, Wishes())
    waiting = judge.plan().steps[ICON]
    assert (waiting.verdict, waiting.parts) == (Verdict.BUILD, None)
    assert waiting.reasons == (Reason(why=Why.UPSTREAM, field=HERO),)

    judge.settle(judge.steps[HERO], made=sha("picture"))
    assert judge.step(ICON).verdict is Verdict.FRESH
    judge.settle(judge.steps[HERO], made=sha("another"))
    assert judge.step(ICON).reasons[0].field == "inputs.image"


def test_an_edited_picture_is_what_others_are_made_from() -> None:
    world = world_of("edited file", known=False, ready=True)
    steps = judged(world, LOCKED["same recipe"](), hero(), derived(ICON, HERO))
    built = steps[ICON].parts
    assert built is not None
    assert built.inputs == {"image": sha("painted over")}


def test_what_is_made_from_a_blocked_asset_is_blocked_with_its_hint() -> None:
    world = world_of("no file", known=False, ready=False)
    steps = judged(world, {}, hero(), derived(ICON, HERO), derived(MEDAL, ICON))
    assert [step.verdict for step in steps.values()] == [Verdict.BLOCKED] * 3
    assert steps[MEDAL].reasons[0].hint == "set it"


def test_a_missing_input_blocks_with_its_path() -> None:
    lettering = msgspec.structs.replace(hero(), inputs={"font": Input(path="fonts/gone.ttf")})
    step = judged(FakeWorld(), {}, lettering)[HERO]
    assert step.verdict is Verdict.BLOCKED
    assert step.reasons[0].text() == "`font` names `fonts/gone.ttf`, which is not there"


def test_an_asset_that_left_the_manifest_is_an_orphan() -> None:
    plan = Judge(manifest(), {HERO: record(parts(hero()))}, {}, FakeWorld(), Wishes()).plan()
    assert plan.orphans == (HERO,)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PARTS = st.builds(
    Parts,
    adapter=st.sampled_from(["stock", "vector"]),
    adapter_version=st.just("1.0.0"),
    prompt=st.text(max_size=5),
    seed=st.none() | st.integers(0, 3),
    size=st.none() | st.tuples(st.integers(1, 2), st.integers(1, 2)),
    parameters=st.dictionaries(st.text(max_size=3), JSON, max_size=3),
    inputs=st.dictionaries(st.sampled_from(["a", "a.b", "finish.0.palette"]), st.just(sha("x")), max_size=2),
    finish=st.lists(
        st.builds(
            FinishStep,
            name=st.sampled_from(["trim", "resize"]),
            version=st.just(1),
            parameters=st.dictionaries(st.sampled_from(["size", "x.y"]), JSON, max_size=2),
        ),
        max_size=2,
    ).map(tuple),
)


@given(PARTS, PARTS)
def test_the_digest_differs_exactly_where_a_part_does(old: Parts, new: Parts) -> None:
    assert (recipe.digest_of(old) != recipe.digest_of(new)) == bool(differences(old, new))


@given(PARTS)
def test_a_recipe_survives_json(value: Parts) -> None:
    again = msgspec.json.decode(msgspec.json.encode(value), type=Parts)
    assert recipe.digest_of(again) == recipe.digest_of(value)


def test_reasons_read_well() -> None:
    before = parts(hero())
    after = msgspec.structs.replace(before, seed=8, prompt="moon knight", parameters={"style": "pixel"})
    assert [reason.text() for reason in differences(before, after)] == [
        "parameters.style: — → pixel",
        "prompt: knight → moon knight",
        "seed: 7 → 8",
    ]


def test_the_finish_does_not_enter_the_generate_action() -> None:
    before = parts(hero())
    crop = FinishStep(name="crop", version=1, parameters={"box": [0, 0, 8, 8]})
    after = msgspec.structs.replace(before, finish=(crop,))
    assert recipe.generate_key(before) == recipe.generate_key(after)
    assert recipe.finish_key(before, sha("raw")) != recipe.finish_key(after, sha("raw"))


def test_order_keeps_engines_together_and_sources_first() -> None:
    first = msgspec.structs.replace(hero(), name=AssetName("zebra"))
    logo = msgspec.structs.replace(hero(), name=AssetName("logo"), engine="vector")
    assets = {asset.name: asset for asset in (derived(ICON, first.name), logo, first, hero())}
    assert graph.order(assets) == ("zebra", "icon", "hero", "logo")
