"""Atlases: assets that pack other assets, from their keys to what the adapter is asked.

Knows nothing of places, pages or files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import template, values
from buildsys.manifest.cards import PACK
from buildsys.manifest.formats import ATLASES, PAGES
from buildsys.manifest.matrix import Declared
from buildsys.manifest.model import Asset, AssetName, Engine, Input
from buildsys.manifest.schema import ATLAS
from buildsys.manifest.source import Fault, at

Json: TypeAlias = Any

SPRITE: Final = "sprite."
"""What stands before the name of an asset among the inputs of an atlas."""

SCALED: Final = "@"
"""What a glob over the files of one scale holds, `items/*@1x`; no name that a person gives does."""

Named: TypeAlias = tuple[str, AssetName]
"""What a glob is held against, and the asset that it then means."""

_RULES: Final = ("formats", *ATLAS)
_ALSO: Final = frozenset({"pack", "matrix", "profiles"})

_WILD: Final = re.compile(r"\*\*/|\*\*|\*|\?")
_MEANING: Final = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def resolve(asset: Declared, engine: Engine) -> Asset:
    """The atlas `asset`, made by `engine`; what it packs is found once all are known. Raises `Fault`."""
    for key in (*asset.table, *asset.over):
        if key not in _ALSO and key not in _RULES:
            fact = f"asset `{asset.name}` packs others and takes no `{key}`"
            raise Fault(fact, f"remove `{key}`, or remove `pack`", (key,), at_key=True)
    if not {*asset.table.get("formats", ())} & {*ATLASES}:
        hint = 'write `formats = ["texturepacker"]`, or another one'
        raise Fault(f"asset `{asset.name}` lacks `formats`: which program reads it", hint)
    own = {}
    for key in _RULES:
        if key in asset.table:
            with at(key):
                own[key] = values.settle(engine.card.parameters[key], asset.table[key])
    with at("pack"):
        globs = tuple(template.expand(glob, asset.values) for glob in asset.table["pack"])
    parameters = {**engine.parameters, **own, "stem": asset.name.rpartition("/")[2]}
    _check(parameters)
    return Asset(
        name=asset.name, role="", engine=PACK, parameters=parameters, pack=globs, location=asset.location
    )


def check_no_atlas(asset: Declared) -> None:
    """Raise `Fault` where `asset`, which is none, has a key of an atlas."""
    for key in asset.table:
        if key in ATLAS or (key == "formats" and {*asset.table[key]} & {*ATLASES}):
            fact = f"asset `{asset.name}` has `{key}`, which is for an atlas, and no `pack`"
            raise Fault(fact, f'add `pack = ["items/*"]`, or remove `{key}`', (key,), at_key=True)


def _check(parameters: Mapping[str, Json]) -> None:
    # The adapter judges it once more, for it imports nothing of this side: here it has a line to point at.
    upright = [name for name in parameters["formats"] if name != "texturepacker"]
    if parameters["rotate"] and upright:
        fact = f"a sprite can't lie turned in the format `{upright[0]}`"
        raise Fault(fact, "remove `rotate`", ("rotate",), at_key=True)


def suffixes(table: Mapping[str, Json]) -> Iterator[str]:
    """What the files beside the picture of the asset declared by `table` may end in; of an atlas only."""
    if "pack" in table:
        yield from (f"-{page}.png" for page in range(1, PAGES))
        for name in dict.fromkeys(table.get("formats", ())):
            yield from ATLASES.get(name, ())


def fill(
    assets: dict[AssetName, Asset], elsewhere: Collection[AssetName], profile: str
) -> Iterator[tuple[AssetName, Fault]]:
    """Give each atlas of `assets` its sprites; what is wrong, by the atlas."""
    plain = [(name, name) for name, asset in assets.items() if not asset.pack and not asset.main]
    # The largest output is the asset itself, and only its file says which scale that is.
    scaled = [
        (word, name)
        for name, asset in assets.items()
        if not asset.pack
        if SCALED in (word := name if asset.main else asset.file)
    ]

    def nothing(glob: str) -> Fault:
        return _nothing(glob, assets, elsewhere, profile)

    for name, asset in [*assets.items()]:
        if asset.pack:
            try:
                found = _matched(asset.pack, plain, scaled, nothing)
                sprites = _called(found, assets)
            except Fault as fault:
                yield name, fault.under("pack")
                continue
            inputs = {f"{SPRITE}{sprite}": Input(asset=made) for sprite, made in sprites.items()}
            assets[name] = msgspec.structs.replace(asset, inputs=inputs)


def _matched(
    globs: Sequence[str],
    plain: Sequence[Named],
    scaled: Sequence[Named],
    nothing: Callable[[str], Fault],
) -> list[AssetName]:
    """What a glob names and none leaves out, sorted: of `scaled` by a glob with a `@`, else of `plain`.

    Raises `Fault`; `nothing` tells what is wrong with a glob that names nothing.
    """
    taken: set[AssetName] = set()
    left: set[AssetName] = set()
    for number, glob in enumerate(globs):
        wanted = glob.removeprefix("!")
        sprites = scaled if SCALED in wanted else plain
        found = [name for word, name in sprites if _pattern(wanted).fullmatch(word)]
        if not found:
            raise nothing(wanted).under(number)
        (left if glob.startswith("!") else taken).update(found)
    # What leaves out an asset leaves out each of its scales.
    kept = sorted(name for name in taken - left if name.partition(SCALED)[0] not in left)
    if not kept:
        raise Fault("`pack` leaves nothing to pack", 'name what to pack: "items/*"')
    return kept


def _called(found: Sequence[AssetName], assets: Mapping[AssetName, Asset]) -> dict[AssetName, AssetName]:
    """What is packed by what a sprite is called: as its asset, at any scale. Raises `Fault`."""
    called: dict[AssetName, AssetName] = {}
    for made in found:
        name = assets[made].main or made
        if name in called:
            fact = f"`pack` names `{name}` twice, as `{called[name]}` and as `{made}`"
            raise Fault(fact, "pack each scale into an atlas of its own")
        called[name] = made
    return dict(sorted(called.items()))


def _nothing(
    glob: str, assets: Mapping[AssetName, Asset], elsewhere: Collection[AssetName], profile: str
) -> Fault:
    if AssetName(glob) in assets:
        return Fault(f"`{glob}` is an atlas, which no atlas can hold", "name the assets that it packs")
    if any(_pattern(glob).fullmatch(name) for name in elsewhere):
        fact = f"`{glob}` matches no asset of profile `{profile}`"
        return Fault(fact, "give the atlas the same `profiles` as its assets")
    if SCALED in glob:
        fact = f"`{glob}` matches no scale of an asset that can be packed"
        return Fault(fact, "give the assets `scales`, or leave the `@` and what follows out")
    hint = did_you_mean(glob, _near(assets)) or "name assets as they are expanded, without a suffix"
    return Fault(f"`{glob}` matches no asset that can be packed", hint)


def _near(assets: Mapping[AssetName, Asset]) -> list[str]:
    """What a glob could have meant: each folder's `*`, and every name."""
    names = [name for name, asset in assets.items() if not asset.pack and not asset.main]
    folders = dict.fromkeys(name.rpartition("/")[0] for name in names if "/" in name)
    return [*(f"{folder}/*" for folder in folders), *names]


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """`glob` as an expression: `*` and `?` stay in a folder, `**` goes through all."""
    parts, end = [], 0
    for match in _WILD.finditer(glob):
        parts += [re.escape(glob[end : match.start()]), _MEANING[match[0]]]
        end = match.end()
    return re.compile("".join(parts) + re.escape(glob[end:]), re.DOTALL)
