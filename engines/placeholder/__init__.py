"""The adapter `placeholder`: a labelled picture that stands in for one that can't be made yet."""

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine; it has nothing to load but its code and a font."""
    from engines.placeholder.engine import Placeholder  # noqa: PLC0415 - numpy and resvg belong to the child

    return Placeholder(opening)
