"""Every section and key of `assets.toml`, told once: for checking, for messages, for editors.

Knows nothing of adapters: their parameters are judged by their cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.manifest import kinds, limits, prices, remotes
from buildsys.manifest.ability import Capability
from buildsys.manifest.candidates import METRICS, MOST
from buildsys.manifest.formats import PICTURES
from buildsys.manifest.kinds import Kind
from buildsys.manifest.sourcetypes import SOURCE_TYPES

Json: TypeAlias = Any


class Key(msgspec.Struct, frozen=True):
    """One key of a section."""

    kind: Kind
    doc: str
    required: bool = False
    default: Json = None
    section: Section | None = None
    """Its value is a table of tables under names of the user's own: the keys of those."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section: a table with known keys, one of free names, or a table of named tables."""

    doc: str
    keys: Mapping[str, Key] = {}
    names: Kind | None = None
    """Kind of the values where the names are free."""
    named: bool = False
    """`[styles.NAME]`: the keys are those of each named table."""
    open: bool = False
    """Keys beyond the known ones are judged later, by a card."""


_LIMITS: Final = Kind("a table", "{ render_seconds = 300 }", kinds.TABLE.accepts, limits.schema())
"""What stands in it is judged with its engine, key by key."""
_GATE: Final = Kind(
    "a gate's main parameter, a table of its parameters, or `false`",
    "{}",
    lambda value: isinstance(value, bool | int | float | str | list | dict),
    {"type": ["boolean", "integer", "number", "string", "array", "object"]},
)
_GATES: Final = Kind(
    "a table from gate to what it asks",
    "{ alpha = [0.1, 0.9] }",
    lambda value: isinstance(value, dict) and all(map(_GATE.accepts, value.values())),
    {"type": "object", "additionalProperties": _GATE.schema},
)
_ENGINES: Final = msgspec.structs.replace(
    kinds.WORDS, words="a non-empty array of engines", example='["stock"]'
)
_NEEDS: Final = Kind(
    "a non-empty array of needs",
    '["alpha"]',
    kinds.WORDS.accepts,
    {"type": "array", "items": {"enum": list(Capability)}, "minItems": 1, "uniqueItems": True},
)
"""Which words there are is judged with the asset, where one that is near can be named."""

_FIXED: Final = frozenset(
    {"matrix", "profiles", "format", "formats", "scales", "author", "licence", "source_type"}
)
"""Keys of an asset that say which outputs there are and whose they are: no profile changes that."""


def _profiled(section: Section, name: str, fixed: frozenset[str] = frozenset()) -> Section:
    """`section` with a table for each profile, which may have any of its keys but the `fixed` ones."""
    keys = {key: body for key, body in section.keys.items() if key not in fixed}
    doc = f"Tables of keys that one profile puts in the place of those above: [{name}.NAME.profile.final]."
    own = Key(kinds.TABLES, doc, section=Section(doc="For one profile.", keys=keys))
    return msgspec.structs.replace(section, keys={**section.keys, "profile": own})


_GLOBS: Final = msgspec.structs.replace(
    kinds.STRINGS, words="a non-empty array of globs", example='["items/*", "!items/old-*"]'
)

