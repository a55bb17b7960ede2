"""What the manifest says of the project as a whole: the value. Knows nothing of how it is written."""

from __future__ import annotations

import msgspec


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """The `[project]` table."""

    name: str
    out: str = "out"
    profile: str = "draft"
    metadata: str = "strip"
    """`keep`: every picture tells its recipe."""
    include: tuple[str, ...] = ()
    """Globs of further manifest files."""
    outputs: str = "git"
    """`store`: finished files are not in git, so one that is not there is no difference."""
