"""What the two actions of making an asset give, as the store keeps it.

Knows nothing of how they are carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from buildsys import digest
from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.manifest.model import Engine
from buildsys.plan.record import Credit, Picture
from engines.protocol import Done

Json: TypeAlias = Any


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a generate action."""

    raw: Digest
    sent: Mapping[str, Json] = {}
    credits: tuple[Credit, ...] = ()
    environment: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    suffix: str = ".png"
    """Of the picture, which is kept as it came."""
    usage: Mapping[str, Json] = {}
    """What the provider counted, in its own words."""
    cost: float | None = None
    """US dollars; None: unknown."""

    @property
    def file(self) -> Digest:
        """The bytes that the result stands for."""
        return self.raw


def raw_of(file: Digest, done: Done, environment: Mapping[str, str], cost: float | None) -> Raw:
    """The result of a generate action, from the engine's answer."""
    usage = done.facts.get("usage")
    return Raw(
        raw=file,
        sent=done.sent,
        credits=tuple(
            Credit(title=item.title, author=item.author, licence=item.licence, source=item.source)
            for item in done.credits
        ),
        environment=environment,
        notes=done.notes,
        suffix=Path(done.output).suffix,
        usage=usage if isinstance(usage, Mapping) else {},
        cost=cost,
    )


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a finish action."""

    picture: Picture
    environment: Mapping[str, str] = {}

    @property
    def file(self) -> Digest:
        """The bytes that the result stands for."""
        return self.picture.file


def picture_of(file: Digest, facts: Mapping[str, Json]) -> Picture:
    """The picture that a finish adapter reported. Raises `MakeError` where its facts are of no use."""
    try:
        pixels = digest.parse(facts["pixels"])
        known = {field: facts[field] for field in ("phash", "width", "height")}
        return msgspec.convert({"file": file, "pixels": pixels, **known}, Picture)
    except (KeyError, TypeError, ValueError) as error:
        raise MakeError(
            f"the finish adapter reported no usable facts: {error}", "this is a bug in artlock: report it"
        ) from error


def damaged(engine: Engine, asset: str) -> MakeError:
    """What to raise for a picture of `engine` that nothing can read."""
    return MakeError(
        f"the engine `{engine.name}` made a damaged picture of `{asset}`",
        f"mend `{engine.card.name}`, then build again: it is asked anew",
    )
