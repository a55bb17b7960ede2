"""Whole builds with candidates: what is made, chosen, picked, refused, paid for, and left by a kill."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import rtoml
from game import Game
from moods import HERO, Studio

KNIGHT = """
[assets."portraits/knight"]
role = "sprite"
prompt = "a knight"
seed = 7
size = [16, 16]
candidates = 4
choose = "contrast"   # by eye it would be the third
"""
ICON = '\n[assets.icon]\nfrom = "portraits/knight"\nfinish = [{ resize = [8, 8] }]\n'
NAME = "portraits/knight"
ALL = [f"{NAME}#{number}" for number in (1, 2, 3, 4)]


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def locked(game: Game, name: str = NAME) -> dict[str, Any]:
    table: dict[str, Any] = rtoml.loads(game.lock().decode())["assets"][name]
    return table


def shown(game: Game, name: str = NAME) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(game.run("candidates", name, "--json").stdout)
    return table


def test_all_are_made_once_and_the_best_is_adopted(game: Game) -> None:
    game.write(KNIGHT + ICON)
    done = game.run("build", "--json")
    assert json.loads(done.stdout)["built"] == [NAME, "icon"]
    assert game.made() == ALL
    found = shown(game)
    scores = [one["score"]["contrast"] for one in found["candidates"]]
    best = 1 + scores.index(max(scores))
    assert found["adopted"] == locked(game)["candidate"] == best
    chosen = found["candidates"][best - 1]
    assert locked(game)["file"] == chosen["file"]
    assert locked(game)["recipe"]["seed"] == chosen["seed"]
    sheet = f".artlock/candidates/{NAME}.png"
    assert f"note: candidate {best} of 4 was chosen: see `{sheet}`" in done.stderr
    assert found["sheet"] == sheet
    assert (game.folder / sheet).read_bytes().startswith(b"\x89PNG")

    lock = game.lock()
    assert sorted(game.build()["fresh"]) == ["icon", NAME]
    game.run("check")
    assert game.build("--locked")["fresh"]
    assert game.lock() == lock
    (again,) = json.loads(game.run("reproduce", NAME, "--json").stdout)
    assert again["likeness"] == "identical-bytes"
    (game.folder / "out" / f"{NAME}.png").unlink()
    assert game.build()["restored"] == [NAME]
    assert game.lock() == lock


def test_another_metric_makes_nothing_new_and_a_pick_is_free(game: Game) -> None:
    game.write(KNIGHT)
    game.build()
    game.made()
    lock, won = game.lock(), locked(game)["candidate"]
    game.write(KNIGHT.replace('"contrast"', '"first"'))
    plan = game.run("plan").stdout
    assert f"build     {NAME}  its candidates changed, or how one of them is chosen" in plan
    game.run("check", code=1)
    assert game.build()["built"] == [NAME]
    assert locked(game)["candidate"] == 1
    game.write(KNIGHT)
    assert game.build()["restored"] == [NAME]
    assert game.lock() == lock

    other = won % 4 + 1
    done = game.run("pick", NAME, str(other))
    assert done.stdout == (
        f"picked candidate {other} of `{NAME}` in `assets.toml`\n\nhint: run `artlock build {NAME}`\n"
    )
    assert (
        (game.folder / "assets.toml")
        .read_text()
        .endswith(f'choose = "contrast"   # by eye it would be the third\npick = {other}\n')
    )
    assert game.build()["restored"] == [NAME]
    assert "candidate" not in locked(game)
    assert shown(game)["adopted"] == other
    game.run("pick", NAME, "--clear")
    assert game.build()["restored"] == [NAME]
    assert game.lock() == lock
    # The one that won: nothing is made, and only the lock says that nobody had to choose.
    game.run("pick", NAME, str(won))
    assert game.build()["fresh"] == [NAME]
    assert "asked" not in locked(game)
    assert game.made() == []


def test_the_nearest_to_a_reference_is_adopted(game: Game) -> None:
    game.write(KNIGHT)
    game.build()
    game.run("pick", NAME, "3")
    game.build()
    (game.folder / "like.png").write_bytes((game.folder / "out" / f"{NAME}.png").read_bytes())
    gates = 'gates = { distance = { reference = "like.png", hash_bits = 64 } }\n'
    game.write(KNIGHT.replace('"contrast"', '"likeness"') + gates)
    game.build()
    found = shown(game)
    scores = [one["score"]["likeness"] for one in found["candidates"]]
    assert (found["adopted"], scores[2]) == (3, 1.0)
    assert [score for score in scores if score < 1] == [scores[0], scores[1], scores[3]]
    assert game.run("candidates", NAME).stdout.split()[2:7] == [
        "SHARPNESS",
        "CONTRAST",
        "COLORFULNESS",
        "COVERAGE",
        "LIKENESS*",
    ]
    assert game.made() == ALL


def test_more_candidates_make_only_those_and_a_fresh_clone_only_the_winner(
    game: Game, tmp_path: Path
) -> None:
    game.write(KNIGHT.replace("candidates = 4", "candidates = 2"))
    game.build()
    assert game.made() == ALL[:2]
    game.write(KNIGHT)
    game.build()
    assert game.made() == ALL[2:]
    lock, outputs = game.lock(), game.outputs()
    game.cache = tmp_path / "empty"
    (game.folder / "out" / f"{NAME}.png").unlink()
    assert game.build("--locked")["built"] == [NAME]
    assert game.made() == [f"{NAME}#{locked(game)['candidate']}"]
    assert (game.lock(), game.outputs()) == (lock, outputs)
    assert game.build("--rebuild")["built"] == [NAME]
    assert game.made() == ALL
    assert (game.lock(), game.outputs()) == (lock, outputs)


def test_a_build_that_is_killed_makes_none_twice(game: Game) -> None:
    slow = KNIGHT + "parameters = { seconds = 0.4 }\n"
    game.write(slow)
    build = game.start("build", "-j", "1")
    until = time.monotonic() + 60
    while not (game.count.exists() and len(game.count.read_text().split()) >= 2):
        assert time.monotonic() < until
        time.sleep(0.02)
    build.kill()
    build.communicate()
    before = set(game.count.read_text().split())
    assert len(before) < 4
    game.build()
    made = game.made()
    # What was being drawn, or stored, when the kill came is drawn again.
    assert len(made) <= 4 + 2
    assert set(made) == set(ALL)
    assert game.build()["fresh"] == [NAME]
    assert game.made() == []


def test_one_that_is_refused_leaves_the_others(studio: Studio) -> None:
    hero = HERO + 'candidates = 3\nchoose = "first"\n'
    studio.engines(hero)
    studio.told(**{"alpha__hero#1": "refused"})
    done = studio.run("build", "--json")
    assert json.loads(done.stdout)["built"] == ["hero"]
    assert "note: candidate 2 of 3 was chosen, 1 out: see `.artlock/candidates/hero.png`" in done.stderr
    assert studio.asked() == ["alpha hero#1", "alpha hero#2"]
    messages = [one["message"] for one in shown(studio, "hero")["candidates"]]
    assert messages == ["alpha says refused", None, "not made"]
    assert studio.build()["fresh"] == ["hero"]
    # Nobody asks again for what was refused.
    studio.engines(hero.replace("first", "contrast"))
    assert studio.build()["built"] == ["hero"]
    assert studio.asked() == ["alpha hero#3"]


def test_the_fallback_makes_candidates_of_its_own_where_all_are_refused(studio: Studio) -> None:
    studio.engines(HERO + "candidates = 2\n", alpha='fallback = ["beta"]\n')
    studio.told(alpha="refused")
    assert studio.build()["standins"] == {"hero": {"engine": "beta", "instead_of": "alpha"}}
    assert studio.asked() == ["alpha hero#1", "alpha hero#2", "beta hero#1", "beta hero#2"]
    table = locked(studio, "hero")
    assert (table["engine"], table["instead_of"], table["candidate"]) == ("beta", "alpha", 1)
    lock = studio.lock()
    studio.told()
    assert studio.build()["fresh"] == ["hero"]
    studio.run("build", "--locked")
    assert (studio.lock(), studio.asked()) == (lock, [])


def test_what_may_pass_fails_the_asset_and_the_rest_is_kept(studio: Studio) -> None:
    studio.engines(HERO + "candidates = 3\n")
    studio.told(**{"alpha__hero#2": "transient"})
    found = studio.build(code=1)
    assert (found["failed"], found["reasons"]) == (["hero"], {"hero": "alpha says transient"})
    assert studio.asked() == ["alpha hero#1", "alpha hero#2", "alpha hero#3"]
    studio.told()
    assert studio.build()["built"] == ["hero"]
    assert studio.asked() == ["alpha hero#2"]


def test_a_budget_holds_for_all_of_them(studio: Studio) -> None:
    studio.engines(HERO + "candidates = 3\n", alpha="price = 0.02\n")
    (planned,) = json.loads(studio.run("plan", "--json").stdout)
    assert planned["cost"] == pytest.approx(0.06)
    assert "3 pictures" in studio.run("plan").stdout
    assert studio.build("--budget", "0.05", code=1)["blocked"] == ["hero"]
    assert len(studio.asked()) == 2
    # What was made is kept, and no longer costs anything.
    (planned,) = json.loads(studio.run("plan", "--json").stdout)
    assert planned["cost"] == pytest.approx(0.02)
    assert studio.build("--budget", "0.02")["built"] == ["hero"]
    assert len(studio.asked()) == 1
    (spent,) = json.loads(studio.run("report", "--json").stdout)["spends"]["assets"]
    assert (spent["asset"], spent["pictures"], spent["usd"]) == ("hero", 3, pytest.approx(0.06))


@pytest.mark.parametrize(
    ("words", "fact", "hint"),
    [
        ("pick hero 9", "9 is none of the 2 candidates of `hero`", "pick a number from 1 to 2"),
        ("pick hero 0", "0 is none of the 2 candidates of `hero`", "pick a number from 1 to 2"),
        ("pick hero", "no number is given", "run `artlock pick hero 3`, or `artlock pick hero --clear`"),
        (
            "pick hero 1 --clear",
            "`--clear` and 1 are both given",
            "run `artlock pick hero 3`, or `artlock pick hero --clear`",
        ),
        ("pick plain 1", "asset `plain` has no candidates", "give it `candidates = 8`"),
        ("candidates plain", "asset `plain` has no candidates", "give it `candidates = 8`"),
        (
            "pick gem/red 1",
            "asset `gem/red` comes from the matrix of `gem/{color}` and has no table of its own",
            'edit `[assets."gem/{color}"]` in `assets.toml` by hand',
        ),
    ],
)
def test_refuses(studio: Studio, words: str, fact: str, hint: str) -> None:
    gem = HERO.replace("assets.hero", 'assets."gem/{color}"') + 'matrix = { color = ["red"] }\n'
    studio.engines(HERO + "candidates = 2\n" + HERO.replace("hero", "plain") + gem + "candidates = 2\n")
    text = (studio.folder / "assets.toml").read_text()
    done = studio.run(*words.split(), code=2)
    assert done.stderr == f"error: {fact}\n\nhint: {hint}\n"
    assert (studio.folder / "assets.toml").read_text() == text


GATED = KNIGHT + 'gates = { distance = { reference = "like.png", hash_bits = 0 } }\n'


def test_gates_choose_among_them_and_none_is_remembered(game: Game) -> None:
    game.write(KNIGHT)
    game.build()
    files = [one["file"] for one in shown(game)["candidates"]]
    other = locked(game)["candidate"] % 4 + 1
    (game.folder / "like.png").write_bytes(
        (game.cache / "v1" / "objects" / files[other - 1][:2] / files[other - 1][2:]).read_bytes()
    )
    assert game.made() == ALL
    game.write(GATED)
    assert f"{NAME}  its gates changed" in game.run("plan").stdout
    assert game.build()["built"] == [NAME]
    assert locked(game)["candidate"] == other
    faults = [one["faults"] for one in shown(game)["candidates"]]
    assert [bool(found) for found in faults] == [number != other for number in (1, 2, 3, 4)]
    lock = game.lock()
    assert game.build("--locked")["fresh"] == [NAME]

    # Of another seed, none looks like it; and nobody asks again.
    (game.folder / "like.png").write_bytes((game.folder / "out" / f"{NAME}.png").read_bytes())
    game.write(GATED.replace("seed = 7", "seed = 8"))
    done = game.run("build", "--json", code=1)
    assert json.loads(done.stdout)["failed"] == [NAME]
    told = json.loads(done.stdout)["reasons"][NAME].splitlines()
    assert told[0] == f"none of the 4 candidates of `{NAME}` passed its gates"
    assert [line.split()[0] for line in told[1:5]] == ["1:", "2:", "3:", "4:"]
    assert told[5] == f"the sheet lies at `.artlock/candidates/{NAME}.png`"
    lines = [f"    {line.strip()}" for line in (*told[1:5], f"see `.artlock/candidates/{NAME}.png`")]
    assert "\n".join(lines) in game.run("explain", NAME).stdout
    assert len(game.made()) == 4
    hint = "\n\nhint: ask for more than 4 `candidates`: each has a seed of its own\n"
    assert hint in done.stderr
    assert game.build(code=1)["blocked"] == [NAME]
    assert hint in game.run("build", code=1).stderr
    assert game.made() == []
    game.write(GATED)
    game.build()
    assert (game.lock(), game.made()) == (lock, [])
