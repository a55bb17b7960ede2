"""Which engine suits a role, and what to do about one that ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from buildsys.cli.retirement import retirement_json, retirement_told
from buildsys.errors import ManifestError
from buildsys.manifest.model import Engine, Manifest
from buildsys.manifest.read import parse
from buildsys.plan.pick import rank
from buildsys.plan.price import Bill
from buildsys.plan.radar import Ending, endings
from buildsys.plan.step import Reason, Why

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
TODAY = dt.date(2026, 11, 23)
GAME = """
[project]
name = "game"

[roles]
sky = { final = "old", draft = "cheap", beta = "dear", rc = "fog", gold = "stock" }
sea = "old"
sprite = "cheap"

[engines.old]
adapter = "cloud"
retired = 2026-12-01

[engines.fog]
adapter = "cloud"

[engines.dear]
adapter = "cloud"
price = 0.2

[engines.cheap]
adapter = "cloud"
price = 0.05
"""


def manifest(text: str = "", game: str = GAME, profile: str = "final") -> Manifest:
    return parse({"assets.toml": game + text}, profile, root=BUNDLE, bundled=BUNDLE)


def unready(*names: str) -> Callable[[Engine], Reason | None]:
    """A machine on which these engines can't run."""
    return lambda engine: Reason(why=Why.ENGINE, new="no key") if engine.name in names else None


def assets(role: str, *names: str) -> str:
    return "".join(f'[assets.{name}]\nrole = "{role}"\nprompt = "blue"\n' for name in names)


def only(made: Manifest, *missing: str, today: dt.date = TODAY) -> Ending:
    (found,) = endings(made, today, unready(*missing))
    return found


def names(made: Manifest, role: str, *missing: str) -> list[str]:
    return [item.engine.name for item in rank(made, role, unready(*missing))]


def test_engines_that_a_role_maps_to_come_before_those_that_suit_it() -> None:
    assert names(manifest(), "sprite") == ["cheap", "sprite", "stock"]
    assert names(manifest(), "sprite", "cheap") == ["cheap", "sprite", "stock"]
    found = rank(manifest(), "sprite", unready("cheap"))
    assert [(item.profiles, item.obstacle is None) for item in found] == [
        (("*",), False),
        ((), True),
        ((), True),
    ]


def test_among_the_mapped_the_ready_come_first_then_those_of_this_profile() -> None:
    assert names(manifest(), "sky") == ["old", "cheap", "dear", "fog", "stock"]
    assert names(manifest(profile="beta"), "sky", "cheap") == ["dear", "fog", "old", "stock", "cheap"]


def test_what_has_ended_comes_after_what_is_only_not_set_up() -> None:
    ended = Reason(why=Why.RETIRED, field="cheap", new="ended")
    lacking = Reason(why=Why.ENGINE, new="no key")
    found = rank(manifest(), "sky", lambda engine: ended if engine.name == "cheap" else lacking)
    assert [item.engine.name for item in found] == ["old", "dear", "fog", "stock", "cheap"]


def test_artlocks_own_engines_are_never_ranked() -> None:
    assert not {"finish", "placeholder"} & {*names(manifest(), "sprite")}


@pytest.mark.parametrize(
    ("role", "hint"),
    [("spirte", "did you mean `sprite`?"), ("xyzzy", "use one of `icon`, `sea`, `sky`, `sprite`")],
)
def test_a_role_that_nobody_knows(role: str, hint: str) -> None:
    with pytest.raises(ManifestError) as caught:
        rank(manifest(), role, unready())
    assert str(caught.value) == f"no engine knows a role `{role}`\n\nhint: {hint}"


@pytest.mark.parametrize(
    ("today", "days"), [("2026-09-02", 90), ("2026-11-23", 8), ("2026-12-01", 0), ("2027-01-01", -31)]
)
def test_an_end_is_told_ninety_days_ahead_and_ever_after(today: str, days: int) -> None:
    assert only(manifest(assets("sky", "a")), today=dt.date.fromisoformat(today)).days == days


def test_an_end_in_the_far_future_or_that_touches_no_asset_is_not_told() -> None:
    assert endings(manifest(assets("sky", "a")), dt.date(2026, 9, 1), unready()) == ()
    assert endings(manifest(), TODAY, unready()) == ()
    assert endings(manifest(assets("sky", "a"), profile="draft"), TODAY, unready()) == ()


def test_the_cheapest_ready_engine_for_the_role_is_the_way_on() -> None:
    made = manifest(assets("sky", "a", "b"))
    found = only(made)
    assert found == Ending(
        engine="old",
        retires="2026-12-01",
        days=8,
        role="sky",
        mapped=True,
        assets=found.assets,
        way="cheap",
        bill=Bill(engine="cheap", pictures=2, usd=0.1),
    )
    assert found.assets == ("a", "b")
    assert only(made, "cheap").way == "dear"
    assert only(made, "cheap", "dear").way == "fog"  # a price that nobody knows is the last resort
    assert only(made, "cheap", "dear", "fog").way == ""  # `stock` needs a size, which no asset has


def test_an_engine_that_ends_soon_itself_is_no_way_on() -> None:
    game = GAME.replace("price = 0.05", "price = 0.05\nretired = 2026-12-24")
    assert only(manifest(assets("sky", "a"), game)).way == "dear"


