"""One asset of the lock: from a TOML table to a `Record`, with everything about it checked.

Knows nothing of files. What is wrong is a `ValueError` that continues "asset `x` …".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from buildsys import toml
from buildsys.digest import Digest
from buildsys.errors import did_you_mean
from buildsys.manifest.model import AssetName
from buildsys.plan.companions import SUFFIX
from buildsys.plan.record import Credit, Parts, Picture, Record

Table: TypeAlias = dict[str, Any]

_Kind = TypeVar("_Kind")

_Sha256: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Hash64: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
_Pixels: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class _Recipe(msgspec.Struct):
    """What is checked of a recipe beside its parts."""

    digest: _Sha256
    inputs: dict[str, _Sha256] = {}


class _Entry(msgspec.Struct):
    """An asset's table as it stands in the lock."""

    engine: str
    output: str
    file: _Sha256
    pixels: _Sha256
    phash: _Hash64
    size: tuple[_Pixels, _Pixels]
    raw: _Sha256
    recipe: dict[str, Any]
    paths: dict[str, str] = {}
    sent: dict[str, Any] = {}
    credits: tuple[Credit, ...] = ()
    environment: str = ""
    companions: dict[str, _Sha256] = {}
    instead_of: str = ""
    asked: _Sha256 | None = None
    candidate: Annotated[int, msgspec.Meta(ge=0)] = 0
    gates: _Sha256 | None = None
    seal: _Hash64 | None = None


_KNOWN: Final = frozenset(_Entry.__struct_fields__)
_KNOWN_PARTS: Final = frozenset(Parts.__struct_fields__) | {"digest"}
_KNOWN_STEP: Final = frozenset({"name", "version", "parameters"})
_KNOWN_CREDIT: Final = frozenset(Credit.__struct_fields__)
_SCALARS: Final = frozenset({str, int, float, bool})
_ORDINARY: Final = re.compile(r"[A-Za-z0-9_@][\w@.-]*(?:/[A-Za-z0-9_@][\w@.-]*)*", re.ASCII)
"""A path of which nothing needs to be asked: no segment of it starts with a dot."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_COMPLAINT: Final = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")


def decode(
    name: str, table: object, environments: Mapping[str, Mapping[str, str]], *, strict: bool
) -> Record:
    """The record in `table`; whether its recipe has its digest, and it its seal, is left to the caller.

    `strict`: refuse unknown keys; else a newer artlock wrote them, leave them.
    """
    try:
        entry = _convert(table, _Entry)
        recipe = _convert(entry.recipe, _Recipe, "recipe.")
        if strict:
            _refuse_unknown(table, entry.recipe)
        parts = _convert(_unwrapped(entry.recipe), Parts, "recipe.")
        sent = {key: toml.plain(value) for key, value in entry.sent.items()}
        _refuse_unwritable(sent)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    for path in (name, entry.output):
        _refuse_path(path, written=True)
    for path in entry.paths.values():
        _refuse_path(path, written=False)
    for suffix in entry.companions:
        if not SUFFIX.fullmatch(suffix):
            raise ValueError(f"has a companion that ends in {suffix!r}")
    if bool(entry.instead_of or entry.candidate) != (entry.asked is not None):
        detail = f"lacks `{'asked' if entry.asked is None else 'instead_of'}`: the two stand together"
        raise ValueError(detail)
    if entry.environment and not environments:
        raise ValueError("refers to an environment, and the lock has none: it was cut off")
    picture = Picture(
        file=Digest(entry.file),
        pixels=Digest(entry.pixels),
        phash=entry.phash,
        width=entry.size[0],
        height=entry.size[1],
    )
    return Record(
        name=AssetName(name),
        recipe=Digest(recipe.digest),
        parts=parts,
        engine=entry.engine,
        output=entry.output,
        picture=picture,
        raw=Digest(entry.raw),
        paths=entry.paths,
        sent=sent,
        credits=entry.credits,
        # One branch removes the last asset of an environment, another adds one: git merges both without
        # a word, and the table is gone. It is worth knowing, but nothing that a build depends on.
        environment=environments.get(entry.environment, {}),
        companions={suffix: Digest(file) for suffix, file in entry.companions.items()},
        instead_of=entry.instead_of,
        asked=None if entry.asked is None else Digest(entry.asked),
        candidate=entry.candidate,
        gates=None if entry.gates is None else Digest(entry.gates),
    )


def _unwrapped(recipe: Table) -> Table:
    """The recipe with its values as they were before TOML."""
    whole = dict(recipe)
    if "seed" in recipe:
        whole["seed"] = toml.plain(recipe["seed"])
    if isinstance(parameters := recipe.get("parameters"), dict):
        # Nearly all are plain: to call for each took a fifth of the time that a record does.
        whole["parameters"] = {
            key: value if type(value) in _SCALARS else toml.plain(value) for key, value in parameters.items()
        }
    if isinstance(steps := recipe.get("finish"), list):
        whole["finish"] = [_step(step) if isinstance(step, dict) else step for step in steps]
    return whole


def _step(step: Table) -> Table:
    return {**step, "parameters": toml.plain(step.get("parameters", {}))}


def _refuse_unknown(table: Any, recipe: Table) -> None:  # noqa: ANN401 - a table, as `convert` has shown
    _refuse_other(table, _KNOWN)
    _refuse_other(recipe, _KNOWN_PARTS)
    for step in recipe.get("finish", ()):
        _refuse_other(step, _KNOWN_STEP)
    for credit in table.get("credits", ()):
        _refuse_other(credit, _KNOWN_CREDIT)


def _refuse_other(table: object, known: frozenset[str]) -> None:
    if isinstance(table, dict) and (unknown := table.keys() - known):
        word = min(unknown)
        raise ValueError(f"has an unknown key `{word}`; {did_you_mean(word, sorted(known))}".rstrip("; "))


def _refuse_unwritable(sent: Table) -> None:
    """No digest seals it, and what can't be written again would stop the next build at its end."""
    try:
        for _ in toml.dotted("sent", sent):
            pass
    except ValueError as error:
        detail = f"has a bad `sent`: {error}"
        raise ValueError(detail) from error


def _refuse_path(path: str, *, written: bool) -> None:
    """A lock may come from a stranger: no path in it may lead out of the project.

    One that is written to may not lead into git's folder either, where a file can be a program.
    """
    if _ORDINARY.fullmatch(path):
        return
    segments = path.removeprefix("bundled:").split("/")
    bad = not {"", ".", ".."}.isdisjoint(segments) or _DRIVE.match(path) or "\\" in path or "\0" in path
    if bad or (written and (_CONTROL.search(path) or any(part.casefold() == ".git" for part in segments))):
        detail = f"has the path {path!r}, which may lead out of the project"
        raise ValueError(detail)


def _convert(value: object, kind: type[_Kind], within: str = "") -> _Kind:
    """`value` as a `kind`; a complaint of msgspec becomes the rest of a sentence about the asset."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        fact, where = str(error), ""
        if found := _COMPLAINT.fullmatch(fact):
            fact, where = found[1], f"{within}{found[2]}"
        if missing := _MISSING.fullmatch(fact):
            detail = f"lacks `{within}{missing[1]}`"
        elif where:
            detail = f"has a bad `{where}`: {fact[:1].lower()}{fact[1:]}"
        else:
            detail = f"is no table: {fact[:1].lower()}{fact[1:]}"
        raise ValueError(detail) from error
