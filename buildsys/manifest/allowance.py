"""What one engine may use: the value. How it is written and merged is told in `limits`.

Knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engines.protocol import ErrorKind


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the machine, of a provider and of a person's patience one engine may use."""

    concurrent: int = 0
    """Processes at once, each at one batch, which is one request where the adapter takes no more; 0: as
    many as jobs where the adapter is `parallel`, else one. On a GPU it is one process for each device,
    whatever stands here."""
    per_minute: int = 0
    """Requests begun in any 60 seconds; 0: no limit."""
    load_seconds: float = 60.0
    """Deadline for `hello`."""
    render_seconds: float = 120.0
    """Deadline for one request since its last progress."""
    memory: float = 0.0
    """Bytes that a process may take: of address space on the CPU, of the device's memory on a GPU. From 0
    to 1 it is a share of the machine's or the device's memory; 0: no limit."""
    tries: Mapping[ErrorKind, int] = {}
    """How often a request is tried in all, by the kind of its error; see `buildsys.make.retry`."""
