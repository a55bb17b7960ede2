"""Sweeps: a grid over seeds, parameters and engines, made and shown as a comparison is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from game import Game

from buildsys.cli.compare import seeds_named
from buildsys.cli.sweep import axis
from buildsys.comparison.axes import heads
from buildsys.comparison.model import Comparison, Entry, Subject
from buildsys.digest import Digest

HERO = """
[assets.hero]
role = "sprite"
prompt = "a knight"
seed = 7
size = [16, 16]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(HERO)
    return made


def swept(game: Game, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(game.run("sweep", *words, "--json").stdout)
    return found


def test_a_row_for_each_setting_and_a_column_for_each_seed(game: Game) -> None:
    found = swept(game, "hero", "--seeds", "1..2", "--set", "seconds=0,0.01", "--html")
    assert [(one["settings"], one["seed"]) for one in found["pictures"]] == [
        ({"seconds": 0}, 1),
        ({"seconds": 0}, 2),
        ({"seconds": 0.01}, 1),
        ({"seconds": 0.01}, 2),
    ]
    assert [Path(one["file"]).name for one in found["pictures"]] == [
        "noise-seconds=0-1.png",
        "noise-seconds=0-2.png",
        "noise-seconds=0.01-1.png",
        "noise-seconds=0.01-2.png",
    ]
    assert len(game.made()) == 4
    folder = game.folder / ".artlock" / "sweep" / "hero"
    assert (folder / "sheet.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "index.html").read_text()
    assert "Settings tried: hero" in page
    assert "noise · seconds 0.01 · 2" in page
    assert "--columns: 2" in page
    heads = re.findall('<div class="head ([a-z]+)">([^<]*)</div>', page)
    assert heads == [
        ("row", ""),
        ("column", "seed 1"),
        ("column", "seed 2"),
        ("row", "seconds 0"),
        ("row", "seconds 0.01"),
    ]
    # Nothing of the project changes, and what was made is not made again.
    assert not (game.folder / "assets.lock").exists()
    again = game.run("sweep", "hero", "--seeds", "1,2", "--set", "seconds=0,0.01").stdout
    assert again.splitlines()[1].split()[:6] == ["noise", "·", "seconds", "0", "1", "16x16"]
    assert game.made() == []


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("3,5,7", (3, 5, 7)),
        ("painted, pixel", ("painted", "pixel")),
        ("0.5,true,auto", (0.5, True, "auto")),
        ('"a, b",c', ("a, b", "c")),
        ("'a, b', \"\"", ("a, b", "")),
        ("[1, 2],[3]", ([1, 2], [3])),
        ('["a,b", "c"],[]', (["a,b", "c"], [])),
        ("{ x = 1, y = [2, 3] },{}", ({"x": 1, "y": [2, 3]}, {})),
        ("'tis,[so", ("'tis", "[so")),
        ("1,,2,", (1, 2)),
    ],
)
def test_a_comma_in_a_value_of_toml_parts_nothing(words: str, values: tuple[Any, ...]) -> None:
    assert axis(f"key={words}") == ("key", values)


def test_a_prompt_instead_of_an_asset(game: Game) -> None:
    words = ("--engine", "noise", "--prompt", "x", "--size", "16x16", "--set", "seconds=0,0.01,0.02")
    found = swept(game, *words)
    assert [one["seed"] for one in found["pictures"]] == [1, 1, 1]
    assert found["pictures"][0]["is_reference"] is True
    assert [one["is_reference"] for one in found["pictures"][1:]] == [False, False]
    assert [one["distance"]["likeness"] for one in found["pictures"][1:]] == ["identical-bytes"] * 2


COMPARISON = Comparison(subject=Subject(), reference="", entries=(), seeds=(1,), sheet=Digest("0" * 64))


def grid(columns: int, seeds: tuple[int, ...], *rows: tuple[str, dict[str, Any]]) -> Comparison:
    entries = tuple(Entry(engine=name, seed=None, settings=tried) for name, tried in rows for _ in seeds)
    return msgspec.structs.replace(COMPARISON, entries=entries, seeds=seeds, columns=columns)


@pytest.mark.parametrize(
    ("found", "above", "before"),
    [
        (grid(2, (1, 2), ("a", {})), ("seed 1", "seed 2"), ()),
        (grid(0, (1, 2), ("a", {}), ("b", {})), ("seed 1", "seed 2"), ("a", "b")),
        (grid(2, (1,), ("a", {}), ("b", {})), ("a", "b"), ()),
        (grid(2, (1,), ("a", {"x": 1}), ("a", {"x": "2"})), ("x 1", "x 2"), ()),
        (
            grid(
                2,
                (1,),
                *((name, {"x": x, "y": y}) for name in "ab" for x in ([1, 2], [3]) for y in (True, False)),
            ),
            ("y true", "y false"),
            ("a · x [1, 2]", "a · x [3]", "b · x [1, 2]", "b · x [3]"),
        ),
        (grid(0, (1,), ("a", {})), (), ()),
    ],
)
def test_heads_tell_what_a_column_and_a_row_have_in_common(
    found: Comparison, above: tuple[str, ...], before: tuple[str, ...]
) -> None:
    assert heads(found) == (above, before)


def test_seeds_as_a_range() -> None:
    assert seeds_named("1..4") == (1, 2, 3, 4)
    assert seeds_named("9, 1..2,2") == (9, 1, 2)
    assert len(seeds_named("1..99999999999")) < 2000


@pytest.mark.parametrize(
    ("words", "fact", "hint"),
    [
        ("hero --set secnds=1", "none of these engines has a parameter `secnds`", "did you mean `seconds`?"),
        ("hero --set seconds=", "`--set seconds=` names no values", "write it like `--set guidance=3,5,7`"),
        (
            "hero --set seconds=1 --set seconds=2",
            "`--set seconds` is given twice",
            "give all its values at once",
        ),
        ("hero --seeds 1..x", "`1..x` are not seeds", "write them like `--seeds 1,2,3`"),
        ("hero --seeds 1..30", "30 columns are more than a sheet holds", "give at most 24"),
        ("--prompt x", "there is no engine to sweep", "name one with `--engine`"),
        ("--engine noise", "there is nothing to compare", "name an asset, or give `--prompt TEXT`"),
    ],
)
def test_refuses(game: Game, words: str, fact: str, hint: str) -> None:
    done = game.run("sweep", *words.split(), code=2)
    assert done.stderr == f"error: {fact}\n\nhint: {hint}\n"
