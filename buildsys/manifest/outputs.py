"""Several outputs of one asset, by `formats` and `scales`: each a derived asset of its own.

Knows nothing of how a picture is scaled: the finish step `scale` does that. The picture that the asset
itself stands for is its largest scale in its first format; all others are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest.cards import FINISH
from buildsys.manifest.finish import ENCODE, Finisher
from buildsys.manifest.kinds import SCALES, is_scales, written
from buildsys.manifest.model import Asset, AssetName, FinishStep, Input
from buildsys.manifest.source import Fault, at

Json: TypeAlias = Any

_KEYS: Final = ("of", "filter")
_SAME_SIZE: Final = frozenset(
    {"quantize", "levels", "lut", "outline", "alpha", "grayscale", "silhouette", "tile", "normals", ENCODE}
)
"""Finish steps that leave a picture's size as it is."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an asset."""

    name: AssetName
    """Of its own node. No name that a person gives holds a `@`, so none is taken twice."""
    file: str
    """Path under the output folder, without its suffix."""
    format: str
    origin: AssetName = AssetName("")
    """What it is made from; empty for the asset itself."""
    ratio: tuple[int, int] = (1, 1)
    """Its side to that of its origin, in lowest terms."""


def own_format(table: Mapping[str, Json]) -> str:
    """The format of the asset's own output."""
    first: str = table["formats"][0] if "formats" in table else table.get("format", "png")
    return first


def planned(name: AssetName, table: Mapping[str, Json]) -> tuple[Output, ...]:
    """The outputs of the asset `name`, the asset's own first. Raises `Fault`."""
    if "pack" in table:
        return (Output(name=name, file=name, format="png"),)
    if "formats" not in table and "scales" not in table:
        return (Output(name=name, file=name, format=table.get("format", "png")),)
    if "formats" in table and "format" in table:
        fact = f"asset `{name}` has both `format` and `formats`"
        raise Fault(fact, "keep one of the two; the first of `formats` is the asset's own", ("format",))
    first, *others = table.get("formats") or (table.get("format", "png"),)
    if "scales" not in table:
        own = Output(name=name, file=name, format=first)
        return own, *(_in_format(own, other, f"{name}@{other}") for other in others)
    made: list[Output] = []
    largest, *smaller = sorted(_scales(table["scales"]), reverse=True)
    for scale in (largest, *smaller):
        shared = math.gcd(scale, largest)
        own = Output(
            name=name if scale == largest else AssetName(f"{name}@{scale}x"),
            file=name if scale == 1 else f"{name}@{scale}x",
            format=first,
            origin=AssetName("") if scale == largest else name,
            ratio=(scale // shared, largest // shared),
        )
        made += [own, *(_in_format(own, other, f"{name}@{scale}x.{other}") for other in others)]
    return tuple(made)


def spread(
    asset: Asset, table: Mapping[str, Json], outputs: Sequence[Output], finisher: Finisher
) -> Iterator[Asset]:
    """`asset` and its other `outputs`, as assets made from it. Raises `Fault`."""
    own, *others = outputs
    yield asset if own.file == asset.name else msgspec.structs.replace(asset, file=own.file)
    scaling = table.get("scales", ())
    method = scaling.get("filter") if isinstance(scaling, dict) else None
    size = finished_size(asset)
    for item in others:
        _check_whole(asset.name, size, item)
        yield Asset(
            name=item.name,
            role="",
            engine=FINISH,
            finish=(*_scaled(item, method, finisher), *_encoded(item, asset.finish)),
            inputs={"image": Input(asset=item.origin)},
            format=item.format,
            file="" if item.file == item.name else item.file,
            main=asset.name,
            location=asset.location,
        )


def finished_size(asset: Asset) -> tuple[int, int] | None:
    """The size of its finished picture; None where only the picture will tell."""
    size = asset.size
    for step in asset.finish:
        size = size_after(step, size)
    return size


def size_after(step: FinishStep, size: tuple[int, int] | None) -> tuple[int, int] | None:
    """The size of what `step` makes of a picture of `size`; None where only the picture will tell."""
    given = step.parameters
    if step.name == "resize":
        return None if given.get("fit") == "within" else _pair(given["size"])
    if step.name == "pad" and "size" in given:
        return _pair(given["size"])
    if step.name == "crop":
        return _pair(given["box"][2:])
    if step.name == "scale" and size is not None:
        return _times(size, (given["up"], given["down"]))
    return size if step.name in _SAME_SIZE else None


def _in_format(own: Output, other: str, name: str) -> Output:
    return Output(name=AssetName(name), file=own.file, format=other, origin=own.name)


def _scales(value: Json) -> list[int]:
    if isinstance(value, dict):
        for key in value:
            if key not in _KEYS:
                hint = did_you_mean(key, _KEYS) or "use `of` and `filter`"
                raise Fault(f"unknown key `{key}` in `scales`", hint, ("scales", key), at_key=True)
        if not is_scales(value.get("of")):
            fact = f"`scales` must be {SCALES.words}, not {written(value)}"
            raise Fault(fact, 'write it like `scales = { of = [1, 2, 4], filter = "nearest" }`', ("scales",))
        value = value["of"]
    scales: list[int] = value
    return scales


def _scaled(item: Output, method: Json, finisher: Finisher) -> tuple[FinishStep, ...]:
    if item.ratio == (1, 1):
        return ()
    up, down = item.ratio
    step = {"down": down, "up": up}
    try:
        return finisher.resolve([{"scale": step if method is None else {**step, "filter": method}}]).steps
    except Fault as fault:
        raise Fault(fault.fact, fault.hint, ("scales", "filter")) from None


def _encoded(item: Output, steps: Sequence[FinishStep]) -> Sequence[FinishStep]:
    """The asset's wish for the smallest file, which it has for all its PNGs."""
    return [
        msgspec.structs.replace(step, parameters={"smallest": True})
        for step in steps[-1:]
        if step.name == ENCODE and step.parameters.get("smallest") and item.format == "png"
    ]


def _check_whole(name: AssetName, size: tuple[int, int] | None, item: Output) -> None:
    if size is None or _times(size, item.ratio) is not None:
        return
    multiply, divide = item.ratio
    with at("scales"):
        fact = f"`{name}` is {size[0]} × {size[1]} pixels, and {multiply}/{divide} of that is no whole number"  # noqa: RUF001 - the sign for "by"
        raise Fault(fact, f"give it sides that are multiples of {divide}, or leave the scale out")


def _times(size: tuple[int, int], ratio: tuple[int, int]) -> tuple[int, int] | None:
    width, height = (side * ratio[0] for side in size)
    if width % ratio[1] or height % ratio[1]:
        return None
    return width // ratio[1], height // ratio[1]


def _pair(sides: Sequence[float]) -> tuple[int, int]:
    return int(sides[0]), int(sides[1])
