"""Which assets of the lock the words of a command line mean, and the lock while a person's word goes into it.

Knows nothing of what that word is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from fnmatch import fnmatchcase

from buildsys import files
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, LockError, did_you_mean
from buildsys.lock.model import Lock
from buildsys.lock.write import check_writable, save
from buildsys.manifest.model import AssetName
from buildsys.session import LOCK, PRIVATE, Session


def chosen(lock: Lock, words: Collection[str]) -> tuple[AssetName, ...]:
    """The assets that `words` mean, with all their scales and formats; a word may be a pattern: `items/*`.

    Raises `LockError`, also where a merge is open over one of them.
    """
    known = (*lock.records, *lock.conflicts)
    found = meant(words, known, otherwise="run `artlock build` first, which notes what it makes there")
    if undecided := [name for name in found if name in lock.conflicts]:
        fact = f"both sides of a merge changed `{undecided[0]}` in `{LOCK}`"
        raise LockError(fact, f"run `artlock resolve {undecided[0]}` first")
    return found


def meant(
    words: Collection[str],
    known: Collection[AssetName],
    *,
    where: str = "the lock",
    otherwise: str = "run `artlock status` for the list",
) -> tuple[AssetName, ...]:
    """Those of the assets `known` that `words` mean: a name with its scales and formats, or a pattern.

    Raises `LockError` for a word that means none: it is not in `where`; `otherwise`: what to do where no name
    is near.
    """
    found: dict[AssetName, None] = {}
    for word in words:
        named = [name for name in known if name == word or name.startswith(f"{word}@")]
        named = named or [name for name in known if fnmatchcase(name, word)]
        if not named:
            raise LockError(f"asset `{word}` is not in {where}", did_you_mean(word, known) or otherwise)
        found.update(dict.fromkeys(named))
    return tuple(found)


def rewrite(session: Session, change: Callable[[Lock], Lock]) -> Lock:
    """Write the lock as `change` gives it of the one that lies there, held as a build holds it.

    The lock from before. Raises `LockError`, `DiskError`, and whatever `change` does.
    """
    with files.ExclusiveLock(session.root / PRIVATE / "build.lock"):
        session.read_lock()
        before = session.lock
        check_writable(before)
        changed = change(before)
        if changed != before:
            save(session.root / LOCK, changed)
        session.index.save()
    session.read_lock()
    return before


def lying(session: Session, lock: Lock, name: AssetName) -> Digest | None:
    """The file of `name` that lies there, which must be the lock's; None where none does.

    Raises `ArtlockError`: what a person sees there is then not what the lock tells of.
    """
    record = lock.records[name]
    found = session.index.digest(record.output)
    if found is not None and found != record.picture.file:
        fact = f"what lies at `{record.output}` is not the picture that the lock has of `{name}`"
        raise ArtlockError(fact, f"run `artlock explain {name}`, which tells why")
    return found
