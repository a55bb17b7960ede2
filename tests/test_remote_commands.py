"""`artlock push` and `artlock pull`: what they move and say, and that a kill in the middle tears nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from game import Game
from s3 import CREDENTIALS, DEADLINE, Proxy, Server, files, kill, proxied, stranger

from buildsys.digest import of_bytes
from buildsys.holdings import of_all
from buildsys.journal.words import bytes_told
from buildsys.lock.read import load
from buildsys.manifest.model import AssetName
from buildsys.store.objects import Store

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "a knight"
    seed = 1
    size = [16, 16]
    finish = [{ resize = [8, 8] }]

    [assets.gem]
    role = "sprite"
    prompt = "a gem"
    seed = 2
    size = [16, 16]
    scales = [1, 2]
"""
BUCKETS = iter(range(10_000))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        server = Server()
        yield server
        server.end()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with proxied(server) as proxy:
        yield proxy


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "remote"
    folder.mkdir()
    return folder


def shared(game: Game, url: str, *, more: str = "write = true", assets: str = ASSETS) -> None:
    game.write(textwrap.dedent(assets) + f'\n[remote]\nurl = "{url}"\n{more}\n')


def said(game: Game, *words: str, code: int = 0) -> Any:
    return json.loads(game.run(*words, "--json", code=code).stdout)


def test_a_second_machine_makes_nothing_again(game: Game, folder: Path, tmp_path: Path) -> None:
    shared(game, folder.as_uri())
    game.build()
    done = game.run("push")
    assert done.stdout.endswith("; 0 were there\n")
    assert done.stderr == ""
    pictures, made = game.outputs(), game.made()
    assert made == ["gem", "hero"]
    game.cache = tmp_path / "second"
    for path in (game.folder / "out").rglob("*.png"):
        path.unlink()
    brought = said(game, "pull")
    assert brought["absent"] == brought["poisoned"] == []
    assert brought["objects"] == len(list((folder / "v1" / "objects").rglob("*/*")))
    assert brought["actions"] == len(list((folder / "v1" / "actions").rglob("*/*")))
    assert set(game.build()) == {"restored"}
    assert game.outputs() == pictures
    assert game.made() == []
    again = game.run("pull").stdout
    assert again == (
        f"0 objects and 0 results brought; {brought['objects'] + brought['actions']} were there\n"
    )


def test_what_the_remote_knows_of_generating_is_not_paid_for_again(
    game: Game, folder: Path, tmp_path: Path
) -> None:
    shared(game, folder.as_uri())
    game.build()
    game.run("push")
    game.made()
    game.cache = tmp_path / "second"
    game.run("pull")
    shared(game, folder.as_uri(), assets=ASSETS.replace("[8, 8]", "[4, 4]"))
    assert game.build("hero") == {"built": ["hero"]}
    assert game.made() == [], "a new size costs no new picture"


def test_single_assets_with_their_other_scales(game: Game, folder: Path) -> None:
    shared(game, folder.as_uri())
    game.build()
    records = load(game.folder / "assets.lock").records
    game.run("push", "gem")
    there = {path.parent.name + path.name for path in (folder / "v1" / "objects").rglob("*/*")}
    gems = [record for name, record in records.items() if name.startswith("gem")]
    assert len(gems) == 2
    assert there == {digest for record in gems for digest in (record.picture.file, record.raw)}


def test_after_a_clone_pictures_are_pushed_from_the_checkout(
    game: Game, folder: Path, tmp_path: Path
) -> None:
    shared(game, folder.as_uri())
    game.build()
    game.cache = tmp_path / "second"
    edited = game.folder / "out" / "hero.png"
    edited.write_bytes(edited.read_bytes() + b"x")
    records = load(game.folder / "assets.lock").records
    done = said(game, "push")
    hero = records[AssetName("hero")]
    assert set(done["absent"]) == {hero.picture.file} | {record.raw for record in records.values()} - {
        record.picture.file for record in records.values()
    }
    there = {path.parent.name + path.name for path in (folder / "v1" / "objects").rglob("*/*")}
    assert there == {record.picture.file for record in records.values()} - {hero.picture.file}
    told = game.run("push").stderr
    assert told == f"note: {len(done['absent'])} objects of the lock are neither here nor in the remote\n"


