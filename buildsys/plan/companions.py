"""The further files of an asset: where they lie, and whether what lies there is what the lock says.

Only an atlas has any. Knows nothing of what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from buildsys.digest import Digest
from buildsys.plan.record import Record
from buildsys.plan.step import Reason, Step, Why
from buildsys.plan.world import World

SUFFIX: Final = re.compile(r"-[1-9][0-9]?\.png|(?:-[1-9][0-9]?|\.unity)?\.json|\.tres|\.css")
"""All that a companion may have in place of its asset's suffix: whatever else is asked to be written beside
an asset, by an engine or by a stranger's lock, such as `/../x` or `.py`, is none."""

_ENDING: Final = re.compile(rf"(?:{SUFFIX.pattern})\Z")


def beside(output: str, suffix: str) -> str:
    """The path of the companion of `output` that ends in `suffix`."""
    return output.removesuffix(PurePosixPath(output).suffix) + suffix


def stem_of(path: str) -> str:
    """What `path` shares with the picture that it would be a companion of; `path` itself where it is none."""
    return _ENDING.sub("", path)


def files_of(record: Record) -> dict[str, Digest]:
    """Every file of an asset by its path: its companions, and last its picture.

    In the order to put them in place: what is cut off is seen by the picture that is not there yet.
    """
    others = {beside(record.output, suffix): file for suffix, file in record.companions.items()}
    return {**others, record.output: record.picture.file}


def seen(step: Step, world: World) -> Mapping[str, Digest | None]:
    """What lies where the companions go that the lock has of an asset. Raises `DiskError`."""
    return {path: world.file(path) for path in _recorded(step)}


def edited(step: Step, world: World) -> Reason | None:
    """The first companion that a person changed."""
    for path, found in _differing(step):
        if found is not None and not world.placed(path, found):
            return Reason(why=Why.EDITED, field=path)
    return None


def torn(step: Step) -> Reason | None:
    """The first companion that is not what the lock says, where no person changed any."""
    for path, found in _differing(step):
        return Reason(why=Why.MISSING if found is None else Why.LEFT, field=path)
    return None


def _recorded(step: Step) -> Mapping[str, Digest]:
    record = step.recorded
    if record is None:
        return {}
    return {beside(step.output, suffix): file for suffix, file in record.companions.items()}


def _differing(step: Step) -> Iterator[tuple[str, Digest | None]]:
    for path, wanted in _recorded(step).items():
        found = step.companions.get(path)
        if found != wanted:
            yield path, found


def whereabouts(record: Record, output: str) -> Iterator[tuple[Digest, tuple[str, ...]]]:
    """Each file of `record`, and where it may lie: at or beside `output`, and where it lay.

    That is another place if the asset's name, format or scales changed since.
    """
    for suffix, file in record.companions.items():
        yield file, tuple(dict.fromkeys((beside(output, suffix), beside(record.output, suffix))))
    yield record.picture.file, tuple(dict.fromkeys((output, record.output)))


def restorable(record: Record, output: str, world: World) -> bool:
    """Whether every file of `record` can be brought back to `output` and beside it."""
    return all(
        any(world.restorable(file, place) for place in places) for file, places in whereabouts(record, output)
    )


def at_hand(record: Record | None, output: str, world: World) -> Record | None:
    """`record`, if its files can be brought back; else None."""
    return record if record is not None and restorable(record, output, world) else None
