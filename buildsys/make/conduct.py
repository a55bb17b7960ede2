"""What an engine may say, and when: its `hello` held against its card, its answers against what was asked.

Knows nothing of pipes and processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from buildsys.manifest.model import Engine
from buildsys.manifest.process import determinism
from engines import protocol
from engines.protocol import Done, Failure, Hello, Progress, ProtocolError, Request

MOST_STEPS: Final = 100_000
"""Of one request. Each extends its deadline, so without a bound a loop could go on for ever."""


class Difference(NamedTuple):
    """What an engine says of itself, and should not; as the rest of a sentence."""

    fact: str
    hint: str


def difference_of(hello: Hello, engine: Engine) -> Difference | None:
    """Where `hello` differs from the card of `engine`, from which the plan was made."""
    card = engine.card
    if hello.protocol != protocol.PROTOCOL:
        fact = f"speaks protocol {hello.protocol}, artlock speaks {protocol.PROTOCOL}"
        return Difference(fact, "use one version of artlock on both sides")
    name = Path(card.name).stem if card.name.endswith(".py") else card.name
    for word, said, expected in (
        ("adapter", hello.adapter, name),
        ("version", hello.version, card.version),
        ("determinism", hello.determinism, determinism(engine)),
    ):
        if said != expected:
            fact = f"says its {word} is `{said}`, its card says `{expected}`"
            return Difference(fact, "use the adapter and the card of one version")
    return None


def answered(message: protocol.Message, waiting: Mapping[str, Request], asked: Sequence[Request]) -> Request:
    """The request that `message` is about; raises `ProtocolError` where there is none."""
    if not isinstance(message, Progress | Done | Failure) or message.id is None:
        detail = f"a `{type(message).__name__.lower()}` message came during `render`"
        raise ProtocolError(detail)
    if isinstance(message, Progress) and not 0 <= message.step <= message.steps <= MOST_STEPS:
        detail = f"it says it is at step {message.step} of {message.steps}; there may be {MOST_STEPS}"
        raise ProtocolError(detail)
    request = waiting.get(message.id)
    if request is not None:
        return request
    if message.id in {request.id for request in asked}:
        detail = f"request `{message.id}` was already answered"
    else:
        detail = f"there is no request `{message.id[:80]}`"
    raise ProtocolError(detail)


def assets_of(waiting: Mapping[str, Request]) -> str:
    """What has no answer yet, as a sentence names it."""
    assets = [f"`{request.asset}`" for request in waiting.values()]
    shown = ", ".join(assets[:3])
    return f"{shown} and {len(assets) - 3} more" if len(assets) > 3 else shown  # noqa: PLR2004 - enough
