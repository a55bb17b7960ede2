"""The remote as a library: what is missing moves, hashed, whatever the network does on the way."""

from __future__ import annotations

import asyncio
import base64
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from s3 import CREDENTIALS, Proxy, Server, files, proxied, stranger

from buildsys.digest import Digest, of_bytes
from buildsys.errors import RemoteError
from buildsys.manifest.sharing import Remote as Settings
from buildsys.remote import Poisoned, Progress, Pulled, Pushed, Remote
from buildsys.remote.bucket import LISTED_FROM
from buildsys.remote.crew import Room, each
from buildsys.remote.model import Patience
from buildsys.remote.trust import MOST_NAMED
from buildsys.store import actions
from buildsys.store.objects import Store

QUICK = Patience(
    connect=timedelta(seconds=20),
    silence=timedelta(seconds=20),
    retries=3,
    pause=timedelta(milliseconds=10),
)
RED, BLUE = b"red" * 500, b"blue" * 500
KEY = of_bytes(b"an action")
numbers = iter(range(10_000))


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
def bucket(server: Server) -> str:
    bucket = f"art-{next(numbers)}"
    server.make(bucket)
    return bucket


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store(tmp_path / "other")


@pytest.fixture
def settings(bucket: str, proxy: Proxy) -> Settings:
    return Settings(url=f"s3://{bucket}/keep", endpoint=proxy.url, write=True)