def test_a_poisoned_object_is_told_and_the_rest_is_brought(game: Game, folder: Path, tmp_path: Path) -> None:
    shared(game, folder.as_uri())
    game.build()
    game.run("push")
    digest = load(game.folder / "assets.lock").records[AssetName("hero")].picture.file
    place = folder / "v1" / "objects" / digest[:2] / digest[2:]
    place.chmod(0o644)
    place.write_bytes(b"a picture of something else")
    game.cache = tmp_path / "second"
    done = game.run("pull", code=1)
    assert done.stderr.splitlines() == [
        f"refused  {place.as_uri()}: its bytes are not those of its name",
        "",
        "hint: run `artlock push --verify` on a machine that has the right ones",
    ]
    found = said(game, "pull", code=1)
    assert found["poisoned"] == [{"digest": digest, "place": place.as_uri()}]
    assert found["absent"] == [], "what is there, but wrong, is told once"
    assert not Store(game.cache).has(digest)
    home, game.cache = game.cache, tmp_path / "cache"
    done = game.run("push", "--verify")
    size = bytes_told(len((game.folder / "out" / "hero.png").read_bytes()))
    assert re.fullmatch(
        rf"1 object and 0 results sent, {size}; \d+ were there; \d+ read back; "
        r"1 was wrong there, and overwritten\n",
        done.stdout,
    )
    again = said(game, "push", "--verify")
    assert (again["mended"], again["poisoned"], again["verified"]) == (0, [], again["present"])
    game.cache = home
    assert said(game, "pull")["poisoned"] == []
    game.cache = tmp_path / "third"
    place.unlink()
    assert digest in said(game, "pull")["absent"]


def test_a_flipped_bit_that_this_machine_can_not_mend_is_told(
    game: Game, folder: Path, tmp_path: Path
) -> None:
    shared(game, folder.as_uri())
    game.build("hero")
    game.run("push")
    record = load(game.folder / "assets.lock").records[AssetName("hero")]
    place = folder / "v1" / "objects" / record.raw[:2] / record.raw[2:]
    data = bytearray(place.read_bytes())
    data[-20] ^= 1
    place.chmod(0o644)
    place.write_bytes(bytes(data))
    assert said(game, "push")["objects"] == 0
    game.cache = tmp_path / "second"
    done = game.run("push", "--verify", code=1)
    assert done.stderr.splitlines()[-3:] == [
        f"refused  {place.as_uri()}: its bytes are not those of its name",
        "",
        "hint: run `artlock push --verify` on a machine that has the right ones",
    ]
    assert place.read_bytes() == bytes(data)


@pytest.mark.parametrize("command", ["push", "pull"])
def test_no_remote(command: str, game: Game) -> None:
    game.write(ASSETS)
    assert said(game, command, code=1) == {
        "error": "the manifest names no remote",
        "hint": 'add `[remote]` with `url = "s3://my-bucket/artlock"`',
    }


@pytest.mark.parametrize("command", ["push", "pull"])
def test_an_unknown_asset(command: str, game: Game, folder: Path) -> None:
    shared(game, folder.as_uri())
    game.build("hero")
    assert said(game, command, "herp", code=2) == {
        "error": "asset `herp` is not in the lock",
        "hint": "did you mean `hero`?",
    }


