"""How much a reviewer should look at a change, as one number. `docs/review.md` tells why it is this one.

Pure: the same change has the same number on any machine.
"""

from __future__ import annotations

from typing import Final

from buildsys.review.model import Cause, Change, Kind, Measure

_FIXED: Final = {
    Kind.ADDED: 0.75,
    Kind.REMOVED: 0.4,
    Kind.RENAMED: 0.1,
    Kind.ENCODING: 0.05,
    Kind.RECORD: 0.02,
}
_LEAST, _SPAN = 0.3, 0.6
"""Of what changed: where nothing is to be seen, and how much more where everything is."""
_FOLLOWING: Final = 0.5
"""The same of what only follows from another asset: that one explains it, and comes first."""
_UNASKED: Final = 0.1
"""More, where nobody asked for another picture."""
_HALF_THE_BITS: Final = 32
"""Of a perceptual hash: as many differ between two pictures that have nothing to do with each other."""
_EQUAL, _SPREAD = 40.0, 30.0
"""Decibels of PSNR: from how many on nobody sees a difference, and how many less are all the difference."""
_ACCEPTED: Final = 0.25
_DIGITS: Final = 4


def attention(change: Change) -> float:
    """0 to 1."""
    if change.kind is Kind.CHANGED:
        causes = {*change.causes}
        unasked = not causes - {Cause.HAND, Cause.ENVIRONMENT}
        span = _FOLLOWING if causes == {Cause.INPUT} else _SPAN
        value = _LEAST + span * look(change.measure) + _UNASKED * unasked
    else:
        value = _FIXED[change.kind]
    if change.after is not None and change.after.approval is not None:
        value *= _ACCEPTED
    return round(value, _DIGITS)


def look(measure: Measure | None) -> float:
    """How different the pictures look, 0 to 1: by the measure that sees most. 1 where nobody measured."""
    if measure is None:
        return 1.0
    if measure.psnr is None:
        return 0.0 if measure.changed is not None else 0.5
    seen = [
        min(1.0, measure.hash_bits / _HALF_THE_BITS),
        1 - max(0.0, measure.ssim),
        # Hash and SSIM look at luminance alone: blue that became green is the same picture to them.
        (_EQUAL - measure.psnr) / _SPREAD,
    ]
    if measure.changed is not None and measure.largest is not None:
        # A pixel that is one level off is changed, too, and nobody sees it.
        seen.append(measure.changed * measure.largest / 255)
    else:
        seen.append(0.5)
    return min(1.0, max(seen))