def test_the_successor_goes_first_even_where_it_is_dear_or_not_ready() -> None:
    game = GAME.replace("2026-12-01", '2026-12-01\nsuccessor = "dear"')
    found = only(manifest(assets("sky", "a"), game), "dear")
    assert (found.way, found.obstacle) == ("dear", Reason(why=Why.ENGINE, new="no key"))


def test_a_successor_that_ends_hands_on_to_its_own() -> None:
    game = GAME.replace("2026-12-01", '2026-12-01\nsuccessor = "fog"')
    game += 'retired = 2026-11-01\nsuccessor = "dear"\n'  # of `cheap`, the last table
    game = game.replace("[engines.fog]", '[engines.fog]\nretired = 2026-12-01\nsuccessor = "cheap"')
    assert only(manifest(assets("sky", "a"), game)).way == "dear"


def test_successors_in_a_circle_lead_nowhere() -> None:
    game = GAME.replace("2026-12-01", '2026-12-01\nsuccessor = "fog"')
    game = game.replace("[engines.fog]", '[engines.fog]\nretired = 2026-12-01\nsuccessor = "old"')
    assert only(manifest(assets("sky", "a"), game)).way == "cheap"


def test_roles_are_told_apart_and_so_are_assets_without_one() -> None:
    text = assets("sky", "a") + assets("sea", "b") + '[assets.c]\nengine = "old"\nprompt = "blue"\n'
    found = endings(manifest(text), TODAY, unready())
    assert [(item.role, item.mapped, item.assets, item.way) for item in found] == [
        ("", False, ("c",), ""),
        ("sea", True, ("b",), ""),
        ("sky", True, ("a",), "cheap"),
    ]


def test_an_asset_without_a_role_goes_to_an_engine_that_suits_the_same_roles() -> None:
    old = '[engines.worn]\nadapter = "stock"\nretired = 2026-12-01\n'
    text = '[assets.a]\nengine = "worn"\nprompt = "gem"\nseed = 1\nsize = [64, 64]\n'
    assert retirement_told(only(manifest(old + text))) == (
        "retires: engine `worn` ends on 2026-12-01, in 8 days: 1 asset (a)\n\n"
        'hint: give them `engine = "stock"`; new pictures of all: free'
    )


SKY = assets("sky", "a", "b")


@pytest.mark.parametrize(
    ("text", "missing", "today", "message"),
    [
        (
            SKY,
            (),
            TODAY,
            (
                "engine `old` ends on 2026-12-01, in 8 days: 2 assets (a, b)\n\n"
                "hint: map the role `sky` to `cheap`; new pictures of all: $0.100"
            ),
        ),
        (
            assets("sky", *"abcdefg"),
            ("cheap", "dear"),
            dt.date(2026, 12, 1),
            (
                "engine `old` ended on 2026-12-01: 7 assets (a, b, c, d, e and 2 more)\n\n"
                "hint: map the role `sky` to `fog`; new pictures of all: unknown"
            ),
        ),
        (
            assets("sea", "a"),
            (),
            dt.date(2026, 11, 30),
            (
                "engine `old` ends on 2026-12-01, in 1 day: 1 asset (a)\n\n"
                "hint: no ready engine takes them; `artlock engines --role sea` shows what is missing"
            ),
        ),
        (
            '[assets.a]\nengine = "old"\nprompt = "blue"\n',
            (),
            TODAY,
            (
                "engine `old` ends on 2026-12-01, in 8 days: 1 asset (a)\n\n"
                "hint: give them another `engine`; `artlock engines` lists all"
            ),
        ),
    ],
)
def test_the_warning(text: str, missing: tuple[str, ...], today: dt.date, message: str) -> None:
    assert retirement_told(only(manifest(text), *missing, today=today)) == f"retires: {message}"


def test_the_warning_of_an_asset_that_names_its_engine() -> None:
    game = GAME.replace("2026-12-01", '2026-12-01\nsuccessor = "dear"')
    text = '[assets.a]\nengine = "old"\nprompt = "blue"\n'
    assert retirement_told(only(manifest(text, game), "dear")) == (
        "retires: engine `old` ends on 2026-12-01, in 8 days: 1 asset (a)\n\n"
        'hint: give them `engine = "dear"`; new pictures of all: $0.200. Not ready yet: no key'
    )


def test_the_warning_for_a_program() -> None:
    assert retirement_json(only(manifest(SKY))) == {
        "engine": "old",
        "retires": "2026-12-01",
        "days": 8,
        "role": "sky",
        "assets": ["a", "b"],
        "way": "cheap",
        "missing": "",
        "cost": 0.1,
        "unknown": 0,
    }


def test_a_model_whose_end_the_adapter_knows_ends_by_itself() -> None:
    def retired(table: str) -> str:
        text = f'[project]\nname = "ends"\n[engines.mine]\nadapter = "gpt_image"\n{table}'
        return parse({"assets.toml": text}, root=Path()).engines["mine"].retired

    assert retired('model = "gpt-image-1-mini"') == "2026-12-01"
    assert retired('model = "gpt-image-1-mini"\nretired = 2027-06-01') == "2027-06-01"
    assert retired('model = "gpt-image-2"') == ""