@pytest.fixture(params=["s3", "folder", "folder with spaces"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "s3":
        found: Settings = request.getfixturevalue("settings")
        return found
    folder = tmp_path / request.param
    folder.mkdir()
    return Settings(url=folder.as_uri(), write=True)


def opened(settings: Settings, patience: Patience = QUICK) -> Remote:
    return Remote.open(settings, patience=patience, environ={})


def key_of(digest: Digest, kind: str = "objects") -> str:
    return f"keep/v1/{kind}/{digest[:2]}/{digest[2:]}"


def test_what_is_pushed_is_pulled(either: Settings, store: Store, other: Store) -> None:
    red, blue = store.put_bytes(RED), store.put_bytes(BLUE)
    store.record_action(KEY, {"raw": blue, "cost": 0.25, "said": "é"})
    told: list[Progress] = []
    sent = opened(either).push(store, {red}, {KEY}, told.append)
    size = len(store.path_of(red).parent.parent.parent.joinpath("actions", KEY[:2], KEY[2:]).read_bytes())
    assert sent == Pushed(objects=2, actions=1, bytes=len(RED) + len(BLUE) + size)
    assert told[-1] == Progress(done=3, total=3, bytes=sent.bytes)
    again = opened(either).push(store, {red, blue}, {KEY})
    assert again == Pushed(present=3)
    told.clear()
    brought = opened(either).pull(other, {red}, {KEY}, told.append)
    assert brought == Pulled(objects=2, actions=1, bytes=sent.bytes)
    assert told[-1] == Progress(done=3, total=3, bytes=sent.bytes)
    assert other.read(red) == RED
    assert other.read(blue) == BLUE
    assert other.action(KEY) == {"raw": blue, "cost": 0.25, "said": "é"}
    assert opened(either).pull(other, {red, blue}, {KEY}) == Pulled(present=3)


def test_the_remote_has_the_same_bytes_at_the_same_places(tmp_path: Path, store: Store) -> None:
    (tmp_path / "remote").mkdir()
    red = store.put_bytes(RED)
    store.record_action(KEY, {"raw": red})
    opened(Settings(url=(tmp_path / "remote").as_uri(), write=True)).push(store, {red}, {KEY})
    assert files(tmp_path / "remote") == files(tmp_path / "store")
    # Whoever copies such a folder has a store.
    assert Store(tmp_path / "remote").action(KEY) == {"raw": red}


def test_what_is_nowhere_is_told(either: Settings, store: Store) -> None:
    red, gone = store.put_bytes(RED), of_bytes(b"gone")
    assert opened(either).pull(store, {red, gone}, {KEY}) == Pulled(present=1, absent=frozenset({gone, KEY}))
    store.record_action(KEY, {"raw": gone})
    sent = opened(either).push(store, {red}, {KEY, of_bytes(b"unknown")})
    assert sent == Pushed(objects=1, bytes=len(RED), absent=frozenset({gone}), withheld=frozenset({KEY}))


def test_an_action_whose_object_the_remote_lost_is_not_kept(
    settings: Settings, store: Store, other: Store, server: Server, bucket: str
) -> None:
    red = store.put_bytes(RED)
    store.record_action(KEY, {"raw": red})
    opened(settings).push(store, (), {KEY})
    stranger(server.url, bucket).delete(key_of(red))
    assert opened(settings).pull(other, (), {KEY}).absent == {red, KEY}
    assert other.action(KEY) is None


def test_an_action_that_the_remote_has_is_left_as_it_is(
    either: Settings, store: Store, other: Store, tmp_path: Path
) -> None:
    red, blue = store.put_bytes(RED), other.put_bytes(BLUE)
    store.record_action(KEY, {"raw": red})
    other.record_action(KEY, {"raw": blue})
    opened(either).push(store, (), {KEY})
    assert opened(either).push(other, (), {KEY}).actions == 0
    third = Store(tmp_path / "third")
    opened(either).pull(third, (), {KEY})
    assert third.action(KEY) == {"raw": red}


def test_objects_arrive_before_the_actions_that_name_them(
    settings: Settings, store: Store, proxy: Proxy
) -> None:
    for number in range(20):
        digest = store.put_bytes(f"{number}".encode())
        store.record_action(of_bytes(digest.encode()), {"raw": digest})
    actions = {of_bytes(of_bytes(f"{number}".encode()).encode()) for number in range(20)}
    opened(settings).push(store, (), actions)
    kinds = [path.split("/v1/")[1].split("/")[0] for method, path in proxy.faults.seen if method == "PUT"]
    assert kinds == ["objects"] * 20 + ["actions"] * 20


def test_every_object_is_sent_with_its_sha256(settings: Settings, store: Store, proxy: Proxy) -> None:
    red = store.put_bytes(RED)
    opened(settings).push(store, {red}, ())
    (sent,) = (
        headers
        for (method, _), headers in zip(proxy.faults.seen, proxy.faults.headers, strict=True)
        if method == "PUT"
    )
    assert base64.b64decode(sent["x-amz-checksum-sha256"]).hex() == red
    assert sent["x-amz-content-sha256"] == red, "the signature covers the bytes, too"


def test_a_large_object_goes_in_parts(settings: Settings, store: Store, other: Store, proxy: Proxy) -> None:
    large = store.put_bytes(os.urandom(9 << 20))
    assert opened(settings).push(store, {large}, ()).objects == 1
    assert sum("partNumber=" in path for _, path in proxy.faults.seen) == 2
    assert opened(settings).pull(other, {large}, ()).objects == 1
    assert other.read(large) == store.read(large)


@pytest.mark.parametrize("fault", ["reset", "503", "500", "slow"])
def test_what_passes_is_waited_for(
    fault: str, settings: Settings, store: Store, other: Store, proxy: Proxy
) -> None:
    digests = {store.put_bytes(f"{number}".encode() * 100) for number in range(8)}

    def spoil() -> None:
        if fault == "reset":
            proxy.faults.reset = 2
        elif fault == "slow":
            proxy.faults.slow = 0.1
        else:
            proxy.faults.status, proxy.faults.code, proxy.faults.times = int(fault), "SlowDown", 2

    patient = Patience(retries=6, pause=timedelta(milliseconds=10))
    spoil()
    assert opened(settings, patient).push(store, digests, ()).objects == 8
    spoil()
    assert opened(settings, patient).pull(other, digests, ()).objects == 8
    assert all(other.read(digest) == store.read(digest) for digest in digests)


def test_an_answer_that_ends_half_way_is_asked_for_again(
    settings: Settings, store: Store, other: Store, proxy: Proxy
) -> None:
    red = store.put_bytes(RED)
    opened(settings).push(store, {red}, ())
    proxy.faults.cut = 2
    assert opened(settings).pull(other, {red}, ()).objects == 1
    assert other.read(red) == RED


def test_an_answer_that_always_ends_half_way_is_an_error(
    settings: Settings, store: Store, other: Store, proxy: Proxy
) -> None:
    red = store.put_bytes(RED)
    opened(settings).push(store, {red}, ())
    proxy.faults.cut = 1000
    with pytest.raises(RemoteError) as caught:
        opened(settings).pull(other, {red}, ())
    assert caught.value.message == f"the remote `{settings.url}` can't be reached: the connection ended"
    assert caught.value.hint == "run the command again: what arrived is not moved again"
    assert not other.has(red)


@pytest.mark.parametrize("wrong", ["bit", "shorter", "longer", "empty", "another"])
def test_a_poisoned_object_is_refused_and_told(
    wrong: str, either: Settings, store: Store, other: Store, tmp_path: Path
) -> None:
    red, blue = store.put_bytes(RED), store.put_bytes(BLUE)
    bad = {
        "bit": bytes([RED[0] ^ 1]) + RED[1:],
        "shorter": RED[:-1],
        "longer": RED + b"x",
        "empty": b"",
        "another": BLUE,
    }[wrong]
    opened(either).push(store, {red, blue}, ())
    place = f"{either.url}/v1/objects/{red[:2]}/{red[2:]}"
    write(either, f"v1/objects/{red[:2]}/{red[2:]}", bad)
    done = opened(either).pull(other, {red, blue}, ())
    assert done == Pulled(objects=1, bytes=len(BLUE), poisoned=(Poisoned(digest=red, place=place),))
    assert set(files(tmp_path / "other")) == {f"v1/objects/{blue[:2]}/{blue[2:]}"}


def test_an_action_is_absent_for_want_of_an_object_and_not_for_a_wrong_one(
    tmp_path: Path, store: Store, other: Store
) -> None:
    (tmp_path / "remote").mkdir()
    folder = Settings(url=(tmp_path / "remote").as_uri(), write=True)
    red, blue = store.put_bytes(RED), store.put_bytes(BLUE)
    store.record_action(KEY, {"raw": red, "companions": {".json": blue}})
    opened(folder).push(store, (), {KEY})
    write(folder, f"v1/objects/{red[:2]}/{red[2:]}", BLUE)
    done = opened(folder).pull(other, (), {KEY})
    assert (done.absent, [found.digest for found in done.poisoned]) == (frozenset(), [red])
    known = opened(folder).pull(other, (), {KEY}, without={red})
    assert (known.absent, known.poisoned, other.action(KEY)) == (frozenset(), (), None)
    (tmp_path / "remote" / "v1" / "objects" / blue[:2] / blue[2:]).unlink()
    assert opened(folder).pull(Store(tmp_path / "third"), (), {KEY}).absent == {KEY, blue}


def write(settings: Settings, key: str, data: bytes) -> None:
    """Put `data` into the remote behind artlock's back."""
    if settings.scheme == "file":
        place = Path(settings.prefix, key)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    else:
        stranger(settings.endpoint, settings.bucket).put(f"{settings.prefix}/{key}", data)


@pytest.mark.parametrize("wrong", ["torn", "another's", "no digest", "altered"])
def test_a_poisoned_action_is_refused_and_told(
    wrong: str, either: Settings, store: Store, other: Store
) -> None:
    red = store.put_bytes(RED)
    sound = actions.encode(KEY, {"raw": red})
    bad = {
        "torn": sound[:-1],
        "another's": actions.encode(of_bytes(b"another"), {"raw": red}),
        "no digest": actions.encode(KEY, {"raw": "../../x"}),
        "altered": sound.replace(red.encode(), of_bytes(BLUE).encode()),
    }[wrong]
    key = f"v1/actions/{KEY[:2]}/{KEY[2:]}"
    write(either, key, bad)
    done = opened(either).pull(other, (), {KEY})
    assert done == Pulled(poisoned=(Poisoned(digest=KEY, place=f"{either.url}/{key}"),))
    assert other.action(KEY) is None


def test_an_action_that_names_too_many_objects_is_refused(tmp_path: Path, store: Store, other: Store) -> None:
    """A stranger's action has its own digest; what it could do is have everything fetched."""
    (tmp_path / "remote").mkdir()
    folder = Settings(url=(tmp_path / "remote").as_uri(), write=True)
    many = {f"{number}.png": store.put_bytes(b"%d" % number, sync=False) for number in range(MOST_NAMED + 1)}
    fewer = dict([*many.items()][:MOST_NAMED])
    largest = of_bytes(b"the largest")
    store.record_action(KEY, {"companions": many})
    store.record_action(largest, {"companions": fewer})
    opened(folder).push(store, (), {KEY, largest})
    done = opened(folder).pull(other, (), {KEY, largest})
    assert [found.digest for found in done.poisoned] == [KEY]
    assert (done.actions, done.objects) == (1, MOST_NAMED)
    assert not other.has(many[f"{MOST_NAMED}.png"])


def test_bytes_that_change_on_the_way_are_read_again(
    settings: Settings, store: Store, other: Store, proxy: Proxy
) -> None:
    red = store.put_bytes(RED)
    opened(settings).push(store, {red}, ())
    once = iter([True])
    proxy.faults.spoil = lambda _: next(once, False)
    assert opened(settings).pull(other, {red}, ()) == Pulled(objects=1, bytes=len(RED))
    proxy.faults.spoil = lambda _: True
    empty = Store(other.path_of(red).parents[4] / "third")
    assert [found.digest for found in opened(settings).pull(empty, {red}, ()).poisoned] == [red]


def test_a_torn_object_of_the_remote_is_mended(either: Settings, store: Store, other: Store) -> None:
    red = store.put_bytes(RED)
    write(either, f"v1/objects/{red[:2]}/{red[2:]}", RED[:100])
    assert opened(either).push(store, {red}, ()).objects == 1
    assert opened(either).pull(other, {red}, ()).objects == 1


def test_a_torn_action_of_the_remote_is_mended(either: Settings, store: Store, other: Store) -> None:
    red = store.put_bytes(RED)
    store.record_action(KEY, {"raw": red})
    opened(either).push(store, {red}, {KEY})
    write(either, f"v1/actions/{KEY[:2]}/{KEY[2:]}", actions.encode(KEY, {"raw": red})[:-9])
    sent = opened(either).push(store, {red}, {KEY})
    assert (sent.actions, sent.mended, sent.verified, sent.present) == (1, 1, 1, 1)
    assert opened(either).pull(other, {red}, {KEY}) == Pulled(
        objects=1, actions=1, bytes=sent.bytes + len(RED)
    )


def test_an_action_of_another_size_that_is_sound_stays(either: Settings, store: Store, other: Store) -> None:
    red, blue = store.put_bytes(RED), other.put_bytes(BLUE)
    other.record_action(KEY, {"raw": blue, "said": "by another machine"})
    opened(either).push(other, (), {KEY})
    store.record_action(KEY, {"raw": red})
    for verify in (False, True):
        sent = opened(either).push(store, {red}, {KEY}, verify=verify)
        assert (sent.actions, sent.mended, sent.poisoned) == (0, 0, ())


@pytest.mark.parametrize("kind", ["objects", "actions"])
def test_what_has_the_right_size_and_wrong_bytes_is_mended_on_demand(
    kind: str, either: Settings, store: Store, other: Store
) -> None:
    red, blue = store.put_bytes(RED), store.put_bytes(BLUE)
    store.record_action(KEY, {"raw": blue})
    opened(either).push(store, {red}, {KEY})
    digest, sound = {"objects": (blue, BLUE), "actions": (KEY, actions.encode(KEY, {"raw": blue}))}[kind]
    write(either, f"v1/{kind}/{digest[:2]}/{digest[2:]}", bytes([sound[0] ^ 1]) + sound[1:])
    assert opened(either).push(store, {red}, {KEY}) == Pushed(present=3)
    assert [found.digest for found in opened(either).pull(other, {red}, {KEY}).poisoned] == [digest]
    told: list[Progress] = []
    sent = opened(either).push(store, {red}, {KEY}, told.append, verify=True)
    assert (sent.objects + sent.actions, sent.mended, sent.verified, sent.present) == (1, 1, 3, 2)
    assert (sent.bytes, sent.poisoned) == (len(sound), ())
    assert (told[-1].done, told[-1].total) == (4, 4)
    assert opened(either).pull(other, {red}, {KEY}).poisoned == ()
    assert other.read(blue) == BLUE
    assert opened(either).push(store, {red}, {KEY}, verify=True) == Pushed(present=3, verified=3)


def test_what_is_wrong_and_not_here_is_told(tmp_path: Path, store: Store, other: Store) -> None:
    """Also what only the remote's own action names: another machine got another picture."""
    (tmp_path / "remote").mkdir()
    folder = Settings(url=(tmp_path / "remote").as_uri(), write=True)
    red, blue = store.put_bytes(RED), other.put_bytes(BLUE)
    other.record_action(KEY, {"raw": blue})
    opened(folder).push(other, (), {KEY})
    store.record_action(KEY, {"raw": red})
    key = f"v1/objects/{blue[:2]}/{blue[2:]}"
    write(folder, key, RED)
    sent = opened(folder).push(store, (), {KEY}, verify=True)
    assert sent.poisoned == (Poisoned(digest=blue, place=f"{folder.url}/{key}"),)
    assert (sent.objects, sent.actions, sent.mended, sent.absent) == (1, 0, 0, frozenset({blue}))
    assert opened(folder).push(other, (), {KEY}, verify=True).mended == 1


def test_a_damaged_object_of_the_store_is_not_sent(either: Settings, store: Store) -> None:
    red = store.put_bytes(RED)
    path = store.path_of(red)
    path.chmod(0o644)
    path.write_bytes(RED[:-1] + b"!")
    assert opened(either).push(store, {red}, ()).absent == {red}
    assert opened(either).pull(store, {red}, ()).absent == {red}


def test_what_is_many_is_looked_up_by_listing(settings: Settings, store: Store, proxy: Proxy) -> None:
    digests = {store.put_bytes(f"{number}".encode()) for number in range(LISTED_FROM)}
    few = set(sorted(digests)[: LISTED_FROM // 2])
    opened(settings).push(store, few, ())
    assert {method for method, _ in proxy.faults.seen} == {"HEAD", "PUT"}
    proxy.faults.seen.clear()
    sent = opened(settings).push(store, digests, ())
    assert (sent.objects, sent.present) == (LISTED_FROM - len(few), len(few))
    asked = [method for method, _ in proxy.faults.seen]
    assert (asked.count("HEAD"), asked.count("GET")) == (0, 1)


def test_of_many_results_only_those_that_are_there_are_asked_for(
    settings: Settings, store: Store, other: Store, proxy: Proxy
) -> None:
    red = store.put_bytes(RED)
    keys = {of_bytes(f"recipe {number}".encode()) for number in range(LISTED_FROM)}
    known = min(keys)
    store.record_action(known, {"raw": red})
    opened(settings).push(store, (), {known})
    proxy.faults.seen.clear()
    told: list[Progress] = []
    pulled = opened(settings).pull(other, (), keys, told.append)
    assert pulled == Pulled(objects=1, actions=1, bytes=pulled.bytes, absent=frozenset(keys - {known}))
    assert other.action(known) == store.action(known)
    # The listing, the result, and its picture.
    assert [method for method, _ in proxy.faults.seen] == ["GET"] * 3
    assert (told[-1].done, told[-1].total) == (2, 2)
    # A few are asked for one by one: no listing pays for them.
    proxy.faults.seen.clear()
    few = set(sorted(keys)[1:4])
    assert opened(settings).pull(other, (), few).absent == few
    assert len(proxy.faults.seen) == len(few)


def test_a_large_remote_is_listed_by_folder(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "remote" / "v1" / "objects"
    for number in range(10_000):
        digest = of_bytes(f"other {number}".encode())
        (folder / digest[:2]).mkdir(parents=True, exist_ok=True)
        (folder / digest[:2] / digest[2:]).touch()
    settings = Settings(url=(tmp_path / "remote").as_uri(), write=True)
    digests = {store.put_bytes(f"{number}".encode(), sync=False) for number in range(LISTED_FROM)}
    assert opened(settings).push(store, digests, ()).objects == len(digests)
    assert opened(settings).push(store, digests, ()) == Pushed(present=len(digests))


@pytest.mark.slow
def test_a_thousand_small_objects_fill_an_empty_store(
    bucket: str, server: Server, store: Store, other: Store
) -> None:
    straight = Settings(url=f"s3://{bucket}", endpoint=server.url, write=True)
    digests = {store.put_bytes(f"{number}".encode() * 50, sync=False) for number in range(1000)}
    assert opened(straight).push(store, digests, ()).objects == 1000
    assert opened(straight).push(store, digests, ()) == Pushed(present=1000)
    assert opened(straight).pull(other, digests, ()).objects == 1000
    assert all(other.read(digest) == store.read(digest) for digest in digests)


def test_it_can_be_used_from_any_thread(either: Settings, store: Store, other: Store) -> None:
    red = store.put_bytes(RED)
    remote = opened(either)
    remote.push(store, {red}, ())
    done: list[Pulled] = []
    threads = [threading.Thread(target=lambda: done.append(remote.pull(other, {red}, ()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 4
    assert all(found.poisoned == () and found.absent == frozenset() for found in done)
    assert other.read(red) == RED


def test_room_is_waited_for(tmp_path: Path) -> None:
    async def fill() -> list[int]:
        room, most = Room(100), [0]
        held = 0

        async def carry(size: int) -> None:
            nonlocal held
            async with room.hold() as hold:
                await hold.need(size)
                await hold.need(size)
                held += size
                most.append(held)
                await asyncio.sleep(0)
                held -= size

        await each([40, 40, 40, 300, 1, 99, 100], carry)
        return most

    seen = asyncio.run(fill())
    assert len(seen) == 8
    assert sorted(seen)[-2] <= 100
    assert max(seen) == 300, "what is larger than the room goes alone"


def test_the_first_error_ends_all() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        if number == 3:
            raise RemoteError("no", "yes")
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(number)

    with pytest.raises(RemoteError, match="no"):
        asyncio.run(each(range(10), work))
    assert sorted(ended) == [0, 1, 2, *range(4, 10)]
