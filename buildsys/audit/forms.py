"""An audit as lines of JSON, as CSV and as text.

The same audit is the same bytes: nothing here knows what time it is. Knows nothing of HTML.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from buildsys.audit.model import SCHEMA, Audit, Brought, Entry, State, Used
from buildsys.digest import canonical
from buildsys.journal.words import NOTHING, count, dollars, printable

_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell starts that a spreadsheet would take for a formula, full-width forms aside."""
_WIDE: Final = ("\uff1d", "\uff0b", "\uff0d", "\uff20")

COLUMNS: Final = (
    "asset", "made by", "IPTC type", "state", "engine", "adapter", "model", "revision",
    "licence of the model", "prompt", "negative", "text", "seed", "size", "parameters", "finish", "made from",
    "by hand", "adopted picture", "candidate", "brought by", "brought on", "commit", "approved by", "frozen",
    "cost in USD", "environment", "credits", "C2PA", "file", "sha256", "pixels", "raw", "recipe", "because",
)  # fmt: skip


def jsonl(audit: Audit) -> str:
    """A line for each asset; where it was looked at stands in each, so that a line can stand alone."""
    head = {"audit": SCHEMA, "commit": audit.commit, "working": audit.working}
    lines = ({**head, **msgspec.to_builtins(entry)} for entry in audit.entries)
    return "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)


