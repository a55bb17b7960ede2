"""The adapter `measure`: how far two pictures are from each other, and sheets of many."""

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine; it has nothing to load but its code and a font."""
    from engines.measure.engine import Measure  # noqa: PLC0415 - numpy and resvg belong to the child

    return Measure(opening)
