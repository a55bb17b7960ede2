"""Drafts and finals: two profiles of one manifest, and nothing made twice on the way between them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from game import Game

from buildsys.lock.read import load
from buildsys.manifest.model import AssetName

ASSETS = """
    [engines.fast]
    adapter = "tools/noise.py"
    sandbox = false

    [engines.fine]
    adapter = "tools/noise.py"
    sandbox = false
    seconds = 0.01

    [roles.portrait]
    draft = "fast"
    final = "fine"

    [assets.knight]
    role = "portrait"
    prompt = "moon knight"
    seed = 12345
    size = [48, 48]

    [assets.badge]
    from = "knight"
    finish = [{ resize = [16, 16] }]

    [assets.gem]
    role = "sprite"
    prompt = "gem"
    seed = 7
    size = [32, 32]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    # Else both engines would draw the same noise, and a badge of the same bytes would not be made anew.
    adapter = made.folder / "tools" / "noise.py"
    adapter.write_text(
        adapter.read_text().replace('{request.prompt}"', "{request.prompt} {request.parameters['seconds']}\"")
    )
    made.write(ASSETS)
    return made


def test_switching_back_restores_and_asks_no_engine(game: Game) -> None:
    assert game.build("--profile", "draft") == {"built": ["knight", "badge", "gem"]}
    assert game.made() == ["gem", "knight"]
    drafts = game.outputs(), game.lock()
    assert load(game.folder / "assets.lock").records[AssetName("knight")].engine == "fast"

    assert game.build("--profile", "final") == {"built": ["knight", "badge"], "fresh": ["gem"]}
    assert game.made() == ["knight"]
    finals = game.outputs(), game.lock()
    assert finals[0]["knight.png"] != drafts[0]["knight.png"]
    assert finals[0]["badge.png"] != drafts[0]["badge.png"]

    for profile, then in (("draft", drafts), ("final", finals), ("draft", drafts)):
        plan = json.loads(game.run("plan", "--json", "--profile", profile).stdout)
        assert {item["name"]: (item["verdict"], item["cost"]) for item in plan} == {
            "knight": ("restore", 0.0),
            "badge": ("restore", 0.0),
            "gem": ("fresh", 0.0),
        }
        found = game.build("--profile", profile)
        assert {key: sorted(names) for key, names in found.items()} == {
            "restored": ["badge", "knight"],
            "fresh": ["gem"],
        }
        assert (game.outputs(), game.lock()) == then
        assert game.made() == []


def test_a_final_comes_back_without_its_file_too(game: Game) -> None:
    game.build("--profile", "final")
    finals = game.outputs()
    game.build("--profile", "draft")
    (game.folder / "out" / "knight.png").unlink()
    game.made()
    assert sorted(game.build("--profile", "final")["restored"]) == ["badge", "knight"]
    assert game.outputs() == finals
    assert game.made() == []


def test_check_fails_while_a_draft_is_still_locked(game: Game) -> None:
    game.build("--profile", "draft")
    game.run("check", "--profile", "draft")
    failed = game.run("check", "--profile", "final", code=1)
    assert failed.stdout.splitlines() == [
        "recipe  knight: made with `fast`, not `fine`; parameters.seconds: 0.0 → 0.01",
        "recipe  badge: made from `knight`, which is made first",
    ]
    assert failed.stderr == (
        "\n2 differences in 3 assets\n\n"
        "hint: run `artlock build --profile final`, and commit what it changes\n"
    )
    found = json.loads(game.run("check", "--json", "--profile", "final", code=10).stdout)
    assert found["agree"] is False
    assert found["differences"] == [
        {"name": "knight", "kind": "recipe", "code": 10, "engine": "fine", "locked": "fast"},
        {"name": "badge", "kind": "recipe", "code": 10, "engine": "finish", "locked": "finish"},
    ]

    # One draft among finals is enough.
    game.build("--profile", "final", "badge")
    game.build("--profile", "draft", "badge", "knight")
    game.build("--profile", "final", "gem")
    game.run("check", "--profile", "final", code=1)

    game.build("--profile", "final")
    assert game.run("check", "--profile", "final").stdout == (
        "3 assets checked: manifest, lock and files agree\n"
    )
    game.run("check", "--profile", "draft", code=1)


def test_an_edit_is_mended_in_the_profile_that_was_checked(game: Game) -> None:
    game.build("--profile", "final")
    (game.folder / "out" / "gem.png").write_bytes(b"mine")
    assert game.run("check", "--profile", "final", code=1).stderr.endswith(
        "\n\nhint: move `out/gem.png` to another place, and run `artlock build --profile final` "
        "to have it made anew\n"
    )
    shutil.copy(game.folder / "out" / "knight.png", game.folder / "out" / "gem.png")
    assert game.run("check", "--profile", "final", code=1).stderr.endswith(
        "\n\nhint: run `artlock adopt --profile final gem` to keep it, "
        "or `artlock build --profile final --force gem` to make it anew\n"
    )
