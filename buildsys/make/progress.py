"""What a build tells of its assets while it runs; engines tell of themselves in `events`.

Knows nothing of who listens.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from buildsys.manifest.model import AssetName
from buildsys.plan.step import Verdict


class AssetStarted(msgspec.Struct, frozen=True, kw_only=True):
    """An asset is taken up."""

    name: AssetName
    engine: str
    verdict: Verdict


class AssetDone(msgspec.Struct, frozen=True, kw_only=True):
    """An asset is in its place, or proved fresh."""

    name: AssetName
    verdict: Verdict
    seconds: float
    notes: tuple[str, ...] = ()


class AssetFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An asset was not made."""

    name: AssetName
    message: str
    hint: str = ""
    blocked: bool = False


Event: TypeAlias = msgspec.Struct
"""Any of these, or one of the pool's."""
