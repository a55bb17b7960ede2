"""What `push` and `pull` move: what belongs to assets of the lock, between the store and the remote.

Knows nothing of how bytes get there.
"""

from __future__ import annotations

from collections.abc import Collection

from buildsys import holdings
from buildsys.errors import LockError, RemoteError, did_you_mean
from buildsys.manifest.model import AssetName
from buildsys.plan.companions import files_of
from buildsys.plan.record import Record
from buildsys.remote import Pulled, Pushed, Remote
from buildsys.remote.model import Tell
from buildsys.session import Session


def pull(session: Session, names: Collection[str], tell: Tell) -> Pulled:
    """Bring what belongs to `names`, or to every asset of the lock, into the store. Raises `RemoteError`."""
    remote, records = _remote(session), chosen(session, names)
    wanted = holdings.of_all(records)
    return remote.pull(session.store, wanted.objects, wanted.actions, tell)


def push(session: Session, names: Collection[str], tell: Tell, *, verify: bool = False) -> Pushed:
    """Send what belongs to `names`, or to every asset of the lock, to the remote. Raises `RemoteError`.

    What the store lacks is taken from the checkout, where the file there is the one that the lock names.
    With `verify`, what the remote has is read back, and overwritten where it is wrong.
    """
    remote, records = _remote(session), chosen(session, names)
    remote.check_writable()
    for record in records:
        _take_in(session, record)
    wanted = holdings.of_all(records)
    return remote.push(session.store, wanted.objects, wanted.actions, tell, verify=verify)


def chosen(session: Session, names: Collection[str]) -> list[Record]:
    """The records of `names` with their other scales and formats; all, where none is named."""
    known = session.lock.records
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or "run `artlock build` first"
            raise LockError(f"asset `{name}` is not in the lock", hint)
    if not names:
        return list(known.values())
    wanted = {AssetName(name) for name in names}
    assets = session.manifest.assets
    wanted |= {name for name in known if name in assets and assets[name].main in wanted}
    return [record for name, record in known.items() if name in wanted]


def _remote(session: Session) -> Remote:
    if session.manifest.remote is None:
        hint = 'add `[remote]` with `url = "s3://my-bucket/artlock"`'
        raise RemoteError("the manifest names no remote", hint)
    return Remote.open(session.manifest.remote)


def _take_in(session: Session, record: Record) -> None:
    """Put into the store the files of `record` that it lacks: after a clone, git has brought them."""
    for path, digest in files_of(record).items():
        place = session.root / path
        if session.store.has(digest) or session.checkout.file(path) != digest:
            continue
        if not session.checkout.pointer(path):
            session.store.put_file(place, sync=False)
