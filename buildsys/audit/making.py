"""What made a picture: a model, a program, a person, or several of them; from cards, files and inputs.

The words are IPTC's digital source types. Pure: what a file says of itself comes in. What nobody says is
unknown, and stays so in all that is made from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

import msgspec

from buildsys.audit.claims import Claims
from buildsys.audit.model import Making
from buildsys.digest import Digest
from buildsys.imports import said
from buildsys.imports.texts import XMP
from buildsys.manifest.cards import FINISH, PACK
from buildsys.manifest.model import AssetName
from buildsys.plan.provenance import COMPOSITE, TRAINED
from buildsys.plan.record import Record, asset_of

_BY_HAND: Final = "digitalCreation"
_MODELS: Final = (Making.GENERATIVE, Making.COMPOSITE)

OF_TYPE: Final[Mapping[str, Making]] = {
    TRAINED: Making.GENERATIVE,
    COMPOSITE: Making.COMPOSITE,
    # "At least one element is synthetic": of which kind, it does not say, so the stricter one counts.
    "compositeSynthetic": Making.COMPOSITE,
    "algorithmicMedia": Making.PROCEDURAL,
    "dataDrivenMedia": Making.PROCEDURAL,
    "virtualRecording": Making.PROCEDURAL,
    **dict.fromkeys(
        (
            _BY_HAND,
            "humanEdits",
            "screenCapture",
            "compositeCapture",
            "computationalCapture",
            "digitalCapture",
            "negativeFilm",
            "positiveFilm",
            "print",
        ),
        Making.PERSON,
    ),
}
"""What a word means of a file that says it; others, such as `composite`, tell nothing of models."""

_TOLD: Final = re.compile(r"digitalsourcetype/([A-Za-z]{1,64})")
_PICTURES: Final = frozenset({".png", ".webp", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
_OURS: Final = "artlock"


class Word(msgspec.Struct, frozen=True):
    """What made a picture, IPTC's word for it, and why it is called that."""

    making: Making
    type: str
    because: str


def of_file(claims: Claims | None, texts: Mapping[str, str], author: str) -> Word:
    """What a picture says of itself, as it came; else what its author stands for."""
    types = claims.source_types if claims else ()
    for type_ in (COMPOSITE, TRAINED, *reversed(types)):
        if type_ in types and type_ in OF_TYPE:
            return Word(OF_TYPE[type_], type_, f"the C2PA manifest that came with it claims `{type_}`")
    told = _TOLD.search(texts.get(XMP, ""))
    if told and told[1] in OF_TYPE:
        return Word(OF_TYPE[told[1]], told[1], f"as it came, it says `{told[1]}` in its XMP packet")
    found = said.read(texts)
    if found is not None and found.tool != _OURS:
        return Word(Making.GENERATIVE, TRAINED, f"as it came, it says that {found.tool} made it")
    if author:
        return Word(Making.PERSON, _BY_HAND, f"the manifest names its author: {author}")
    return Word(Making.UNKNOWN, "", "it does not say what made it, and the manifest names no author")


def of_adapter(adapter: str, source_type: str) -> Word:
    """What an adapter's card says of its pictures: by hand is none of them."""
    making = OF_TYPE.get(source_type, Making.UNKNOWN)
    if making is Making.UNKNOWN:
        return Word(making, "", f"the card of the adapter `{adapter}` does not say what its pictures are")
    program = Making.PROCEDURAL if making is Making.PERSON else making
    return Word(program, source_type, f"the adapter `{adapter}` says `{source_type}`")


def edited(word: Word) -> Word:
    """What it is once a person changed the file."""
    because = f"{word.because}; the file was changed by hand since"
    if word.making is Making.GENERATIVE:
        return Word(Making.COMPOSITE, COMPOSITE, because)
    return Word(word.making, word.type, because)


def adopted(word: Word, before: Word | None) -> Word:
    """What a picture is that a person changed and adopted; `before` is what it was, where that is known.

    Whatever its file says now: most editors drop what a picture said of itself.
    """
    if before is None or before.making is Making.UNKNOWN:
        if word.making in _MODELS:
            return Word(
                Making.COMPOSITE, COMPOSITE, f"{word.because}; it was adopted with a person's changes"
            )
        because = "it was adopted with a person's changes, and what made it before is not known"
        return Word(Making.UNKNOWN, "", because)
    return _changed(before, f"before a person changed and adopted it, {before.because}")


def replaced(word: Word, before: Word | None) -> Word:
    """What a picture of the project is that took an engine's place, where no comment tells of an adoption.

    Git can't tell a picture that was painted over from one that was drawn anew, so the stricter one counts;
    an author's name says nothing of that.
    """
    if before is None or before.making is Making.UNKNOWN:
        if word.making in _MODELS:
            return word
        because = "it took the place of a picture of which nobody knows what made it"
        return Word(Making.UNKNOWN, "", because)
    if before.making in _MODELS:
        return _changed(before, f"it took the place of a picture of which {before.because}")
    return word


def _changed(before: Word, because: str) -> Word:
    if before.making in _MODELS:
        return Word(Making.COMPOSITE, COMPOSITE, because)
    return Word(before.making, before.type, because)


