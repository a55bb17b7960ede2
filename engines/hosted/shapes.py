"""What each model of a provider takes, as the adapter's card says it: the same data that the plan judges by.

The plan has code of its own for it, since neither side imports the other; a test holds the two together.
Knows nothing of any one provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engines import parameters
from engines.hosted import ratio
from engines.protocol import Json

_ALIKE: Final = ("multiple", "steepest", "longest", "pixels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """An entry of the card's `[[shapes]]`; 0 sets no bound."""

    models: tuple[str, ...] = ()
    """Names, or how they begin: `gpt-image-2*`; empty for every model."""
    sizes: tuple[tuple[int, int], ...] = ()
    ratios: Mapping[str, float] = field(default_factory=dict)
    """Width by height, by name."""
    multiple: int = 1
    steepest: float = 0
    longest: int = 0
    pixels: int = 0
    negative: bool = True
    choices: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    """Values of a parameter that these models take; one that is not here is not limited."""

    def names(self, model: str) -> bool:
        """Whether it is about `model`."""
        return not self.models or any(
            model.startswith(name[:-1]) if name.endswith("*") else name == model for name in self.models
        )


def read(folder: Path) -> tuple[Shapes, ...]:
    """The `[[shapes]]` of the card in `folder`."""
    return tuple(_entry(table) for table in parameters.card(folder)["shapes"])


def of(folder: Path, model: str) -> Shapes:
    """What the card in `folder` says of `model`; no bounds where no entry names it."""
    return next((entry for entry in read(folder) if entry.names(model)), Shapes())


def _entry(table: Mapping[str, Json]) -> Shapes:
    return Shapes(
        models=tuple(table.get("models", ())),
        sizes=tuple((width, height) for width, height in table.get("sizes", ())),
        ratios=ratio.parse(table.get("ratios", ())),
        negative=table.get("negative") != "none",
        choices=table.get("choices", {}),
        **{name: table[name] for name in _ALIKE if name in table},
    )
