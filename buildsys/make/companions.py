"""The further files of an atlas, looked at before they are adopted: pages, and texts about them.

Knows nothing of what the texts say: they are data for a game engine, and none of ours reads them.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from buildsys.make.inspection import Unfit, adopt, opened, taken
from buildsys.manifest.cards import PACK
from buildsys.manifest.model import Card
from buildsys.plan.companions import SUFFIX
from engines.protocol import Done

MAX_TEXT: Final = 16 * 1024 * 1024
"""Bytes in one text: some 50,000 sprites."""

MOST: Final = 200
"""Files of one request: 99 further pages, a text for each page, and one of each other format."""

_CHUNK: Final = 1024 * 1024


def adopt_all(staging: Path, made: Path, done: Done, card: Card) -> dict[str, str]:
    """Move the companions of `done` from `staging` to `made`, and look at each there; raises `Unfit`.

    What comes back has absolute paths. Where one is unfit, none stays.
    """
    if done.companions and card.name != PACK:
        raise Unfit("it handed over files that it was not asked for")
    if len(done.companions) > MOST:
        raise Unfit(f"it handed over {len(done.companions)} further files; there may be {MOST}")
    found: dict[str, str] = {}
    try:
        for suffix, name in done.companions.items():
            found[suffix] = str(_adopt(staging, made, suffix, name, Path(done.output).stem))
    except Unfit:
        discard(found)
        raise
    return found


def discard(companions: Mapping[str, str]) -> None:
    """Remove adopted companions that nobody will take up."""
    for path in companions.values():
        with suppress(OSError):
            Path(path).unlink()


def _adopt(staging: Path, made: Path, suffix: str, name: str, stem: str) -> Path:
    if not SUFFIX.fullmatch(suffix):
        raise Unfit(f"a file beside a picture can't end in `{suffix[:80]}`")
    if name != stem + suffix:
        raise Unfit(f"it handed over `{name[:80]}`, not `{stem}{suffix}`")
    try:
        if suffix.endswith(".png"):
            adopt(staging, made, name, None, exact=True)
        else:
            taken(staging, made, name)
            _check_text(made, name)
    except Unfit as error:
        with suppress(OSError):
            (made / name).unlink()
        raise Unfit(f"of `{suffix}`: {error}") from None
    return made / name


def _check_text(folder: Path, name: str) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened(folder, name, most=MAX_TEXT, what="a text") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise Unfit("its file is not UTF-8") from None
