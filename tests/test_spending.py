"""What `generate` and `compare` should cost, did cost, and are kept from asking for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from game import CARD, Game

from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made
from buildsys.manifest.model import Engine
from buildsys.manifest.read import parse
from buildsys.plan.price import Bill
from buildsys.spending import Till
from engines.protocol import ErrorKind, Request

ENGINES = """\
[engines.paid]
adapter = "tools/hosted.py"
sandbox = false
price = 0.02

[engines.dear]
adapter = "tools/hosted.py"
sandbox = false
seconds = 0.01
price = 1.5

[engines.fog]
adapter = "tools/hosted.py"
sandbox = false
seconds = 0.02

[engines.strict]
adapter = "tools/hosted.py"
sandbox = false
fail = "the rules refused it"
price = 0.03
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    tools = made.folder / "tools"
    (tools / "hosted.toml").write_text(CARD.replace('name = "noise"', 'name = "hosted"\nnetwork = true'))
    code = (tools / "noise.py").read_text()
    (tools / "hosted.py").write_text(code.replace("ErrorKind.BAD_REQUEST", "ErrorKind.REFUSED"))
    made.write(ENGINES)
    return made


def generate(game: Game, engine: str, *words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """What it tells a program, and the lines about money that it tells a person."""
    words = ("--engine", engine, "--seed", "1", "--size", "8x8", *words)
    done = game.run("generate", "--json", *words, code=code)
    return json.loads(done.stdout), "\n".join(line for line in done.stderr.splitlines() if "cost" in line)


def compare(game: Game, engines: str, *words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    words = ("--prompt", "x", "--size", "8x8", "--engines", engines, *words)
    done = game.run("compare", "--json", *words, code=code)
    return json.loads(done.stdout), "\n".join(line for line in done.stderr.splitlines() if "cost" in line)


def bill(pictures: int, usd: float, unknown: int = 0) -> dict[str, Any]:
    return {"pictures": pictures, "usd": pytest.approx(usd), "unknown": unknown}


def test_generate_tells_its_cost_before_and_after(game: Game) -> None:
    words = ["--engine", "paid", "--seed", "1", "--size", "8x8", "-o"]
    said = game.run("generate", *words, "a.png").stderr
    before, after = said.index("expected cost: $0.020\n"), said.index(" s; cost: $0.020\n")
    assert before < said.index("engine paid is ready") < after
    again = game.run("generate", *words, "b.png").stderr
    assert "expected cost: free\n" in again
    assert again.endswith(" s; cost: free\n")


@pytest.mark.parametrize(
    ("engine", "expected", "cost", "told"),
    [
        ("paid", bill(1, 0.02), 0.02, "expected cost: $0.020"),
        ("fog", bill(1, 0, 1), None, "expected cost: 1 of unknown price"),
        ("noise", bill(0, 0), 0.0, "expected cost: free"),
    ],
)
def test_generate_tells_a_program(
    game: Game, engine: str, expected: dict[str, Any], cost: float | None, told: str
) -> None:
    found, said = generate(game, engine, "-o", "a.png")
    assert (found["expected"], found["cost"], found["from_store"], said) == (expected, cost, False, told)
    found, said = generate(game, engine, "-o", "b.png")
    assert (found["expected"], found["cost"], found["from_store"]) == (bill(0, 0), 0.0, True)
    assert said == "expected cost: free"
    assert len(game.made()) == 1


def test_generate_asks_for_nothing_that_passes_the_budget(game: Game) -> None:
    found, _ = generate(game, "paid", "--budget", "0.01", code=1)
    assert found == {
        "error": "a picture of engine `paid` costs $0.02, and of the budget of $0.01 there is $0.010 left",
        "hint": "give a larger `--budget`",
    }
    found, _ = generate(game, "fog", "--budget", "5", code=1)
    assert found == {
        "error": "nobody knows what engine `fog` costs, so no budget can hold it",
        "hint": "add `price` to `[engines.fog]`",
    }
    assert game.made() == []
    assert not list(game.folder.glob("*.png"))
    generate(game, "paid", "--budget", "0.02", "-o", "a.png")
    # What the store has, and what is free, no budget forbids.
    generate(game, "paid", "--budget", "0", "-o", "b.png")
    generate(game, "noise", "--budget", "0", "-o", "c.png")
    runs = json.loads(game.run("report", "--json").stdout)["runs"]
    assert [(run["blocked"], run["failed"], run["ending"]) for run in reversed(runs)] == [
        (1, 0, "failed"),
        (1, 0, "failed"),
        *[(0, 0, "done")] * 3,
    ]


@pytest.mark.parametrize("command", ["generate --engine paid", "compare --prompt x --engines paid"])
def test_a_budget_is_a_sum_of_money(game: Game, command: str) -> None:
    assert game.run(*command.split(), "--budget=-1", code=2).stderr == (
        "error: `--budget -1` is no sum of money\n\nhint: give US dollars: `--budget 2.00`\n"
    )
    assert game.made() == []


def test_compare_tells_its_cost_before_and_after(game: Game) -> None:
    found, said = compare(game, "paid,fog,noise", "--seeds", "1,2", "--html")
    assert said.splitlines() == [
        "expected cost: at least $0.040, and 2 of unknown price",
        "cost: at least $0.040, and 2 of unknown price",
    ]
    assert found["expected"] == found["cost"] == bill(4, 0.04, 2)
    assert [item["cost"] for item in found["pictures"]] == [0.02, 0.02, None, None, 0.0, 0.0]
    page = (game.folder / found["page"]).read_text()
    assert "<b>at least $0.040</b>spent, and 2 of unknown price</div>" in page

    found, said = compare(game, "paid,fog,noise", "--seeds", "1,2")
    assert said.splitlines() == ["expected cost: free", "cost: free"]
    assert found["expected"] == found["cost"] == bill(0, 0)
    # What a picture did cost when it was made.
    assert [item["cost"] for item in found["pictures"]] == [0.02, 0.02, None, None, 0.0, 0.0]


def test_compare_makes_what_the_budget_allows(game: Game) -> None:
    found, said = compare(game, "dear,paid,fog,noise", "--seeds", "1,2", "--budget", "0.04", code=1)
    assert said.splitlines() == [
        "expected cost: at least $3.04, and 2 of unknown price",
        "cost: $0.040",
    ]
    assert found["expected"] == bill(6, 3.04, 2)
    assert found["cost"] == bill(2, 0.04)
    assert len(game.made()) == 4
    first, second, *rest = found["pictures"]
    for item in (first, second):
        assert item["picture"] is None
        assert item["message"].startswith(
            "a picture of engine `dear` costs $1.5, and of the budget of $0.04 "
        )
        assert item["hint"] == "give a larger `--budget`"
    assert [item["engine"] for item in rest if item["picture"]] == ["paid", "paid", "noise", "noise"]
    fog = next(item for item in rest if item["engine"] == "fog")
    assert fog["message"] == "nobody knows what engine `fog` costs, so no budget can hold it"
    run = json.loads(game.run("report", "--json").stdout)["runs"][0]
    assert (run["built"], run["blocked"], run["failed"]) == (4, 4, 0)


def test_a_refused_picture_may_have_been_billed(game: Game) -> None:
    found, said = compare(game, "strict,paid", code=1)
    assert said.splitlines() == ["expected cost: $0.050", "cost: at least $0.020, and 1 of unknown price"]
    assert found["cost"] == bill(2, 0.02, 1)
    spends = json.loads(game.run("report", "--json").stdout)["spends"]
    assert spends["total"] == bill(2, 0.02, 1)
    assert {item["engine"]: (item["usd"], item["unknown"]) for item in spends["engines"]} == {
        "paid": (0.02, 0),
        "strict": (0.0, 1),
    }


BUNDLE = Path(__file__).parent / "test_manifest_bundle"
MANIFEST = """
[project]
name = "game"

[engines.paid]
adapter = "cloud"
price = 0.1

[engines.fog]
adapter = "cloud"
"""


class Answering:
    """Engines that answer, or fail as they are told."""

    def __init__(self, kind: ErrorKind | None) -> None:
        self.kind = kind

    def render(self, engine: Engine, request: Request) -> Made:
        if self.kind is not None:
            raise EngineFailed(f"`{engine.name}` failed", kind=self.kind)
        return Made(id=request.id, output=request.output)


@pytest.mark.parametrize(
    ("engine", "kind", "owed"),
    [
        ("paid", None, Bill(pictures=1, usd=0.1)),
        ("fog", None, Bill(pictures=1, unknown=1)),
        ("stock", None, Bill()),
        ("paid", ErrorKind.QUOTA, Bill()),
        ("paid", ErrorKind.TRANSIENT, Bill()),
        ("paid", ErrorKind.REFUSED, Bill(pictures=1, unknown=1)),
        ("fog", ErrorKind.UNCERTAIN, Bill(pictures=1, unknown=1)),
        ("stock", ErrorKind.INTERNAL, Bill()),
    ],
)
def test_the_till_counts_what_may_have_been_taken(engine: str, kind: ErrorKind | None, owed: Bill) -> None:
    engines = parse({"assets.toml": MANIFEST}, root=BUNDLE, bundled=BUNDLE).engines
    till = Till(Answering(kind))
    request = Request(id="1", asset="hero", output="hero.png")
    if kind is None:
        till.render(engines[engine], request)
    else:
        with pytest.raises(EngineFailed):
            till.render(engines[engine], request)
    assert till.bill == owed
