"""Whole builds with gates: what is adopted, what stays, what is remembered, and who is asked for what."""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import rtoml
from game import Game
from PIL import Image

HERO = """
[assets.hero]
role = "sprite"
prompt = "knight"
seed = 7
size = [16, 16]
"""
OPAQUE = "the picture of `hero` failed the gate `alpha`: it has 0 clear pixels, not one or more"
LIES = "\nit lies at `.artlock/rejected/hero.png`"


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


def locked(game: Game, name: str = "hero") -> dict[str, object]:
    path = game.folder / "assets.lock"
    table = rtoml.loads(path.read_text()).get("assets", {}) if path.exists() else {}
    return dict(table.get(name, {}))


def today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()


def test_a_picture_that_passes_is_adopted_and_the_lock_says_by_which_gates(game: Game) -> None:
    game.write(HERO + "gates = { flat = {}, size = [16, 16] }")
    assert game.build() == {"built": ["hero"]}
    assert len(str(locked(game)["gates"])) == 64
    lock = game.lock()
    assert game.build() == {"fresh": ["hero"]}
    assert game.lock() == lock
    assert game.made() == ["hero"]


def test_gates_are_no_part_of_the_recipe(game: Game) -> None:
    game.write(HERO)
    game.build()
    plain = locked(game)
    game.write(HERO + "gates = { flat = {} }")
    assert game.run("check", code=1).stdout.startswith("gates  hero: its gates changed")
    assert game.build() == {"restored": ["hero"]}
    gated = locked(game)
    assert gated.pop("gates")
    assert gated.pop("seal") != plain.pop("seal")
    assert gated == plain
    assert game.made() == ["hero"]
    assert game.run("check").returncode == 0


def test_without_its_gates_a_picture_stays_and_the_lock_forgets_them(game: Game) -> None:
    game.write(HERO + "gates = { flat = {} }")
    game.build()
    game.write(HERO)
    assert game.build() == {"fresh": ["hero"]}
    assert "gates" not in locked(game)
    assert game.made() == ["hero"]


def test_a_picture_that_fails_is_not_adopted_and_is_shown(game: Game) -> None:
    game.write(HERO + "gates = { alpha = {} }")
    found = game.build(code=1)
    assert found["failed"] == ["hero"]
    assert found["reasons"] == {"hero": OPAQUE + LIES}
    assert found["failures"]["hero"]["kind"] == "gate"
    assert found["failures"]["hero"]["hint"] == "change the asset or its `gates`"
    assert not (game.folder / "out" / "hero.png").exists()
    assert not locked(game)
    rejected = (game.folder / ".artlock" / "rejected" / "hero.png").read_bytes()
    with Image.open(io.BytesIO(rejected)) as picture:
        assert picture.size == (16, 16)


def test_what_failed_is_remembered_until_recipe_or_gates_change(game: Game) -> None:
    game.write(HERO + "gates = { alpha = {} }")
    days = {today()}
    game.build(code=1)
    assert game.made() == ["hero"]
    found = game.build(code=1)
    days.add(today())
    assert found["blocked"] == ["hero"]
    assert found["reasons"]["hero"] in {
        f"{OPAQUE} (on {day}); `artlock explain hero` tells more" for day in days
    }
    assert "`artlock explain hero` tells more" in game.run("status").stdout
    assert "tells more" not in game.run("explain", "hero").stdout
    assert game.build("--retry-refused", code=1)["failed"] == ["hero"]
    assert game.made() == []
    game.write(HERO.replace("knight", "queen") + "gates = { alpha = {} }")
    assert game.build(code=1)["failed"] == ["hero"]
    assert game.made() == ["hero"]
    game.write(HERO.replace("knight", "queen") + "gates = { alpha = [1, 1] }")
    assert game.build() == {"restored": ["hero"]}
    assert game.made() == []
    # It passed: what was rejected before is no longer there to mislead.
    assert not (game.folder / ".artlock" / "rejected" / "hero.png").exists()


