"""Serves packing requests: sprites in; pages, and the data that tells of them, out.

Knows nothing of how a place is found or what a format looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, Final

from engines import parameters, png, protocol
from engines.finish.facts import measure
from engines.pack import animation, css, godot, layout, page, texturepacker, unity
from engines.pack.atlas import Atlas, Frame, numbered
from engines.pack.layout import Place, Rules
from engines.pack.sprite import Sprite, distinct, sprite
from engines.parameters import bad, unknown
from engines.protocol import Done, EngineError, ErrorKind, Json, Report, Request, Result

FORMATS: Final[Mapping[str, Callable[[Atlas], Mapping[str, str]]]] = {
    "texturepacker": texturepacker.write,
    "godot": godot.write,
    "unity": unity.write,
    "css": css.write,
}

ROTATING: Final = {"texturepacker"}
"""Formats that can say that a sprite lies turned."""

_ONE_SPACE: Final = {"godot", "css"}
"""Formats that call sprites and animations by one sort of name."""

MOST_STEPS: Final = 10_000
"""More than any request takes: a page is tried in some 40 sizes, and there are 100 of them."""

_SPRITE: Final = "sprite."
_STRANGE: Final = re.compile(r'[\x00-\x1f\x7f"\\]')
"""What no name of an asset has, and what would have to be escaped in each format in its own way."""


class Pack:
    """A warm packing engine; requests share nothing."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)
        self._declared = parameters.declared(parameters.card(Path(__file__).parent)["parameters"])

    def environment(self) -> Mapping[str, str]:
        """What places, pixels and bytes come out of."""
        return {
            "numpy": version("numpy"),
            "pillow": version("pillow"),
            "oxipng": version("pyoxipng"),
            "rectpack": version("rectpack"),
        }

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Pack each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, lambda request: self._pack(request, report))

    def _pack(self, request: Request, report: Report) -> Done:
        if Path(request.output).name != request.output or Path(request.output).suffix != ".png":
            raise EngineError(ErrorKind.INTERNAL, f"the output `{request.output}` is not the name of a PNG")
        values = parameters.checked(self._declared, request.parameters, {})
        formats = _formats(values)
        sprites = _sprites(request.inputs, trim=values["trim"])
        groups = distinct(sprites)
        animations = animation.animations([item.name for item in sprites]) if values["animations"] else {}
        _check_names(sprites, animations, formats)
        news = _news(request, report)
        places, sizes = _arranged(groups, animations, values, news)
        atlas = _atlas(groups, places, sizes, animations, values)
        texts = {suffix: text for name in formats for suffix, text in FORMATS[name](atlas).items()}
        facts: dict[str, Json] = {}
        for index, size in enumerate(sizes):
            news()
            drawn = [
                (group[0].pixels, place)
                for group, place in zip(groups, places, strict=True)
                if place.page == index
            ]
            pixels = png.without_idle_alpha(page.draw(size, drawn, values["extrude"]))
            self._write(request, f"{numbered(index)}.png", png.encode(pixels))
            facts = facts or measure(pixels)
        for suffix, text in texts.items():
            self._write(request, suffix, text.encode())
        suffixes = [*(f"{numbered(index)}.png" for index in range(1, len(sizes))), *texts]
        companions = {suffix: _beside(request, suffix) for suffix in suffixes}
        return Done(id=request.id, output=request.output, facts=facts, companions=companions)

    def _write(self, request: Request, suffix: str, data: bytes) -> None:
        (self._staging / _beside(request, suffix)).write_bytes(data)


def _news(request: Request, report: Report) -> Callable[[], None]:
    """Tells that it goes on: how many pages have to be tried is not known before."""
    steps = count(1)
    return lambda: report(request.id, next(steps), MOST_STEPS)


def _beside(request: Request, suffix: str) -> str:
    return Path(request.output).stem + suffix


def _formats(values: Mapping[str, Any]) -> list[str]:
    names = list(dict.fromkeys(values["formats"]))
    for name in names:
        if name not in FORMATS:
            raise unknown("`formats`: the format", name, FORMATS)
    if not names:
        raise bad("`formats` is empty", f"name one of {parameters.listed(FORMATS)}")
    # The manifest is held against it when it is read, by code of its own; but this side of the protocol
    # takes requests from anybody, and would write formats that lie.
    fixed = [name for name in names if name not in ROTATING]
    if values["rotate"] and fixed:
        raise bad(f"a sprite can't lie turned in the format `{fixed[0]}`", "remove `rotate`")
    _check_word(values["stem"], "stem")
    return names


