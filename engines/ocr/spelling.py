"""Two texts held against each other: how many letters are wrong, missing or too many.

Knows nothing of pictures. V. I. Levenshtein's distance (1966); the place of a text within a longer one as
in P. H. Sellers, "The Theory and Computation of Evolutionary Distances", Journal of Algorithms 1 (1980).
"""

from __future__ import annotations

import unicodedata


def folded(text: str, *, case: bool) -> str:
    """`text` as it is compared: compatible forms as one (NFKC), no spaces, without `case` no capitals.

    What reads a picture can't tell a wide gap from a space, so spaces never count.
    """
    plain = unicodedata.normalize("NFKC", text)
    return "".join((plain if case else plain.casefold()).split())


def edits(wanted: str, found: str, *, anywhere: bool) -> int:
    """The least number of letters to change, put in or take out that make `wanted` of `found`.

    `anywhere`: of any part of `found`, what stands around it being free.
    """
    row = [0] * (len(found) + 1) if anywhere else list(range(len(found) + 1))
    for number, letter in enumerate(wanted, start=1):
        before, row = row, [number]
        for place, other in enumerate(found):
            row.append(min(before[place] + (letter != other), before[place + 1] + 1, row[place] + 1))
    return min(row) if anywhere else row[-1]
