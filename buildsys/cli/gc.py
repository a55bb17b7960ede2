"""`artlock gc`: removes from the store what no lock needs any more, and keeps what was paid for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from buildsys import git
from buildsys.cli import amounts
from buildsys.cli.console import columns, count, print_json, say
from buildsys.errors import ArtlockError, Exit
from buildsys.session import LOCK, find_root
from buildsys.store import checkouts
from buildsys.store.objects import Store
from buildsys.store.place import default_root
from buildsys.upkeep import holding, pins
from buildsys.upkeep.collect import AGE, Collected, Limits, Tally, collect
from buildsys.upkeep.pins import Pin


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-C", dest="start", metavar="DIR", type=Path, default=Path(), help="for the pins")
    parser.add_argument("--json", action="store_true", help="print one JSON value on stdout")
    parser.add_argument("--older-than", metavar="AGE", help="what was not used for so long; 30d otherwise")
    parser.add_argument("--max-size", metavar="SIZE", help="and more, the longest unused first: 5GB")
    parser.add_argument("--paid", action="store_true", help="also what was paid for, and is in no lock")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be removed, and stop")
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--pin", metavar="REV", help="keep what the lock of this revision names; removes nothing"
    )
    one.add_argument("--unpin", metavar="REV", help="keep it no longer")
    one.add_argument(
        "--forget", metavar="DIR", help="a checkout that is gone for good keeps nothing any more"
    )


def run(options: argparse.Namespace) -> int:
    """Collect, or change what is kept."""
    store = Store(default_root())
    if options.pin or options.unpin or options.forget:
        done = _change(store, options)
        if options.json:
            print_json({"done": done})
        else:
            print(done)
        return Exit.FINE
    limits = Limits(
        older_than=AGE if options.older_than is None else amounts.duration(options.older_than),
        max_size=None if options.max_size is None else amounts.size(options.max_size),
        paid=options.paid,
    )
    found = collect(store, limits, dry=options.dry_run)
    if options.json:
        print_json(_as_json(found, limits, dry=options.dry_run))
    else:
        _show(found, limits, dry=options.dry_run)
    return Exit.FINE


def _change(store: Store, options: argparse.Namespace) -> str:
    """Pin, unpin or forget, and say so."""
    if options.forget:
        gone = str(Path(options.forget).absolute())
        if not checkouts.forget(store.layout, gone):
            known = ", ".join(f"`{item.root}`" for item, _ in checkouts.every(store.layout))
            raise ArtlockError(f"no build was seen in `{gone}`", f"known are {known or 'none'}")
        return f"`{gone}` is forgotten"
    root = find_root(options.start)
    if options.unpin:
        pins.remove(store.layout, str(root), options.unpin)
        return f"`{options.unpin}` is not pinned any more"
    commit = git.commit(root, options.pin)
    data = git.show(root, commit, git.prefix(root) + LOCK)
    held = holding.of_lock(data, f"`{LOCK}` in `{options.pin}`")
    pins.put(store.layout, Pin(root=str(root), revision=options.pin, commit=commit, held=held))
    return f"pinned `{options.pin}` ({commit[:12]}): {count(len(held.objects), 'object')}"


def _show(found: Collected, limits: Limits, *, dry: bool) -> None:
    roots = found.roots
    by = count(roots.locks, "lock") + f" of {count(len(roots.checkouts), 'checkout')}"
    if roots.away:
        by += f", {len(roots.away)} more as last read: {', '.join(roots.away)}"
    if roots.pins:
        by += f", {count(roots.pins, 'pin')}"
    rows = [_row("kept", found.locked, f"named by {by}")]
    if found.paid.files:
        rows.append(_row("paid", found.paid, "in no lock, but money may have been paid for it: kept"))
    rows.append(_row("recent", found.recent, "in no lock, used lately"))
    age = amounts.age_told(limits.older_than)
    why = f"in no lock, unused for {age}" + ("" if limits.max_size is None else ", or over the limit")
    rows.append(_row("would go" if dry else "removed", found.removed, why))
    print(columns(rows))
    for root in roots.forgotten:
        say(f"`{root}` is gone: it keeps nothing any more")
    if found.dropped:
        say(f"store: {count(found.dropped, 'damaged object')} dropped")
    if found.over:
        fact = f"the store is still {amounts.told(found.over)} larger than `--max-size {_size(limits)}`"
        say(f"\n{fact}\n\nhint: {_hint(found)}")


def _hint(found: Collected) -> str:
    """What would bring the store within its limit."""
    if found.recent.bytes >= found.over:
        return "wait until what was used in the last hour is older, or add `--older-than 0s`"
    if found.paid.bytes:
        return "`artlock gc --paid` removes what was paid for, too, and is in no lock"
    return "the locks of your checkouts name the rest: delete branches or checkouts that you don't need"


def _row(word: str, tally: Tally, why: str) -> tuple[str, str, str, str]:
    return word, count(tally.files, "file"), amounts.told(tally.bytes), why


def _size(limits: Limits) -> str:
    return amounts.told(limits.max_size or 0).replace(" ", "")


def _as_json(found: Collected, limits: Limits, *, dry: bool) -> dict[str, Any]:
    tallies = {
        name: msgspec.to_builtins(getattr(found, name)) for name in ("locked", "paid", "recent", "removed")
    }
    return {
        "dry_run": dry,
        "older_than": limits.older_than,
        "max_size": limits.max_size,
        **tallies,
        "over": found.over,
        "damaged": found.dropped,
        "leftovers": found.leftovers,
        "checkouts": list(found.roots.checkouts),
        "away": list(found.roots.away),
        "forgotten": list(found.roots.forgotten),
        "locks": found.roots.locks,
        "pins": found.roots.pins,
    }