def test_the_old_file_stays_where_a_new_gate_or_a_new_picture_fails(game: Game) -> None:
    game.write(HERO)
    game.build()
    old, lock = game.outputs(), game.lock()
    game.write(HERO + "gates = { alpha = {} }")
    assert game.build(code=1)["failed"] == ["hero"]
    game.write(HERO.replace("knight", "queen") + "gates = { alpha = {} }")
    assert game.build(code=1)["failed"] == ["hero"]
    assert game.outputs() == old
    assert game.lock() == lock
    rejected = game.folder / ".artlock" / "rejected" / "hero.png"
    assert rejected.exists()
    game.write(HERO)
    assert game.build() == {"fresh": ["hero"]}
    # It is fine now, though nothing judged it: what lies there would only mislead.
    assert not rejected.exists()


def test_several_gates_are_told_line_by_line(game: Game) -> None:
    game.write(HERO + 'gates = { alpha = {}, size = [8, 8], flat = {}, bytes = "1 kB" }')
    assert game.build(code=1)["reasons"]["hero"] == (
        "the picture of `hero` failed the gates `size`, `alpha`\n"
        "  `size`: it is 16 x 16 pixels, not 8 x 8\n"
        "  `alpha`: it has 0 clear pixels, not one or more" + LIES
    )
    # `explain` tells what was measured as long as it stands, and no place where nothing lies.
    told = game.run("explain", "hero").stdout
    found = (
        "    `size`: it is 16 x 16 pixels, not 8 x 8\n    `alpha`: it has 0 clear pixels, not one or more\n"
    )
    assert f"{found}    see `.artlock/rejected/hero.png`\n  because" in told
    (game.folder / ".artlock" / "rejected" / "hero.png").unlink()
    assert f"{found}  because" in game.run("explain", "hero").stdout


def test_an_engine_that_draws_another_picture_is_asked_again_only_on_request(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace('"bitwise"', '"none"'))
    game.write(HERO + "gates = { alpha = {} }")
    game.build(code=1)
    game.build(code=1)
    assert game.made() == ["hero"]
    assert game.build("--retry-refused", code=1)["failed"] == ["hero"]
    assert game.made() == ["hero"]
    assert game.build(code=1)["blocked"] == ["hero"]
    assert game.made() == []


def test_a_judgement_is_kept_by_what_was_judged(game: Game) -> None:
    game.write(HERO + "gates = { flat = {} }" + HERO.replace("hero", "twin") + "gates = { flat = {} }")
    game.build("hero")
    assert game.build() == {"fresh": ["hero"], "restored": ["twin"]}
    with closing(sqlite3.connect(game.folder / ".artlock" / "journal.db")) as journal:
        rows = journal.execute(
            "SELECT asset, engine, hit FROM action WHERE action = 'judge' ORDER BY id"
        ).fetchall()
    assert rows == [("hero", "gate", 0), ("twin", "gate", 1)]
    (game.folder / "out" / "hero.png").unlink()
    assert game.build() == {"fresh": ["twin"], "restored": ["hero"]}


def test_what_the_lock_says_passed_is_not_judged_again(game: Game, tmp_path: Path) -> None:
    game.write(HERO + "gates = { flat = {} }")
    game.build()
    lock = game.lock()
    (game.folder / "out" / "hero.png").unlink()
    game.cache = tmp_path / "another cache"
    assert game.build("--rebuild") == {"built": ["hero"]}
    assert game.lock() == lock
    with closing(sqlite3.connect(game.folder / ".artlock" / "journal.db")) as journal:
        judged = journal.execute("SELECT count(*) FROM action WHERE action = 'judge'").fetchone()
    assert judged == (1,)


def test_the_journal_tells_what_failed_a_gate(game: Game) -> None:
    game.write(HERO + "gates = { alpha = {} }")
    game.build(code=1)
    failures = json.loads(game.run("report", "--json").stdout)["failures"]
    assert [(item["asset"], item["error"], item["message"]) for item in failures] == [
        ("hero", "gate", OPAQUE + LIES)
    ]


