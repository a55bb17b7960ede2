"""The whole of it: the real command, real engines, a real git repository."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest
import rtoml
from game import Game
from PIL import Image

from buildsys import digest
from buildsys.checkout import Checkout
from buildsys.files import StatIndex
from buildsys.files.placed import Placed
from buildsys.lock.model import Lock
from buildsys.lock.read import load
from buildsys.lock.write import save
from buildsys.manifest.model import AssetName, Card, Engine
from buildsys.plan import recipe
from buildsys.store.objects import Store
from engines.protocol import Determinism

TWO = """
    [assets.hero]
    role = "sprite"
    seed = 1
    size = [32, 32]

    [assets."gems/{color}"]
    role = "sprite"
    prompt = "{color} gem"
    seed = 2
    size = [16, 16]
    matrix = { color = ["red", "green"] }

    [assets.icon]
    from = "hero"
    finish = [{ resize = [8, 8] }]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(TWO)
    return made


def slow(count: int, seconds: float) -> str:
    return "".join(
        f'[assets.a{number}]\nrole = "sprite"\nseed = {number}\nsize = [8, 8]\n'
        f"parameters = {{ seconds = {seconds} }}\n"
        for number in range(count)
    )


def test_a_build_makes_what_is_stale_and_nothing_else(game: Game) -> None:
    assert sorted(game.build()["built"]) == ["gems/green", "gems/red", "hero", "icon"]
    assert game.made() == ["gems/green", "gems/red", "hero"]
    lock = game.lock()

    assert sorted(game.build()["fresh"]) == ["gems/green", "gems/red", "hero", "icon"]
    assert (game.made(), game.lock()) == ([], lock)

    game.write(TWO.replace("seed = 1", "seed = 3"))
    assert game.build() == {"built": ["hero", "icon"], "fresh": ["gems/red", "gems/green"]}
    assert game.made() == ["hero"]


def test_names_choose_an_asset_and_what_it_is_made_from(game: Game) -> None:
    assert game.build("icon") == {"built": ["hero", "icon"]}


def test_a_new_finish_pays_for_no_new_picture(game: Game) -> None:
    game.build()
    game.made()
    game.write(TWO.replace("size = [32, 32]", "size = [32, 32]\nfinish = [{ resize = [24, 24] }]"))
    assert game.build()["built"] == ["hero", "icon"]
    assert game.made() == []


def test_deleted_outputs_come_back_from_the_store(game: Game) -> None:
    game.build()
    before, lock = game.outputs(), game.lock()
    game.made()
    shutil.rmtree(game.folder / "out")
    assert len(game.build()["restored"]) == 4
    assert (game.outputs(), game.lock(), game.made()) == (before, lock, [])


def test_deleted_outputs_come_back_from_git(game: Game) -> None:
    game.build()
    game.commit()
    before = game.outputs()
    game.made()
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    assert len(game.build()["restored"]) == 4
    assert (game.outputs(), game.made(), game.git("status", "--short")) == (before, [], "")


def test_a_lost_lock_is_written_again_from_the_store(game: Game) -> None:
    game.build()
    lock = game.lock()
    game.made()
    (game.folder / "assets.lock").unlink()
    assert len(game.build()["restored"]) == 4
    assert (game.lock(), game.made()) == (lock, [])


def test_a_rebuild_makes_the_same_bytes_and_changes_no_byte_of_the_lock(game: Game) -> None:
    game.build()
    before, lock = game.outputs(), game.lock()
    game.made()
    assert len(game.build("--rebuild")["built"]) == 4
    assert game.made() == ["gems/green", "gems/red", "hero"]
    assert (game.outputs(), game.lock()) == (before, lock)


def spoil(game: Game, digest: str) -> None:
    """What a bad disk does to an object of the store."""
    path = game.cache / "v1" / "objects" / digest[:2] / digest[2:]
    path.chmod(0o600)
    path.write_bytes(b"torn")


def test_a_raw_picture_that_the_disk_spoiled_is_made_again(game: Game) -> None:
    game.build()
    game.made()
    spoil(game, rtoml.loads(game.lock().decode())["assets"]["hero"]["raw"])
    game.write(TWO.replace("size = [32, 32]", "size = [32, 32]\nfinish = [{ resize = [24, 24] }]"))
    assert game.build()["built"] == ["hero", "icon"]
    assert game.made() == ["hero"]


