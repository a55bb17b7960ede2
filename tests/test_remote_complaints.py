"""What a remote says no with: one sentence, and one thing to do."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from s3 import CREDENTIALS, Proxy, Server, proxied, stranger

from buildsys.digest import of_bytes
from buildsys.errors import Exit, RemoteError
from buildsys.manifest.sharing import Remote as Settings
from buildsys.remote import Pushed, Remote
from buildsys.remote.model import Patience
from buildsys.store.objects import Store

ROOT = Path(__file__).resolve().parent.parent
HASTY = Patience(
    connect=timedelta(seconds=5),
    silence=timedelta(seconds=20),
    retries=1,
    give_up=timedelta(seconds=20),
    pause=timedelta(milliseconds=10),
    reads=1,
)
AGAIN = "run the command again: what arrived is not moved again"
RED = of_bytes(b"red")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    server.make("complaints")
    yield server
    server.end()


@pytest.fixture
def proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with proxied(server) as proxy:
        yield proxy


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    assert store.put_bytes(b"red") == RED
    return store


@pytest.fixture
def empty(tmp_path: Path) -> Store:
    return Store(tmp_path / "empty")


def settings(proxy: Proxy, bucket: str = "complaints") -> Settings:
    return Settings(url=f"s3://{bucket}/keep", endpoint=proxy.url, write=True)


def pulling(chosen: Settings, empty: Store, patience: Patience = HASTY) -> tuple[str, str]:
    """The fact, after the remote's address, and the hint."""
    with pytest.raises(RemoteError) as caught:
        Remote.open(chosen, patience=patience, environ={}).pull(empty, {RED}, ())
    assert caught.value.exit_code is Exit.FAILED
    return caught.value.message.replace(f"the remote `{chosen.url}`", "it"), caught.value.hint


def pushing(chosen: Settings, store: Store) -> tuple[str, str]:
    with pytest.raises(RemoteError) as caught:
        Remote.open(chosen, patience=HASTY, environ={}).push(store, {RED}, ())
    return caught.value.message.replace(f"the remote `{chosen.url}`", "it"), caught.value.hint


def test_no_bucket(proxy: Proxy, store: Store, empty: Store) -> None:
    told = ("it has no bucket `nowhere`", "create the bucket, or correct `url` in `[remote]`")
    assert pulling(settings(proxy, "nowhere"), empty) == told
    assert pushing(settings(proxy, "nowhere"), store) == told


def test_forbidden(proxy: Proxy, store: Store, empty: Store) -> None:
    proxy.faults.status, proxy.faults.code, proxy.faults.times = 403, "AccessDenied", 1
    assert pulling(settings(proxy), empty) == (
        "it refuses to be read: AccessDenied",
        "have these credentials allowed to list the bucket and to get its objects",
    )
    proxy.faults.refused = "PUT"
    assert pushing(settings(proxy), store) == (
        "it refuses to be written: AccessDenied",
        "have these credentials allowed to put objects there",
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("InvalidAccessKeyId", "it does not know these credentials"),
        ("SignatureDoesNotMatch", "it does not take these credentials"),
    ],
)
def test_wrong_credentials(code: str, told: str, proxy: Proxy, empty: Store) -> None:
    proxy.faults.status, proxy.faults.code, proxy.faults.times = 403, code, 1
    assert pulling(settings(proxy), empty) == (told, "correct the credentials in the environment")


def test_bytes_that_change_on_the_way_there(proxy: Proxy, store: Store) -> None:
    proxy.faults.status, proxy.faults.code, proxy.faults.refused = 400, "BadDigest", "PUT"
    assert pushing(settings(proxy), store) == ("it received other bytes than were sent", AGAIN)


def test_another_region(proxy: Proxy, empty: Store) -> None:
    proxy.faults.status, proxy.faults.code, proxy.faults.times = 301, "PermanentRedirect", 1
    assert pulling(settings(proxy), empty) == ("it lies in another region", "set `region` in `[remote]`")


def test_a_server_that_stays_unwell(proxy: Proxy, empty: Store) -> None:
    proxy.faults.status, proxy.faults.code, proxy.faults.times = 503, "SlowDown", 1000
    assert pulling(settings(proxy), empty) == ("it answered 503 SlowDown", AGAIN)
    assert len(proxy.faults.seen) == 1 + HASTY.retries


def test_a_server_that_always_hangs_up(proxy: Proxy, empty: Store) -> None:
    proxy.faults.reset = 1000
    assert pulling(settings(proxy), empty) == ("it can't be reached: the connection ended", AGAIN)


