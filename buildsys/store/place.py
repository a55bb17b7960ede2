"""Where the store lies by default. Knows nothing of what is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from buildsys.errors import StoreError


def default_root(environment: Mapping[str, str] = os.environ) -> Path:
    """`$ARTLOCK_CACHE_DIR`, else `$XDG_CACHE_HOME/artlock`, else `~/.cache/artlock`. Raises `StoreError`.

    Where `ARTLOCK_TEST` is set, only the first will do: a test that forgot to choose a folder would
    find yesterday's pictures in the user's own store, and pass.
    """
    if chosen := environment.get("ARTLOCK_CACHE_DIR"):
        return Path(chosen).absolute()
    if environment.get("ARTLOCK_TEST"):
        raise StoreError("the default cache folder is refused under test", "set `ARTLOCK_CACHE_DIR`")
    cache = environment.get("XDG_CACHE_HOME", "")
    if cache.startswith("/"):  # the XDG specification: a relative path is to be ignored
        return Path(cache, "artlock")
    if home := environment.get("HOME"):
        return Path(home, ".cache", "artlock").absolute()
    raise StoreError("there is no home folder to keep the store in", "set `ARTLOCK_CACHE_DIR`")
