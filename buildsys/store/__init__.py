"""The content-addressed store and the action cache."""

from __future__ import annotations

from buildsys.store.objects import Store
from buildsys.store.place import default_root

__all__ = ["Store", "default_root"]
