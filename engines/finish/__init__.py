"""The adapter `finish`: checks an engine's raw picture, works on it, and encodes it once and for all."""

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine; it has nothing to load but its code."""
    from engines.finish.engine import Finish  # noqa: PLC0415 - numpy and Pillow belong to the child

    return Finish(opening)