def test_a_read_only_remote(game: Game, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared(game, folder.as_uri(), more="")
    game.build("hero")
    assert said(game, "push", code=1)["error"] == f"the remote `{folder.as_uri()}` is read-only here"
    assert files(folder) == {}


def test_a_killed_push_goes_on_where_it_was(game: Game, server: Server, proxy: Proxy, tmp_path: Path) -> None:
    bucket = f"killed-{next(BUCKETS)}"
    server.make(bucket)
    shared(game, f"s3://{bucket}/art", more=f'write = true\nendpoint = "{proxy.url}"', assets=many(30))
    game.build("--no-remote")
    game.made()
    wanted = of_all(load(game.folder / "assets.lock").records.values())
    # At most 32 are under way at once, so of 50 that were begun some have arrived.
    proxy.faults.hold_at = len(wanted.objects) + len(wanted.actions) + 50
    process = game.start("push")
    assert proxy.reached.wait(DEADLINE)
    kill(process)
    proxy.release()
    there = listed(server, bucket)
    assert 0 < len(there) < len(wanted.objects)
    proxy.faults.seen.clear()
    done = said(game, "push")
    assert done["present"] == len(there)
    again = {path for method, path in proxy.faults.seen if method == "PUT"}
    assert not {path for path in again if path.removeprefix(f"/{bucket}/") in there}
    game.cache = tmp_path / "second"
    brought = said(game, "pull")
    assert brought["absent"] == brought["poisoned"] == []
    for path in (game.folder / "out").rglob("*.png"):
        path.unlink()
    assert set(game.build()) == {"restored"}
    assert game.made() == []


def test_a_killed_pull_goes_on_where_it_was(game: Game, server: Server, proxy: Proxy, tmp_path: Path) -> None:
    bucket = f"killed-{next(BUCKETS)}"
    server.make(bucket)
    shared(game, f"s3://{bucket}/art", more=f'write = true\nendpoint = "{proxy.url}"', assets=many(30))
    game.build()
    whole = said(game, "push")
    game.cache = tmp_path / "second"
    proxy.faults.hold_at = len(proxy.faults.seen) + whole["actions"] + 50
    process = game.start("pull")
    assert proxy.reached.wait(DEADLINE)
    kill(process)
    proxy.release()
    arrived = files(game.cache / "v1" / "objects")
    assert 0 < len(arrived) < whole["objects"]
    assert all(of_bytes(data) == name.replace("/", "") for name, data in arrived.items())
    assert files(game.cache / "v1" / "actions") == {}, "an action comes after what it names"
    done = said(game, "pull")
    assert done["present"] == len(arrived)
    assert done["objects"] == whole["objects"] - len(arrived)
    assert done["actions"] == whole["actions"]
    assert done["absent"] == done["poisoned"] == []
    assert game.build() == {"fresh": [f"gem{number}" for number in range(30)]}


def test_an_interrupted_push_says_so(game: Game, server: Server, proxy: Proxy) -> None:
    bucket = f"killed-{next(BUCKETS)}"
    server.make(bucket)
    shared(game, f"s3://{bucket}/art", more=f'write = true\nendpoint = "{proxy.url}"')
    game.build("hero")
    proxy.faults.silent.set()
    process = game.start("push")
    assert proxy.reached.wait(DEADLINE)
    process.send_signal(2)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert err == "\ninterrupted: what was finished is kept; `artlock push` goes on from there\n"


def test_progress_on_a_terminal(game: Game, folder: Path) -> None:
    shared(game, folder.as_uri())
    game.build()
    parent, child = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "buildsys", "push"],
        cwd=game.folder,
        env={**game.environ, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=child,
        text=True,
        check=True,
    )
    os.close(child)
    shown = os.read(parent, 100_000).decode()
    os.close(parent)
    assert shown.startswith("\r1 of ")
    assert shown.endswith("\r\x1b[K")
    assert " sent, " in done.stdout


def many(count: int) -> str:
    return "".join(
        f'\n[assets.gem{number}]\nrole = "sprite"\nprompt = "gem {number}"\nseed = {number}\nsize = [8, 8]\n'
        for number in range(count)
    )


def listed(server: Server, bucket: str) -> set[str]:
    store = stranger(server.url, bucket)
    return {item["path"] for chunk in store.list() for item in chunk}
