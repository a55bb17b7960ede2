"""Work of a hand where an asset goes: what is to be decided about it, and whether it can be adopted.

Knows nothing of how it is adopted, and loads nothing of what a build needs: a hook asks, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from buildsys import art, lfs
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, ManifestError
from buildsys.make.inspection import Unfit, inspect
from buildsys.manifest.model import Asset, AssetName
from buildsys.plan import graph, handmade
from buildsys.plan.step import Step, Verdict, Why
from buildsys.session import Session


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """One output on its way to be a source."""

    name: AssetName
    output: str
    picture: str
    """Where the copy goes; relative to the project, with `/`."""
    digest: Digest
    done: bool = False
    """Whether the manifest says so already: an adoption that was interrupted before its build."""


def undecided(differing: Sequence[Step], assets: Mapping[AssetName, Asset]) -> tuple[Step, ...]:
    """The edited ones of `differing`, where nothing else differs than they and what is made from them.

    Until a person has decided, a build would make the rest from what may not stay, and then once more.
    """
    edited = tuple(step for step in differing if step.verdict is Verdict.EDITED)
    if len(edited) == len(differing):
        return edited
    theirs = graph.with_downstream(assets, (step.name for step in edited))
    return edited if all(step.name in theirs for step in differing) else ()


def adoptable(session: Session, step: Step, folder: str = art.FOLDER) -> Adoption:
    """What adopting the file of `step` would do. Raises `ArtlockError` where it can't be adopted."""
    if step.asset.pack:
        fact = f"`{step.name}` is an atlas, and can't be adopted"
        raise ArtlockError(fact, f"run `artlock build --force {step.name}`, and change what it packs")
    if step.on_disk is None or not _by_hand(session, step):
        fact = f"the file of `{step.name}` was not changed by hand"
        raise ArtlockError(fact, f"change `{step.output}` first")
    if session.checkout.pointer(step.output):
        raise ArtlockError(f"only a Git LFS pointer is here of `{step.output}`", lfs.HINT)
    path = handmade.source_of(step.asset)
    if path:
        if session.checkout.file(path) == step.on_disk:
            return Adoption(name=step.name, output=step.output, picture=path, digest=step.on_disk, done=True)
        fact = f"`{step.name}` is made from `{path}` already"
        raise ManifestError(fact, f"copy `{step.output}` over `{path}`")
    output = session.root / step.output
    try:
        inspect(output.parent, output.name, None)
    except Unfit as error:
        fact = f"`{step.output}` can't be adopted: {error}"
        raise ArtlockError(fact, f"save it as a whole {output.suffix[1:].upper()} picture") from error
    picture = f"{folder}/{step.name}{output.suffix}"
    return Adoption(name=step.name, output=step.output, picture=picture, digest=step.on_disk)


def _by_hand(session: Session, step: Step) -> bool:
    """Whether a person's work lies at the asset's place."""
    if step.verdict is Verdict.EDITED:
        return True
    # A blocked asset's file may be one, too: the verdict tells only what is in the way of a build.
    if step.verdict is not Verdict.BLOCKED or any(reason.why is Why.LEFT for reason in step.reasons):
        return False
    recorded = step.recorded.picture.file if step.recorded else None
    return step.on_disk not in (recorded, session.lock.placeholders.get(step.name))
