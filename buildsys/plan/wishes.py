"""What was asked for on the command line, beyond the manifest. Knows nothing of how it is granted."""

from __future__ import annotations

import msgspec

from buildsys.manifest.model import AssetName


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    rebuild: frozenset[AssetName] = frozenset()
    """Make these again, whatever is known of them."""
    force: frozenset[AssetName] = frozenset()
    """Overwrite these, even where a hand edited them."""
    retry_refused: bool = False
    """Ask again for what an engine refused before."""
    locked: bool = False
    """Make nothing that the lock would have to change for: what a stand-in made, it makes again."""
