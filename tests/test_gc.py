"""`artlock gc`: what belongs to any lock of any known checkout stays, whatever a person asks for."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from game import Game
from moods import HERO as PAID
from moods import Studio

from buildsys.digest import Digest, of_bytes
from buildsys.store import checkouts
from buildsys.store.inventory import Kind, entries
from buildsys.store.objects import Store

HERO = '[assets.hero]\nrole = "sprite"\nprompt = "a hero"\nseed = 1\nsize = [8, 8]\n'
AXE = '[assets.axe]\nrole = "sprite"\nprompt = "an axe"\nseed = 2\nsize = [8, 8]\n'
BOTH = HERO + AXE
ALL = ("--older-than", "0s")


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def gc(game: Game, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(game.run("gc", "--json", *words).stdout)
    return found


def store(game: Game) -> Store:
    return Store(game.cache)


def age(game: Game, days: float) -> None:
    """Have everything in the store used so many days ago."""
    when = time.time() - days * 86_400
    for kind in Kind:
        for entry in entries(store(game).layout, kind):
            path = store(game).layout / kind / entry.digest[:2] / entry.digest[2:]
            os.utime(path, (when, when))


def remade(game: Game) -> list[str]:
    """Assets that an engine makes again where the outputs are gone."""
    shutil.rmtree(game.folder / "out")
    game.made()
    game.build()
    return game.made()


def test_what_the_lock_names_stays_and_the_rest_goes(game: Game) -> None:
    game.write(BOTH)
    game.build()
    game.write(HERO)
    game.run("clean", "--yes")
    files = game.outputs()
    found = gc(game, *ALL)
    assert found["locks"] == 1
    assert found["checkouts"] == [str(game.folder)]
    assert found["removed"]["files"] > 0
    assert found["recent"] == {"files": 0, "bytes": 0}
    assert gc(game, *ALL)["removed"]["files"] == 0
    assert remade(game) == []
    assert game.outputs() == files
    game.write(BOTH)
    game.build()
    assert game.made() == ["axe"]


def test_by_default_only_what_was_not_used_for_a_month_goes(game: Game) -> None:
    game.write(BOTH)
    game.build()
    game.write(HERO)
    game.run("clean", "--yes")
    assert gc(game)["removed"]["files"] == 0
    age(game, 31)
    assert gc(game)["removed"]["files"] > 0
    game.write(BOTH)
    game.build()
    assert game.made() == ["axe", "axe", "hero"]


def test_a_dry_run_removes_nothing_and_says_the_same(game: Game) -> None:
    game.write(BOTH)
    game.build()
    game.write(HERO)
    game.run("clean", "--yes")
    told = game.run("gc", *ALL, "--dry-run").stdout
    assert "would go" in told
    dry = gc(game, *ALL, "--dry-run")
    done = gc(game, *ALL)
    assert dry["dry_run"]
    assert {**dry, "dry_run": False} == done


def test_the_words_for_a_person(game: Game) -> None:
    game.write(HERO)
    game.build()
    told = game.run("gc").stdout.splitlines()
    assert [line.split()[0] for line in told] == ["kept", "recent", "removed"]
    assert told[0].endswith("named by 1 lock of 1 checkout")
    assert told[1].endswith("in no lock, used lately")
    assert told[2].endswith("0 files  0 B   in no lock, unused for 30 days")


def drop_axe(game: Game) -> None:
    """Take the axe away from the manifest, the lock, and the disk."""
    game.write(HERO)
    game.run("clean", "--yes")


def test_every_ref_counts_and_every_work_tree(game: Game, tmp_path: Path) -> None:
    game.write(BOTH)
    game.build()
    axe = of_bytes(game.outputs()["axe.png"])
    game.commit()
    game.git("tag", "-a", "v1", "-m", "first")
    drop_axe(game)
    game.commit()
    assert gc(game, *ALL)["locks"] == 2
    game.write(BOTH)
    game.build()
    assert sorted(game.made()) == ["axe", "hero"]
    # Of the tag nothing is left, but a stash entry below the newest has it, then a detached work tree.
    game.git("stash")
    (game.folder / "assets.toml").write_text((game.folder / "assets.toml").read_text() + "\n# more\n")
    game.git("stash")
    game.git("tag", "-d", "v1")
    game.git("reset", "--quiet", "--hard", "HEAD")
    assert len(game.git("stash", "list").splitlines()) == 2
    assert gc(game, *ALL)["locks"] == 2
    game.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "other"), "HEAD~1")
    game.git("stash", "clear")
    (tmp_path / "other" / "assets.lock").unlink()
    assert gc(game, *ALL)["locks"] == 2
    assert store(game).has(axe)
    game.git("worktree", "remove", "--force", str(tmp_path / "other"))
    assert gc(game, *ALL)["locks"] == 1
    assert not store(game).has(axe)


def test_a_lock_that_was_only_staged_counts(game: Game) -> None:
    game.write(HERO)
    game.build()
    game.commit()
    game.write(BOTH)
    game.build()
    game.git("add", "assets.lock")
    axe = of_bytes(game.outputs()["axe.png"])
    (game.folder / "assets.lock").write_text(game.git("show", "HEAD:assets.lock"))
    assert gc(game, *ALL)["locks"] == 2
    assert store(game).has(axe)
    game.git("restore", "--staged", "assets.lock")
    assert gc(game, *ALL)["locks"] == 1
    assert not store(game).has(axe)


def test_both_sides_of_a_conflict_stay(game: Game) -> None:
    game.write(HERO)
    game.build()
    game.commit()
    game.git("checkout", "--quiet", "-b", "side")
    game.write(HERO.replace("a hero", "a heroine"))
    game.build()
    game.commit()
    game.git("checkout", "--quiet", "main")
    game.write(HERO.replace("a hero", "a hermit"))
    game.build()
    game.commit()
    game.made()
    with pytest.raises(Exception, match="git"):
        game.git("merge", "side")
    conflicted = game.lock()
    assert b"<<<<<<<" in conflicted
    game.git("merge", "--abort")
    game.git("reset", "--quiet", "--hard", "HEAD~1")
    game.git("branch", "--quiet", "-D", "side")
    (game.folder / "assets.lock").write_bytes(conflicted)
    gc(game, *ALL)
    (game.folder / "assets.lock").unlink()
    for prompt in ("a heroine", "a hermit", "a hero"):
        game.write(HERO.replace("a hero", prompt))
        game.build("--force")
    assert game.made() == []


def test_a_lock_of_a_newer_version_lets_nothing_go(game: Game) -> None:
    game.write(HERO)
    game.build()
    path = game.folder / "assets.lock"
    path.write_text(path.read_text().replace("version = 1\n", "version = 9\n", 1))
    before = sorted(entries(store(game).layout, Kind.OBJECT), key=lambda entry: entry.digest)
    done = game.run("gc", *ALL, code=2)
    assert done.stderr == (
        f"error: `{path}` is of a newer version: what it keeps is unknown, and nothing was removed\n\n"
        "hint: upgrade artlock, then run the command again\n"
    )
    assert sorted(entries(store(game).layout, Kind.OBJECT), key=lambda entry: entry.digest) == before


def test_a_pin_keeps_a_revision_that_nothing_else_names(game: Game) -> None:
    game.write(BOTH)
    game.build()
    game.commit()
    commit = game.git("rev-parse", "HEAD").strip()
    done = game.run("gc", "--pin", commit).stdout
    assert done == f"pinned `{commit}` ({commit[:12]}): 4 objects\n"
    drop_axe(game)
    game.git("commit", "--quiet", "--all", "--amend", "--message=other")
    assert gc(game, *ALL)["pins"] == 1
    game.write(BOTH)
    assert game.build()["restored"] == ["axe"]
    drop_axe(game)
    game.run("gc", "--unpin", commit)
    assert gc(game, *ALL)["removed"]["files"] > 0
    told = game.run("gc", "--unpin", "v9", code=1).stderr
    assert told == "error: `v9` is not pinned\n\nhint: this project has no pins\n"


def test_candidates_that_were_not_chosen_stay_and_so_do_their_scores(game: Game) -> None:
    game.write(HERO + 'candidates = 3\nchoose = "contrast"\n')
    game.build()
    shown = game.run("candidates", "hero").stdout
    game.made()
    gc(game, *ALL, "--paid")
    assert game.run("candidates", "hero").stdout == shown
    for number in (1, 2, 3):
        game.run("pick", "hero", str(number))
        game.build()
        # A lock does not tell that what a person picked had others beside it.
        gc(game, *ALL, "--paid")
    game.run("pick", "hero", "--clear")
    game.build()
    assert game.made() == []


def test_what_was_paid_for_goes_only_when_somebody_says_so(studio: Studio) -> None:
    studio.engines(PAID, alpha="price = 0.02\n")
    studio.build()
    studio.engines(PAID.replace("seed = 7", "seed = 8"), alpha="price = 0.02\n")
    studio.build()
    studio.asked()
    found = gc(studio, *ALL)
    # The raw answer, and what the engine said of it; its finished picture cost nobody anything.
    assert found["paid"]["files"] == 2
    assert found["removed"]["files"] > 0
    assert "paid" in studio.run("gc").stdout.splitlines()[1]
    studio.engines(PAID, alpha="price = 0.02\n")
    studio.build()
    assert studio.asked() == []
    studio.engines(PAID.replace("seed = 7", "seed = 8"), alpha="price = 0.02\n")
    studio.build()
    assert gc(studio, *ALL, "--paid")["paid"]["files"] == 0
    studio.engines(PAID, alpha="price = 0.02\n")
    studio.build()
    assert studio.asked() == ["alpha hero"]


def put(game: Game, data: bytes, hours: float) -> Digest:
    digest = store(game).put_bytes(data)
    when = time.time() - hours * 3_600
    os.utime(store(game).path_of(digest), (when, when))
    return digest


def test_a_size_takes_the_longest_unused_first_and_nothing_of_the_last_hour(game: Game) -> None:
    old, newer, new = (
        put(game, letter * 1000, hours) for letter, hours in ((b"a", 9), (b"b", 5), (b"c", 0.5))
    )
    found = gc(game, "--max-size", "2kB")
    assert (found["removed"]["bytes"], found["over"]) == (1000, 0)
    assert [store(game).has(item) for item in (old, newer, new)] == [False, True, True]
    done = game.run("gc", "--max-size", "0.5kB")
    assert [store(game).has(item) for item in (old, newer, new)] == [False, False, True]
    assert done.stderr == (
        "\nthe store is still 500 B larger than `--max-size 500B`\n\n"
        "hint: wait until what was used in the last hour is older, or add `--older-than 0s`\n"
    )
    assert gc(game, "--max-size", "0.5kB", *ALL)["over"] == 0
    assert not store(game).has(new)


def test_a_size_that_the_locks_alone_pass_is_told(game: Game) -> None:
    game.write(HERO)
    game.build()
    done = game.run("gc", "--max-size", "1B", *ALL)
    assert done.stderr.endswith(
        "hint: the locks of your checkouts name the rest: delete branches or checkouts that you don't need\n"
    )
    assert remade(game) == []


@pytest.mark.parametrize(
    ("words", "fact", "hint"),
    [
        (("--max-size", "much"), "`much` is no size", "give one such as `5GB` or `500MiB`"),
        (("--max-size", "5"), "`5` is no size", "give one such as `5GB` or `500MiB`"),
        (("--older-than", "5y"), "`5y` is no age", "give one such as `30d`, `12h` or `2w`"),
    ],
)
def test_what_is_no_amount_is_told(game: Game, words: tuple[str, str], fact: str, hint: str) -> None:
    game.write(HERO)
    assert game.run("gc", *words, code=2).stderr == f"error: {fact}\n\nhint: {hint}\n"


def test_a_folder_that_is_gone_keeps_what_it_kept_for_a_while(game: Game, tmp_path: Path) -> None:
    game.write(HERO)
    game.build()
    gc(game)
    moved = tmp_path / "moved"
    game.folder.rename(moved)
    game.folder.mkdir()
    game.folder.rmdir()
    other = Game(tmp_path / "other", game.cache)
    found = gc(other, *ALL)
    assert (found["away"], found["checkouts"]) == ([str(game.folder)], [])
    moved.rename(game.folder)
    assert remade(game) == []


def test_a_folder_that_no_gc_ever_saw_keeps_nothing_once_it_is_removed(game: Game, tmp_path: Path) -> None:
    game.write(HERO)
    game.build()
    shutil.rmtree(game.folder)
    other = Game(tmp_path / "other", game.cache)
    told = other.run("gc", *ALL)
    assert told.stderr == f"`{game.folder}` is gone: it keeps nothing any more\n"
    assert not list(entries(store(game).layout, Kind.OBJECT))


def test_a_disk_that_is_away_lets_nothing_go_until_somebody_says_so(game: Game, tmp_path: Path) -> None:
    game.write(HERO)
    game.build()
    away = checkouts.Known(root="/nowhere/disk/game", device=0)
    checkouts.keep(store(game).layout, away)
    done = game.run("gc", *ALL, code=1)
    assert done.stderr == (
        "error: the checkout `/nowhere/disk/game` is not there, and what its locks keep is unknown: "
        "nothing was removed\n\n"
        "hint: connect its disk, or run `artlock gc --forget /nowhere/disk/game` if it is gone for good\n"
    )
    assert game.run("gc", "--forget", "/nowhere/disk/game").stdout == "`/nowhere/disk/game` is forgotten\n"
    assert gc(game, *ALL)["away"] == []
    told = game.run("gc", "--forget", str(tmp_path), code=2).stderr
    assert told == f"error: no build was seen in `{tmp_path}`\n\nhint: known are `{game.folder}`\n"


def test_a_disk_that_is_away_counts_as_it_was_last_read(game: Game) -> None:
    game.write(HERO)
    game.build()
    gc(game)
    ((known, _),) = checkouts.every(store(game).layout)
    assert known.locks
    # Another disk at the same path: an empty mount point, as far as anybody can tell.
    checkouts.keep(store(game).layout, checkouts.Known(root=known.root, device=0, locks=known.locks))
    found = gc(game, *ALL)
    assert (found["away"], found["locks"]) == ([str(game.folder)], 1)
    assert remade(game) == []


def test_after_three_months_out_of_sight_a_checkout_keeps_nothing(game: Game, tmp_path: Path) -> None:
    game.write(HERO)
    game.build()
    gc(game)
    shutil.rmtree(game.folder)
    when = time.time() - 91 * 86_400
    (note,) = (store(game).layout / "checkouts").iterdir()
    os.utime(note, (when, when))
    found = gc(Game(tmp_path / "other", game.cache), *ALL)
    assert (found["forgotten"], found["locked"]["files"]) == ([str(game.folder)], 0)


def test_looking_leaves_no_trace_and_a_build_notes_its_checkout(game: Game) -> None:
    game.write(HERO)
    game.run("plan")
    game.run("status")
    game.run("check", code=1)
    game.run("gc")
    assert not game.cache.exists()
    game.build()
    ((known, _),) = checkouts.every(store(game).layout)
    assert (known.root, known.here(), known.gone()) == (str(game.folder), True, False)


def test_leftovers_of_killed_writers_go(game: Game) -> None:
    game.write(HERO)
    game.build()
    leftover = store(game).layout / "staging" / ".artlock-1-1-1.tmp"
    leftover.write_bytes(b"torn")
    assert gc(game)["leftovers"] == 0
    os.utime(leftover, (0, 0))
    assert gc(game, "--dry-run")["leftovers"] == 0
    assert gc(game)["leftovers"] == 1


def test_a_second_gc_says_that_there_is_a_first(game: Game) -> None:
    game.write(HERO)
    game.build()
    from buildsys.files import ExclusiveLock  # noqa: PLC0415 - the only test that needs one

    with ExclusiveLock(store(game).layout / "gc.lock"):
        done = game.run("gc", code=1)
    assert done.stderr == (
        f"error: another `artlock gc` (process {os.getpid()}) is at work in this store\n\n"
        "hint: wait until it ends, then run the command again\n"
    )


def test_a_damaged_note_of_a_checkout_lets_nothing_go(game: Game) -> None:
    game.write(HERO)
    game.build()
    (note,) = (store(game).layout / "checkouts").iterdir()
    note.write_bytes(note.read_bytes()[:9])
    assert game.run("gc", *ALL, code=1).stderr == (
        f"error: `{note}` does not tell which checkout it stands for\n\n"
        "hint: remove it, and run `artlock build` in each of your checkouts\n"
    )
    assert store(game).has(of_bytes((game.folder / "out/hero.png").read_bytes()))


def test_a_checkout_that_only_pulled_is_known(game: Game, tmp_path: Path) -> None:
    pytest.importorskip("obstore", reason="the extra `remote`")
    remote = f'[remote]\nurl = "file://{tmp_path}/remote"\nwrite = true\n'
    (tmp_path / "remote").mkdir()
    game.write(HERO)
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text() + remote)
    game.build()
    game.run("push")
    game.cache = tmp_path / "elsewhere"
    game.run("pull")
    assert gc(game, *ALL)["removed"]["files"] == 0
    assert remade(game) == []


def test_a_checkout_s_own_damaged_note_is_written_anew_by_its_next_build(game: Game) -> None:
    game.write(HERO)
    game.build()
    (note,) = (store(game).layout / "checkouts").iterdir()
    sound = note.read_bytes()
    for damaged in (b"", sound.replace(b"/game", b"/gamf")):
        note.write_bytes(damaged)
        told = game.run("gc", *ALL, code=1).stderr
        assert told.endswith("hint: remove it, and run `artlock build` in each of your checkouts\n")
        game.build()
        assert note.read_bytes() == sound
    assert gc(game, *ALL)["checkouts"] == [str(game.folder)]
    assert remade(game) == []