def test_a_finished_picture_that_the_disk_spoiled_is_finished_again(game: Game) -> None:
    game.build()
    before = game.outputs()
    game.made()
    spoil(game, rtoml.loads(game.lock().decode())["assets"]["gems/red"]["file"])
    (game.folder / "out" / "gems" / "red.png").unlink()
    assert game.build()["built"] == ["gems/red"]
    assert (game.outputs(), game.made()) == (before, [])


def test_a_lost_lock_is_written_again_from_the_files_where_the_store_lost_its_objects(game: Game) -> None:
    game.build()
    lock = game.lock()
    game.made()
    (game.folder / "assets.lock").unlink()
    shutil.rmtree(game.cache / "v1" / "objects")
    assert len(game.build()["restored"]) == 4
    assert (game.lock(), game.made()) == (lock, [])


def test_an_edit_that_shows_only_when_its_input_is_made_is_kept(game: Game) -> None:
    game.build()
    icon = game.folder / "out" / "icon.png"
    shutil.copy(game.folder / "out" / "gems" / "red.png", icon)
    edited = icon.read_bytes()
    game.write(TWO.replace("seed = 1", "seed = 3"))
    found = game.run("build")
    assert icon.read_bytes() == edited
    assert "edited  icon: the file was changed by hand, and kept" in found.stderr


def test_a_renamed_asset_is_not_made_again(game: Game) -> None:
    game.build()
    game.made()
    game.write(TWO.replace("assets.hero", "assets.heroine").replace('"hero"', '"heroine"'))
    found = game.build()
    assert (found["restored"], game.made()) == (["heroine"], [])
    # What is made from it is fresh, and yet its entry names the asset as it is called now.
    lock = game.lock()
    assert rtoml.loads(lock.decode())["assets"]["icon"]["paths"] == {"image": "asset:heroine"}
    game.build()
    assert game.lock() == lock


def test_a_hand_edit_is_kept_and_told_until_forced(game: Game) -> None:
    game.build()
    hero = game.folder / "out" / "hero.png"
    original = hero.read_bytes()
    shutil.copy(game.folder / "out" / "gems" / "red.png", hero)
    edited = hero.read_bytes()

    found = game.run("build")
    assert hero.read_bytes() == edited
    assert "edited  hero: the file was changed by hand, and kept" in found.stderr
    assert (
        "hint: `artlock adopt hero` keeps it as a source, `artlock build --force hero` makes it anew"
        in found.stderr
    )
    assert game.build()["edited"] == ["hero"]
    # What is made from it was made from the edit.
    assert json.loads(game.run("explain", "icon", "--json").stdout)[0]["verdict"] == "fresh"

    game.build("--force")
    assert hero.read_bytes() == original


def test_a_forced_overwrite_takes_the_picture_from_git_and_pays_for_no_new_one(game: Game) -> None:
    game.build()
    game.commit()
    game.made()
    shutil.rmtree(game.cache)
    shutil.copy(game.folder / "out" / "gems" / "red.png", game.folder / "out" / "hero.png")
    assert game.build("--force", "hero")["restored"] == ["hero"]
    assert (game.made(), game.git("status", "--short")) == ([], "")


def test_a_foreign_file_is_not_overwritten(game: Game) -> None:
    foreign = game.folder / "out" / "hero.png"
    foreign.parent.mkdir()
    Image.new("RGB", (32, 32), "red").save(foreign)
    mine = foreign.read_bytes()
    assert game.build()["edited"] == ["hero"]
    assert foreign.read_bytes() == mine


def test_what_is_made_from_a_file_that_is_no_picture_says_so(game: Game) -> None:
    foreign = game.folder / "out" / "hero.png"
    foreign.parent.mkdir()
    foreign.write_bytes(b"mine")
    found = game.run("build", code=1)
    assert "failed  icon: " in found.stderr
    assert "hero.png` is not a PNG, WebP or JPEG picture" in found.stderr


def test_equal_bytes_cut_a_rebuild_off(game: Game) -> None:
    game.build()
    # Another recipe, the same picture.
    game.write(TWO.replace("seed = 1", "seed = 1\nparameters = { seconds = 0.01 }"))
    found = game.build()
    assert (found["built"], sorted(found["fresh"])) == (["hero"], ["gems/green", "gems/red", "icon"])