def _sprites(inputs: Mapping[str, str], *, trim: bool) -> list[Sprite]:
    """By name, whatever the order of the request."""
    strange = [field for field in inputs if not field.startswith(_SPRITE)]
    if strange or not inputs:
        message = f"the input `{strange[0]}` is no sprite" if strange else "there is no sprite to pack"
        raise EngineError(ErrorKind.INTERNAL, message)
    found = []
    for field, path in sorted(inputs.items()):
        name = field.removeprefix(_SPRITE)
        _check_word(name, "sprite")
        found.append(sprite(name, png.decode(path, name=name), trim=trim))
    return found


def _check_word(name: str, what: str) -> None:
    if not name or _STRANGE.search(name):
        raise EngineError(ErrorKind.INTERNAL, f"{name!r} can't name a {what}")


def _check_names(sprites: Sequence[Sprite], animations: Mapping[str, Any], formats: Sequence[str]) -> None:
    names = {item.name for item in sprites}
    both = next((name for name in animations if name in names), None)
    format_ = next((name for name in formats if name in _ONE_SPACE), None)
    if both and format_:
        message = f"`{both}` is a sprite and an animation, which `{format_}` can't tell apart"
        raise bad(message, "rename one of them, or set `animations = false`")


def _arranged(
    groups: Sequence[Sequence[Sprite]],
    animations: Mapping[str, Sequence[str]],
    values: Mapping[str, Any],
    news: Callable[[], None],
) -> tuple[list[Place], list[tuple[int, int]]]:
    rules = Rules(**{name: values[name] for name in Rules.__dataclass_fields__})
    around = 2 * values["extrude"]
    shapes = [group[0].pixels.shape for group in groups]
    sizes = [(width + around, height + around) for height, width, _ in shapes]
    for group, size in zip(groups, sizes, strict=True):
        if max(size) > rules.side:
            message = (
                f"`{group[0].name}` takes {size[0]} x {size[1]} pixels, and a page has at most {rules.side}"
            )
            raise bad(message, "raise `max_size`, or leave it out")
    try:
        return layout.arrange(sizes, _units(groups, animations), rules, news)
    except layout.Overfull as error:
        most = f"{rules.side} x {rules.side}"
        if not error.numbers:
            message = f"the sprites need more than {layout.MOST_PAGES} pages of {most} pixels"
            raise bad(message, "raise `max_size`, or leave some out") from error
        names = {item.name for number in error.numbers for item in groups[number]}
        name = next(name for name, frames in animations.items() if names & {*frames})
        message = f"the animation `{name}` does not fit on a page of {most} pixels"
        raise bad(message, "raise `max_size`, or set `animations = false`") from error


def _units(groups: Sequence[Sequence[Sprite]], animations: Mapping[str, Sequence[str]]) -> list[list[int]]:
    """Pictures by number, those of one animation together: a game engine shows it from one texture.

    A picture that two animations share brings them together.
    """
    number_of = {item.name: number for number, group in enumerate(groups) for item in group}
    unit_of = {number: [number] for number in range(len(groups))}
    for frames in animations.values():
        first = unit_of[number_of[frames[0]]]
        for name in frames[1:]:
            other = unit_of[number_of[name]]
            if other is not first:
                first.extend(other)
                unit_of.update(dict.fromkeys(other, first))
    units = {id(unit): sorted(unit) for unit in unit_of.values()}
    return list(units.values())


def _atlas(
    groups: Sequence[Sequence[Sprite]],
    places: Sequence[Place],
    sizes: Sequence[tuple[int, int]],
    animations: Mapping[str, tuple[str, ...]],
    values: Mapping[str, Any],
) -> Atlas:
    frames = [
        Frame(
            name=item.name,
            page=place.page,
            x=place.x + values["extrude"],
            y=place.y + values["extrude"],
            width=item.pixels.shape[1],
            height=item.pixels.shape[0],
            rotated=place.rotated,
            left=item.left,
            top=item.top,
            source=item.source,
        )
        for group, place in zip(groups, places, strict=True)
        for item in group
    ]
    return Atlas(
        stem=values["stem"],
        pages=tuple(sizes),
        frames=tuple(sorted(frames, key=lambda frame: frame.name)),
        animations=animations,
        fps=values["fps"],
    )