def test_a_server_that_never_answers(proxy: Proxy, empty: Store) -> None:
    proxy.faults.silent.set()
    short = Patience(silence=timedelta(milliseconds=300), retries=1, pause=timedelta(milliseconds=10))
    assert pulling(settings(proxy), empty, short) == ("it did not answer in time", AGAIN)


def test_a_server_that_is_not_running(proxy: Proxy, empty: Store) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        chosen = Settings(url="s3://art", endpoint=f"http://127.0.0.1:{free.getsockname()[1]}")
        assert pulling(chosen, empty) == (
            "it can't be reached: connection refused",
            "check that its server is running",
        )


def test_a_server_that_nobody_knows(proxy: Proxy, empty: Store) -> None:
    chosen = Settings(url="s3://art", endpoint="http://storage.invalid")
    assert pulling(chosen, empty) == (
        "it can't be reached: no server has that name",
        "check the network, and the server's name",
    )


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("s3://art", "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"),
    ],
)
def test_no_credentials(url: str, hint: str, empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    # What every cloud's machines have, and no other machine: a place to ask for credentials.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1/metadata/")
    chosen = Settings(url=url, endpoint="http://127.0.0.1:1")
    with pytest.raises(RemoteError) as caught:
        Remote.open(chosen, patience=HASTY, environ={}).pull(empty, {RED}, ())
    assert caught.value.message == f"there are no credentials for the remote `{url}`"
    assert caught.value.hint == hint


def test_anonymous_needs_no_credentials(
    server: Server, empty: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = stranger(server.url, "complaints", **{"x-amz-acl": "public-read"})
    public.put(f"keep/v1/objects/{RED[:2]}/{RED[2:]}", b"red")
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    chosen = Settings(url="s3://complaints/keep", endpoint=proxy.url, anonymous=True)
    assert Remote.open(chosen, patience=HASTY, environ={}).pull(empty, {RED}, ()).objects == 1
    assert "authorization" not in proxy.faults.headers[-1]


def test_an_account_of_azure_that_is_not_named(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(RemoteError) as caught:
        Remote.open(Settings(url="az://art/keep"))
    assert caught.value.message == "the remote `az://art/keep` needs the name of its account"
    assert caught.value.hint == "set `AZURE_STORAGE_ACCOUNT_NAME`"


def test_every_kind_of_remote_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "keep")
    for url in ("s3://art", "s3://art/keep", "gs://art/keep", "az://art/keep", tmp_path.as_uri()):
        Remote.open(Settings(url=url, anonymous=not url.startswith("file")))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    with pytest.raises(RemoteError) as caught:
        Remote.open(Settings(url=folder.as_uri(), write=True))
    assert caught.value.message == f"the remote's folder `{folder}` is not there"
    assert caught.value.hint == f"mount it, or run `mkdir -p {folder}`"


@pytest.mark.parametrize("value", ["", "0", "true"])
def test_nobody_said_that_it_may_be_written(value: str, tmp_path: Path, store: Store) -> None:
    remote = Remote.open(Settings(url=tmp_path.as_uri()), environ={"ARTLOCK_REMOTE_WRITE": value})
    with pytest.raises(RemoteError) as caught:
        remote.push(store, {RED}, ())
    assert caught.value.message == f"the remote `{tmp_path.as_uri()}` is read-only here"
    assert caught.value.hint == "set `write = true` in `[remote]`, or `ARTLOCK_REMOTE_WRITE=1` in CI"
    assert not (tmp_path / "v1").exists()


def test_ci_says_that_it_may_be_written(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "remote"
    folder.mkdir()
    remote = Remote.open(Settings(url=folder.as_uri()), environ={"ARTLOCK_REMOTE_WRITE": "1"})
    assert remote.push(store, {RED}, ()) == Pushed(objects=1, bytes=3)


def test_without_the_extra(tmp_path: Path) -> None:
    """In an interpreter that lacks obstore: none of artlock's modules needs it before a remote is opened."""
    code = (
        "import sys; sys.modules['obstore'] = None\n"
        "from buildsys.remote import Remote\n"
        "from buildsys.manifest.sharing import Remote as Settings\n"
        "from buildsys.errors import RemoteError\n"
        "try:\n    Remote.open(Settings(url='s3://art'))\n"
        "except RemoteError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == (
        "the remote `s3://art` needs obstore, which is not installed\n\n"
        "hint: run `pip install 'artlock[remote]'`\n"
    )


def test_a_folder_that_became_a_file(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "remote"
    folder.mkdir()
    remote = Remote.open(Settings(url=folder.as_uri(), write=True), environ={})
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with pytest.raises(RemoteError) as caught:
        remote.push(store, {RED}, ())
    assert caught.value.message.startswith(f"the remote `{folder.as_uri()}` failed: ")
    assert caught.value.hint == AGAIN
