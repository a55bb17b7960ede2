"""The adapter `pack`: many finished pictures on a few pages, and the data that game engines find them by."""

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine; it has nothing to load but its code."""
    from engines.pack.engine import Pack  # noqa: PLC0415 - numpy and Pillow belong to the child

    return Pack(opening)
