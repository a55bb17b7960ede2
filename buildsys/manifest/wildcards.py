"""Drawing lots: which choice of a wildcard an asset gets, the same one for ever.

Knows nothing of how a wildcard is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from buildsys import digest
from buildsys.manifest.source import Fault

_RULE: Final = 1
"""Version of the rule. Never raised: another rule would change the art of every project."""


class Draw:
    """The lots of one text of an asset: of its prompt, of its negative, or of one variable.

    Every choice of a wildcard gets a number, and the highest wins. The number is the SHA-256 over

    - the asset's seed and its matrix's values, but not its name: a new name is no new picture;
    - `where` the wildcard stands;
    - the words of the choice, but neither their place nor the other choices, so that a new choice
      takes some assets to itself and moves none between the old ones;
    - how many wildcards of the text had the same words before, so that two equal ones differ.

    A count of all wildcards before was refused: one more in front would draw all others again.
    """

    def __init__(self, seed: int | None, axes: Mapping[str, str], where: str) -> None:
        self._seed = seed
        self._axes = axes
        self._where = where
        self._before: dict[str, int] = {}  # no Counter: ten thousand assets have three each, nearly all empty

    def within(self, variable: str) -> Draw:
        """The lots of a variable: one draw for the asset, wherever and however often it is used."""
        return Draw(self._seed, self._axes, f"variable {variable}")

    def choose(self, choices: Sequence[str]) -> int:
        """The index of the choice that wins. Raises `Fault` where there is no seed."""
        if self._seed is None:
            hint = "add `seed = …`; an engine without seeds is not sent it"
            raise Fault("a wildcard is chosen by the asset's seed, and there is none", hint)
        repeats: Counter[str] = Counter()
        numbers = []
        for choice in choices:
            numbers.append(self._number(choice, repeats[choice]))
            repeats[choice] += 1
        for choice in repeats:
            self._before[choice] = self._before.get(choice, 0) + 1
        return numbers.index(max(numbers))

    def _number(self, choice: str, repeat: int) -> digest.Digest:
        return digest.of_value(
            {
                "wildcard": _RULE,
                "seed": self._seed,
                "axes": dict(self._axes),
                "where": self._where,
                "choice": choice,
                "before": self._before.get(choice, 0),
                "repeat": repeat,  # `{one of: red|red|blue}` is red twice as often
            }
        )