def words(
    records: Mapping[AssetName, Record],
    source_type: Callable[[Record], str],
    source: Callable[[Record], Word],
    file: Callable[[str, Digest], Word],
    handed: Callable[[Record], Word | None],
    lying: Mapping[AssetName, Digest],
) -> dict[AssetName, Word]:
    """What made each asset of a lock.

    Args:
        records: the lock's.
        source_type: what the card of a record's adapter says.
        source: what a record is that is made of a project's own picture.
        file: what a picture of the project is that went into one.
        handed: what the picture says of itself that an engine handed over; None where it says nothing.
        lying: assets whose file was changed by hand, with what lies there.
    """
    found: dict[AssetName, Word] = {}
    for asset in _inputs_first(records):
        record = records[asset]
        given = [
            (
                path,
                _given(name, digest, records, found, lying)
                if (name := asset_of(path))
                else file(path, digest),
            )
            for path, digest in pictures(record)
            if asset_of(path) is not None or record.parts.adapter != FINISH
        ]
        if record.parts.adapter == FINISH and not given:
            found[asset] = source(record)
        elif record.parts.adapter == FINISH:
            found[asset] = given[0][1]
        else:
            found[asset] = _made(record, _own(record, source_type, handed), given)
    return found


def pictures(record: Record) -> Iterator[tuple[str, Digest]]:
    """The pictures that went into a record, by where they came from; a palette of a finish step is none."""
    for parameter, digest in record.parts.inputs.items():
        path = record.paths.get(parameter, "")
        finishing = parameter.startswith("finish.")
        if not finishing and (asset_of(path) is not None or PurePosixPath(path).suffix.lower() in _PICTURES):
            yield path, digest


def _given(
    name: AssetName,
    digest: Digest,
    records: Mapping[AssetName, Record],
    found: Mapping[AssetName, Word],
    lying: Mapping[AssetName, Digest],
) -> Word:
    """What an asset is to one that is made from it."""
    if name not in found:
        return Word(Making.UNKNOWN, "", f"the lock does not know `{name}`")
    word = Word(found[name].making, found[name].type, f"it is made from `{name}`: {found[name].because}")
    changed = digest != records[name].picture.file and digest == lying.get(name)
    return edited(word) if changed else word


def _own(
    record: Record, source_type: Callable[[Record], str], handed: Callable[[Record], Word | None]
) -> Word:
    """What an engine is. A card may be wrong, or say nothing; what a provider calls a model's is one's."""
    card = of_adapter(record.parts.adapter, source_type(record))
    if card.making in _MODELS:
        return card
    word = handed(record)
    return word if word is not None and word.making in _MODELS else card


def _made(record: Record, own: Word, given: Collection[tuple[str, Word]]) -> Word:
    """What an engine made of pictures."""
    inputs = [word for _, word in given]
    if record.parts.adapter == PACK:
        return _packed(inputs)
    models = [word for word in inputs if word.making in _MODELS]
    if own.making is Making.GENERATIVE:
        if all(word.making is Making.GENERATIVE for word in inputs):
            return own
        other = next(path for path, word in given if word.making is not Making.GENERATIVE)
        return Word(Making.COMPOSITE, COMPOSITE, f"{own.because}, and `{_plain(other)}` went into it")
    if own.making is Making.COMPOSITE or not inputs:
        return own
    if models:
        return Word(Making.COMPOSITE, COMPOSITE, f"{own.because}; {models[0].because}")
    unknown = next((word for word in inputs if word.making is Making.UNKNOWN), None)
    return Word(Making.UNKNOWN, "", f"{own.because}; {unknown.because}") if unknown else own


def _packed(inputs: Collection[Word]) -> Word:
    """An atlas is what its sprites are, where they are all one."""
    kinds = {word.making for word in inputs}
    first = {word.making: word for word in reversed(tuple(inputs))}
    told = "it is an atlas"
    if kinds == {Making.GENERATIVE} or len({(word.making, word.type) for word in inputs}) == 1:
        word = next(iter(inputs))
        return Word(word.making, word.type, f"{told}; {word.because}")
    for making in (Making.COMPOSITE, Making.GENERATIVE):
        if making in kinds:
            return Word(Making.COMPOSITE, COMPOSITE, f"{told}; {first[making].because}")
    if Making.UNKNOWN in kinds or not kinds:
        because = first[Making.UNKNOWN].because if kinds else "the lock names no sprite of it"
        return Word(Making.UNKNOWN, "", f"{told}; {because}")
    making = Making.PROCEDURAL if Making.PROCEDURAL in kinds else Making.PERSON
    return Word(making, "composite", f"{told} of pictures of several kinds, no model among them")


def _plain(path: str) -> str:
    return asset_of(path) or path


def _inputs_first(records: Mapping[AssetName, Record]) -> Iterator[AssetName]:
    """Every asset after those that it is made from; where a stranger's lock goes in a circle, somewhere."""
    seen: set[AssetName] = set()
    for start in sorted(records):
        stack: list[tuple[AssetName, Iterator[AssetName]]] = []
        if start not in seen:
            seen.add(start)
            stack.append((start, _sources(records[start])))
        while stack:
            name, sources = stack[-1]
            following = next((other for other in sources if other in records and other not in seen), None)
            if following is None:
                stack.pop()
                yield name
            else:
                seen.add(following)
                stack.append((following, _sources(records[following])))


def _sources(record: Record) -> Iterator[AssetName]:
    paths: Iterable[str] = sorted(record.paths.values())
    return (name for path in paths if (name := asset_of(path)) is not None)
