"""Stand-ins in the manifest and in the plan: who is asked, what stays, and what is said."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from test_plan import HERO, ICON, FakeWorld, card, derived, record, sha

from buildsys.digest import Digest
from buildsys.errors import ManifestError
from buildsys.lock.model import Lock
from buildsys.locked import changes
from buildsys.manifest.model import Asset, AssetName, Engine, Input, Manifest
from buildsys.manifest.project import Project
from buildsys.manifest.read import parse
from buildsys.plan import recipe
from buildsys.plan.judge import Judge, Wishes
from buildsys.plan.record import Parts, Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.standins import blocked_told
from buildsys.plan.step import Reason, Step, Verdict, Why

BUNDLE = Path(__file__).parent / "test_manifest_bundle"

MANY = """
[project]
name = "game"

[engines.one]
adapter = "cloud"
fallback = ["two", "stock"]

[engines.two]
adapter = "cloud"
fallback = ["three"]

[engines.three]
adapter = "cloud"
fallback = ["stock"]

[assets.hero]
engine = "one"
prompt = { cloud = "a knight", stock = "knight" }
size = { stock = [64, 64] }
seed = 7
parameters = { stock = { style = "pixel" } }
"""


def manifest_of(text: str) -> Manifest:
    return parse({"assets.toml": text}, root=BUNDLE, bundled=BUNDLE)


def test_an_asset_is_resolved_for_every_engine_of_its_fallback() -> None:
    asset = manifest_of(MANY).assets[AssetName("hero")]
    assert (asset.engine, [item.engine for item in asset.standins]) == ("one", ["two", "three", "stock"])
    assert all(item.standins == () and item.name == "hero" for item in asset.standins)
    stock = asset.standins[-1]
    assert (stock.prompt, stock.size, stock.seed) == ("knight", (64, 64), 7)
    assert stock.parameters == {"style": "pixel", "outline": 1.0}
    assert (asset.prompt, asset.size, asset.parameters) == ("a knight", None, {})


def test_one_that_could_not_make_it_is_told_before_it_is_needed() -> None:
    with pytest.raises(ManifestError) as caught:
        manifest_of(MANY.replace("stock = [64, 64]", "stock = [8, 8]"))
    assert str(caught.value) == (
        "assets.toml:20:8: engine `stock` can't make 8 × 8 pixels; `stock` is a fallback of `one`\n\n"  # noqa: RUF001 - the sign for "by"
        "hint: use sides from 16 to 1024, and `finish` for the rest; "
        "engines that could: `one`, `three`, `two`"
    )


def test_what_is_asked_for_on_the_command_line_has_no_stand_ins() -> None:
    text = '[assets.trial]\nengine = "one"\nprompt = "a knight"\n'
    made = parse({"assets.toml": MANY, "command line": text}, root=BUNDLE, bundled=BUNDLE)
    assert made.assets[AssetName("trial")].standins == ()


def test_a_stand_in_is_made_from_no_other_assets() -> None:
    text = MANY.replace('style = "pixel"', 'palette = { asset = "colours" }')
    text += '\n[assets.colours]\nengine = "stock"\nprompt = "gem"\nsize = [64, 64]\nseed = 1\n'
    with pytest.raises(ManifestError) as caught:
        manifest_of(text)
    assert str(caught.value) == (
        "assets.toml:22:14: engine `stock` makes `hero` from `colours`, and `one` does not; "
        "`stock` is a fallback of `one`\n\n"
        "hint: take `stock` out of the fallback"
    )


ENGINES = ("alpha", "beta", "gamma", "finish")


def game(*assets: Asset) -> Manifest:
    return Manifest(
        project=Project(name="test"),
        profile="draft",
        profiles=("draft",),
        roles={},
        engines={name: Engine(name=name, card=card(name)) for name in ENGINES},
        assets={asset.name: asset for asset in assets},
        elsewhere=(),
        files=("assets.toml",),
    )


def hero(engine: str = "alpha", *fallback: str, prompt: str = "knight") -> Asset:
    asset = Asset(name=HERO, role="sprite", engine=engine, prompt=prompt, seed=7, size=(64, 64))
    standins = tuple(msgspec.structs.replace(asset, engine=other) for other in fallback)
    return msgspec.structs.replace(asset, standins=standins)


def parts(engine: str, prompt: str = "knight") -> Parts:
    asset = hero(engine, prompt=prompt)
    return recipe.parts_of(asset, game(asset).engines[engine], card("finish"), {}, "")


def digest(engine: str, prompt: str = "knight") -> Digest:
    return recipe.digest_of(parts(engine, prompt))


def locked(engine: str, instead_of: str = "", prompt: str = "knight", file: str = "picture") -> Record:
    made = msgspec.structs.replace(record(parts(engine, prompt), file=file), engine=engine)
    if not instead_of:
        return made
    return msgspec.structs.replace(made, instead_of=instead_of, asked=digest(instead_of, prompt))


def refuse(world: FakeWorld, *engines: str) -> None:
    for engine in engines:
        told = Refusal(engine=engine, kind="refused", message="no", dated="2026-11-23")
        world.refusals[recipe.refusal_key(parts(engine))] = told


def retire(world: FakeWorld, engine: str) -> None:
    world.obstacles[engine] = Reason(why=Why.RETIRED, field=engine, new=f"engine `{engine}` has ended")


def judge(world: FakeWorld, *assets: Asset, record: Record | None = None, **wishes: object) -> Judge:
    records: Mapping[AssetName, Record] = {} if record is None else {record.name: record}
    return Judge(game(*assets), records, {}, world, msgspec.convert(wishes, Wishes))


def judged(world: FakeWorld, *assets: Asset, record: Record | None = None, **wishes: object) -> Step:
    return judge(world, *assets, record=record, **wishes).plan().steps[HERO]


def told(step: Step) -> list[str]:
    return [reason.text() for reason in step.reasons]


def test_without_a_fallback_a_refusal_blocks_until_it_is_retried_or_the_recipe_changes() -> None:
    world = FakeWorld()
    refuse(world, "alpha")
    step = judged(world, hero())
    assert (step.verdict, told(step)[0]) == (Verdict.BLOCKED, "`alpha` refused it on 2026-11-23: no")
    assert step.reasons[0].hint == "change its prompt, or run `artlock build --retry-refused`"
    assert judged(world, hero(), rebuild=["hero"]).verdict is Verdict.BLOCKED
    assert judged(world, hero(), retry_refused=True).verdict is Verdict.BUILD
    assert judged(world, hero(prompt="squire")).verdict is Verdict.BUILD


def test_a_refusal_takes_nothing_away_that_is_there() -> None:
    world = FakeWorld()
    refuse(world, "alpha")
    world.files["out/hero.png"] = sha("picture")
    assert judged(world, hero(), record=locked("alpha")).verdict is Verdict.FRESH
    world.files.clear()
    world.stored.add(sha("picture"))
    assert judged(world, hero(), record=locked("alpha")).verdict is Verdict.RESTORE


@pytest.mark.parametrize("turn", [refuse, retire])
def test_the_first_of_the_fallback_that_can_makes_it(turn: object) -> None:
    world = FakeWorld()
    (refuse if turn is refuse else retire)(world, "alpha")
    step = judged(world, hero("alpha", "beta", "gamma"))
    assert (step.verdict, step.asset.engine, step.instead_of) == (Verdict.BUILD, "beta", "alpha")
    assert (step.recipe, step.asked) == (digest("beta"), digest("alpha"))
    assert step.parts == parts("beta")
    assert step.reasons[0].why is Why.STANDIN
    assert told(step)[0].endswith("; `beta` makes it instead")
    world.obstacles["beta"] = Reason(why=Why.ENGINE, new="no key", hint="set it")
    step = judged(world, hero("alpha", "beta", "gamma"))
    assert (step.asset.engine, told(step)[0].split("; ")[1:]) == (
        "gamma",
        ["no key", "`gamma` makes it instead"],
    )
    refuse(world, "gamma")
    step = judged(world, hero("alpha", "beta", "gamma"))
    assert (step.verdict, step.asset.engine, step.instead_of) == (Verdict.BLOCKED, "alpha", "")
    assert blocked_told(step).splitlines()[1:] == ["no key", "`gamma` refused it on 2026-11-23: no"]


def test_what_is_not_set_up_here_blocks_it_although_there_is_a_fallback() -> None:
    world = FakeWorld()
    world.obstacles["alpha"] = Reason(why=Why.ENGINE, new="no key", hint="set it")
    step = judged(world, hero("alpha", "beta"))
    assert (step.verdict, told(step)) == (Verdict.BLOCKED, ["no key", "the lock does not know it"])


def test_a_stand_in_s_picture_is_brought_back_before_anything_is_made() -> None:
    world = FakeWorld()
    refuse(world, "alpha")
    world.records[digest("gamma")] = locked("gamma")
    world.stored.add(sha("picture"))
    step = judged(world, hero("alpha", "beta", "gamma"))
    assert (step.verdict, step.asset.engine) == (Verdict.BUILD, "beta")
    retire(world, "beta")
    retire(world, "gamma")
    step = judged(world, hero("alpha", "beta", "gamma"))
    assert (step.verdict, step.asset.engine, step.asked) == (Verdict.RESTORE, "gamma", digest("alpha"))
    assert judged(world, hero("alpha", "beta", "gamma"), rebuild=["hero"]).verdict is Verdict.BLOCKED


def test_an_engine_that_gave_up_in_this_build_is_asked_no_more_for_that_asset() -> None:
    world = FakeWorld()
    other = msgspec.structs.replace(hero("alpha", "beta"), name=AssetName("witch"))
    found = judge(world, hero("alpha", "beta"), other)
    found.plan()
    found.pass_over(HERO, "alpha", Reason(why=Why.GAVE_UP, field="alpha", new="too many\nof you"))
    step = found.step(HERO)
    assert (step.verdict, step.asset.engine) == (Verdict.BUILD, "beta")
    assert told(step)[0] == "`alpha` gave up on it: too many; `beta` makes it instead"
    assert found.step(other.name).asset.engine == "alpha"
    found.pass_over(HERO, "beta", Reason(why=Why.GAVE_UP, field="beta", new="no", hint="wait"))
    assert found.step(HERO).verdict is Verdict.BLOCKED


def test_what_a_stand_in_made_is_fresh_until_it_is_asked_for_anew() -> None:
    world = FakeWorld()
    world.files["out/hero.png"] = sha("picture")
    step = judged(world, hero("alpha", "beta"), record=locked("beta", "alpha"))
    assert (step.verdict, step.asset.engine, step.instead_of) == (Verdict.FRESH, "beta", "alpha")
    assert (step.recipe, step.asked) == (digest("beta"), digest("alpha"))
    step = judged(world, hero("alpha", "beta"), record=locked("beta", "alpha"), rebuild=["hero"])
    assert (step.verdict, step.asset.engine, told(step)) == (
        Verdict.BUILD,
        "alpha",
        ["asked for on the command line"],
    )
    world.files["out/hero.png"] = sha("painted over")
    step = judged(world, hero("alpha", "beta"), record=locked("beta", "alpha"))
    assert (step.verdict, step.asset.engine) == (Verdict.EDITED, "beta")


def test_it_is_brought_back_and_where_it_is_lost_the_engine_asked_for_comes_first() -> None:
    world = FakeWorld()
    world.stored.add(sha("picture"))
    step = judged(world, hero("alpha", "beta"), record=locked("beta", "alpha"))
    assert (step.verdict, step.asset.engine, told(step)) == (
        Verdict.RESTORE,
        "beta",
        ["its file is not there"],
    )
    world.stored.clear()
    step = judged(world, hero("alpha", "beta"), record=locked("beta", "alpha"))
    assert (step.verdict, step.asset.engine, step.instead_of) == (Verdict.BUILD, "alpha", "")


RECORDS = {
    "nothing": None,
    "alpha": locked("alpha"),
    "beta": locked("beta"),
    "beta for alpha": locked("beta", "alpha"),
    "beta for an old alpha": msgspec.structs.replace(
        locked("beta", "alpha"), asked=digest("alpha", "squire")
    ),
    "an old beta for alpha": msgspec.structs.replace(
        locked("beta", "alpha", prompt="squire"), asked=digest("alpha")
    ),
}
ASSETS = {"alpha": hero(), "alpha or beta": hero("alpha", "beta"), "beta": hero("beta")}
FRESH = {
    ("alpha", "alpha"),
    ("alpha", "alpha or beta"),
    ("beta", "beta"),
    ("beta for alpha", "alpha or beta"),
    ("beta for alpha", "beta"),
    ("beta for an old alpha", "beta"),
}


@pytest.mark.parametrize(("entry", "asked"), [*itertools.product(RECORDS, ASSETS)])
def test_fresh_is_what_was_asked_for_or_its_stand_in_and_stale_has_a_reason(entry: str, asked: str) -> None:
    world = FakeWorld()
    world.files["out/hero.png"] = sha("picture")
    kept = RECORDS[entry]
    if kept is None:
        world.files.clear()
    step = judged(world, ASSETS[asked], record=kept)
    assert (step.verdict is Verdict.FRESH) == ((entry, asked) in FRESH) == (not step.reasons)


def test_what_changed_for_the_stand_in_is_what_is_told() -> None:
    world = FakeWorld()
    world.files["out/hero.png"] = sha("picture")
    step = judged(world, hero("alpha", "beta"), record=RECORDS["an old beta for alpha"])
    assert told(step) == ["prompt: squire → knight"]
    step = judged(world, hero("alpha", "beta"), record=RECORDS["beta for an old alpha"])
    assert told(step) == ["adapter: beta → alpha"]


def test_a_lock_that_may_not_change_knows_who_was_asked() -> None:
    world = FakeWorld()
    refuse(world, "alpha")
    world.stored.add(sha("picture"))
    record = RECORDS["beta for an old alpha"]
    assert record is not None
    made = judge(world, hero("alpha", "beta"), record=record).plan()
    step = made.steps[HERO]
    assert (step.verdict, step.recipe) == (Verdict.RESTORE, digest("beta"))
    assert changes(made, Lock(records={HERO: record}), everything=True) == (f"hero: {told(step)[0]}",)
    record = locked("beta", "alpha")
    made = judge(world, hero("alpha", "beta"), record=record).plan()
    assert changes(made, Lock(records={HERO: record}), everything=True) == ()


def test_a_stand_in_without_its_input_is_left_out_and_said() -> None:
    asset = hero("alpha", "beta")
    lacking = msgspec.structs.replace(asset.standins[0], inputs={"palette": Input(path="gone.gpl")})
    asset = msgspec.structs.replace(asset, standins=(lacking,))
    world = FakeWorld()
    assert judged(world, asset).asset.engine == "alpha"
    refuse(world, "alpha")
    step = judged(world, asset)
    assert step.verdict is Verdict.BLOCKED
    assert blocked_told(step).splitlines()[1] == "`palette` names `gone.gpl`, which is not there"


def test_what_is_made_from_a_stand_in_s_picture_is_made_from_its_bytes() -> None:
    world = FakeWorld()
    world.files["out/hero.png"] = sha("picture")
    plan = judge(world, hero("alpha", "beta"), derived(ICON, HERO), record=locked("beta", "alpha")).plan()
    built = plan.steps[ICON].parts
    assert built is not None
    assert built.inputs == {"image": sha("picture")}
