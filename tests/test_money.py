"""Money on the command line: what a build should cost, what engines ask, and which ones end."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from game import CARD, Game

HOSTED = """\
[engines.paid]
adapter = "tools/hosted.py"
price = {{ dated = "2026-11-22", pictures = [{{ seconds = 0.25, usd = 0.24 }}, {{ usd = 0.134 }}] }}
{paid}

[engines.fog]
adapter = "tools/hosted.py"

[assets.hero]
engine = "paid"
seed = 1
size = [64, 64]

[assets.poster]
engine = "paid"
seed = 1
size = [64, 64]
parameters = {{ seconds = 0.25 }}

[assets.cloud]
engine = "fog"
seed = 2
size = [64, 64]

[assets.icon]
role = "sprite"
seed = 1
size = [64, 64]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    card = CARD.replace('name = "noise"', 'name = "hosted"\nroles = ["poster"]\nnetwork = true')
    (made.folder / "tools" / "hosted.toml").write_text(card)
    (made.folder / "tools" / "hosted.py").write_text((made.folder / "tools" / "noise.py").read_text())
    made.write(HOSTED.format(paid="sandbox = false"))
    return made


def test_the_plan_tells_what_it_should_cost(game: Game) -> None:
    assert game.run("plan").stdout.split("4 to build\n")[1] == (
        "\ncost:\n"
        "  fog     1 picture   unknown\n"
        "  paid    2 pictures  $0.374\n"
        "  in all  3 pictures  $0.374 and 1 unknown\n"
    )
    assert game.run("plan", "hero").stdout.endswith("\n1 to build\n\ncost:\n  paid  1 picture  $0.134\n")
    assert game.run("plan", "icon").stdout.endswith("\n1 to build\n")


def test_the_plan_for_a_program_is_a_list_with_costs(game: Game) -> None:
    found = json.loads(game.run("plan", "--json").stdout)
    assert {item["name"]: item["cost"] for item in found} == {
        "hero": 0.134,
        "poster": 0.24,
        "cloud": None,
        "icon": 0.0,
    }
    explained = json.loads(game.run("explain", "--json", "hero").stdout)
    assert [item["cost"] for item in explained] == [0.134]


def test_what_is_made_or_only_finished_anew_costs_nothing(game: Game) -> None:
    game.build("hero")
    game.made()
    text = HOSTED.format(paid="sandbox = false")
    game.write(text.replace("[assets.poster]", "finish = [{ resize = [32, 32] }]\n\n[assets.poster]", 1))
    (found,) = json.loads(game.run("plan", "--json", "hero").stdout)
    assert (found["verdict"], found["cost"]) == ("build", 0.0)
    (again,) = json.loads(game.run("build", "--dry-run", "--json", "--rebuild", "hero").stdout)
    assert (again["verdict"], again["cost"]) == ("build", 0.134)
    game.build("hero")
    assert game.made() == []
    (fresh,) = json.loads(game.run("plan", "--json", "hero").stdout)
    assert (fresh["verdict"], fresh["cost"]) == ("fresh", 0.0)


def test_engines_tell_their_prices(game: Game) -> None:
    game.write(HOSTED.format(paid="retired = 2099-01-31"))
    lines = [" ".join(line.split()) for line in game.run("engines").stdout.splitlines()]
    assert lines[0] == "ENGINE ADAPTER DETERMINISM PRICE RETIRES ROLES STATE"
    assert "paid tools/hosted.py bitwise $0.134 to $0.24 (2026-11-22) 2099-01-31 poster ready" in lines
    assert "fog tools/hosted.py bitwise unknown poster ready" in lines
    assert "noise tools/noise.py bitwise free sprite ready" in lines
    found = {item["name"]: item for item in json.loads(game.run("engines", "--json").stdout)}
    assert found["paid"]["price"] == {
        "low": 0.134,
        "high": 0.24,
        "dated": "2026-11-22",
        "pictures": [{"usd": 0.24, "parameters": {"seconds": 0.25}}, {"usd": 0.134, "parameters": {}}],
        "tokens": {},
    }
    assert found["paid"]["retires"] == "2099-01-31"
    assert found["fog"]["price"] is None
    assert found["noise"]["price"] == {"low": 0.0, "high": 0.0}
    whole = [" ".join(line.split()) for line in game.run("engines", "fog").stdout.splitlines()]
    assert "price unknown" in whole


