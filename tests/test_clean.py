"""`artlock clean`: removes what artlock made and nobody owns, and nothing else, ever."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from game import Game

HERO = '[assets.hero]\nrole = "sprite"\nprompt = "knight"\nseed = 5\nsize = [16, 16]\n'
ITEMS = "".join(
    f'[assets."items/{name}"]\nrole = "sprite"\nprompt = "{name}"\nseed = 5\nsize = [16, 16]\n'
    for name in ("axe", "bow")
)


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(HERO + ITEMS)
    made.build()
    return made


def test_outputs_of_assets_that_are_gone_are_removed(game: Game) -> None:
    game.write(HERO)
    status = game.run("status").stdout
    assert "orphan: `items/axe` is in the lock but not in the manifest" in status
    assert "hint: `artlock clean` removes those that artlock made" in status
    done = game.run("clean", "--yes")
    assert done.stdout == "remove  out/items/axe.png\nremove  out/items/bow.png\n"
    assert done.stderr == "2 files removed\n"
    assert list(game.outputs()) == ["hero.png"]
    assert not (game.folder / "out" / "items").exists()
    assert b"items/" not in game.lock()
    assert game.run("clean").stdout == "nothing to clean\n"
    game.run("check")


def test_nothing_is_removed_before_somebody_says_so(game: Game) -> None:
    game.write(HERO)
    before, lock = game.outputs(), game.lock()
    assert "remove  out/items/axe.png" in game.run("clean", "--dry-run").stdout
    error = game.run("clean", code=2).stderr
    assert error == ("error: 2 files would be removed, and nobody is there to ask\n\nhint: add `--yes`\n")
    assert (game.outputs(), game.lock()) == (before, lock)


def test_what_a_person_changed_or_put_there_is_kept_and_told(game: Game) -> None:
    game.write(HERO)
    (game.folder / "out/items/axe.png").write_bytes(b"painted")
    (game.folder / "out/notes.txt").write_text("mine")
    # A copy that a person keeps, of bytes that artlock made, at a place of the person's choice.
    shutil.copy(game.folder / "out/hero.png", game.folder / "out/hero-backup.png")
    (game.folder / "out/link.png").symlink_to("hero.png")
    done = game.run("clean", "--yes")
    assert done.stdout == (
        "remove  out/items/bow.png\n"
        "keep    out/hero-backup.png: nothing shows that artlock made it\n"
        "keep    out/items/axe.png: changed by hand\n"
        "keep    out/link.png: nothing shows that artlock made it\n"
        "keep    out/notes.txt: nothing shows that artlock made it\n"
    )
    assert sorted(game.outputs()) == ["hero-backup.png", "hero.png", "items/axe.png", "link.png", "notes.txt"]
    # The entry of a painted orphan is what proves that it was an asset's.
    assert b"items/axe" in game.lock()
    assert b"items/bow" not in game.lock()


def test_a_file_that_an_asset_left_behind_is_removed(game: Game) -> None:
    game.write(HERO + 'format = "webp"\n' + ITEMS)
    game.build()
    assert "hero.png" in game.outputs()
    done = game.run("clean", "--yes")
    assert done.stdout == "remove  out/hero.png\n"
    assert sorted(game.outputs()) == ["hero.webp", "items/axe.png", "items/bow.png"]


def test_assets_of_other_profiles_keep_their_files(game: Game) -> None:
    game.write(HERO + 'profiles = ["final"]\n' + ITEMS)
    assert game.run("clean", "--yes").stdout == "nothing to clean\n"
    (game.folder / "assets.lock").unlink()
    assert game.run("clean", "--yes").stdout == "nothing to clean\n"
    assert "hero.png" in game.outputs()


def test_files_of_several_scales_of_another_profile_stay(game: Game) -> None:
    game.write(HERO + "scales = [1, 2]\n")
    game.build()
    game.write(HERO + 'scales = [1, 2]\nprofiles = ["final"]\n')
    (game.folder / "assets.lock").unlink()
    game.run("clean", "--yes")
    assert [name for name in game.outputs() if name.startswith("hero")] == ["hero.png", "hero@2x.png"]


def test_every_file_of_an_atlas_of_another_profile_stays(game: Game) -> None:
    atlas = (
        '[assets."at/a"]\npack = ["hero", "items/*"]\nformats = ["texturepacker", "unity"]\nmax_size = 16\n'
    )
    game.write(HERO + ITEMS + atlas)
    game.build()
    files = [name for name in game.outputs() if name.startswith("at/")]
    assert {"at/a.png", "at/a-1.png", "at/a-1.json", "at/a.unity.json"} <= {*files}
    game.write(HERO + ITEMS + atlas + 'profiles = ["final"]\n')
    (game.folder / "assets.lock").unlink()
    assert game.run("clean", "--yes").stdout == "nothing to clean\n"
    assert [name for name in game.outputs() if name.startswith("at/")] == files


ORPHAN = "orphan  items/{}: the manifest no longer has it"
CLEAN = "hint: run `artlock clean`, and commit what it changes\n"


def test_what_check_says_of_orphans_is_what_helps(game: Game) -> None:
    game.write(HERO)
    told = game.run("check", code=1)
    assert told.stdout == f"{ORPHAN.format('axe')}\n{ORPHAN.format('bow')}\n"
    assert told.stderr == f"\n2 differences in 1 asset\n\n{CLEAN}"
    # As long as a file lies there, its record is what proves that it was ours: a build keeps both.
    game.build()
    assert game.run("check", code=1).stderr.endswith(CLEAN)
    game.run("clean", "--yes")
    assert game.run("check").stdout == "1 asset checked: manifest, lock and files agree\n"


def test_check_names_what_clean_would_keep_of_an_orphan(game: Game) -> None:
    game.write(HERO)
    path = game.folder / "out/items/axe.png"
    path.write_bytes(b"painted")
    kept = f"{ORPHAN.format('axe')}; `artlock clean` keeps `out/items/axe.png`\n"
    told = game.run("check", code=1)
    assert told.stdout == f"{kept}{ORPHAN.format('bow')}\n"
    assert told.stderr.endswith(CLEAN)
    game.run("clean", "--yes")
    told = game.run("check", code=1)
    assert told.stdout == kept
    assert told.stderr == "\n1 difference in 1 asset\n\nhint: move or delete `out/items/axe.png`\n"
    assert game.run("status").stdout.endswith(
        "\norphan: `items/axe` is in the lock but not in the manifest; "
        "`artlock clean` keeps `out/items/axe.png`\n\nhint: move or delete `out/items/axe.png`\n"
    )
    again = game.run("clean", "--yes")
    assert again.stdout == "keep    out/items/axe.png: changed by hand\n"
    assert again.stderr == "\nhint: move or delete `out/items/axe.png`\n"
    path.unlink()
    assert game.run("check", code=1).stderr.endswith(CLEAN)
    game.run("clean", "--yes")
    game.run("check")


def test_a_page_of_a_living_atlas_is_no_file_of_an_orphan(game: Game) -> None:
    atlas = '[assets."items/a"]\npack = ["hero", "items/bow"]\nformats = ["texturepacker"]\nmax_size = 16\n'
    axe = ITEMS.replace('"items/axe"', '"items/a-1"')
    game.write(HERO + axe)
    game.build()
    (game.folder / "out/items/a-1.png").unlink()
    lock = game.lock()
    game.write(HERO + axe[axe.index('[assets."items/bow"]') :] + atlas)
    game.build()
    assert "items/a-1.png" in game.outputs()
    # A merge brings the orphan's record back.
    record = lock[lock.index(b'[assets."items/a-1"]') : lock.index(b'[assets."items/bow"]')]
    path = game.folder / "assets.lock"
    path.write_bytes(path.read_bytes().replace(b'[assets."items/bow"]', record + b'[assets."items/bow"]'))
    told = game.run("check", code=1)
    assert told.stdout == f"{ORPHAN.format('a-1')}\n"
    assert told.stderr.endswith(CLEAN)
    game.run("clean", "--yes")
    assert "items/a-1.png" in game.outputs()
    game.run("check")


def test_a_place_that_is_another_assets_now_is_left_to_it(game: Game) -> None:
    game.write(HERO + "scales = [1, 2]\n")
    game.build()
    game.write(HERO)
    # `hero@1x` is an orphan; its file lies where `hero` goes, whose own still lies in its old place.
    assert "hero" not in game.run("clean", "--yes").stdout
    assert list(game.outputs()) == ["hero.png", "hero@2x.png"]
    game.build()
    assert game.run("clean", "--yes").stdout == "remove  out/hero@2x.png\n"
    game.run("check")


def test_a_project_with_another_output_folder_is_cleaned_too(game: Game) -> None:
    path = game.folder / "assets.toml"
    path.write_text(path.read_text().replace('name = "test"\n', 'name = "test"\nout = "made"\n'))
    game.build()
    game.write(HERO)
    path.write_text(path.read_text().replace('name = "test"\n', 'name = "test"\nout = "made"\n'))
    assert game.run("clean", "--yes").stdout == "remove  made/items/axe.png\nremove  made/items/bow.png\n"
    # What lies in the old folder is out of reach: no asset goes there, and the lock does not tell of it.
    assert "hero.png" in game.outputs()


def test_a_file_that_is_an_input_is_nobodys_leftover(game: Game) -> None:
    """An input's bytes are in the store as well, but no result of artlock lay at its place."""
    sketch = game.folder / "out" / "sketch.png"
    shutil.copy(game.folder / "out/hero.png", sketch)
    done = json.loads(game.run("clean", "--yes", "--json").stdout)
    assert done == {"removable": [], "removed": [], "kept": {"out/sketch.png": "foreign"}}
    assert sketch.exists()


def test_a_stand_in_of_an_asset_that_is_gone_is_removed(game: Game) -> None:
    blocked = '[assets.poster]\nengine = "gpt-image"\nprompt = "x"\nsize = [1024, 1024]\n'
    game.write(HERO + ITEMS + blocked)
    game.build("--placeholders", code=1)
    assert "poster.png" in game.outputs()
    game.write(HERO + ITEMS)
    assert game.run("clean", "--yes").stdout == "remove  out/poster.png\n"
    assert "poster.png" not in game.outputs()


def test_a_lock_that_a_person_changed_removes_nothing_else(game: Game) -> None:
    """A stranger's lock may name any path: only the very bytes that it tells of are removed."""
    game.write(HERO)
    (game.folder / "source.txt").write_text("precious")
    game.forge('"out/items/axe.png"', '"source.txt"')
    game.run("clean", "--yes")
    assert (game.folder / "source.txt").read_text() == "precious"
