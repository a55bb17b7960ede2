"""What differs between two records of an asset: part by part, texts word by word, each with what it caused.

Pure. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from buildsys.manifest.model import FinishStep
from buildsys.plan.record import Json, Parts, Record
from buildsys.review.model import Cause, Field
from buildsys.review.words import words

_PARTS: Final = {
    "prompt": Cause.RECIPE,
    "negative": Cause.RECIPE,
    "text": Cause.RECIPE,
    "seed": Cause.RECIPE,
    "candidate": Cause.RECIPE,
    "size": Cause.RECIPE,
    "format": Cause.RECIPE,
    "metadata": Cause.RECIPE,
    "adapter": Cause.ENGINE,
    "adapter_version": Cause.ENGINE,
    "model": Cause.ENGINE,
    "revision": Cause.ENGINE,
    "finish_version": Cause.ENGINE,
}
"""Parts of one value, those first that a reviewer reads first."""

_WORDY: Final = frozenset({"prompt", "negative", "text"})
"""Always told word by word: not every script writes spaces."""

_SHORT: Final = 12
"""Digits by which a reader knows a digest."""


def fields(old: Record, new: Record) -> tuple[Field, ...]:
    """Every part of the recipes that differs, and then what stands beside them."""
    return (*asked(old.parts, new.parts), *_inputs(old, new), *_beside(old, new))


def asked(old: Parts, new: Parts) -> Iterator[Field]:
    """What differs of what a person chose, inputs left out."""
    for name, cause in _PARTS.items():
        yield from _one(name, cause, getattr(old, name), getattr(new, name))
    yield from _mappings("parameters", Cause.RECIPE, old.parameters, new.parameters)
    yield from _finish(old.finish, new.finish)


def _one(name: str, cause: Cause, old: Json, new: Json) -> Iterator[Field]:
    if old == new and type(old) is type(new):
        return
    # In a recipe, an empty text says nothing, and False a choice.
    before, after = (None if value in ("", ()) else _plain(value) for value in (old, new))
    is_text = isinstance(old, str) and isinstance(new, str) and bool(old) and bool(new)
    wordy = is_text and (name.rpartition(".")[2] in _WORDY or " " in old or " " in new)
    told = words(old, new) if wordy else ()
    yield Field(name=name, cause=cause, before=before, after=after, words=told)


def _plain(value: Json) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _mappings(name: str, cause: Cause, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Field]:
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _mappings(f"{name}.{key}", cause, before, after)
        else:
            yield from _one(f"{name}.{key}", cause, before, after)


def _finish(old: tuple[FinishStep, ...], new: tuple[FinishStep, ...]) -> Iterator[Field]:
    """By the parameters of each step, where the steps are the same; else by all steps on either side."""
    names = [step.name for step in old]
    if names != [step.name for step in new]:
        before, after = ([step_told(step) for step in steps] or None for steps in (old, new))
        yield Field(name="finish", cause=Cause.RECIPE, before=before, after=after)
        return
    for number, (then, now) in enumerate(zip(old, new, strict=True)):
        place = f"finish.{number}.{then.name}" if names.count(then.name) > 1 else f"finish.{then.name}"
        yield from _mappings(place, Cause.RECIPE, then.parameters, now.parameters)
        yield from _one(f"{place}.version", Cause.ENGINE, then.version, now.version)


def step_told(step: FinishStep) -> str:
    """`resize size=[64, 64] filter=area`."""
    return " ".join([step.name, *(f"{key}={value}" for key, value in step.parameters.items())])


def _inputs(old: Record, new: Record) -> Iterator[Field]:
    for key in sorted({*old.parts.inputs, *new.parts.inputs}):
        if old.parts.inputs.get(key) != new.parts.inputs.get(key):
            before, after = _input(old, key), _input(new, key)
            yield Field(name=f"inputs.{key}", cause=Cause.INPUT, before=before, after=after)


def _input(record: Record, key: str) -> str | None:
    """`asset:hero (1a2b3c4d5e6f)`: where it came from, and by which digits its bytes are known."""
    digest = record.parts.inputs.get(key)
    if digest is None:
        return None
    path = record.paths.get(key, "")
    return f"{path} ({digest[:_SHORT]})" if path else digest[:_SHORT]


def _beside(old: Record, new: Record) -> Iterator[Field]:
    """What is no part of the recipe."""
    yield from _one("engine", Cause.ENGINE, old.engine, new.engine)
    yield from _one("instead_of", Cause.ENGINE, old.instead_of, new.instead_of)
    yield from _one("chosen", Cause.RECIPE, old.candidate or None, new.candidate or None)
    yield from _one("output", Cause.RECIPE, old.output, new.output)
    yield from _one("gates", Cause.RECIPE, _short(old.gates), _short(new.gates))
    for key in sorted({*old.paths, *new.paths}):
        if old.parts.inputs.get(key) == new.parts.inputs.get(key):
            yield from _one(f"paths.{key}", Cause.INPUT, old.paths.get(key), new.paths.get(key))
    yield from _mappings("sent", Cause.ENGINE, old.sent, new.sent)
    yield from _one("credits", Cause.ENGINE, _credits(old), _credits(new))
    yield from _mappings("environment", Cause.ENVIRONMENT, old.environment, new.environment)


def _short(digest: str | None) -> str | None:
    return digest and digest[:_SHORT]


def _credits(record: Record) -> tuple[str, ...]:
    return tuple(f"{item.title}, {item.author}, {item.licence}" for item in record.credits)