def test_engines_by_role_are_ranked(game: Game) -> None:
    (game.folder / "tools" / "locked.toml").write_text(
        CARD.replace('name = "noise"', 'name = "locked"\nroles = ["poster"]\nkeys = ["LOCKED_KEY"]')
    )
    (game.folder / "tools" / "locked.py").write_text("")
    text = HOSTED.format(paid='[engines.aaa]\nadapter = "tools/locked.py"')
    game.write(text.replace("[engines.paid]", '[roles.poster]\nfinal = "fog"\n\n[engines.paid]', 1))
    lines = [" ".join(line.split()) for line in game.run("engines", "--role", "poster").stdout.splitlines()]
    assert lines[:4] == [
        "ENGINE FOR CAN DETERMINISM PRICE RETIRES STATE",
        "fog final seed bitwise unknown ready",
        "paid suits it seed bitwise $0.134 to $0.24 (2026-11-22) ready",
        "aaa suits it seed bitwise free engine `aaa` needs the key `LOCKED_KEY`",
    ]
    found = json.loads(game.run("engines", "--json", "--role", "poster").stdout)
    assert [(item["name"], item["ready"]) for item in found[:3]] == [
        ("fog", True),
        ("paid", True),
        ("aaa", False),
    ]
    keys = {"name", "adapter", "roles", "ready", "missing", "price", "determinism", "retires"}
    assert all(keys <= item.keys() for item in found)
    assert game.run("engines", "--role", "postr", code=2).stderr == (
        "error: no engine knows a role `postr`\n\nhint: did you mean `poster`?\n"
    )
    assert game.run("engines", "fog", "--role", "poster", code=2).stderr == (
        "error: `--role` ranks every engine that suits it\n\nhint: leave the names away\n"
    )


def test_the_status_warns_of_an_engine_that_ends(game: Game) -> None:
    today = dt.datetime.now(tz=dt.UTC).date()
    end = today + dt.timedelta(days=30)
    game.write(HOSTED.format(paid=f'retired = {end}\nsuccessor = "noise"'))
    found = json.loads(game.run("status", "--json").stdout)["retirements"]
    assert [(item["engine"], item["retires"], item["assets"], item["way"]) for item in found] == [
        ("paid", end.isoformat(), ["hero", "poster"], "noise")
    ]
    # A clock that passes midnight between the two lines above and the command is forgiven one day.
    assert found[0]["days"] in (29, 30)
    assert found[0]["cost"] == 0.0
    assert game.run("status").stdout.endswith(
        ': 2 assets (hero, poster)\n\nhint: give them `engine = "noise"`; new pictures of all: free\n'
    )


def test_a_budget_blocks_the_spend_that_would_pass_it(game: Game) -> None:
    text = HOSTED.format(paid="sandbox = false").replace(
        "[engines.fog]\n", "[engines.fog]\nsandbox = false\n"
    )
    game.write(text + '\n[assets.small]\nfrom = "poster"\nfinish = [{ resize = [8, 8] }]\n')
    done = game.run("build", "--budget", "0.30", "--json", code=1)
    found = json.loads(done.stdout)
    # Which of the two paid ones goes first is a matter of order; together they would pass it.
    (made,) = {"hero", "poster"} & {*found["built"]}
    left = {"hero": "poster", "poster": "hero"}[made]
    assert {"icon"} <= {*found["built"]}
    assert found["failed"] == []
    usd, rest = {"hero": ("0.134", "0.060"), "poster": ("0.24", "0.166")}[left]
    reasons = {
        left: f"a picture of engine `paid` costs ${usd}, and of the budget of $0.30 there is ${rest} left",
        "cloud": "nobody knows what engine `fog` costs, so no budget can hold it",
    }
    if left == "poster":
        reasons["small"] = "made from `poster`, which is blocked"
    assert found["reasons"] == reasons
    assert sorted(found["blocked"]) == sorted(reasons)
    assert "\nhint: give a larger `--budget`\n" in done.stderr
    assert "\nhint: add `price` to `[engines.fog]`\n" in done.stderr
    assert game.made() == sorted([made, "icon"])
    again = game.build("--budget", "0.30", "icon", made)
    assert {key: sorted(names) for key, names in again.items()} == {"fresh": sorted([made, "icon"])}
    game.build("--budget", "0.30", code=1)
    assert game.made() == [left]
    game.build()
    assert game.made() == ["cloud"]
    spent = {
        item["engine"]: item["cost"] for item in json.loads(game.run("report", "--json").stdout)["engines"]
    }
    assert spent["paid"] == pytest.approx(0.374)


@pytest.mark.parametrize("budget", ["-1", "nan", "inf"])
def test_a_budget_is_a_sum_of_money(game: Game, budget: str) -> None:
    assert game.run("build", f"--budget={budget}", code=2).stderr == (
        f"error: `--budget {budget}` is no sum of money\n\nhint: give US dollars: `--budget 2.00`\n"
    )
