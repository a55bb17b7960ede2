"""The remote: a copy of the store in a bucket or a folder, which people and CI share."""

from __future__ import annotations

from buildsys.remote.model import Poisoned, Progress, Pulled, Pushed
from buildsys.remote.remote import Remote

__all__ = ["Poisoned", "Progress", "Pulled", "Pushed", "Remote"]