def test_a_failed_asset_stops_no_other_and_shows_the_cause(game: Game) -> None:
    game.write(TWO.replace("seed = 1", 'seed = 1\nparameters = { fail = "no ink" }'))
    found = game.run("build", "--json", code=1)
    result = json.loads(found.stdout)
    assert (sorted(result["built"]), result["failed"]) == (["gems/green", "gems/red"], ["hero", "icon"])
    assert "failed  hero: " in found.stderr
    assert "no ink" in found.stderr
    assert "hint: mend it" in found.stderr
    assert "made from `hero`, which failed" in found.stderr


def test_an_engine_that_dies_shows_the_last_lines_of_its_log(game: Game) -> None:
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(
        adapter.read_text()
        .replace("import time\n", "import os\nimport time\n")
        .replace(
            'raise EngineError(ErrorKind.BAD_REQUEST, request.parameters["fail"], hint="mend it")',
            "os._exit(7)",
        )
    )
    game.write(TWO.replace("seed = 1", 'seed = 1\nparameters = { fail = "x" }'))
    found = game.run("build", code=1).stderr
    assert "the last words of the engine" in found
    assert game.made() == ["gems/green", "gems/red"]


def test_a_blocked_asset_names_the_mend_and_a_placeholder_stands_in(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    ready = card.read_text()
    card.write_text(ready.replace("parallel = true", 'requires = ["no_such_module"]'))
    found = game.run("build", code=1)
    assert "blocked  hero: engine `noise` needs `no_such_module`" in found.stderr
    assert "hint: run `pip install no_such_module`" in found.stderr
    assert not (game.folder / "out").exists()

    assert game.build("--placeholders", code=1)["blocked"] == ["hero", "icon", "gems/red", "gems/green"]
    assert set(game.outputs()) == {"hero.png", "icon.png", "gems/red.png", "gems/green.png"}
    assert len(set(game.outputs().values())) == 4, "each is labelled with its own name"
    with Image.open(game.folder / "out" / "icon.png") as picture:
        assert picture.size == (8, 8), "a stand-in is as large as the finished picture"
    assert b"[assets." not in game.lock()
    assert json.loads(game.run("check", "--json", code=1).stdout)["placeholders"] == [
        "gems/green",
        "gems/red",
        "hero",
        "icon",
    ]

    card.write_text(ready)
    assert len(game.build()["built"]) == 4
    assert b"placeholders" not in game.lock()


def test_a_stand_in_that_was_replaced_by_the_picture_is_no_difference(game: Game) -> None:
    game.build()
    game.commit()
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace("parallel = true", 'requires = ["no_such_module"]'))
    game.write(TWO.replace("seed = 1", "seed = 3"))
    (game.folder / "out" / "hero.png").unlink()
    game.build("--placeholders", code=1)
    assert b"[placeholders]" in game.lock()
    game.git("checkout", "--", "assets.toml", "tools", "out")
    assert "files agree" in game.run("check").stdout


def test_an_asset_that_left_stays_known_until_its_file_is_gone(game: Game) -> None:
    game.build()
    game.write(TWO.replace('"red", "green"', '"red"'))
    assert "orphan  gems/green" in game.run("check", code=1).stdout
    game.build()
    assert b"gems/green" in game.lock()
    (game.folder / "out" / "gems" / "green.png").unlink()
    game.build()
    assert b"gems/green" not in game.lock()
    game.run("check")


def test_check_tells_the_kinds_of_difference_apart(game: Game) -> None:
    game.build()
    assert "4 assets checked: manifest, lock and files agree" in game.run("check").stdout
    game.write(TWO.replace("seed = 1", "seed = 9"))
    (game.folder / "out" / "gems" / "red.png").unlink()
    (game.folder / "out" / "gems" / "green.png").write_bytes(b"painted")
    found = json.loads(game.run("check", "--json", code=1).stdout)
    assert {item["name"]: item["kind"] for item in found["differences"]} == {
        "hero": "recipe",
        "icon": "recipe",
        "gems/red": "missing",
        "gems/green": "edited",
    }


def test_locked_makes_nothing_that_the_lock_does_not_know(game: Game) -> None:
    found = game.run("build", "--locked", code=1)
    assert "error: the lock would change:\n  hero: the lock does not know it\n" in found.stderr
    assert game.made() == []
    game.build()
    lock = game.lock()
    game.build("--locked")

    # What the lock knows comes back, from the store or made anew.
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    assert len(game.build("--locked")["built"]) == 4

    # Another picture from the same recipe is not what the lock says.
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(adapter.read_text().replace('f"{request.seed} ', 'f"{request.seed + 1} '))
    assert "`hero` came out other than the lock says" in game.run("build", "--locked", code=1).stderr

    game.write(TWO.replace('"red", "green"', '"red"'))
    assert "gems/green: the manifest no longer has it" in game.run("build", "--locked", code=1).stderr
    assert game.lock() == lock


