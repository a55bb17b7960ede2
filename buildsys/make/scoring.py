"""Scoring: candidates measured, and laid out on one sheet, in the process of the adapter `measure`.

Knows nothing of which one is chosen, nor of how they were made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.digest import of_value
from buildsys.errors import MakeError
from buildsys.make.copies import Copies
from buildsys.make.entrants import Entrants
from buildsys.make.made import Engines
from buildsys.manifest.candidates import FIRST
from buildsys.manifest.model import Engine
from buildsys.plan import candidates
from buildsys.plan.candidates import Entrant, Score
from buildsys.plan.record import Picture
from buildsys.plan.step import Step
from engines.protocol import Request

Json: TypeAlias = Any

_SIDE: Final = 256
_ROW, _LONG_ROW = 4, 8
_FEW: Final = 16
"""Candidates up to which rows are short."""


class Scoring:
    """Asks the measuring engine. Called from several threads.

    Args:
        engine: of the adapter `measure`.
        engines: what runs it.
        entrants: where scores are kept.
        copies: private ones, for an engine never reads the store itself.
    """

    def __init__(self, engine: Engine, engines: Engines, entrants: Entrants, copies: Copies) -> None:
        self._engine = engine
        self._engines = engines
        self._entrants = entrants
        self._copies = copies

    def measure(self, step: Step, picture: Picture) -> None:
        """See that the store has a score of `picture`. Raises `MakeError`."""
        if self._entrants.score(picture) is not None:
            return
        path = self._copies.lend(picture.file, PurePosixPath(step.name).name)
        try:
            output, facts = self._ask(step, {"work": "score"}, {"image": str(path)})
        finally:
            self._copies.give_back(path)
        output.unlink(missing_ok=True)
        try:
            self._entrants.keep(picture, msgspec.convert(facts, Score))
        except msgspec.ValidationError as error:
            fact = f"the measuring engine told no usable score: {error}"
            raise MakeError(fact, "this is a bug in artlock: report it") from error

    def sheet(self, step: Step, entrants: Sequence[Entrant], chosen: Entrant | None) -> bytes:
        """The contact sheet of `step`, a PNG. Raises `MakeError`, `DiskError`."""
        name = PurePosixPath(step.name).name
        lent = {
            f"cell.{number}": self._copies.lend(one.record.picture.file, name)
            for number, one in enumerate(entrants)
            if one.record is not None
        }
        try:
            output, _ = self._ask(
                step, _layout(step, entrants, chosen), {key: str(path) for key, path in lent.items()}
            )
        finally:
            for path in lent.values():
                self._copies.give_back(path)
        data = output.read_bytes()
        output.unlink()
        return data

    def _ask(
        self, step: Step, parameters: Mapping[str, Json], inputs: Mapping[str, str]
    ) -> tuple[Path, Mapping[str, Json]]:
        request = Request(
            id=f"{step.label}#measure",
            asset=step.label,
            output=f"{of_value([step.label, dict(parameters)])[:16]}.png",
            parameters=parameters,
            inputs=inputs,
        )
        done = self._engines.render(self._engine, request)
        return Path(done.output), done.facts


def _layout(step: Step, entrants: Sequence[Entrant], chosen: Entrant | None) -> Mapping[str, Json]:
    by = step.asset.choose
    order = "the first that passes" if by == FIRST else f"by {by}"
    cells = {
        str(number): {
            "title": title(one),
            "lines": list(_lines(one, by, chosen)),
            "message": one.message,
            "marked": one == chosen,
        }
        for number, one in enumerate(entrants)
    }
    return {
        "work": "sheet",
        "title": f"{step.name} · {order}",
        "columns": _ROW if len(entrants) <= _FEW else _LONG_ROW,
        "side": _SIDE,
        "cells": cells,
    }


def title(entrant: Entrant) -> str:
    """Its number, and its seed if it has one."""
    return str(entrant.number) if entrant.seed is None else f"{entrant.number} · seed {entrant.seed}"


def _lines(entrant: Entrant, choose: str, chosen: Entrant | None) -> Sequence[str]:
    """What stands below its picture: what it was measured, and what became of it."""
    value = candidates.measured(entrant, choose)
    told = "" if value is None else f"{choose} {value:g}"
    verdict = "chosen" if entrant == chosen else "; ".join(entrant.faults)
    return [line for line in (told, verdict) if line]
