"""What a C2PA manifest store claims: who made the picture, with which tool, and what kind of source it is.

A strict reader of JUMBF boxes, with bounds, of just these words. It verifies no signature and no hash: what
it gives is what somebody claims. Knows nothing of pictures' files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.audit import cbor

Json: TypeAlias = Any

_HEAD: Final = 8
_DEEPEST: Final = 6
_MOST_BOXES: Final = 10_000
_LONGEST: Final = 512
_MOST_WORDS: Final = 64
_TYPE: Final = 16
"""Bytes of a box's type, before its toggles and its label."""
_LABELLED: Final = 0x02

_STORE: Final = "c2pa"
_CLAIMS: Final = ("c2pa.claim", "c2pa.claim.v2")
_ASSERTIONS: Final = "c2pa.assertions"
_ACTIONS: Final = ("c2pa.actions", "c2pa.actions.v2")
_SIGNATURE: Final = "c2pa.signature"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What the active manifest of a store claims; nothing of it was verified."""

    generator: tuple[str, ...] = ()
    """Who made the claim, with its version where it says one."""
    title: str = ""
    source_types: tuple[str, ...] = ()
    """IPTC's words, or C2PA's, without the address in front; of all actions, each once."""
    actions: tuple[str, ...] = ()
    """What was done: `c2pa.created`."""
    agents: tuple[str, ...] = ()
    """The software that did it."""
    signed: bool = False
    """Whether there is a signature. Whether it is a good one, `c2patool` tells."""
    manifests: int = 0
    """In the store: those before the active one are of what the picture was made from."""
    problem: str = ""
    """Why it could not be read, or not all of it; as half a sentence."""


class _Box(msgspec.Struct, frozen=True):
    label: str
    children: tuple[_Box, ...]
    content: bytes | None
    """Of its `cbor` box; None where it has none."""


def read(store: bytes) -> Claims:
    """What `store` claims. Never raises: what is damaged is told."""
    try:
        boxes = _boxes(store, 0, [_MOST_BOXES])
    except (ValueError, RecursionError) as error:
        return Claims(problem=f"it is damaged: {error}")
    manifests = [box for top in boxes if top.label == _STORE for box in top.children]
    if not manifests:
        return Claims(problem="it holds no manifest")
    active = manifests[-1]
    named = {box.label: box for box in active.children}
    claim = next((named[label] for label in _CLAIMS if label in named), None)
    if claim is None:
        return Claims(manifests=len(manifests), problem="its manifest holds no claim that can be read")
    try:
        made = _claims(claim, named.get(_ASSERTIONS))
    except (ValueError, RecursionError) as error:
        return Claims(manifests=len(manifests), problem=f"its claim is damaged: {error}")
    return msgspec.structs.replace(made, signed=_SIGNATURE in named, manifests=len(manifests))


def _claims(claim: _Box, assertions: _Box | None) -> Claims:
    said = _map(cbor.read(claim.content or b""))
    actions = [
        action
        for box in (assertions.children if assertions else ())
        if box.label.partition("__")[0] in _ACTIONS
        for action in _list(_map(cbor.read(box.content or b"")).get("actions"))
    ]
    return Claims(
        generator=_each(_generators(said)),
        title=_text(said.get("dc:title")),
        source_types=_each(_text(action.get("digitalSourceType")).rpartition("/")[2] for action in actions),
        actions=_each(_text(action.get("action")) for action in actions),
        agents=_each(_agent(action.get("softwareAgent")) for action in actions),
    )


def _generators(said: Mapping[str, Json]) -> Iterator[str]:
    info = said.get("claim_generator_info")
    found = [_agent(item) for item in _list(info if isinstance(info, list) else [info])]
    yield from found if any(found) else [_text(said.get("claim_generator"))]


def _agent(value: Json) -> str:
    """A program with its version: a text in older claims, a table in newer ones."""
    if isinstance(value, Mapping):
        return " ".join(filter(None, (_text(value.get("name")), _text(value.get("version")))))
    return _text(value)


def _each(words: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, words)))[:_MOST_WORDS]


def _text(value: Json) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _map(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise ValueError("a table is none")  # noqa: TRY004 - as all that is damaged
    return value


def _list(value: Json) -> list[Mapping[str, Json]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _boxes(data: bytes, depth: int, left: list[int]) -> tuple[_Box, ...]:
    """The labelled boxes in `data`; `left` counts down how many there may be yet."""
    return tuple(_labelled(body, depth, left) for kind, body in _raw(data, left) if kind == b"jumb")


def _labelled(data: bytes, depth: int, left: list[int]) -> _Box:
    if depth > _DEEPEST:
        raise ValueError("its boxes are too deep")
    label, content = "", None
    for kind, body in _raw(data, left):
        if kind == b"jumd" and len(body) > _TYPE and body[_TYPE] & _LABELLED:
            label = body[_TYPE + 1 :].partition(b"\0")[0][:_LONGEST].decode(errors="replace")
        elif kind == b"cbor" and content is None:
            content = body
    return _Box(label, _boxes(data, depth + 1, left), content)


def _raw(data: bytes, left: list[int]) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each box that stands in `data`, one behind the other."""
    at = 0
    while at < len(data):
        left[0] -= 1
        if left[0] < 0:
            raise ValueError("it has too many boxes")
        if at + _HEAD > len(data):
            raise ValueError("a box ends too early")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = len(data) if length == 0 else at + length
        if length not in range(1, _HEAD) and end <= len(data):
            yield kind, data[at + _HEAD : end]
        else:
            raise ValueError("a box is longer than what it stands in")
        at = end