def test_a_reference_is_made_first_and_a_new_one_judges_anew(game: Game) -> None:
    other = HERO.replace("hero", "zero")
    gate = 'gates = { distance = { reference = { asset = "zero" }, changed = 0.0 } }\n'
    game.write(HERO + gate + other)
    # They are one recipe, so that the one picture is the other's reference.
    assert game.build("hero") == {"built": ["zero"], "restored": ["hero"]}
    assert game.made() == ["zero"]
    game.write(HERO + gate + other.replace("knight", "queen"))
    found = game.build(code=1)
    assert (found["built"], found["failed"]) == (["zero"], ["hero"])
    assert "failed the gate `distance`: it differs in" in found["reasons"]["hero"]
    # The picture is the same; only what it is held against is another one.
    assert game.made() == ["zero"]


def test_a_reference_that_is_not_there_blocks(game: Game) -> None:
    game.write(HERO + 'gates = { palette = { file = "art/keep.gpl" } }')
    found = game.build(code=1)
    assert found["blocked"] == ["hero"]
    assert found["reasons"]["hero"] == "`gates.palette.file` names `art/keep.gpl`, which is not there"
    (game.folder / "art").mkdir()
    (game.folder / "art" / "keep.gpl").write_text("GIMP Palette\n0 0 0\n")
    assert game.build(code=1)["failed"] == ["hero"]


def test_what_a_gate_can_not_ask_fails_the_asset_and_is_not_remembered(game: Game) -> None:
    (game.folder / "keep.gpl").write_text("GIMP Palette\nred\n")
    game.write(HERO + 'gates = { palette = { file = "keep.gpl" } }')
    for _ in range(2):
        found = game.build(code=1)
        assert found["failed"] == ["hero"]
        assert "line 2 of the palette file is not a colour" in found["reasons"]["hero"]
    (game.folder / "keep.gpl").write_text("GIMP Palette\n0 0 0\n")
    assert "failed the gate `palette`" in game.build(code=1)["reasons"]["hero"]
    assert game.made() == ["hero"]


def test_a_derived_asset_is_judged_too(game: Game) -> None:
    game.write(
        HERO
        + '[assets.dark]\nfrom = "hero"\nfinish = [{ silhouette = {} }]\ngates = { palette = 1, flat = {} }\n'
    )
    found = game.build(code=1)
    assert (found["built"], found["failed"]) == (["hero"], ["dark"])
    assert "it has a deviation of 0 levels, less than 4" in found["reasons"]["dark"]


def test_what_is_made_from_a_rejected_picture_is_not_made(game: Game) -> None:
    game.write(
        HERO + 'gates = { alpha = {} }\n[assets.icon]\nfrom = "hero"\nfinish = [{ resize = [8, 8] }]\n'
    )
    found = game.build(code=1)
    assert found["failed"] == ["hero", "icon"]
    assert found["reasons"]["icon"] == "made from `hero`, which failed"
    found = game.build(code=1)
    assert found["blocked"] == ["hero", "icon"]


def test_a_trial_is_looked_at_not_judged(game: Game) -> None:
    game.write("[gates]\nalpha = {}\n" + HERO)
    done = game.run(
        "generate", "--engine", "noise", "--seed", "1", "--size", "16x16", "-o", "trial.png", "--json"
    )
    assert json.loads(done.stdout)
    assert (game.folder / "trial.png").exists()


def test_a_locked_build_adopts_no_picture_by_other_gates(game: Game) -> None:
    game.write(HERO)
    game.build()
    game.write(HERO + "gates = { flat = {} }")
    assert "hero: its gates changed" in game.run("build", "--locked", code=1).stderr


@pytest.mark.skipif(importlib.util.find_spec("rapidocr") is not None, reason="the extra is here")
def test_without_its_extra_lettering_blocks_and_says_how_to_get_it(game: Game) -> None:
    game.write(HERO + 'gates = { lettering = "GO" }')
    found = game.build(code=1)
    assert found["blocked"] == ["hero"]
    assert found["failures"]["hero"]["hint"] == "run `pip install 'artlock[ocr]'`"
    assert game.made() == []
