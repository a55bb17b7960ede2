"""Adapters' cards, read from their `adapter.toml` and checked; no adapter's code is ever imported.

Knows nothing of which engines a manifest has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import ManifestError, did_you_mean
from buildsys.manifest import cardfaults, limits, source
from buildsys.manifest.allowance import Limits
from buildsys.manifest.bundle import Bundle
from buildsys.manifest.kinds import is_word
from buildsys.manifest.model import Card
from buildsys.manifest.names import check_path
from buildsys.manifest.source import Fault, Problems, Source
from engines import protocol

Json: TypeAlias = Any

BUNDLED: Final = Path(protocol.__file__).parent
"""The folder of the bundled adapters; a file path, because nothing here may import them."""

FINISH: Final = "finish"
"""The engine of derived assets, and the adapter whose card declares the finish steps."""

PLACEHOLDER: Final = "placeholder"
"""The engine of the labelled stand-ins that a build may put where assets are blocked, and its adapter."""

MEASURE: Final = "measure"
"""The engine that holds pictures against each other and lays out contact sheets, and its adapter."""

PACK: Final = "pack"
"""The engine of atlases, and its adapter."""

GATE: Final = "gate"
"""The engine that says whether a finished picture is what was asked for, and its adapter."""

OCR: Final = "ocr"
"""The engine that reads lettering back, and its adapter; its extra is not in the base install."""

OWN: Final = (FINISH, PLACEHOLDER, MEASURE, PACK, GATE, OCR)
"""What artlock uses by itself: no asset, role or engine of a manifest names one."""


class Cards:
    """The cards of bundled adapters and of a project's own, each read once."""

    def __init__(self, project: Path, bundled: Path = BUNDLED) -> None:
        self._project = project
        self._bundled = bundled
        self.bundle = Bundle(bundled)
        self._read: dict[str, Card] = {}

    def adapters(self) -> list[str]:
        """Names of the bundled adapters, sorted."""
        return sorted(path.parent.name for path in self._bundled.glob("*/adapter.toml"))

    def parameters(self, own: Iterable[str]) -> set[str]:
        """Names of every parameter of the bundled adapters and of the project's `own`, for hints.

        An adapter without a sound card has none here: that is told where the adapter is used.
        """
        found: set[str] = set()
        for adapter in (*self.adapters(), *own):
            with contextlib.suppress(Fault, ManifestError):
                found.update(self.load(adapter).parameters)
        return found

    def load(self, adapter: str) -> Card:
        """The card of `adapter`: a bundled one's name, or the path of a `.py` file in the project.

        Raises `Fault` where there is no such adapter, and `ManifestError` where its card is wrong.
        """
        if adapter not in self._read:
            self._read[adapter] = self._load(adapter)
        return self._read[adapter]

    def _load(self, adapter: str) -> Card:
        if not adapter.endswith(".py"):
            path = self._bundled / adapter / "adapter.toml"
            if not is_word(adapter) or not _is_file(path):
                known = [name for name in self.adapters() if name not in OWN]
                hint = did_you_mean(adapter, known) or "use a bundled adapter, or the path of a `.py` file"
                raise Fault(f"unknown adapter `{adapter}`", hint)
            return read(path, f"engines/{adapter}/adapter.toml", adapter)
        check_path(adapter)
        path = (self._project / adapter).with_suffix(".toml")
        shown = adapter.removesuffix(".py") + ".toml"
        if not path.resolve().is_relative_to(self._project.resolve()):
            raise Fault(f"the adapter `{adapter}` lies outside the project", "copy it into the project")
        if not _is_file(self._project / adapter):
            raise Fault(f"the adapter `{adapter}` does not exist", f"create `{adapter}`")
        if not _is_file(path):
            raise Fault(f"the adapter `{adapter}` has no card", f"write `{shown}` beside it")
        return read(path, shown, adapter)


def _is_file(path: Path) -> bool:
    """Whether `path` is one; a name that the system takes for too long is none, and no traceback."""
    try:
        return path.is_file()
    except OSError:
        return False


def read(path: Path, shown: str, adapter: str) -> Card:
    """The card in the file `path`, called `shown` in messages. Raises `ManifestError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{shown}: can't be read: {error}", "mend the adapter's card") from error
    return parse(source.parse(shown, text), adapter)


def parse(card: Source, adapter: str) -> Card:
    """The card in `card`. Raises `ManifestError` with what is wrong, at its place."""
    problems = Problems()
    for fault in cardfaults.unknown_keys(card.table, Card):
        problems.add(card, fault)
    problems.check()
    own = Limits()
    try:
        with source.at("limits"):
            own = limits.settle(own, card.table.get("limits", {}))
    except Fault as wrong:
        problems.add(card, wrong)
    try:
        made = msgspec.convert(_with_names(card.table), Card)
    except msgspec.ValidationError as error:
        fact = f"{card.file}: the card of `{adapter}` is malformed: {error}"
        raise ManifestError(fact, 'see "Writing an engine" in the documentation') from error
    for fault in cardfaults.of(made, adapter):
        problems.add(card, fault)
    problems.check()
    return msgspec.structs.replace(made, name=adapter, limits=own)


def _with_names(table: Mapping[str, Json]) -> dict[str, Json]:
    """`table` with each parameter and step told its name, which TOML has as a key."""
    steps = {
        name: {"doc": "", "main": "", **step, "name": name, "parameters": _named(step, f"steps.{name}.")}
        for name, step in _tables(table, "steps", "").items()
    }
    settings = _named(table, "", "settings")
    # Limits are written for people (`"6 GB"`) and read by `limits`.
    rest = {key: value for key, value in table.items() if key != "limits"}
    return {**rest, "parameters": _named(table, ""), "settings": settings, "steps": steps}


def _named(table: Mapping[str, Json], where: str, key: str = "parameters") -> dict[str, Json]:
    return {name: {**item, "name": name} for name, item in _tables(table, key, where).items()}


def _tables(table: Mapping[str, Json], key: str, where: str) -> Mapping[str, Mapping[str, Json]]:
    """The tables in `table[key]`; `where` leads to `table`. Raises `msgspec.ValidationError`."""
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise msgspec.ValidationError(f"`{where}{key}` is not a table")
    for name, item in found.items():
        if not isinstance(item, Mapping):
            raise msgspec.ValidationError(f"`{where}{key}.{name}` is not a table")
    return found
