"""`artlock watch`: builds after each change of what a build reads, and after nothing else."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import pytest
from game import Game
from import_kit import picture

from buildsys.errors import ArtlockError
from buildsys.manifest.model import Input
from buildsys.manifest.read import read
from buildsys.watching import Eyes, Interest, interest_of

PATIENCE = 60
GEM = '[assets.gem]\nrole = "sprite"\nprompt = "red"\nseed = 1\nsize = [16, 16]\n'


class Watch:
    """A running `artlock watch`, and the lines that it says."""

    def __init__(self, game: Game, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "buildsys", "watch", *words],
            cwd=game.folder,
            env=game.environ,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def until(self, told: Callable[[str], bool] | str) -> list[str]:
        """Every line up to the first that is wanted."""
        found: list[str] = []
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._lines.get(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"never said; it said\n{chr(10).join(self.said)}\n{found}"
            found.append(line)
            self.said.append(line)
            if told in line if isinstance(told, str) else told(line):
                return found

    def finish(self) -> None:
        """Wait until all that it said is read."""
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), "something that it started still holds its stderr"

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def watching(game: Game, *words: str) -> Iterator[Watch]:
    watch = Watch(game, *words)
    try:
        yield watch
    finally:
        if watch.process.poll() is None:
            os.killpg(watch.process.pid, signal.SIGKILL)
            watch.process.wait()
        watch.finish()


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(GEM)
    return made


def test_an_edit_of_the_manifest_is_built_and_ctrl_c_ends_it(game: Game) -> None:
    with watching(game) as watch:
        watch.until("1 built")
        watch.until("ctrl-C ends it")
        game.write(GEM.replace("seed = 1", "seed = 2"))
        watch.until("1 built")
        children = psutil.Process(watch.process.pid).children(recursive=True)
        assert watch.end() == 0
        watch.until("no longer watching")
    assert not [child for child in children if child.is_running()]
    assert game.made() == ["gem", "gem"]


def test_a_mistake_is_told_and_the_next_edit_is_built(game: Game) -> None:
    game.write(GEM + "sead = 2\n")
    with watching(game) as watch:
        assert any("unknown key `sead`" in line for line in watch.until("hint: did you mean `seed`?"))
        watch.until("ctrl-C ends it")
        game.write(GEM + "[broken")
        watch.until("not valid TOML")
        game.write(GEM)
        watch.until("1 built")
        assert watch.end(signal.SIGTERM) == 0


def test_its_own_outputs_wake_nobody(game: Game) -> None:
    """The build of one change is the last thing said before the build of the next."""
    with watching(game) as watch:
        watch.until("ctrl-C ends it")
        game.write(GEM.replace("seed = 1", "seed = 2"))
        watch.until("1 built")
        (game.folder / "out" / "other.png").write_bytes(b"x")
        (game.folder / "notes.txt").write_text("x")
        game.write(GEM.replace("seed = 1", "seed = 3"))
        said = watch.until("1 built")
        assert [line for line in said if "nothing to do" in line or "fresh" in line] == []
        watch.end()
    assert game.made() == ["gem", "gem", "gem"]


def test_an_included_manifest_that_turns_up_is_built(game: Game) -> None:
    path = game.folder / "assets.toml"
    (game.folder / "levels" / "one").mkdir(parents=True)
    (game.folder / "levels" / "one" / "assets.toml").write_text(GEM.replace("gem", "one"))
    head = path.read_text().removesuffix(GEM)
    path.write_text(head.replace('name = "test"\n', 'name = "test"\ninclude = ["levels/*/assets.toml"]\n'))
    with watching(game) as watch:
        watch.until("ctrl-C ends it")
        (game.folder / "levels" / "two").mkdir()
        two = GEM.replace("gem", "two").replace("seed = 1", "seed = 2")
        (game.folder / "levels" / "two" / "assets.toml").write_text(two)
        watch.until("built two")
        watch.end()


def test_a_source_that_is_saved_by_renaming_is_built(game: Game) -> None:
    (game.folder / "art").mkdir()
    picture().save(game.folder / "art" / "cat.png")
    game.write('[assets.cat]\nsource = "art/cat.png"\n')
    with watching(game) as watch:
        watch.until("1 built")
        watch.until("ctrl-C ends it")
        picture((20, 20)).save(game.folder / "art" / ".cat.new.png")
        (game.folder / "art" / ".cat.new.png").rename(game.folder / "art" / "cat.png")
        watch.until("1 built")
        # As git does it: the folder goes, and comes back as another one.
        (game.folder / "art").rename(game.folder / "old")
        watch.until("1 blocked")
        (game.folder / "art").mkdir()
        picture((24, 24)).save(game.folder / "art" / "cat.png")
        watch.until("1 built")
        watch.end()


def test_what_stays_blocked_or_edited_is_said_once(game: Game) -> None:
    cat = '[assets.cat]\nsource = "art/cat.png"\n'
    game.write(GEM + GEM.replace("gem", "hero"))
    game.build()
    (game.folder / "out" / "hero.png").write_bytes(b"painted")
    game.write(GEM + GEM.replace("gem", "hero") + cat)
    with watching(game) as watch:
        said = "\n".join(watch.until("1 edited, 1 blocked"))
        assert "edited  hero: " in said
        assert "blocked  cat: " in said
        game.write(GEM.replace("seed = 1", "seed = 2") + GEM.replace("gem", "hero") + cat)
        said = "\n".join(watch.until("1 built, 1 edited, 1 blocked"))
        assert "hero" not in said
        assert "cat" not in said
        # Another reason is news.
        game.write(GEM + GEM.replace("gem", "hero") + cat.replace("cat.png", "dog.png"))
        said = "\n".join(watch.until("1 restored, 1 edited, 1 blocked"))
        assert "blocked  cat: `source` names `art/dog.png`" in said
        assert "hero" not in said
        watch.end()


def test_an_adapter_with_a_new_version_is_built(game: Game) -> None:
    with watching(game) as watch:
        watch.until("ctrl-C ends it")
        card = game.folder / "tools" / "noise.toml"
        card.write_text(card.read_text().replace('"1.0.0"', '"1.0.1"'))
        watch.until("1 built")
        watch.end()


def test_a_change_during_a_build_is_built_after_it(game: Game) -> None:
    slow = GEM + "parameters = { seconds = 1.5 }\n"
    game.write(slow)
    with watching(game) as watch:
        watch.until("is ready after")
        game.write(slow.replace("seed = 1", "seed = 2"))
        watch.until("1 built")
        watch.until("1 built")
        watch.end()
    assert game.made() == ["gem", "gem"]


def test_ctrl_c_in_a_build_ends_it_with_all_its_processes(game: Game) -> None:
    game.write(GEM + "parameters = { seconds = 600 }\n")
    with watching(game) as watch:
        watch.until("is ready after")
        children = psutil.Process(watch.process.pid).children(recursive=True)
        assert children
        assert watch.end() == 130
        assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def test_only_the_named_assets_are_built(game: Game) -> None:
    game.write(GEM + GEM.replace("gem", "orb"))
    with watching(game, "orb") as watch:
        watch.until("1 built")
        watch.end()
    assert game.made() == ["orb"]


def test_a_name_that_is_not_there_is_told_and_it_goes_on(game: Game) -> None:
    with watching(game, "orb") as watch:
        watch.until("asset `orb` is not in the manifest")
        watch.until("ctrl-C ends it")
        game.write(GEM + GEM.replace("gem", "orb"))
        watch.until("1 built")
        watch.end()


def test_what_concerns_nobody_is_passed_over(tmp_path: Path) -> None:
    interest = Interest(frozenset({tmp_path / "assets.toml", tmp_path / "art" / "cat.png"}))
    assert interest.concerns(tmp_path / "art")
    assert interest.concerns(tmp_path / "art" / "cat.png")
    assert not interest.concerns(tmp_path / "art" / "dog.png")
    assert not interest.concerns(tmp_path / "out" / "cat.png")


def test_what_gates_and_engines_of_a_fallback_read_is_watched(game: Game) -> None:
    (game.folder / "ref").mkdir()
    picture().save(game.folder / "ref" / "a.png")
    (game.folder / "keep.gpl").write_text("GIMP Palette\n1 2 3\n")
    game.write(GEM + 'gates = { distance = "ref/a.png", palette = { file = "keep.gpl" } }\n')
    manifest = read(game.folder)
    gem = next(iter(manifest.assets.values()))
    other = msgspec.structs.replace(gem, gates=(), inputs={"pose": Input(path="art/pose.png")})
    manifest = msgspec.structs.replace(
        manifest, assets={gem.name: msgspec.structs.replace(gem, standins=(other,))}
    )
    names = ("assets.toml", "tools/noise.py", "tools/noise.toml", "ref/a.png", "keep.gpl", "art/pose.png")
    assert interest_of(game.folder, manifest).files == {game.folder / name for name in names}


def test_a_folder_that_can_not_be_watched_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtlockError, match="can't be watched"):
        Eyes([(tmp_path / ("x" * 300), 1)])
    with pytest.raises(FileNotFoundError):
        Eyes([(tmp_path / "gone", 1)])
