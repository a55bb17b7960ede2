"""The adapter `vector`: lettering and buttons, from text and a font or from an SVG template."""

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine; it has nothing to load but its code."""
    from engines.vector.engine import Vector  # noqa: PLC0415 - numpy and resvg belong to the child

    return Vector(opening)