def test_a_dry_run_makes_nothing(game: Game) -> None:
    found = game.run("build", "--dry-run")
    assert "4 to build" in found.stdout
    assert not (game.folder / "out").exists()


def test_explain_prints_what_changed(game: Game) -> None:
    game.build()
    game.write(TWO.replace("seed = 1", 'seed = 5\nprompt = "knight"'))
    found = game.run("explain", "hero").stdout
    assert "hero is build" in found
    assert "because prompt: — → knight" in found
    assert "because seed: 1 → 5" in found


def test_reproduce_from_the_lock_entry_alone(game: Game) -> None:
    game.build()
    game.commit()
    shutil.rmtree(game.cache)
    manifest = (game.folder / "assets.toml").read_bytes()
    (game.folder / "assets.toml").unlink()
    found = json.loads(game.run("reproduce", "--all", "--json").stdout)
    (game.folder / "assets.toml").write_bytes(manifest)
    assert {item["name"]: item["verdict"] for item in found} == dict.fromkeys(
        ("gems/green", "gems/red", "hero", "icon"), "identical-bytes"
    )
    assert game.git("status", "--short") == ""


def test_reproduce_needs_no_asset_of_the_manifest(game: Game) -> None:
    game.build()
    (game.folder / "assets.toml").write_text('[project]\nname = "test"\n')
    found = json.loads(game.run("reproduce", "icon", "--json").stdout)
    assert [item["verdict"] for item in found] == ["identical-bytes"]


def test_reproduce_writes_nowhere_else_whatever_a_lock_says(game: Game) -> None:
    game.build()
    lock = load(game.folder / "assets.lock")
    hero = lock.records[AssetName("hero")]
    # `old.` would have been the folder through which the format of a stranger's lock led out.
    (game.folder / "old.").mkdir()
    other = game.folder / "old." / "x.png"
    Image.new("RGB", (32, 32), "red").save(other)
    picture = msgspec.structs.replace(
        hero.picture, file=digest.of_bytes(other.read_bytes()), pixels=digest.of_bytes(b"")
    )
    parts = msgspec.structs.replace(hero.parts, format="/../../../../evil.png")
    hero = msgspec.structs.replace(
        hero,
        parts=parts,
        recipe=recipe.digest_of(parts),
        output="old./x.png",
        picture=picture,
    )
    save(game.folder / "assets.lock", Lock(records={hero.name: hero}))
    before = set(game.folder.parent.iterdir())
    assert "PSNR" in game.run("reproduce", "hero", code=1).stdout
    assert set(game.folder.parent.iterdir()) == before


def test_reproduce_says_how_far(game: Game) -> None:
    game.build()
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(adapter.read_text().replace('f"{request.seed} ', 'f"{request.seed + 1} '))
    found = game.run("reproduce", "hero", code=1).stdout
    assert "same-recipe-different-picture  hero" in found
    assert "of 64 bits, PSNR" in found
    assert "the adapter promises: the same bytes on any machine" in found


def test_reproduce_refuses_another_version_of_the_adapter(game: Game) -> None:
    game.build()
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace("1.0.0", "2.0.0"))
    found = game.run("reproduce", "hero", code=1).stdout
    assert "impossible  hero" in found
    assert "was made by adapter `tools/noise.py` 1.0.0; its card says 2.0.0" in found
    assert "hint: check out `tools/noise.py` and its card as they were then" in found


def test_weights_behind_links_are_their_bytes(tmp_path: Path) -> None:
    plain, linked = tmp_path / "plain", tmp_path / "linked"
    for folder in (plain, linked):
        folder.mkdir()
    (plain / "model_index.json").write_text("{}")
    (linked / "model_index.json").symlink_to(plain / "model_index.json")
    checkout = Checkout(tmp_path, Store(tmp_path / "cache"), StatIndex(tmp_path), {})
    card = Card(name="paint", version="1.0.0", summary="", determinism=Determinism.BITWISE)
    found = [
        checkout.revision(Engine(name="paint", card=card, model=f"./{name}")) for name in ("plain", "linked")
    ]
    assert found[0] == found[1] != ""


