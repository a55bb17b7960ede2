"""The checkout that is measured, and how its programs are started from it.

Knows nothing of what is measured.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HERE: Final = Path(__file__).resolve().parent


def artlock(*words: str) -> list[str]:
    """The command `artlock WORDS`, of this checkout whatever is installed."""
    return [sys.executable, "-m", "buildsys", *words]


def environment(cache: Path, **more: str) -> dict[str, str]:
    """Environment for programs of this checkout: its own packages first, a store of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "ARTLOCK_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "ARTLOCK_CACHE_DIR": str(cache), **more}


def version() -> str:
    """Version of artlock, and the commit where the checkout has one."""
    text = (ROOT / "buildsys" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    number = found[1] if found else "unknown"
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return f"{number} ({described})" if described else number
