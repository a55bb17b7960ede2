"""Pins: revisions whose pictures a person wants kept, though no ref of a known checkout names them.

A pin holds what the lock of its revision keeps, so it lasts when the checkout is gone. Knows nothing of how
a lock is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import StoreError
from buildsys.files.durable import disk_error, write_durably
from buildsys.store import actions
from buildsys.upkeep.holding import Holding

FOLDER: Final = "pins"


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one project."""

    root: str
    revision: str
    """As the person wrote it."""
    commit: str
    held: Holding


def put(layout: Path, pin: Pin) -> None:
    """Keep a pin; one of the same project and revision is replaced. Raises `DiskError`."""
    key = _key(pin.root, pin.revision)
    held = {field: sorted(getattr(pin.held, field)) for field in pin.held.__struct_fields__}
    told = {"root": pin.root, "revision": pin.revision, "commit": pin.commit, "held": held}
    write_durably(layout / FOLDER / key, actions.encode(key, told))


def remove(layout: Path, root: str, revision: str) -> None:
    """Take a pin away. Raises `StoreError` where there is none."""
    path = layout / FOLDER / _key(root, revision)
    try:
        path.unlink()
    except FileNotFoundError:
        known = sorted(pin.revision for pin in every(layout) if pin.root == root)
        hint = f"the pins of this project are {', '.join(f'`{name}`' for name in known)}" if known else ""
        raise StoreError(f"`{revision}` is not pinned", hint or "this project has no pins") from None
    except OSError as error:
        raise disk_error("remove", path, error) from error


def every(layout: Path) -> Iterator[Pin]:
    """Every pin, in no order. Raises `StoreError` for a damaged one: what it keeps is unknown."""
    for path in (layout / FOLDER).glob("*"):
        if path.suffix:
            continue  # a write that was killed
        try:
            found = actions.decode(path.read_bytes(), Digest(path.name))
            if found is not None:
                yield msgspec.convert(found, Pin)
                continue
        except OSError as error:
            raise disk_error("read", path, error) from error
        except msgspec.ValidationError:
            pass
        raise StoreError(
            f"the pin `{path}` is damaged: what it keeps is unknown, and nothing was removed",
            "remove it, and pin the revision again",
        )


def _key(root: str, revision: str) -> Digest:
    return digests.of_value({"pin": revision, "root": root})
