"""What a picture's texts say of how it was made, whichever tool wrote them.

Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from buildsys.imports import comfy, infotext, invoke
from buildsys.imports.found import Found
from buildsys.imports.texts import PARAMETERS

_READERS: Final[tuple[tuple[str, Callable[[str], Found | None]], ...]] = (
    # First what tells most: a graph can be run again. A tool that writes two forms writes A1111's as well.
    ("prompt", comfy.read),
    ("invokeai_metadata", invoke.read),
    (PARAMETERS, infotext.read),
    ("sd-metadata", invoke.older),
    ("Dream", invoke.oldest),
    ("dream", invoke.oldest),
    ("Description", infotext.read),
    # What was drawn comes after what was run, whoever wrote that; a graph that nobody understands is last.
    ("workflow", comfy.drawn),
    ("workflow", comfy.unread),
    ("prompt", comfy.unread),
)


def read(texts: Mapping[str, str]) -> Found | None:
    """How the picture with these `texts` was made; None where none of them says."""
    for keyword, reader in _READERS:
        if keyword in texts and (found := reader(texts[keyword])) is not None:
            return found
    return None
