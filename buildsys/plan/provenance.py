"""What a finished picture tells of itself, where the project keeps that: its recipe, and what kind of source.

The words are those that common viewers read: A1111's `parameters`, and IPTC's digital source types. All of it
follows from the recipe, so the same recipe gives the same bytes; no path, key or time is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias

from buildsys.manifest.cards import FINISH
from buildsys.manifest.model import Asset, AssetName, Engine, Input, Manifest
from buildsys.plan import graph
from buildsys.plan.record import Parts

Json: TypeAlias = Any

KEEP: Final = "keep"
"""The policy under which pictures tell; under `strip` they don't."""

UNTOLD: Final = "untold"
"""Stands for the source type of a picture whose adapter does not tell one."""

UNKNOWN: Final = "unknown"
"""The manifest's word for a picture of which nobody knows what made it, whoever its author is."""

INHERITED: Final = "inherited"
"""Of a picture that is made from another one: it is what that one says of itself, if it does."""

_WORDS: Final = {"steps": "Steps", "scheduler": "Sampler", "guidance": "CFG scale"}
"""Parameters that have a word of their own in such texts, in the order in which A1111 has them."""
_SIMPLE: Final = re.compile(r"[^\s,:\"\\/][^,:\"\\/\n]{0,63}")
"""A value that needs no quotes, and is no path."""


TRAINED: Final = "trainedAlgorithmicMedia"
COMPOSITE: Final = "compositeWithTrainedAlgorithmicMedia"
_PICTURES: Final = frozenset({".gif", ".jpeg", ".jpg", ".png", ".webp"})


def source_type(asset: Asset, engine: Engine, drawn: Collection[AssetName] = ()) -> str:
    """What kind of source a picture is, by IPTC's word, or one of those above; empty where none is told.

    `drawn`: the assets that a trained model made, or had a part in; see `drawn_of`.
    """
    if asset.metadata != KEEP or asset.pack:
        # The sprites of an atlas may come from anywhere, and each tells of itself.
        return ""
    image = asset.inputs.get("image")
    if engine.name == FINISH and asset.source_type:
        return INHERITED if asset.source_type == UNKNOWN else asset.source_type
    if engine.name == FINISH and image is not None and (image.asset or not asset.author):
        # IPTC's word for what a person made is a claim: a source of which nobody says who tells its own word.
        return INHERITED
    return _mixed(asset, engine, drawn) or UNTOLD


def drawn_of(manifest: Manifest) -> frozenset[AssetName]:
    """The assets that a trained model made, or had a part in, as cards tell; none where nobody asks."""
    if not any(asset.metadata for asset in manifest.assets.values()):
        return frozenset()
    return models_of(manifest)


def models_of(manifest: Manifest) -> frozenset[AssetName]:
    """The same, whoever asks."""
    found: set[AssetName] = set()
    for name in graph.order(manifest.assets):
        asset = manifest.assets[name]
        engine = manifest.engines.get(asset.engine)
        own = engine is not None and engine.card.source_type in (TRAINED, COMPOSITE)
        if (
            own
            or asset.source_type in (TRAINED, COMPOSITE)
            or any(item.asset in found for item in _pictures(asset))
        ):
            found.add(name)
    return frozenset(found)


def _mixed(asset: Asset, engine: Engine, drawn: Collection[AssetName]) -> str:
    """The card's word, unless pictures of another kind went in: then a model made only a part of it."""
    own = engine.card.source_type
    pictures = tuple(_pictures(asset))
    if own == TRAINED:
        return COMPOSITE if any(item.asset not in drawn for item in pictures) else own
    return COMPOSITE if any(item.asset in drawn for item in pictures) else own


def _pictures(asset: Asset) -> Iterator[Input]:
    """The pictures that go into it; a palette of a finish step is none, and a font no picture."""
    for parameter, item in asset.inputs.items():
        finishing = parameter.startswith("finish.")
        if not finishing and (item.asset or PurePosixPath(item.path).suffix.lower() in _PICTURES):
            yield item


def marks(parts: Parts) -> dict[str, Json]:
    """What the finish engine is to write into a picture; empty where nothing is."""
    if not parts.metadata:
        return {}
    return {"text": infotext(parts), "source": parts.metadata}


def infotext(parts: Parts) -> str:
    """The recipe as A1111 writes one; empty where no engine was asked for anything."""
    settings = ", ".join(f"{key}: {value}" for key, value in _settings(parts))
    if not (parts.prompt or parts.text or parts.seed is not None):
        return ""
    lines = [parts.prompt or parts.text]
    if parts.negative:
        lines.append(f"Negative prompt: {parts.negative}")
    return "\n".join([*lines, settings])


def _settings(parts: Parts) -> Iterator[tuple[str, str]]:
    values = dict(parts.parameters)
    for key, word in _WORDS.items():
        if key in values:
            yield from _pair(word, values.pop(key))
    if parts.seed is not None:
        yield "Seed", str(parts.seed)
    if parts.size is not None:
        yield "Size", f"{parts.size[0]}x{parts.size[1]}"
    if parts.model:
        yield "Model", json.dumps(parts.model, ensure_ascii=False) if "/" in parts.model else parts.model
    if parts.revision:
        yield "Model hash", parts.revision[:12]
    if parts.text and parts.prompt:
        yield "Text", json.dumps(parts.text, ensure_ascii=False)
    for key, value in sorted(values.items()):
        yield from _pair(key, value)
    if not parts.adapter.endswith(".py"):
        yield "Adapter", f"{parts.adapter} {parts.adapter_version}"
    yield "Version", "artlock"


def _pair(key: str, value: Json) -> Iterator[tuple[str, str]]:
    """A parameter, if it is a plain number or word: a longer text may be a path, or somebody's secret."""
    if isinstance(value, bool):
        yield key, str(value).lower()
    elif isinstance(value, int | float):
        whole = isinstance(value, float) and value.is_integer()
        yield key, str(int(value)) if whole else json.dumps(value)
    elif isinstance(value, str) and _SIMPLE.fullmatch(value):
        yield key, value
