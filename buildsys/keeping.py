"""Freezing: a picture stays as the lock has it, whatever becomes of its recipe, until it is thawed.

Knows nothing of terminals, and nothing of what a build does with it (`buildsys.plan.freezing`).
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from buildsys.errors import ArtlockError
from buildsys.lock.model import Lock
from buildsys.lockwords import chosen, lying, rewrite
from buildsys.manifest.model import AssetName
from buildsys.session import Session


def freeze(session: Session, words: Collection[str]) -> tuple[AssetName, ...]:
    """Freeze the pictures of `words`; those that were not frozen so before. Raises `ArtlockError`."""
    done: tuple[AssetName, ...] = ()

    def change(lock: Lock) -> Lock:
        nonlocal done
        names = chosen(lock, words)
        files = {name: lock.records[name].picture.file for name in names}
        for name in names:
            there = lying(session, lock, name) is not None
            if not there and not session.checkout.restorable(files[name], lock.records[name].output):
                fact = f"the picture of `{name}` is neither there nor in the store nor in git"
                raise ArtlockError(fact, f"run `artlock build {name}`")
        done = tuple(name for name in names if lock.frozen.get(name) != files[name])
        return msgspec.structs.replace(lock, frozen=dict(sorted({**lock.frozen, **files}.items())))

    rewrite(session, change)
    return done


def thaw(session: Session, words: Collection[str]) -> tuple[AssetName, ...]:
    """Let the pictures of `words` change again; those that were frozen. Raises `ArtlockError`."""
    done: tuple[AssetName, ...] = ()

    def change(lock: Lock) -> Lock:
        nonlocal done
        done = tuple(name for name in chosen(lock, words) if name in lock.frozen)
        left = {name: file for name, file in lock.frozen.items() if name not in done}
        return msgspec.structs.replace(lock, frozen=left)

    rewrite(session, change)
    return done


def edited(output: str) -> str:
    """What to do about a file that a hand changed of what is frozen."""
    return f"move or delete `{output}`, and `artlock build` brings the frozen picture back"


def refuse(lock: Lock, names: Collection[AssetName], option: str) -> None:
    """Raise `ArtlockError` where `option` would make a picture again that is frozen."""
    if kept := [name for name in names if name in lock.frozen]:
        raise ArtlockError(
            f"`{kept[0]}` is frozen, so `{option}` can't change it", f"run `artlock thaw {kept[0]}` first"
        )