def comma_separated(audit: Audit) -> str:
    """A row for each asset, as RFC 4180 has it; texts that a spreadsheet would run are made texts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe(cell) for cell in row(entry)] for entry in audit.entries)
    return text.getvalue()


def safe(cell: str) -> str:
    """`cell` as a text that no spreadsheet takes for a formula, by the apostrophe that they know.

    What could steer a terminal is spelled out; lines of JSON have it as it was.
    """
    tame = "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in cell
    )
    return f"'{tame}" if cell.startswith((*_STARTS, *_WIDE)) else tame


def row(entry: Entry) -> tuple[str, ...]:
    """The cells of an asset, one for each of `COLUMNS`."""
    brought = entry.brought
    path, digest = picture(entry)
    return (
        entry.asset,
        entry.made_by,
        entry.source_type,
        entry.state,
        entry.engine,
        f"{entry.adapter} {entry.adapter_version}",
        entry.model,
        entry.revision,
        entry.licence,
        entry.prompt,
        entry.negative,
        entry.text,
        "" if entry.seed is None else str(entry.seed),
        "" if entry.size is None else "x".join(map(str, entry.size)),
        _json(entry.parameters),
        _json([msgspec.to_builtins(step) for step in entry.finish]),
        "; ".join(f"{used_told(item)} {item.digest}" for item in entry.used),
        "; ".join(hands_told(entry)),
        adopted_told(entry),
        choice_told(entry),
        "" if brought is None else f"{brought.name} <{brought.mail}>",
        "" if brought is None else brought.date,
        "" if brought is None else f"{brought.commit}{_or_earlier(brought)}",
        approval_told(entry),
        "yes" if entry.frozen else "",
        "" if entry.cost is None else f"{entry.cost:.15g}",
        _json(entry.environment),
        "; ".join(f"{item.title}, {item.author}, {item.licence}, {item.source}" for item in entry.credits),
        c2pa_told(entry),
        path,
        digest,
        entry.pixels,
        entry.raw,
        entry.recipe,
        entry.because,
    )


def text(audit: Audit) -> str:
    """A few lines for each asset."""
    where = f"at {audit.commit}" if audit.commit and not audit.working else "in the working tree"
    lines = [f"{printable(audit.project)}: {count(len(audit.entries), 'asset')} {where}"]
    for entry in audit.entries:
        lines += ["", printable(entry.asset)]
        told = (*facts(entry), *origin(entry))
        lines += [f"  {head}: {printable(words)}" for head, words in told if words]
    return "\n".join(lines) + "\n"


def facts(entry: Entry) -> Sequence[tuple[str, str]]:
    """What is told of an asset, by its heading; empty where there is nothing to tell."""
    brought = entry.brought
    path, digest = picture(entry)
    adapter = f"{entry.adapter} {entry.adapter_version}"
    return (
        ("made by", f"{entry.made_by} ({entry.because})"),
        ("engine", f"{entry.engine}, adapter {adapter}"),
        ("in place of", entry.instead_of),
        ("model", f"{entry.model} {entry.revision[:12]}".strip()),
        ("licence", entry.licence),
        ("prompt", entry.prompt),
        ("negative", entry.negative),
        ("text", entry.text),
        ("seed", "" if entry.seed is None else str(entry.seed)),
        ("made from", ", ".join(used_told(item) for item in entry.used)),
        ("by hand", "; ".join(hands_told(entry))),
        ("adopted", adopted_told(entry)),
        ("candidate", choice_told(entry)),
        ("brought by", "" if brought is None else brought_told(brought)),
        ("approved", approval_told(entry)),
        ("frozen", "yes" if entry.frozen else ""),
        ("cost", "not known" if entry.cost is None else dollars(entry.cost) if entry.cost else "free"),
        ("credits", ", ".join(dict.fromkeys(f"{item.title} ({item.licence})" for item in entry.credits))),
        ("C2PA", c2pa_told(entry)),
        ("file", f"{path}, sha256 {digest}"),
        ("state", "" if entry.state is State.LOCKED else entry.state),
    )


def origin(entry: Entry) -> Sequence[tuple[str, str]]:
    """What it takes to make an asset again, and to know it again; as `facts`."""
    environment = ", ".join(f"{name} {version}" for name, version in entry.environment.items())
    return (
        ("size", "" if entry.size is None else "x".join(map(str, entry.size))),
        ("parameters", _json(entry.parameters)),
        ("finish", _json([msgspec.to_builtins(step) for step in entry.finish])),
        ("environment", environment),
        ("recipe", entry.recipe),
        ("pixels", entry.pixels),
        ("raw", entry.raw),
    )


def picture(entry: Entry) -> tuple[str, str]:
    """Path and SHA-256 of the picture itself, as it lies there."""
    return entry.output, entry.lying or entry.files[entry.output]


def brought_told(brought: Brought) -> str:
    """Who brought it, when, and with which commit."""
    return f"{brought.name}, {brought.date}, {brought.commit[:12]}{_or_earlier(brought)}"


def _or_earlier(brought: Brought) -> str:
    """A row is read without what stderr said of the clone."""
    return " or earlier" if brought.earlier else ""


def used_told(item: Used) -> str:
    """What went into a picture, by its name."""
    return item.asset or item.path or item.digest[:12]


def hands_told(entry: Entry) -> list[str]:
    """What people did, with who did it where that is known."""
    return [f"{item.told} ({item.by.name})" if item.by else item.told for item in entry.hands]


def adopted_told(entry: Entry) -> str:
    """Engine, model, licence, seed and prompt of what an engine drew before a person's picture."""
    old = entry.adopted
    if old is None:
        return ""
    told = (
        f"engine {old.engine}, adapter {old.adapter}",
        f"model {old.model} {old.revision[:12]}".strip() if old.model else "",
        f"licence {old.licence}" if old.licence else "",
        "" if old.seed is None else f"seed {old.seed}",
        f"prompt {old.prompt}" if old.prompt else "",
    )
    return "; ".join(filter(None, told))


def choice_told(entry: Entry) -> str:
    """`3 of 8, by sharpness`."""
    if entry.choice is None:
        return ""
    of = f" of {entry.choice.of}" if entry.choice.of else ""
    by = f", by {entry.choice.by}" if entry.choice.by else ""
    return f"{entry.choice.number}{of}{by}"


def approval_told(entry: Entry) -> str:
    """Who accepted the picture."""
    if entry.accepted is None:
        return ""
    return (
        entry.accepted.by if entry.accepted.holds else f"lapsed: {entry.accepted.by} accepted another picture"
    )


def c2pa_told(entry: Entry) -> str:
    """What an inbound manifest claims; that nobody verified it is said each time."""
    found = entry.c2pa
    if found is None:
        return ""
    words = [*found.generator, *found.source_types, found.problem]
    return f"claims, not verified: {', '.join(filter(None, words)) or NOTHING}"


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return canonical(value).decode() if value else ""
