"""Sizes: which ones a model makes, by its adapter's card, and the nearest of these to another.

Knows nothing of assets. The adapters of providers judge by the same cards with code of their own
(`engines.hosted.shapes`), since neither side imports the other; a test holds the two together.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from buildsys.manifest import values
from buildsys.manifest.ability import ModelCard
from buildsys.manifest.kinds import written
from buildsys.manifest.model import Card, Engine, Need
from buildsys.manifest.needs import Unmet
from buildsys.manifest.source import Fault

Json: TypeAlias = Any
Size: TypeAlias = tuple[int, int]

NEAR: Final = 0.02
"""How far a picture's shape may be from what was asked for: scaling by this much is not seen."""

_RATIO: Final = re.compile(r"[1-9][0-9]*:[1-9][0-9]*")


class _Form(NamedTuple):
    """A shape to look for a size in, and the size that it must not pass."""

    width: float
    height: float
    cap: tuple[float, float] = (math.inf, math.inf)


def of(card: Card, model: str) -> ModelCard:
    """What `card` says of `model`; nothing, where no entry names it."""
    for entry in card.shapes:
        if not entry.models or any(_names(pattern, model) for pattern in entry.models):
            return entry
    return ModelCard()


def takes_negative(engine: Engine) -> bool:
    """Whether a negative prompt has a part in its pictures."""
    return engine.card.negative is not Need.NONE and of(engine.card, engine.model).negative != "none"


def makes(card: Card, model: str, size: Size) -> bool:
    """Whether `model` makes pictures of `size`."""
    return _within(card, size) and not objection(of(card, model), size)


def check_size(engine: Engine, size: Size) -> None:
    """Raise `Unmet` where `engine` makes no picture of `size`, with one that it makes."""
    card, model = engine.card, engine.model
    if makes(card, model, size):
        return
    fact = f"engine `{engine.name}` can't make {by(size)} pixels"
    if card.shapes:
        why = objection(of(card, model), size)
        grid = math.lcm(card.multiple, of(card, model).multiple)
        larger = _up(size[0], grid), _up(size[1], grid)
        # Rather a little larger: `finish` makes it smaller without loss.
        best = larger if makes(card, model, larger) else nearest(card, model, size)
        hint = f"use {by(best)}, and `finish` for the rest"
        raise Unmet(f"{fact}: {why}" if why else fact, hint)
    step = f" in steps of {card.multiple}" if card.multiple > 1 else ""
    raise Unmet(fact, f"use sides from {card.minimum} to {card.maximum}{step}, and `finish` for the rest")


def objection(entry: ModelCard, size: Size) -> str:
    """Why a model makes no picture of `size`, beside its card's bounds; empty where it does."""
    short, long = sorted(size)
    if any(side % entry.multiple for side in size):
        return f"both sides must be multiples of {entry.multiple}"
    if entry.steepest and long > entry.steepest * short:
        return f"the longer side may be {entry.steepest:g} times the shorter"
    if entry.longest and long > entry.longest:
        return f"the longer side has at most {entry.longest} pixels"
    if entry.pixels and short * long > entry.pixels:
        return f"it makes at most {entry.pixels:,} pixels"
    return _unoffered(entry, size)


def _unoffered(entry: ModelCard, size: Size) -> str:
    """Why `size` is none that a model has; empty where it is, or where any is."""
    shape = size[0] / size[1]
    if entry.sizes:
        near = [item for item in entry.sizes if _distance(item[0] / item[1], shape) <= NEAR]
        if not near:
            return "none of its sizes is within 2 % of that shape"
        if not any(item[0] >= size[0] and item[1] >= size[1] for item in near):
            return f"it makes at most {by(max(near))} in that shape"
    elif entry.ratios and not any(_distance(_ratio(name), shape) <= NEAR for name in entry.ratios):
        return "none of its aspect ratios is within 2 % of that shape"
    return ""


def nearest(card: Card, model: str, size: Size) -> Size:
    """The size most like `size`, in shape before number of pixels, that `model` makes."""
    if makes(card, model, size):
        return size
    entry = of(card, model)
    forms = _forms(entry, size)
    for form in forms:
        found = _at(card, model, entry, form)
        if found is not None:
            return found
    # Too flat for the card's bounds: the shape gives way.
    return _rounded(card, entry, _scaled(card, entry, forms[0]))


def told(card: Card, model: str) -> str:
    """The sizes of `model` in a few words, for a person."""
    entry = of(card, model)
    if entry.sizes:
        largest = max(entry.sizes, key=math.prod)
        return f"{len(entry.sizes)} sizes, up to {by(largest)}, or smaller in these shapes"
    if entry.ratios:
        most = f", at most {entry.pixels:,} pixels" if entry.pixels else ""
        return f"{', '.join(entry.ratios)}{most}"
    step = math.lcm(card.multiple, entry.multiple)
    parts = [f"sides from {_up(card.minimum, step)} to {entry.longest or card.maximum // step * step}"]
    parts += [f"in steps of {step}"] if step > 1 else []
    parts += [f"1:{entry.steepest:g} at most"] if entry.steepest else []
    parts += [f"at most {entry.pixels:,} pixels"] if entry.pixels else []
    return ", ".join(parts)


def by(size: Size) -> str:
    """`512 × 512`."""  # noqa: RUF002 - the sign for "by"
    return f"{size[0]} × {size[1]}"  # noqa: RUF001 - the sign for "by"


def takes_files(engine: Engine, name: str) -> bool:
    """Whether the engine's model takes a file, or a table of them, as the parameter `name`."""
    declared = engine.card.parameters.get(name)
    if declared is None or declared.type not in values.FILES:
        return False
    return of(engine.card, engine.model).choices.get(name) != ()


