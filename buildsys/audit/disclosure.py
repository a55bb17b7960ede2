"""A text for storefronts' questions about AI content, from what really ships.

It says what the records say, and no more: it knows nothing of sound, text and code, nor of any law.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from buildsys.audit.model import Audit, Entry, Making
from buildsys.journal.words import count, printable

TITLE: Final = "AI content disclosure"
_MODELS: Final = (Making.GENERATIVE, Making.COMPOSITE)
_NAMED: Final = 20
"""Assets that a line names."""


def disclosure(audit: Audit) -> str:
    """The text."""
    title = f"{TITLE}: pictures of {printable(audit.project)}"
    parts = (_summary(audit), _models(audit), _steam(audit), _itch(audit), _kinds(audit), _limits(audit))
    return "\n".join([title, "=" * len(title), *(line for part in parts for line in ("", *part))]) + "\n"


def of_kind(audit: Audit, *kinds: Making) -> list[Entry]:
    """The entries that are of these kinds."""
    return [entry for entry in audit.entries if entry.made_by in kinds]


def _summary(audit: Audit) -> Iterator[str]:
    told = {
        Making.GENERATIVE: "made by a generative model",
        Making.COMPOSITE: "made with a generative model and by other means",
        Making.PROCEDURAL: "made by a program without a generative model",
        Making.PERSON: "made by a person",
        Making.UNKNOWN: "of which nobody says what made them",
    }
    yield f"{count(len(audit.entries), 'picture')} {'ships' if len(audit.entries) == 1 else 'ship'}:"
    counts = Counter(entry.made_by for entry in audit.entries)
    yield from (f"- {counts[kind]} {words}" for kind, words in told.items() if counts[kind])


def _models(audit: Audit) -> Iterator[str]:
    """The models, each with its licence; of a composite, its engine may be none."""
    used = Counter(
        (maker.engine, maker.model, maker.revision, maker.licence)
        for entry in of_kind(audit, *_MODELS)
        for maker in (entry, entry.adopted)
        if maker is not None and (maker.model or maker.licence)
    )
    yield "Models" if used else "Models: none is named in the lock"
    for (engine, model, revision, licence), number in sorted(used.items()):
        at = f" at {revision[:12]}" if revision else ""
        named = f"{printable(model) or 'not named'}{at}, engine {printable(engine)}"
        yield f"- {named}: {count(number, 'picture')}"
        yield f"  Licence: {printable(licence) or 'none that the lock knows'}"


def _steam(audit: Audit) -> Iterator[str]:
    models, unknown = of_kind(audit, *_MODELS), of_kind(audit, Making.UNKNOWN)
    yield "Steam, content survey"
    if models:
        yield f"- Pre-generated: yes. {_sentence(models)}{_rest(unknown)}"
    elif unknown:
        yield f"- Pre-generated: not known.{_rest(unknown)}"
    else:
        yield "- Pre-generated: none of the pictures in the lock."
    yield "- Live-generated: none by artlock, which makes pictures before the game ships."


def _sentence(models: list[Entry]) -> str:
    whole = sum(entry.made_by is Making.GENERATIVE for entry in models)
    mixed = len(models) - whole
    parts = [f"{count(whole, 'picture')} made by generative models"] if whole else []
    parts += [f"{count(mixed, 'picture')} made by them in part"] if mixed else []
    checked = sum(entry.accepted is not None and entry.accepted.holds for entry in models)
    by_people = f" People accepted {checked} of them in the lock." if checked else ""
    return f"The game holds {' and '.join(parts)}.{by_people}"


def _rest(unknown: list[Entry]) -> str:
    return (
        f" Of {count(len(unknown), 'picture')}, listed below, nobody says what made them." if unknown else ""
    )


def _itch(audit: Audit) -> Iterator[str]:
    models, unknown = of_kind(audit, *_MODELS), of_kind(audit, Making.UNKNOWN)
    yield "itch.io, AI generation disclosure"
    if models:
        yield "- Graphics: yes (`AI Generated Graphics`)."
    elif unknown:
        yield f"- Graphics: not known.{_rest(unknown)}"
    else:
        yield "- Graphics: none of the pictures in the lock."
    yield "- Sound, text and dialog, code: artlock makes none, and can't tell."


def _kinds(audit: Audit) -> Iterator[str]:
    yield "Which pictures"
    for kind in Making:
        found = of_kind(audit, kind)
        if found:
            names = [printable(entry.asset) for entry in found[:_NAMED]]
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            yield f"- {kind}: {', '.join(names)}{more}"
    yield "`artlock audit` tells each one's recipe, and why it is called that."


def _limits(audit: Audit) -> Iterator[str]:
    where = f"commit {audit.commit}" if audit.commit and not audit.working else "the working tree"
    yield f"Written by `artlock audit --disclosure` from the lock of {where}."
    yield "It is a record, not a proof, and no advice on any law. It tells of pictures in the lock alone."
