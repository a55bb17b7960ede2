"""The adapter `gate`: whether a finished picture is what was asked for, by what can be counted."""

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine; it has nothing to load but its code."""
    from engines.gate.engine import Gate  # noqa: PLC0415 - numpy belongs to the child

    return Gate(opening)