def check_choices(engine: Engine, parameters: Mapping[str, Json]) -> None:
    """Raise `Fault` where the engine's model does not take the value of a parameter."""
    for name, known in of(engine.card, engine.model).choices.items():
        value = parameters.get(name)
        if value is None or value in known:
            continue
        if not known:
            fact = f"the model `{engine.model}` of engine `{engine.name}` takes no `{name}`"
            # A picture to be guided by is a need; a style that a model lacks is a slip.
            kind = Unmet if engine.card.parameters[name].type in values.FILES else Fault
            raise kind(fact, f"leave `{name}` out", ("parameters", name))
        fact = f"the model `{engine.model}` of engine `{engine.name}` has no `{name}` {written(value)}"
        raise Fault(fact, f"use one of {', '.join(f'`{item}`' for item in known)}", ("parameters", name))


def card_faults(card: Card) -> Iterator[Fault]:
    """What is wrong with the `shapes` of `card`."""
    for number, entry in enumerate(card.shapes):
        for place, ratio in enumerate(entry.ratios):
            if not _RATIO.fullmatch(ratio):
                yield Fault(
                    f"`{ratio}` is no ratio", 'write it like "16:9"', ("shapes", number, "ratios", place)
                )
        for place, size in enumerate(entry.sizes):
            if min(size) < 1:
                path = ("shapes", number, "sizes", place)
                yield Fault(f"{by(size)} is no size", "write a width and a height above 0", path)
        if entry.multiple < 1 or min(entry.steepest, entry.longest, entry.pixels) < 0:
            yield Fault("no size fits these shapes", "correct their bounds", ("shapes", number))
        if not entry.models and number < len(card.shapes) - 1:
            fact = "these shapes are for every model, so what follows is never read"
            yield Fault(fact, "add `models`, or move them to the end", ("shapes", number))
        for name, known in entry.choices.items():
            yield from _choice_faults(card, name, known, ("shapes", number, "choices", name))


def _choice_faults(
    card: Card, name: str, known: tuple[Json, ...], path: tuple[str | int, ...]
) -> Iterator[Fault]:
    declared = card.parameters.get(name)
    if declared is None:
        yield Fault(
            f"`choices` names `{name}`, which is no parameter",
            "name one of its parameters",
            path,
            at_key=True,
        )
    elif declared.type in values.TYPES:
        for number, item in enumerate(known):
            try:
                values.settle(declared, item)
            except Fault as fault:
                yield fault.under(*path, number)


def _names(pattern: str, model: str) -> bool:
    if pattern.endswith("*"):
        return model.startswith(pattern[:-1])
    return pattern == model


def _within(card: Card, size: Size) -> bool:
    return all(card.minimum <= side <= card.maximum and side % card.multiple == 0 for side in size)


def _ratio(name: str) -> float:
    width, _, height = name.partition(":")
    return int(width) / int(height)


def _distance(one: float, other: float) -> float:
    return max(one, other) / min(one, other) - 1


def _forms(entry: ModelCard, size: Size) -> list[_Form]:
    """Shapes to look for a size in, those most like that of `size` first."""
    width, height = size
    shape = width / height
    if entry.sizes:
        order = sorted(entry.sizes, key=lambda item: (_like(item[0] / item[1], shape), -math.prod(item)))
        return [_form(size, item[0] / item[1], item) for item in order]
    if entry.ratios:
        ratios = sorted(map(_ratio, entry.ratios), key=lambda ratio: _like(ratio, shape))
        return [_form(size, ratio) for ratio in ratios]
    least = max(size) / entry.steepest if entry.steepest else 0
    return [_Form(max(width, least), max(height, least))]


def _like(ratio: float, shape: float) -> float:
    far = _distance(ratio, shape)
    return 0 if far <= NEAR else far


def _form(size: Size, ratio: float, cap: tuple[float, float] = (math.inf, math.inf)) -> _Form:
    """The shape of `size` where `ratio` is near to it, else that ratio at its width."""
    width, height = size
    if _distance(ratio, width / height) <= NEAR:
        return _Form(width, height, cap)
    return _Form(width, width / ratio, cap)


def _at(card: Card, model: str, entry: ModelCard, form: _Form) -> Size | None:
    """The size nearest to `form` that `model` makes; None where its shape is lost by rounding."""
    exact = _scaled(card, entry, form)
    rounded = _rounded(card, entry, exact)
    if makes(card, model, rounded):
        return rounded
    step = math.lcm(card.multiple, entry.multiple)
    around = [(math.floor(side / step) * step, math.ceil(side / step) * step) for side in exact]
    found = [(width, height) for width, height in itertools.product(*around) if width and height]
    return min(
        (item for item in found if makes(card, model, item)),
        key=lambda item: _distance(item[0] / item[1], exact[0] / exact[1]),
        default=None,
    )


def _scaled(card: Card, entry: ModelCard, form: _Form) -> tuple[float, float]:
    """`form`, no smaller and no larger than the card and its entry allow."""
    width, height = form.width, form.height
    most = min(card.maximum, entry.longest or card.maximum)
    caps = [most / max(width, height), form.cap[0] / width, form.cap[1] / height]
    if entry.pixels:
        caps.append(math.sqrt(entry.pixels / (width * height)))
    scale = min(max(1.0, card.minimum / min(width, height)), *caps)
    return width * scale, height * scale


def _rounded(card: Card, entry: ModelCard, exact: tuple[float, float]) -> Size:
    step = math.lcm(card.multiple, entry.multiple)
    lowest, highest = _up(card.minimum, step), card.maximum // step * step
    width, height = (min(max(int(side / step + 0.5) * step, lowest), highest) for side in exact)
    return width, height


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
