"""The values of an audit: what `artlock audit` tells of each asset that ships.

Knows nothing of git, files or pages. `--format jsonl` prints an `Entry` a line, with these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.audit.claims import Claims
from buildsys.digest import Digest
from buildsys.manifest.model import AssetName, FinishStep
from buildsys.plan.record import Credit

Json: TypeAlias = Any

SCHEMA: Final = 1
"""Of a line of JSON; raised when a program that reads it would break."""

UNKNOWN: Final = "unknown"


class Making(StrEnum):
    """What made a picture, as far as anybody says."""

    GENERATIVE = "generative"
    """A model that was trained."""
    COMPOSITE = "composite"
    """A trained model, and something else: another picture, or a person's hand."""
    PROCEDURAL = "procedural"
    """A program that no model is part of."""
    PERSON = "person"
    UNKNOWN = "unknown"
    """Nothing says."""


class State(StrEnum):
    """What lies where the lock says that the asset is."""

    LOCKED = "locked"
    """The very bytes that the lock names."""
    EDITED = "edited"
    """Other bytes: a person changed the file since."""
    MISSING = "missing"


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit, as git tells it; git takes anybody's word for who the author is."""

    commit: str
    name: str
    mail: str
    date: str
    """Of the author, ISO 8601 with its zone."""
    subject: str


class Brought(Commit, frozen=True, kw_only=True):
    """The commit that brought a picture into the lock."""

    earlier: bool = False
    """Whether an earlier one may have: the clone is shallow, and has nothing older."""
    was: str = ""
    """The name that the asset had then, where it was renamed since."""
    replaced: str = ""
    """The engine of the picture that this one took the place of; empty where it was the first."""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """A file or an asset that went into a picture."""

    digest: Digest
    path: str = ""
    """Empty where it is an asset."""
    asset: str = ""
    parameters: tuple[str, ...] = ()
    """Of this asset's recipe, that it was given to; empty where it went into an asset that went into it."""
    root: bool = False
    """Whether nothing that the lock knows went into it."""


class Hand(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did to a picture."""

    what: str
    """`source`, `adopted`, `edited` or `picked`."""
    told: str
    """In words."""
    by: Commit | None = None
    """Who, where git knows."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which of several candidates was taken."""

    number: int
    of: int = 0
    """0: the manifest does not say, or no longer."""
    by: str = ""
    """The measure that chose; `person` where somebody picked it; empty where it is not known."""


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine drew, and a person's picture took the place of."""

    commit: str = ""
    """The newest that has it; empty where only the manifest's comment tells, and no prompt nor seed."""
    engine: str
    adapter: str
    model: str = ""
    revision: str = ""
    licence: str = ""
    prompt: str = ""
    seed: int | None = None


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's word that a picture is right."""

    by: str
    holds: bool
    """False: the word was for a picture that this is not any more."""


class Inbound(Claims, frozen=True, kw_only=True):
    """The C2PA manifest that came with a picture, from the provider or the program that made it."""

    of: Digest
    """The file that it came in: the engine's own answer, before it was finished."""
    digest: Digest
    """Of the manifest store: what a sidecar holds."""
    size: int
    """Bytes of the store."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One asset that ships."""

    asset: AssetName
    files: Mapping[str, Digest]
    """Path to SHA-256, as the lock has them; of an atlas also its data and further pages."""
    output: str
    """The path of the picture itself."""
    state: State
    lying: Digest | None = None
    """Of the picture that lies there, where it was edited."""
    made_by: Making
    because: str
    """Why it is called that."""
    source_type: str = ""
    """IPTC's word for that; empty where none fits."""
    told: str = ""
    """What the picture's own file tells, where the project keeps metadata, as the recipe has it."""

    engine: str
    adapter: str
    adapter_version: str
    model: str = ""
    revision: str = ""
    licence: str = ""
    """Of the model; empty where there is no model, `unknown` where nobody says."""
    instead_of: str = ""

    recipe: Digest
    prompt: str = ""
    negative: str = ""
    text: str = ""
    seed: int | None = None
    size: tuple[int, int] | None = None
    parameters: Mapping[str, Json] = {}
    finish: tuple[FinishStep, ...] = ()
    sent: Mapping[str, Json] = {}
    """What the provider says it used."""

    used: tuple[Used, ...] = ()
    """All that went into it, down to the roots; each digest once."""
    hands: tuple[Hand, ...] = ()
    adopted: Adopted | None = None
    choice: Choice | None = None
    brought: Brought | None = None
    """None: not committed, or git was not there to ask."""
    accepted: Accepted | None = None
    frozen: bool = False
    cost: float | None = None
    """US dollars, of this picture; None where nobody knows."""
    spent: float | None = None
    """US dollars that this checkout's journal knows of for the asset, other candidates and tries included."""
    environment: Mapping[str, str] = {}
    credits: tuple[Credit, ...] = ()
    pixels: Digest
    raw: Digest
    phash: str
    c2pa: Inbound | None = None


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ships."""

    project: str
    commit: str = ""
    """Full name of the commit that was looked at, or that the working tree stands on; empty outside git."""
    working: bool = True
    """Whether the working tree was looked at."""
    entries: tuple[Entry, ...] = ()
    """Sorted by name."""
    notes: tuple[str, ...] = ()
    """What could not be told, a sentence each."""
