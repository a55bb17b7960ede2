"""A history in words, as the terminal and the page both tell it.

Knows nothing of colours and HTML. What comes from a lock or a commit is a stranger's: whoever shows it
makes it printable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from buildsys.history.model import Commit, History, Version
from buildsys.journal.words import NOTHING, count
from buildsys.plan.record import Json, Record
from buildsys.review.model import Field, Kind

BITS: Final = 64
"""Of a perceptual hash. Of two pictures that have nothing in common, about half differ."""
MOST_FIELDS: Final = 8
"""Of one version; `--json` has all."""
PASSED: Final = "the current version is older than these"
_DIGITS: Final = 12
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"

_KINDS: Final = {
    Kind.ADDED: "added",
    Kind.REMOVED: "removed",
    Kind.RENAMED: "renamed",
    Kind.CHANGED: "changed",
    Kind.ENCODING: "encoded anew, the same pixels",
    Kind.RECORD: "the same file, noted otherwise",
}


def heading(history: History) -> str:
    """`4 versions by 2 people, 2026-03-01 to 2026-11-20`."""
    versions = history.versions
    if not versions:
        return "no version here"
    people = len({version.commit.mail for version in versions})
    days = sorted((versions[0].commit.day, versions[-1].commit.day))
    span = days[0] if days[0] == days[1] else f"{days[0]} to {days[1]}"
    by = f" by {people} people" if people > 1 else ""
    return f"{count(len(versions), 'version')}{by}, {span}"


def kind_told(version: Version) -> str:
    """What the commit did: `changed`, `renamed from knight`, `removed: it went on as hero`."""
    if version.oldest_known:
        return "the oldest known"
    if version.kind is Kind.RENAMED and version.before:
        return f"renamed from {version.before.name}"
    if version.kind is Kind.RECORD and _recipe(version.before) != _recipe(version.record):
        return "another recipe, the same file"
    if version.became:
        return f"renamed: it went on as {version.became}"
    return _KINDS[version.kind]


def _recipe(record: Record | None) -> str:
    return record.recipe if record else ""


def distance_told(bits: int | None) -> str:
    """`14 of 64 bits`."""
    return NOTHING if bits is None else f"{bits} of {BITS} bits"


def approved_told(version: Version) -> str:
    """`approved by Ada <ada@…> in 1a2b3c4d5e`; empty where nobody did."""
    if version.approved is None:
        return ""
    commit = version.approved.commit
    by = f"approved by {version.approved.word.by}"
    return f"{by} in {commit.short}, {commit.day}" if commit and commit != version.commit else by


def picture_told(record: Record) -> str:
    """`5e3f0a11c2d4`: the digits by which a picture is known, of its pixels."""
    return record.picture.pixels[:_DIGITS]


def facts(record: Record) -> Iterator[tuple[str, str]]:
    """What a version was asked for, where there is none before it to tell the differences to."""
    parts = record.parts
    yield "prompt", parts.prompt
    yield "negative", parts.negative
    yield "text", parts.text
    yield "seed", "" if parts.seed is None else str(parts.seed)
    yield "engine", engine_told(record)
    yield "size", f"{record.picture.width} x {record.picture.height}"
    yield "parameters", ", ".join(f"{key} = {value_told(value)}" for key, value in parts.parameters.items())
    yield "finish", ", ".join(step.name for step in parts.finish)


def engine_told(record: Record) -> str:
    """The engine and its model; an adapter with no model by its version."""
    parts = record.parts
    what = f"{parts.model} {parts.revision[:_DIGITS]}".strip() or f"{parts.adapter} {parts.adapter_version}"
    return f"{record.engine} ({what})" if what != record.engine else what


def value_told(value: Json) -> str:
    """A value of a recipe: a text as it is, several after one another, anything else as JSON."""
    if value is None:
        return NOTHING
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def field_told(field: Field) -> str:
    """`12345 → 12346`."""
    return f"{value_told(field.before)} → {value_told(field.after)}"


def marked(field: Field) -> Iterator[tuple[str, str]]:
    """The pieces of a text that changed, each with its state, as `git diff --word-diff` marks them."""
    for word in field.words:
        if word.state == "same":
            yield word.text, word.state
        else:
            yield (f"[-{word.text}-]" if word.state == "gone" else f"{{+{word.text}+}}"), word.state


def fewer(fields: Sequence[Field]) -> tuple[Sequence[Field], str]:
    """Those that are told, and that there are more."""
    rest = len(fields) - MOST_FIELDS
    if rest <= 1:  # the line that says so would take its place
        return fields, ""
    return fields[:MOST_FIELDS], f"and {count(rest, 'difference')} more"


def bar(bits: int | None, width: int = BITS // 2) -> str:
    """A bar of `width` letters, full where all bits differ."""
    if bits is None:
        return " " * width
    eighths = round(bits * width * 8 / BITS)
    full, rest = divmod(eighths, 8)
    return ("█" * full + _BLOCKS[rest].strip()).ljust(width)


def author_told(commit: Commit) -> str:
    """Who made it, by name where they have one."""
    return commit.author or commit.mail or NOTHING
