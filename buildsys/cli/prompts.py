"""`artlock prompts`: every prompt as it would be sent, what was sent, and what an encoder would cut."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import msgspec

from buildsys import prompts
from buildsys.cli import options as shared
from buildsys.cli.console import count, paint, print_json, say, tame
from buildsys.errors import Exit
from buildsys.prompts import Prompt

_WIDTH = 9


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets; everything if none is named")


def run(options: argparse.Namespace) -> int:
    """Print the prompts. A cut is a warning: many prompts are meant to be long."""
    session = shared.session(options)
    found = prompts.collect(session, session.names(options.names))
    if options.json:
        print_json([as_json(item) for item in found])
        return Exit.FINE
    if found:
        print("\n\n".join(_shown(item) for item in found))
    cut = sum(1 for item in found if item.cuts)
    say(
        f"\n{count(len(found), 'asset')} with texts, {cut} longer than CLIP reads"
        if found
        else "no asset has a text"
    )
    return Exit.FINE


def as_json(item: Prompt) -> dict[str, Any]:
    """A prompt for a program."""
    table: dict[str, Any] = msgspec.to_builtins(item)
    for cut, plain in zip(item.cuts, table["cuts"], strict=True):
        plain["message"] = cut.text()
    return table


def _shown(item: Prompt) -> str:
    lines = [f"{paint(item.name, 'bold')}  {item.engine or 'no engine in this profile'}"]
    lines += [_row(word, text) for word, text in _texts(item) if text]
    lines += [paint(_row("warning", cut.text()), "yellow") for cut in item.cuts]
    return "\n".join(lines)


def _texts(item: Prompt) -> Iterator[tuple[str, str]]:
    """What there is to say, by a word for it; of the lock only what is another text than now."""
    for field in ("prompt", "negative", "text"):
        now = getattr(item, field)
        yield field, now
        if item.locked is not None and (then := getattr(item.locked, field)) != now:
            yield "locked", then or f"(no {field})"
        if field == "prompt" and item.locked is not None:
            yield "rewritten", item.locked.rewritten


def _row(word: str, text: str) -> str:
    """A text under its word; further lines of it stand below the first."""
    return f"  {word:<{_WIDTH}}  " + tame(text).replace("\n", "\n" + " " * (_WIDTH + 4))
