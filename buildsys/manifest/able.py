"""Which engines could make an asset, for the hint where the one that it has can't.

Judged by cards alone, as the asset would be if it named that engine. Knows nothing of keys and machines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from buildsys.manifest import needs, shapes, values
from buildsys.manifest.ability import Capability
from buildsys.manifest.engines import Scopes
from buildsys.manifest.finish import Finisher
from buildsys.manifest.model import Engine, Need
from buildsys.manifest.source import Fault
from buildsys.manifest.styles import Layer, Styles

Json: TypeAlias = Any


class Sieve:
    """Keeps the engines that meet all that the asset written in `table` needs.

    Args:
        table: the asset as it is written.
        names: of its styles.
        engine: the one that it has; its parameters tell which of the asset's are files.
    """

    def __init__(
        self,
        table: Mapping[str, Json],
        names: tuple[str, ...],
        engine: Engine,
        scopes: Scopes,
        styles: Styles,
    ) -> None:
        self._table = table
        self._names = names
        self._own = engine
        self._scopes = scopes
        self._styles = styles
        self._files = scopes.files(table.get("parameters", {}), engine)
        self._needs = needs.wanted(table)

    def keep(self, finisher: Finisher) -> list[Engine]:
        """The engines, in no order. `finisher` knows which steps make a background transparent."""
        others = (engine for engine in self._scopes.offered() if engine.name != self._own.name)
        return [engine for engine in others if self._keeps(engine, finisher)]

    def _keeps(self, engine: Engine, finisher: Finisher) -> bool:
        layer = self._styles.tried(self._names, engine)
        if layer is None:
            return False
        try:
            return (
                self._takes_texts(engine)
                and self._makes(engine, layer)
                and self._has(engine)
                and all(needs.can(engine.card, need) for need in self._left(layer, finisher))
            )
        except Fault:
            return False

    def _takes_texts(self, engine: Engine) -> bool:
        card = engine.card
        prompt, negative, text = (
            bool(self._scopes.pick(self._table.get(key), engine)) for key in ("prompt", "negative", "text")
        )
        by_prompt = card.text is Need.NONE and prompt and needs.letters(card)
        return (
            _suits(card.prompt, given=prompt)
            and (not negative or shapes.takes_negative(engine))
            and ((text and by_prompt) or _suits(card.text, given=text))
            and _suits(card.seed, given="seed" in self._table, spare=True)
        )

    def _makes(self, engine: Engine, layer: Layer) -> bool:
        size = self._scopes.pick(self._table.get("size"), engine) or layer.size
        if not _suits(engine.card.size, given=bool(size)):
            return False
        return not size or shapes.makes(engine.card, engine.model, (size[0], size[1]))

    def _has(self, engine: Engine) -> bool:
        """Whether it takes the asset's files, and is told all that its adapter must know."""
        declared = engine.card.parameters
        given = self._table.get("parameters", {})
        for name in self._files:
            # One file is no table of them: engines may mean different things by a name.
            if not shapes.takes_files(engine, name) or not values.fits(declared[name], given[name]):
                return False
        known = {*engine.parameters, *self._files}
        told = {*known, *given}
        company = (other for name in self._files for other in declared[name].needs)
        return told.issuperset(company) and all(
            name in known for name, item in declared.items() if item.required
        )

    def _left(self, layer: Layer, finisher: Finisher) -> Sequence[Capability]:
        """What is asked of the engine itself."""
        steps = self._table.get("finish")
        if steps is None:
            return needs.left(self._needs, (step.name for step in layer.finish.steps), finisher)
        return needs.left(self._needs, (next(iter(step)) for step in steps), finisher)


def _suits(need: Need, *, given: bool, spare: bool = False) -> bool:
    """Whether what is or isn't given is what an adapter needs; `spare`: it may be given in vain."""
    return need is not Need.REQUIRED if not given else spare or need is not Need.NONE
