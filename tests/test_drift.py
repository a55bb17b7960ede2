"""Drift of environments: told by `status`, mended by `build --refresh-environment`, stale for nobody."""

from __future__ import annotations

import importlib
import json
import shutil
import tomllib
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from game import Game

from buildsys.cli.status import drift_told
from buildsys.drift import Change, Drift, drifted
from buildsys.lock.read import load
from buildsys.lock.write import save
from buildsys.manifest.cards import BUNDLED
from buildsys.manifest.model import AssetName
from buildsys.session import Session
from engines.protocol import Open

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]

    [assets.other]
    role = "sprite"
    prompt = "y"
    seed = 4
    size = [16, 16]

    [assets.small]
    from = "hero"
    finish = [{ resize = [20, 12] }]
"""
HERE = metadata.version("pillow")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Game:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "cache"))
    for part in ("game", "cache"):
        shutil.copytree(made.folder.parent / part, tmp_path / part)
    copied = Game.lying(tmp_path / "game", tmp_path / "cache", made.count)
    copied.made()
    return copied


def made_with(game: Game, name: str, **packages: str) -> None:
    """Have the lock say that `name` was made with these versions."""
    path = game.folder / "assets.lock"
    lock = load(path)
    record = lock.records[AssetName(name)]
    environment = {**record.environment, **packages}
    save(path, lock.updated([msgspec.structs.replace(record, environment=environment)]))


def environment(game: Game, name: str) -> dict[str, str]:
    return dict(load(game.folder / "assets.lock").records[AssetName(name)].environment)


def test_what_differs(game: Game) -> None:
    assert drifted(Session.open(game.folder)) == ()
    # What no card calls a package is not looked at: nobody knows it without starting the engine.
    made_with(game, "hero", pillow="11.0.0", noise="0")
    session = Session.open(game.folder)
    change = Change(package="pillow", then="11.0.0", now=HERE)
    assert drifted(session) == (Drift(name=AssetName("hero"), changes=(change,)),)
    assert drifted(session, [AssetName("other")]) == ()
    assert {step.verdict for step in session.plan().steps.values()} == {"fresh"}


def test_a_build_s_tag_that_only_one_side_tells_is_no_drift(game: Game) -> None:
    made_with(game, "hero", pillow=f"{HERE}+cu130")
    assert drifted(Session.open(game.folder)) == ()


def test_another_interpreter_s_packages_are_read_and_it_is_not_run(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    text = card.read_text().replace("parallel", 'packages = { noise = "noise", python = "python" }\nparallel')
    card.write_text(text)
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("sandbox =", 'python = "own/bin/python"\nsandbox ='))
    made_with(game, "hero", noise="1", python="3.12")
    # Neither is there.
    assert drifted(Session.open(game.folder)) == ()
    packages = game.folder / "own" / "lib" / "python3.13" / "site-packages"
    (packages / "noise-2.0.dist-info").mkdir(parents=True)
    (packages / "noise-2.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: noise\nVersion: 2.0\n"
    )
    (game.folder / "own" / "pyvenv.cfg").write_text("home = /nowhere\n")
    (hero,) = drifted(Session.open(game.folder), [AssetName("hero")])
    assert hero.changes == (
        Change(package="noise", then="1", now="2.0"),
        Change(package="python", then="3.12", now="3.13"),
    )


def test_status_tells(game: Game) -> None:
    made_with(game, "hero", pillow="11.0.0")
    found = json.loads(game.run("status", "--json").stdout)
    assert found["environments"] == [{"name": "hero", "changes": {"pillow": {"then": "11.0.0", "now": HERE}}}]
    told = game.run("status").stdout
    assert (
        "1 asset made with other versions, which makes none stale:\n"
        f"  pillow 11.0.0 then, {HERE} now: hero\n\n"
        "hint: `artlock build --refresh-environment` makes them again\n"
    ) in told


def test_many_are_counted() -> None:
    change = Change(package="pillow", then="11.0.0", now="12.0.0")
    many = [Drift(name=AssetName(name), changes=(change,)) for name in "abcde"]
    assert list(drift_told(many)) == ["  pillow 11.0.0 then, 12.0.0 now: a, b, c and 2 more"]


def test_refreshed_to_the_same_bytes(game: Game) -> None:
    true = environment(game, "hero")
    lock, pictures = game.lock(), game.outputs()
    made_with(game, "hero", pillow="11.0.0")
    made_with(game, "other", pillow="11.0.0")
    drifting = game.lock()
    # A rebuild that gives the same bytes keeps what the lock says.
    game.build("--rebuild", "hero")
    assert game.lock() == drifting
    game.made()
    found = game.build("--refresh-environment", "hero")
    assert (found["built"], found["fresh"]) == (["hero"], ["small"])
    assert [(item["name"], item["verdict"]) for item in found["refreshed"]] == [("hero", "identical-bytes")]
    assert game.made() == ["hero"]
    assert (environment(game, "hero"), environment(game, "other")["pillow"]) == (true, "11.0.0")
    assert game.build("--refresh-environment")["built"] == ["other"]
    assert (game.lock(), game.outputs()) == (lock, pictures)
    game.made()
    assert "built" not in game.build("--refresh-environment")
    assert game.made() == []


def test_refreshed_to_another_picture(game: Game) -> None:
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(
        adapter.read_text().replace("hashlib.shake_256(seed)", 'hashlib.shake_256(seed + b"!")')
    )
    made_with(game, "hero", pillow="11.0.0")
    # Nothing is stale by an upgrade.
    assert sorted(game.build()["fresh"]) == ["hero", "other", "small"]
    # The picture in its place may be the only one that there is.
    shutil.rmtree(game.cache)
    found = game.build("--refresh-environment")
    assert sorted(found["built"]) == ["hero", "small"]
    (moved,) = found["refreshed"]
    assert (moved["name"], moved["verdict"]) == ("hero", "same-recipe-different-picture")
    assert 0 < moved["distance"]["psnr"] < 20
    assert (moved["then"]["pillow"], moved["now"]["pillow"]) == ("11.0.0", HERE)
    assert environment(game, "hero")["pillow"] == HERE
    game.run("check")


def test_it_excludes_what_contradicts_it(game: Game) -> None:
    for other in ("--frozen", "--rebuild"):
        told = game.run("build", "--refresh-environment", other, code=2).stderr
        assert "exclude each other" in told
        assert f"`{other}`" in told


@pytest.mark.parametrize("adapter", ["finish", "pack", "sprite", "stock", "vector"])
def test_a_card_calls_packages_what_its_adapter_tells(adapter: str, tmp_path: Path) -> None:
    card = tomllib.loads((BUNDLED / adapter / "adapter.toml").read_text(encoding="utf-8"))
    opening = Open(
        protocol=1, adapter=adapter, engine=adapter, model="", revision="", settings={}, staging=str(tmp_path)
    )
    told = importlib.import_module(f"engines.{adapter}").load(opening).environment()
    packages = {name: metadata.version(distribution) for name, distribution in card["packages"].items()}
    # The finish adapter tells of libwebp besides, which is a part of Pillow; the sprite model of its weights.
    own = {"webp", "weights"}
    assert packages == {name: version for name, version in told.items() if name not in own}
