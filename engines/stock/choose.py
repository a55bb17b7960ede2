"""From a request to an icon and a look: the prompt, then what the parameters insist on, then the seed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engines.protocol import EngineError, ErrorKind, Json, Request
from engines.stock import backdrop, dice, palette, prompt
from engines.stock.draw import Look, Style
from engines.stock.library import Icon
from engines.stock.palette import Palette, Ramp
from engines.stock.prompt import Wish
from engines.stock.search import EXACT, Hit, Searcher

_NEAR: Final = 12
"""Icons whose scores differ by no more than this are equally good: the seed may choose."""
_ALIKE: Final = 470
"""Cosine, in thousandths, from which a thing is painted like another that is known."""
_READ: Final = frozenset(
    {"calculator", "card", "clock", "dice", "hieroglyph", "keyboard", "letter", "music", "note", "watch"}
)
"""Nobody mirrors what can be read."""
_OUTLINES: Final = {"none": 0, "thin": 10, "medium": 17, "thick": 28}
_SHADOWS: Final = {"none": 0, "soft": 38, "hard": 65}
_FRAMES: Final = ("gold", "silver", "bronze", "iron", "steel")
_COOL_PANELS: Final = ("navy", "purple", "teal", "shadow", "sapphire")
_WARM_PANELS: Final = ("blood", "brown", "shadow", "obsidian", "bronze")
_BACKDROPS: Final = ("rounded", "circle", "shield", "hexagon", "octagon")


@dataclass(frozen=True, slots=True)
class Choice:
    """What to draw, and how."""

    icon: Icon
    look: Look
    notes: tuple[str, ...]


def choose(searcher: Searcher, icons: Sequence[Icon], request: Request) -> Choice:
    """Raises `EngineError` (bad request) where nothing fits what was asked for."""
    values = request.parameters
    seed = request.seed or 0
    wish = prompt.parse(request.prompt)
    pinned = _text(values, "icon", "")
    if pinned:
        icon = _pinned(icons, pinned)
        notes: tuple[str, ...] = ()
    else:
        icon, notes = _found(searcher, wish, _text(values, "set", "any"), seed, request.prompt)
    return Choice(icon, _look(searcher, icon, wish, values, seed), notes)


def _found(
    searcher: Searcher, wish: Wish, collection: str, seed: int, words: str
) -> tuple[Icon, tuple[str, ...]]:
    found = searcher.find(wish, 12, collection=collection)
    if not found.hits:
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"no icon fits the prompt `{words}`",
            hint="name the thing with a plain noun, such as `sword`, or pin an icon with `icon`",
        )
    best = found.hits[0]
    near = [hit for hit in found.hits if _as_good(hit, best)]
    return dice.pick(seed, "icon", near).icon, found.notes


def _as_good(hit: Hit, best: Hit) -> bool:
    # Another set is another manner of drawing: the seed must not mix them.
    if hit.icon.collection != best.icon.collection:
        return False
    # A sword is not a shovel: where the best was named, only others that were named as well.
    if best.score >= EXACT:
        return hit.score >= max(EXACT, best.score - _NEAR)
    return hit.score >= best.score - _NEAR


def _pinned(icons: Iterable[Icon], name: str) -> Icon:
    known = {icon.key: icon for icon in icons}
    for collection in ("game-icons/", "fluent/", "noto/", ""):
        if collection + name in known:
            return known[collection + name]
    bare = name.rpartition("/")[2]
    close = difflib.get_close_matches(bare, [icon.name for icon in known.values()], n=1)
    hint = f"did you mean `{close[0]}`?" if close else "look for one with `artlock stock search`"
    raise EngineError(ErrorKind.BAD_REQUEST, f"there is no icon `{name}`", hint=hint)


def _look(searcher: Searcher, icon: Icon, wish: Wish, values: Mapping[str, Json], seed: int) -> Look:
    style = Style(_text(values, "style", Style.PAINTED))
    colors = _asked(values) or [_ramp(name) for name in wish.ramps]
    paints = _palette(searcher, icon, wish, values, colors, seed)
    named = _text(values, "palette", "auto") != "auto"
    board = _backdrop(values, style, seed)
    edge = _text(values, "outline_color", "")
    return Look(
        style=style,
        palette=paints,
        tint=paints[0] if colors or named else None,
        outline=_OUTLINES[_auto(values, "outline", "none" if style is Style.FLAT else "medium")],
        edge=palette.parse(edge) if edge else None,
        shadow=_SHADOWS[_auto(values, "shadow", _usual_shadow(style))],
        backdrop=board,
        frame=palette.ramps()[dice.pick(seed, "frame", _FRAMES)],
        panel=_panel(paints[0], seed),
        mirror=_mirror(icon, _auto(values, "mirror", "auto"), seed),
        slant=dice.pick(seed, "slant", (0, 1, 2)),
        reach=_reach(values, board, style),
        grid=_integer(values, "grid"),
    )


def _usual_shadow(style: Style) -> str:
    return "none" if style in {Style.FLAT, Style.GLOW} else "soft"


def _reach(values: Mapping[str, Json], board: str, style: Style) -> int:
    padding = values.get("padding")
    if isinstance(padding, int):
        return max(10, 100 - 2 * padding)
    if board:
        return backdrop.REACH.get(board, backdrop.USUAL_REACH)
    return 80 if style in {Style.GLOW, Style.STICKER} else 88


def _backdrop(values: Mapping[str, Json], style: Style, seed: int) -> str:
    shape = _auto(values, "backdrop", "any" if style is Style.EMBLEM else "none")
    if shape == "any":
        return dice.pick(seed, "backdrop", _BACKDROPS)
    return "" if shape == "none" else shape


def _mirror(icon: Icon, wanted: str, seed: int) -> bool:
    if wanted != "auto":
        return wanted == "yes"
    # Emoji face as people know them.
    plain = icon.collection == "game-icons" and _READ.isdisjoint(icon.name.split("-"))
    return plain and dice.roll(seed, "mirror", 4) == 0


def _panel(large: Ramp, seed: int) -> Ramp:
    """A ground that the icon stands out from: cool behind warm colours, warm behind cool ones."""
    red, _, blue = large.colors[3]
    names = _COOL_PANELS if red >= blue else _WARM_PANELS
    return palette.ramps()[dice.pick(seed, "panel", [name for name in names if name != large.name])]


def _palette(
    searcher: Searcher, icon: Icon, wish: Wish, values: Mapping[str, Json], colors: list[Ramp], seed: int
) -> Palette:
    name = _text(values, "palette", "auto")
    if name != "auto":
        base = palette.palettes()[name]
    else:
        ramps = palette.ramps()
        large, middle, small = dice.pick(seed, "palette", _known_paints(searcher, icon, wish, seed))
        base = (ramps[large], ramps[middle], ramps[small])
    first, second, third = [*colors[:3], *base[len(colors[:3]) :]]
    return first, second, third


def _known_paints(searcher: Searcher, icon: Icon, wish: Wish, seed: int) -> Sequence[tuple[str, str, str]]:
    """The colours of the first that is known: the thing asked for, the icon, what is most like them."""
    known = prompt.paints()
    heads = [term.word for term in wish.terms if term.head]
    describing = [term.word for term in wish.terms if not term.head]
    own = icon.name.split("-")
    candidates = [icon.name, *heads, *own[::-1], *describing]
    for word in candidates:
        for spelled in (word, word.removesuffix("s")):
            if spelled in known:
                # A health potion is red: of a potion's colours, those that health has as well.
                shared = [paint for paint in known[spelled] if _fits(paint, describing)]
                return shared or known[spelled]
    things = list(known)
    for word in [*heads, *own[::-1], *describing]:
        like = searcher.likeness(word, things)
        if int(like.max()) >= _ALIKE:
            return known[things[int(like.argmax())]]
    names = sorted(name for name in palette.palettes() if name != "mono")
    large, middle, small = palette.palettes()[dice.pick(seed, "any palette", names)]
    return ((large.name, middle.name, small.name),)


def _fits(paint: tuple[str, str, str], describing: Iterable[str]) -> bool:
    return any(paint in prompt.paints().get(word, ()) for word in describing)


def _asked(values: Mapping[str, Json]) -> list[Ramp]:
    return [_ramp(str(name)) for name in values.get("colors") or ()]


def _ramp(name: str) -> Ramp:
    if name.startswith("#") and len(name) in (7, 9):
        try:
            return palette.from_color(palette.parse(name))
        except ValueError:
            pass
    ramp = palette.words().get(name)
    if ramp is None:
        close = difflib.get_close_matches(name, palette.words(), n=1)
        hint = f"did you mean `{close[0]}`?" if close else "give `#rrggbb` or a colour such as `red`"
        raise EngineError(ErrorKind.BAD_REQUEST, f"`{name}` is no colour that this engine knows", hint=hint)
    return palette.ramps()[ramp]


def _text(values: Mapping[str, Json], key: str, default: str) -> str:
    value = values.get(key)
    return default if value is None else str(value)


def _auto(values: Mapping[str, Json], key: str, default: str) -> str:
    value = _text(values, key, "auto")
    return default if value == "auto" else value


def _integer(values: Mapping[str, Json], key: str) -> int:
    value = values.get(key) or 0
    return value if isinstance(value, int) else 0
