"""`artlock verify`: hashes everything in the store, drops what is damaged, and says what is lost."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec

from buildsys.cli import amounts
from buildsys.cli.console import count, paint, print_json, say, tame
from buildsys.errors import Exit
from buildsys.store.inventory import Kind
from buildsys.store.objects import Store
from buildsys.store.place import default_root
from buildsys.upkeep.verify import Again, Damage, Owner, Part, Verified, verify

_PARTS: Final = {
    Part.PICTURE: "the picture",
    Part.RAW: "the raw picture",
    Part.RESULT: "what is known of how it was made,",
}
_AGAIN: Final = {
    Again.OUT: "the file is still in the checkout",
    Again.GIT: "git has it",
    Again.REMOTE: "`artlock pull` may have it",
    Again.ENGINE: "its engine must make it again, where it is needed",
}
_EVERY: Final = 0.2
"""Seconds between two words on how far it is."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON value on stdout")


def run(options: argparse.Namespace) -> int:
    """Exit 1 where anything is damaged."""
    found = verify(Store(default_root()), _progress())
    if options.json:
        print_json(msgspec.to_builtins(found))
    else:
        _show(found)
    return Exit.FAILED if found.damaged or found.unreadable or found.notes else Exit.FINE


def _progress() -> Callable[[int, int], None]:
    """Tells a person who waits at a terminal how far it is."""
    if not sys.stderr.isatty():
        return lambda *_: None
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= _EVERY:
            last = now
            end = "\n" if done == total else ""
            print(f"\r{done:,} of {count(total, 'file')}", end=end, file=sys.stderr, flush=True)

    return tell


def _show(found: Verified) -> None:
    for damage in found.damaged:
        name = f"{_KINDS[damage.kind]} {damage.digest[:12]}"
        for line in _lines(damage):
            print(f"{paint('dropped', 'red')}  {name}: {tame(line)}")
    for path, message in found.unreadable.items():
        print(f"{paint('unread', 'red')}  {path}: {tame(message)}")
    size = amounts.told(found.bytes)
    bad = len(found.damaged) + len(found.unreadable) + len(found.notes)
    told = f"{count(bad, 'file')} damaged" if bad else "all sound"
    print(f"{count(found.files, 'file')} checked, {size}: {told}")
    if found.damaged and found.unread:
        say(f"the locks of {', '.join(f'`{root}`' for root in found.unread)} could not be read")
    for note in found.notes:
        say(f"`{tame(note)}` does not tell which checkout it stands for")
    if found.notes:
        say("\nhint: remove it, and run `artlock build` in each of your checkouts")
    elif found.unreadable:
        say("\nhint: check the disk")


_KINDS: Final = {Kind.OBJECT: "object", Kind.ACTION: "result"}


def _lines(damage: Damage) -> list[str]:
    return [_line(owner) for owner in damage.owners] or ["no lock of a known checkout names it"]


def _line(owner: Owner) -> str:
    return f"{_PARTS[owner.part]} of `{owner.asset}` in `{owner.root}`: {_AGAIN[owner.again]}"
