"""The manifest's values: what a person asked for, expanded and checked.

Knows nothing of TOML, files or engines that run. Settings say *how* to run and never enter a recipe;
parameters say *what* to make and always do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NewType, TypeAlias

import msgspec

from buildsys.manifest.ability import Capability, Lettering, ModelCard
from buildsys.manifest.allowance import Limits
from buildsys.manifest.pricing import Price
from buildsys.manifest.project import Project
from buildsys.manifest.sharing import Remote
from engines.protocol import Determinism

AssetName = NewType("AssetName", str)
"""Path under the output folder, without a suffix: `ui/play-button`."""

Json: TypeAlias = Any


class Location(msgspec.Struct, frozen=True):
    """A place in a manifest, for messages. Lines and columns count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(part) for part in (self.line, self.column) if part)])


class Need(StrEnum):
    """Whether an adapter takes something."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of an adapter or of a finish step, as its card declares it."""

    name: str
    type: str
    """`string`, `integer`, `number`, `bytes` (an integer, or `200 kB`), `boolean`, `color` (`#rrggbb` or
    `#rrggbbaa`), `file`, `files` (a table of them), `size` (two integers), `numbers`, `strings`, `table`."""
    doc: str = ""
    default: Json = None
    """None: left out of the recipe unless given."""
    required: bool = False
    choices: tuple[Json, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    """Of `files`, how many there may be at most."""
    variable: str = ""
    """Of a setting: the environment variable whose value wins over the manifest's."""
    needs: tuple[str, ...] = ()
    """Other parameters that it says nothing without: a `mask` without an `image`."""
    process: bool = False
    """Of a boolean: it holds for the engine's whole process, which is told it as it opens. So the engine has
    it, and no asset; and false is as if it were left out."""


class StepCard(msgspec.Struct, frozen=True, kw_only=True):
    """A finish step as the finish adapter's card declares it."""

    name: str
    version: int
    doc: str
    main: str
    """The parameter that a bare value sets: `{ resize = [64, 64] }`; empty where there is none."""
    parameters: Mapping[str, Parameter]
    alpha: bool = False
    """Whether it makes a transparent background where there was none."""
    tiling: bool = False
    """Whether it makes copies of a picture fit side by side."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan must know of an adapter without starting it: its `adapter.toml`."""

    name: str
    """The adapter as the manifest names it: `stock`, or the path of a `.py` file in the project."""
    version: str
    """Semantic version, raised only when the same request would give other pixels."""
    summary: str
    determinism: Determinism
    bitwise_when: Mapping[str, Json] = {}
    """The parameters, all with `process`, and their values, with which its pictures are `bitwise`."""
    roles: tuple[str, ...] = ()
    """Roles that it suits, best first."""
    seed: Need = Need.REQUIRED
    prompt: Need = Need.REQUIRED
    negative: Need = Need.NONE
    text: Need = Need.NONE
    size: Need = Need.REQUIRED
    prompt_tokens: int = 0
    """Tokens of a prompt that CLIP reads, start and end included; 0: no CLIP reads its prompts."""
    prompt_rest: str = ""
    """The parameter that says how many tokens a longer encoder beside CLIP reads."""
    alpha: bool = False
    """Whether its pictures may be transparent."""
    alpha_when: Mapping[str, Json] = {}
    """The parameters, and their values, with which alone they are."""
    tiling: bool = False
    """Whether its pictures can go on at their edges without a seam."""
    lettering: Lettering = Lettering.NONE
    network: bool = False
    keys: tuple[str, ...] = ()
    """Environment variables that hold its keys: the only ones that its process sees."""
    requires: tuple[str, ...] = ()
    """Import names that must be there; found, never imported, by the builder."""
    extra: str = ""
    """The extra of artlock that brings them."""
    packages: Mapping[str, str] = {}
    """What its environment tells the version of, and the distribution that it is; `python` is Python."""
    source_type: str = ""
    """What kind of source its pictures are, by IPTC's word: `trainedAlgorithmicMedia` of an AI model."""
    model: str = ""
    revision: str = ""
    """The model that the adapter carries itself and its digest; empty where the manifest chooses."""
    pinned: bool = False
    """Whether the manifest must choose a model, and pin its revision."""
    ends: Mapping[str, dt.date] = {}
    """Models that their provider ended, or will, and the day; an engine's own `retired` comes first."""
    fetch: str = ""
    """The command that brings the weights of a Hub model; `{model}` and `{revision}` are filled in."""
    minimum: int = 1
    maximum: int = 8192
    multiple: int = 1
    """Bounds of width and height in pixels."""
    shapes: tuple[ModelCard, ...] = ()
    """What its models take beyond that; the first entry that names a model counts. One that none names is
    not judged: it may be somebody's own."""
    exact: bool = True
    """Whether its pictures have exactly the size that was asked for. Of one without, they may be larger and
    2 % off in shape: the finish engine brings them to the size before its first step."""
    encodes: bool = False
    """Whether artlock's own encoder writes its pictures: no manifest of anybody's can be in one."""
    batch: int = 1
    parallel: bool = False
    """Several processes may run side by side; otherwise one warm process per engine."""
    relief: tuple[Mapping[str, Json], ...] = ()
    """Settings to try in turn, on a GPU, where a request alone ran out of memory: `offload = "model"`."""
    limits: Limits = Limits()
    """What its engines have unless a preset or the manifest says otherwise."""
    parameters: Mapping[str, Parameter] = {}
    settings: Mapping[str, Parameter] = {}
    steps: Mapping[str, StepCard] = {}

    @property
    def constant(self) -> bool:
        """Whether it draws the same picture when it is asked again: no other one comes of asking."""
        return self.determinism in (Determinism.BITWISE, Determinism.ENVIRONMENT)


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """A named configuration of an adapter: a preset, or a table of the manifest, or both merged."""

    name: str
    card: Card
    model: str = ""
    revision: str = ""
    parameters: Mapping[str, Json] = {}
    settings: Mapping[str, Json] = {}
    limits: Limits = Limits()
    devices: tuple[str, ...] = ()
    """Devices that it may work on, each owned by one engine at a time; empty where its adapter needs none."""
    sandbox: bool = True
    """Whether its process is kept from writing elsewhere and, unless its adapter needs it, offline."""
    python: str = ""
    """The interpreter that runs it; empty for the builder's own."""
    retired: str = ""
    """ISO date on which the provider ended it, or will."""
    successor: str = ""
    fallback: tuple[str, ...] = ()
    """Engines to turn to, in this order, where it refuses or is down."""
    price: Price | None = None
    """None: the manifest does not say. That is free only where the adapter needs no network."""
    licence: str = ""
    """Licence of the model, as a person should read it."""
    location: Location = Location("")


class FinishStep(msgspec.Struct, frozen=True, kw_only=True):
    """One finishing step with every parameter resolved."""

    name: str
    version: int
    parameters: Mapping[str, Json]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A file or an asset whose bytes go into an asset."""

    path: str = ""
    """Path relative to the project, with `/`, or `bundled:` and a path in the engines package."""
    asset: AssetName = AssetName("")
    """Or another asset, whose finished output is taken."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a finished picture must be before it is adopted; never part of a recipe."""

    name: str
    engine: str
    """The engine that judges: `gate` or `ocr`."""
    parameters: Mapping[str, Json] = {}
    """Every one with a value; those of type `file` are in `inputs` instead."""
    inputs: Mapping[str, Input] = {}


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One output, with styles, variables, matrix, roles and defaults all resolved for one profile."""

    name: AssetName
    role: str
    engine: str
    """Name of an engine; empty when the profile maps the role to none (see `blocked`)."""
    blocked: str = ""
    """Why no engine can be chosen, with a hint after a blank line; empty where one was."""
    prompt: str = ""
    negative: str = ""
    text: str = ""
    """The words to be seen in it. An engine that takes no text is told them by the prompt alone."""
    seed: int | None = None
    size: tuple[int, int] | None = None
    needs: tuple[Capability, ...] = ()
    """What its engine must be able to do, and no finish step does. No recipe has it: it changes no pixel."""
    parameters: Mapping[str, Json] = {}
    """Every parameter of the adapter with a value; those of type `file` and `files` are in `inputs`."""
    finish: tuple[FinishStep, ...] = ()
    inputs: Mapping[str, Input] = {}
    """Parameter name to input; of a table of files, parameter name, dot and name (`inputs.pose`). A derived
    asset's picture is `image`; a file of finish step number i (from 0) is `finish.i.NAME`."""
    format: str = "png"
    """Suffix of the output: `png` or `webp`."""
    gates: tuple[Gate, ...] = ()
    """In the order of the judges' cards, each name once."""
    candidates: int = 0
    """How many pictures to make, of which one is chosen; 0: one, and nothing to choose."""
    choose: str = ""
    """By which metric, where there are candidates; see `buildsys.manifest.candidates.METRICS`."""
    candidate: int | None = None
    """The number of the candidate that this is, where no seed tells it from the first."""
    among: Asset | None = None
    """The asset with all its candidates, where this is one of them."""
    file: str = ""
    """Path of the output under the output folder, without its suffix; empty where that is the name."""
    main: AssetName = AssetName("")
    """The asset that this is another scale or format of; empty where it is one of its own."""
    author: str = ""
    licence: str = ""
    """Of a picture that was made by hand: whom it owes a mention, and how."""
    source_type: str = ""
    """Of such a picture, IPTC's word, or `unknown`; empty where the manifest has none."""
    standins: tuple[Asset, ...] = ()
    """The same asset for each engine of its engine's fallback, in the order to ask them; made from no other
    assets than this one. They have none themselves."""
    pack: tuple[str, ...] = ()
    """Of an atlas: globs over names of assets; what they match is in `inputs`, as `sprite.NAME`."""
    metadata: str = ""
    """`keep` where the picture is to tell its recipe; empty where it tells nothing of itself."""
    location: Location = Location("")

    @property
    def path(self) -> str:
        """The output under the output folder."""
        return f"{self.file or self.name}.{self.format}"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the manifest says, for one profile."""

    project: Project
    profile: str
    profiles: tuple[str, ...]
    """Every profile that roles or assets mention, sorted."""
    roles: Mapping[str, Mapping[str, str]]
    """Role to profile to engine name; the profile `*` stands for all."""
    engines: Mapping[str, Engine]
    """Every engine: presets and the manifest's own."""
    assets: Mapping[AssetName, Asset]
    """In the manifest's order, without those of other profiles."""
    elsewhere: tuple[AssetName, ...]
    """Assets that only other profiles have."""
    files: tuple[str, ...]
    """The manifest's files, relative to the project."""
    variables: Mapping[str, str] = {}
    remote: Remote | None = None
