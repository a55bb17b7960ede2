"""What a push and a pull take, against the same copying with obstore by hand.

Small objects, into an empty remote and out of it into an empty store: a folder, and a server that speaks S3
(moto's, in a process of its own). By hand means: the same number of requests at once, whole files, nothing
hashed, nothing looked up, nothing of a store. And how the remote is best asked what it has.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import checkout
import result

sys.path.insert(0, str(checkout.ROOT))

from obstore.store import LocalStore, S3Store

from buildsys.digest import Digest, of_bytes
from buildsys.manifest.sharing import Remote as Settings
from buildsys.remote import Remote
from buildsys.remote.crew import WIDTH
from buildsys.store.objects import Store

_CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark"}
_SMALLEST, _LARGEST = 500, 20_000
"""Bytes of an object: icons and sprites."""


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--objects", type=int, default=10_000, metavar="N", help="moved to and from a folder")
    parser.add_argument("--served", type=int, default=1_000, metavar="N", help="moved to and from the server")
    parser.add_argument(
        "--listed", type=int, default=10_000, metavar="N", help="objects that the server is asked for"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of which the median is told")
    options = parser.parse_args()
    if options.small:
        options.objects, options.served, options.listed, options.rounds = 60, 40, 30, 1
    began = result.start()
    os.environ.update(_CREDENTIALS)
    with _folder(options.work) as work, _server() as url:
        places: dict[str, Any] = {}
        for name, number in (("folder", options.objects), ("S3", options.served)):
            result.tell(f"{name}: {number} objects")
            places[name] = _place(name, number, options.rounds, work / name, url)
        result.tell("lookups")
        lookups = asyncio.run(_lookups(url, options.listed))
    tables = (_moved(places, options), _asked(lookups, options))
    result.publish("remote", {"places": places, "lookups": lookups}, tables, options, began)


def _place(name: str, number: int, rounds: int, work: Path, url: str) -> dict[str, Any]:
    """Seconds of every case, a list with one entry for each round."""
    store = Store(work / "full")
    digests = _fill(store, number)
    found: dict[str, Any] = {"objects": number, "seconds": {}}
    for turn in range(rounds):
        settings, bucket = _opened(name, f"{name.lower()}-{turn}", work, url)
        _, other = _opened(name, f"{name.lower()}-{turn}-hand", work, url)
        remote, into, plain = Remote.open(settings), Store(work / f"into-{turn}"), work / f"plain-{turn}"
        cases: dict[str, Callable[[], object]] = {
            "push": lambda remote=remote: remote.push(store, digests, ()),
            "push by hand": lambda other=other: asyncio.run(_sent_by_hand(other, store, digests)),
            "push again": lambda remote=remote: remote.push(store, digests, ()),
            "pull": lambda remote=remote, into=into: remote.pull(into, digests, ()),
            "pull by hand": lambda bucket=bucket, plain=plain: asyncio.run(
                _brought_by_hand(bucket, digests, plain)
            ),
        }
        for case, work_on in cases.items():
            start = time.monotonic()
            work_on()
            found["seconds"].setdefault(case, []).append(time.monotonic() - start)
        found["same"] = all(into.read(digest) == store.read(digest) for digest in digests)
        for folder in (into.path_of(digests[0]).parents[3], plain):
            shutil.rmtree(folder)
    for case in ("push", "pull"):
        own, hand = (statistics.median(found["seconds"][key]) for key in (case, f"{case} by hand"))
        found[f"{case}_ratio"] = own / hand
    return found


def _fill(store: Store, number: int) -> list[Digest]:
    numbers = random.Random(7)  # noqa: S311 - nothing secret
    return [
        store.put_bytes(numbers.randbytes(numbers.randint(_SMALLEST, _LARGEST)), sync=False)
        for _ in range(number)
    ]


def _opened(name: str, bucket: str, work: Path, url: str) -> tuple[Settings, Any]:
    """A new, empty place: as the manifest tells of it, and as obstore opens it."""
    if name == "folder":
        folder = work / bucket
        folder.mkdir(parents=True)
        return Settings(url=folder.as_uri(), write=True), LocalStore(folder)
    urllib.request.urlopen(urllib.request.Request(f"{url}/{bucket}", method="PUT")).close()  # noqa: S310
    opened = S3Store(bucket, config={"endpoint": url}, client_options={"allow_http": True})
    return Settings(url=f"s3://{bucket}", endpoint=url, write=True), opened


async def _sent_by_hand(bucket: Any, store: Store, digests: list[Digest]) -> None:  # noqa: ANN401 - any of obstore's
    async def send(digest: Digest) -> None:
        await bucket.put_async(_key(digest), store.path_of(digest).read_bytes())

    await _gathered(send, digests)


async def _brought_by_hand(bucket: Any, digests: list[Digest], folder: Path) -> None:  # noqa: ANN401 - as above
    async def bring(digest: Digest) -> None:
        answer = await bucket.get_async(_key(digest))
        path = folder / _key(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await answer.bytes_async())

    await _gathered(bring, digests)


async def _gathered(work: Callable[[Digest], Awaitable[None]], digests: list[Digest]) -> None:
    slots = asyncio.Semaphore(WIDTH)

    async def one(digest: Digest) -> None:
        async with slots:
            await work(digest)

    await asyncio.gather(*(one(digest) for digest in digests))


async def _lookups(url: str, number: int) -> dict[str, float]:
    """Seconds to ask for each object of a remote that has `number`, in three ways."""
    _, bucket = _opened("S3", "listed", Path(), url)
    digests = [of_bytes(f"{item}".encode()) for item in range(number)]
    found: list[Digest] = []

    async def folder(name: str) -> None:
        async for chunk in bucket.list(f"v1/objects/{name}"):
            found.extend(Digest(item["path"].replace("/", "")[-64:]) for item in chunk)

    async def head(digest: Digest) -> None:
        await bucket.head_async(_key(digest))

    async def send(digest: Digest) -> None:
        await bucket.put_async(_key(digest), b"")

    await _gathered(send, digests)
    seconds = {}
    start = time.monotonic()
    await folder("")
    seconds["one listing"] = time.monotonic() - start
    if sorted(found) != sorted(digests):
        sys.exit(f"the server lists {len(found)} of {number} objects")
    start = time.monotonic()
    await _gathered(folder, [Digest(f"{part:02x}") for part in range(256)])
    seconds["a listing for each folder"] = time.monotonic() - start
    start = time.monotonic()
    await _gathered(head, digests)
    seconds["one by one"] = time.monotonic() - start
    return seconds


def _key(digest: Digest) -> str:
    return f"v1/objects/{digest[:2]}/{digest[2:]}"


def _moved(places: dict[str, Any], options: argparse.Namespace) -> result.Table:
    rows = []
    for name, found in places.items():
        for case in ("push", "pull"):
            own, hand = (statistics.median(found["seconds"][key]) for key in (case, f"{case} by hand"))
            again = statistics.median(found["seconds"]["push again"]) if case == "push" else None
            rows.append(
                (
                    f"{case}, {found['objects']} objects, {name}",
                    f"{own:.2f}",
                    f"{hand:.2f}",
                    f"{own / hand:.2f}",
                    "-" if again is None else f"{again:.2f}",
                )
            )
    title = f"remote: seconds, median of {options.rounds}"
    return result.Table(title, ("case", "artlock", "by hand", "ratio", "again, nothing to move"), tuple(rows))


def _asked(lookups: dict[str, float], options: argparse.Namespace) -> result.Table:
    rows = tuple((name, f"{seconds:.2f}") for name, seconds in lookups.items())
    return result.Table(f"remote: asking the server for {options.listed} objects", ("how", "seconds"), rows)


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextmanager
def _server() -> Iterator[str]:
    """Moto's server, at a port that the system gives it."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = process.stderr or iter(())
        line = next((line for line in lines if "Running on http://127.0.0.1:" in line), "")
        if not line:
            sys.exit("moto's server ended before it listened")
        threading.Thread(target=lambda: [None for _ in lines], daemon=True).start()
        yield f"http://127.0.0.1:{int(line.rpartition(':')[2].split()[0].strip('/'))}"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
