"""Why a picture was made again: by itself, or because of another asset, followed to where it began.

Pure. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from buildsys.manifest.model import AssetName
from buildsys.plan.record import asset_of
from buildsys.review.model import Cause, Change, Field, Kind, Side

_INPUT: Final = "inputs."
_NAMED: Final = 3
"""Assets or fields that a sentence names."""
_BESIDE: Final = ("sent.", "credits", "chosen", "output", "gates", "paths.", "instead_of")
"""What is told of a picture, or where it lies: none of it makes another one."""


def causes(fields: Sequence[Field], *, same_bytes: bool, edited: bool) -> tuple[Cause, ...]:
    """Why the picture was made again: it may have come out the same."""
    found = {item.cause for item in fields if not item.name.startswith(_BESIDE)}
    if not same_bytes and (edited or not found):
        found.add(Cause.HAND)
    return tuple(cause for cause in Cause if cause in found)


class Origins:
    """Follows what is made from other assets to the asset that changed first."""

    def __init__(self, changes: Mapping[AssetName, Change]) -> None:
        self._changes = changes

    def of(self, change: Change) -> tuple[str, ...]:
        """A sentence for each input of `change` that changed; one for all, where there are many."""
        if Cause.INPUT not in change.causes or change.before is None or change.after is None:
            return ()
        keys = [item.name.removeprefix(_INPUT) for item in change.fields if item.name.startswith(_INPUT)]
        if len(keys) > _NAMED:
            return (self._many(keys, change.before, change.after),)
        told = (self._one(key, change.before, change.after, frozenset({change.name})) for key in keys)
        return tuple(dict.fromkeys(told))

    def _many(self, keys: Sequence[str], before: Side, after: Side) -> str:
        paths = [after.record.paths.get(key) or before.record.paths.get(key) or key for key in keys]
        names = [asset_of(path) or path for path in paths]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"{len(names)} of its inputs changed: {_quoted(names[:_NAMED])}{more}"

    def _one(self, key: str, before: Side, after: Side, seen: frozenset[AssetName]) -> str:
        path, was = after.record.paths.get(key, ""), before.record.paths.get(key, "")
        if key not in after.record.parts.inputs:
            return f"no longer made from `{_told(was) or key}`"
        if key not in before.record.parts.inputs:
            too = ", too" if before.record.parts.inputs else ""
            return f"now made from `{_told(path) or key}`{too}"
        if path != was:
            return f"made from `{_told(path) or key}`, not from `{_told(was) or key}` any more"
        source = asset_of(path)
        if source is None:
            return f"made from the file `{path or key}`, which changed"
        return f"made from `{source}`, {self._why(source, seen)}"

    def _why(self, name: AssetName, seen: frozenset[AssetName]) -> str:  # noqa: PLR0911 - one for each cause
        change = self._changes.get(name)
        if change is None or change.kind is Kind.RECORD or name in seen:
            return "which is the same on both sides: it was made from an older one before"
        if change.kind is Kind.ADDED:
            return "which is new"
        # What was asked for says more than where it came from, and that more than by which versions.
        match next(iter(change.causes), Cause.HAND):
            case Cause.RECIPE:
                return f"whose {_fields(change, Cause.RECIPE)} changed"
            case Cause.INPUT:
                return self._further(change, seen | {name})
            case Cause.ENGINE:
                return f"whose engine changed: {_fields(change, Cause.ENGINE)}"
            case Cause.ENVIRONMENT:
                return f"which was made with other versions: {_fields(change, Cause.ENVIRONMENT)}"
            case _:
                return "which was made anew, or changed by hand"

    def _further(self, change: Change, seen: frozenset[AssetName]) -> str:
        assert change.before is not None  # noqa: S101 - what has a cause has two sides
        assert change.after is not None  # noqa: S101
        keys = [item.name.removeprefix(_INPUT) for item in change.fields if item.name.startswith(_INPUT)]
        if len(keys) > _NAMED:
            return f"of which {self._many(keys, change.before, change.after)}"
        return f"which is {self._one(keys[0], change.before, change.after, seen)}"


def _told(path: str) -> str:
    return asset_of(path) or path


def _fields(change: Change, cause: Cause) -> str:
    """`prompt`, `prompt and seed`; of a package its name alone."""
    found = [item.name.removeprefix("environment.") for item in change.fields if item.cause is cause]
    names = [name for name in found if not name.startswith(_BESIDE)] or found
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
