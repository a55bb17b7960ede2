"""The adapter `command`: any program that writes a picture to a path it is given.

It runs no shell: what a person wrote as one argument arrives as one argument.
"""

from __future__ import annotations

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine of `opening`. Raises `EngineError`: `MISSING` where the program of `probe` is not here."""
    # Late, because it brings numpy and Pillow.
    from engines.command.engine import Command  # noqa: PLC0415

    return Command(opening)
