"""Every provider that has a stand-in."""

from __future__ import annotations

from contracts import ideogram, stability

ALL = (ideogram.PROVIDER, stability.PROVIDER)