PROJECT: Final = Section(
    doc="The game's art as a whole. Stands in assets.toml itself, never in an included file.",
    keys={
        "name": Key(kinds.LINE, "Name of the game.", required=True),
        "out": Key(kinds.LINE, "Folder for finished assets, relative to the project.", default="out"),
        "profile": Key(kinds.WORD_KIND, "Profile to use where --profile names none.", default="draft"),
        "metadata": Key(
            kinds.choice("strip", "keep"),
            "Whether pictures tell their recipe and what made them, for other programs to read.",
            default="strip",
        ),
        "outputs": Key(
            kinds.choice("git", "store"),
            "Where finished assets are kept: committed with the game, or in the store and its remote alone.",
            default="git",
        ),
        "include": Key(
            kinds.STRINGS, 'Globs of more manifest files, relative to the project: "assets/*.toml".'
        ),
    },
)
REMOTE: Final = Section(
    doc="A copy of the store that people and CI share. Stands in assets.toml itself, never in an included "
    "file.",
    keys={
        "url": Key(
            remotes.URL,
            "Where it lies: s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder.",
            required=True,
        ),
        "write": Key(
            kinds.BOOLEAN, "Whether artlock push may write to it without CI saying so.", default=False
        ),
        "endpoint": Key(remotes.ENDPOINT, "Server that speaks S3 or Azure, where it is not theirs."),
        "region": Key(kinds.WORD_KIND, "Region of a bucket of S3."),
        "anonymous": Key(kinds.BOOLEAN, "Whether it is read without credentials.", default=False),
    },
)
VARIABLES: Final = Section(
    doc="Texts to use as {name} in prompts, negatives, texts, string parameters, and in one another.",
    names=kinds.STRING,
)
ROLES: Final = Section(
    doc="What an asset is for, and the engine that makes such assets: one, or one for each profile.",
    names=kinds.ROLE,
)
GATES: Final = Section(
    doc="What every finished picture must be, unless its style or the asset itself says otherwise.",
    names=_GATE,
)
_STYLES: Final = Section(
    doc="A look that assets share.",
    named=True,
    keys={
        "inherits": Key(kinds.WORD_OR_WORDS, "Style, or styles in their order, that this one adds to."),
        "prompt": Key(kinds.TEXT, "Text around the asset's prompt; contains {prompt}."),
        "negative": Key(kinds.TEXT, "What to keep out, joined to the asset's own."),
        "parameters": Key(kinds.TABLE, "Parameters of the adapter, or a table of them for one engine."),
        "size": Key(kinds.SIZE, "Width and height in pixels, where the asset gives none."),
        "finish": Key(kinds.STEPS, "Finish steps, where the asset gives none."),
        "gates": Key(_GATES, "What the finished picture must be, beside what the asset asks."),
    },
)
STYLES: Final = _profiled(_STYLES, "styles")
ENGINES: Final = Section(
    doc="An engine: a preset of the same name with some keys changed, or a new one. Every key beyond "
    "these is a parameter or a setting of the adapter.",
    named=True,
    open=True,
    keys={
        "adapter": Key(kinds.LINE, "Adapter that drives it: a bundled one, or a .py file of the project."),
        "model": Key(kinds.LINE, "Name of the model, or a local folder."),
        "revision": Key(kinds.STRING, "Exact revision of the model: a commit of its repository."),
        "devices": Key(
            kinds.DEVICES,
            "Devices that it may work on, where its adapter has a setting `device`.",
        ),
        "limits": Key(_LIMITS, "How much of the machine, of a provider and of your patience it may use."),
        "sandbox": Key(
            kinds.BOOLEAN,
            "Whether its process is kept from writing elsewhere and, unless its adapter needs it, off the "
            "network.",
            default=True,
        ),
        "python": Key(kinds.LINE, "Interpreter that runs it, where it is not artlock's own."),
        "retired": Key(kinds.DATE, "Day on which its provider ended it, or will."),
        "successor": Key(kinds.LINE, "Engine to use after that."),
        "fallback": Key(
            _ENGINES, "Engines to turn to, in this order, where it refuses or is down; not used yet."
        ),
        "price": Key(prices.KIND, "What a picture costs in US dollars, or a table that tells it."),
        "licence": Key(kinds.LINE, "Licence of the model, as a person should read it."),
    },
)
_ATLAS: Final[Mapping[str, Key]] = {
    "trim": Key(kinds.BOOLEAN, "Of an atlas: cut off transparent borders.", default=True),
    "padding": Key(kinds.integer(0, 64, 2), "Of an atlas: empty pixels between sprites.", default=2),
    "extrude": Key(kinds.integer(0, 32, 1), "Of an atlas: how often edges are repeated.", default=0),
    "power_of_two": Key(kinds.BOOLEAN, "Of an atlas: sides that are powers of two.", default=False),
    "square": Key(kinds.BOOLEAN, "Of an atlas: square pages.", default=False),
    "max_size": Key(kinds.integer(16, 8192, 1024), "Of an atlas: longest side of a page.", default=2048),
    "rotate": Key(kinds.BOOLEAN, "Of an atlas: turn sprites by 90 degrees; PixiJS only.", default=False),
    "animations": Key(kinds.BOOLEAN, "Of an atlas: animations of numbered sprites.", default=True),
    "fps": Key(kinds.number(0.1, 240, 12), "Of an atlas: frames a second of its animations.", default=12),
}
ATLAS: Final = tuple(_ATLAS)
"""Keys of an asset that packs others, and of no other; an engine `pack` may have other defaults."""
_ASSETS: Final = Section(
    doc="An asset: one output file, or several with a matrix, formats or scales. Its name is its path under "
    "the out folder, without a suffix.",
    named=True,
    keys={
        "role": Key(kinds.WORD_KIND, "What it is for; [roles] maps this to an engine."),
        "engine": Key(kinds.WORD_KIND, "Engine to use in every profile, whatever the role says."),
        "from": Key(kinds.LINE, "Another asset whose finished picture this one is made of."),
        "source": Key(kinds.LINE, "A picture of the project, made by hand, that this one is made of."),
        "pack": Key(_GLOBS, "Globs of the assets that this atlas packs; `!` leaves some out."),
        "style": Key(kinds.WORD_OR_WORDS, "Style, or styles in the order to apply them."),
        "prompt": Key(kinds.TEXT, "What to show."),
        "negative": Key(kinds.TEXT, "What to keep out, for engines that take this."),
        "text": Key(kinds.TEXT, "Exact lettering, for engines that draw it."),
        "seed": Key(kinds.SEED, "Seed of the engine's random numbers."),
        "candidates": Key(
            kinds.integer(2, MOST, 8),
            "How many pictures to make with seeds of their own, to adopt one of them.",
        ),
        "choose": Key(kinds.choice(*METRICS), "The metric by which that one is chosen.", default=METRICS[0]),
        "pick": Key(kinds.integer(1, MOST, 3), "Number of the candidate that was picked by hand."),
        "size": Key(kinds.SIZE, "Width and height in pixels, before finishing."),
        "needs": Key(_NEEDS, "What its engine must be able to do, beside what the other keys ask for."),
        "parameters": Key(kinds.TABLE, "Parameters of the adapter, or a table of them for one engine."),
        "finish": Key(kinds.STEPS, "Finish steps in order: [{ trim = {} }, { resize = [64, 64] }]."),
        "gates": Key(_GATES, "What the finished picture must be before it is adopted."),
        "tile": Key(kinds.BOOLEAN, "Whether copies of it lie side by side: the gate `seam`."),
        "matrix": Key(kinds.MATRIX, "Axes; one asset is made for each combination of their values."),
        "format": Key(kinds.choice(*PICTURES), "Format of the output, both lossless.", default="png"),
        "formats": Key(
            kinds.FORMATS,
            "Several formats, each an output of its own; of an atlas, the data to write beside it.",
        ),
        "scales": Key(kinds.SCALES, "Scales, each an output of its own; the picture is the largest of them."),
        "author": Key(kinds.LINE, "Who made the picture of `source`, for the credits."),
        "licence": Key(kinds.LINE, "Licence of the picture of `source`, for the credits."),
        "source_type": Key(
            kinds.choice(*SOURCE_TYPES, "unknown"),
            "What kind of source the picture of `source` is, by IPTC's word.",
        ),
        "profiles": Key(kinds.WORDS, "The only profiles that have this asset."),
        **_ATLAS,
    },
)
ASSETS: Final = _profiled(_ASSETS, "assets", _FIXED)
ROOT_ONLY: Final = ("project", "remote")
"""Sections that no included file may have."""
SECTIONS: Final[Mapping[str, Section]] = {
    "project": PROJECT,
    "remote": REMOTE,
    "variables": VARIABLES,
    "roles": ROLES,
    "gates": GATES,
    "styles": STYLES,
    "engines": ENGINES,
    "assets": ASSETS,
}


def json_schema() -> dict[str, Json]:
    """JSON Schema 2020-12 of `assets.toml`, for editors; included files are judged by it too."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "assets.toml",
        "description": "The art of a game, as artlock builds it.",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _section(section) for name, section in SECTIONS.items()},
    }


def _section(section: Section) -> dict[str, Json]:
    if section.names is not None:
        values = dict(section.names.schema)
        return {"type": "object", "description": section.doc, "additionalProperties": values}
    if section.named:
        return {"type": "object", "description": section.doc, "additionalProperties": _keys(section)}
    return {"description": section.doc, **_keys(section)}


def _keys(section: Section) -> dict[str, Json]:
    body: dict[str, Json] = {
        "type": "object",
        "additionalProperties": section.open,
        "properties": {name: _key(key) for name, key in section.keys.items()},
    }
    if required := [name for name, key in section.keys.items() if key.required]:
        body["required"] = required
    return body


def _key(key: Key) -> dict[str, Json]:
    body: dict[str, Json] = {"description": key.doc, **key.kind.schema}
    if key.section is not None:
        body["additionalProperties"] = {"description": key.section.doc, **_keys(key.section)}
    return body if key.default is None else {**body, "default": key.default}
