"""Whether what a build left agrees, judged as `check` judges it, and what is remembered of that.

So that the hook before the commit of what was built need not read manifest and lock again. Knows nothing of
terminals.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from buildsys import agreement, recollection
from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import ArtlockError
from buildsys.lock.read import parsed
from buildsys.places import LOCK
from buildsys.plan.agreed import agrees, stand_ins
from buildsys.plan.judge import Wishes
from buildsys.session import Session
from buildsys.witness import Witness

if TYPE_CHECKING:
    from buildsys.make.build import Outcome  # `check` shares this module, and loads no doit


def confirm(session: Session, outcome: Outcome, began: int, profile: str | None) -> None:
    """Remember that all agrees after a build of everything, where it does; raises nothing for that.

    Judged again from the disk, not concluded from what became of each asset: a person may have changed any
    file while the engines drew. Only the manifest is not read again: what was changed in it, or in artlock,
    since the build `began` is told by times. The lock is younger than that, so it is known by its digest.

    Args:
        session: that was built.
        outcome: what became of every asset.
        began: when the build did, in nanoseconds, before the manifest was read.
        profile: that was asked for.
    """
    if outcome.blocked or outcome.failed or outcome.edited:
        return
    idle = not (outcome.built or outcome.restored)
    if idle and agreement.agreeing(session.root, profile) is not None:
        return
    with suppress(OSError, ValueError, ArtlockError):  # `check` tells what is wrong, if anybody asks
        data = (session.root / LOCK).read_bytes()
        left = Session(session.root, session.manifest, parsed(data.decode(), LOCK, None), session.store)
        witness = Witness(left.checkout)
        plan = left.plan(wishes=Wishes(retry_refused=True), world=witness, trusting=True)
        differing = any(not agrees(step, left.manifest.project.outputs) for step in plan.steps.values())
        if not (differing or plan.orphans or stand_ins(plan, left.lock.placeholders) or left.lock.conflicts):
            remember(left, witness, began, profile, {LOCK: digests.of_bytes(data)})


def remember(
    session: Session,
    witness: Witness,
    began: int,
    profile: str | None,
    read: Mapping[str, Digest] | None = None,
) -> None:
    """Note that all agrees, where what that followed from is known whole; see `agreement.remember`."""
    manifest = session.manifest
    # What git keeps of a merge decides, too, where the lock has marks of one.
    if witness.beyond or session.lock.marked:
        return
    own = [engine.card.name for engine in manifest.engines.values() if engine.card.name.endswith(".py")]
    cards = [adapter.removesuffix(".py") + ".toml" for adapter in own]
    agreement.remember(
        session.root,
        began,
        profile=profile,
        texts=[*manifest.files, *own, *cards],
        globs=manifest.project.include,
        out=manifest.project.out,
        seen=witness,
        keep=lambda: recollection.keep(session.root, manifest, session.lock),
        assets=len(manifest.assets),
        read=read,
    )