def wait_for(game: Game, count: int) -> None:
    deadline = time.monotonic() + 60
    while not game.count.exists() or len(game.count.read_text().split()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def left_behind(game: Game) -> list[str]:
    found = []
    for process in psutil.process_iter(["environ", "cmdline"]):
        environ = process.info["environ"] or {}
        staging = environ.get("TMPDIR", "")
        if str(game.folder) in staging and process.status() != psutil.STATUS_ZOMBIE:
            found.append(" ".join(process.info["cmdline"] or ()))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_stopped_build_keeps_what_is_finished_and_leaves_no_process(
    game: Game, number: signal.Signals
) -> None:
    game.write(slow(8, 0.8))
    process = game.start("build", "-j", "1")
    wait_for(game, 3)
    began = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    if number is not signal.SIGKILL:
        assert process.returncode == 130
        assert "interrupted: what was finished is kept" in err
        assert "failed" not in err
    deadline = time.monotonic() + 5
    while left_behind(game):
        assert time.monotonic() < deadline, left_behind(game)
        time.sleep(0.05)

    done = game.made()
    assert 3 <= len(done) < 8
    found = game.build()
    # At most what was in the engine's hands when the signal came is made a second time.
    assert set(found["built"]) | set(found.get("restored", [])) | set(found.get("fresh", [])) == {
        f"a{number}" for number in range(8)
    }
    assert len(game.made()) <= 8 - len(done) + 1
    assert sorted(path for path in game.outputs()) == [f"a{number}.png" for number in range(8)]


def test_nothing_piles_up_in_the_folder_of_a_run(game: Game) -> None:
    game.write(slow(6, 0) + slow(7, 600)[len(slow(6, 600)) :])
    process = game.start("build", "-j", "1")
    try:
        assert process.stderr is not None
        while "[6/7]" not in process.stderr.readline():
            assert process.poll() is None
        found = [
            path for folder in ("made", "inputs") for path in game.folder.glob(f".artlock/run-*/{folder}/*")
        ]
        assert found == []
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert not (game.folder / ".artlock" / "placed").exists()


def test_a_picture_that_was_edited_after_a_kill_is_kept(game: Game) -> None:
    game.write(slow(3, 0))
    game.build()
    out = game.folder / "out"
    # As a kill leaves it that comes after the last picture, and before the lock.
    (game.folder / "assets.lock").unlink()
    placed = Placed(game.folder)
    for path in out.iterdir():
        placed.note(f"out/{path.name}", digest.of_bytes(path.read_bytes()))
    (out / "a1.png").write_bytes((out / "a1.png").read_bytes() + b"painted over")
    shutil.copyfile(out / "a0.png", out / "a2.png")
    game.write(slow(3, 0).replace("[8, 8]", "[9, 9]"))
    found = game.build()
    assert found["built"] == ["a0"]
    assert found["edited"] == ["a1", "a2"]


def test_nohup_keeps_a_build_alive(game: Game) -> None:
    game.write(slow(4, 0.4))
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "buildsys", "build", "-j", "1"],
        cwd=game.folder,
        env=game.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(game, 2)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert len(game.outputs()) == 4


def test_two_builds_in_one_checkout_do_not_meet(game: Game) -> None:
    game.write(slow(1, 600))
    first = game.start("build")
    try:
        assert first.stderr is not None
        # The engine is up, so the checkout is held, and stays so until we say.
        while "is ready" not in first.stderr.readline():
            assert first.poll() is None
        found = game.run("build", code=1)
        assert "is running in this checkout" in found.stderr
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert first.returncode == 130


def test_plain_doit_runs_the_same_tasks(game: Game) -> None:
    shutil.copy(Path(__file__).parent.parent / "dodo.py", game.folder)

    def doit(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "doit", *words],
            cwd=game.folder,
            env=game.environ,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "build:gems/red" in doit("list", "--all")
    assert ".  build:hero" in doit("build:icon")
    assert game.made() == ["hero"]
    found = doit()
    assert "-- build:hero" in found
    assert ".  build:gems/red" in found
    assert game.made() == ["gems/green", "gems/red"]
    game.run("check")
    assert not [path.name for path in game.folder.iterdir() if "doit" in path.name]


def test_an_asset_that_no_one_knows(game: Game) -> None:
    found = game.run("build", "hera", code=2)
    assert found.stderr == "error: asset `hera` is not in the manifest\n\nhint: did you mean `hero`?\n"
