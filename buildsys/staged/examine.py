"""What is staged, judged as a whole: where manifest, lock and files of the next commit differ.

Knows nothing of terminals.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

import msgspec

from buildsys import agreement, recollection
from buildsys.errors import ArtlockError
from buildsys.handwork import undecided
from buildsys.manifest.model import AssetName
from buildsys.manifest.project import Project
from buildsys.places import LOCK, MANIFEST
from buildsys.plan.agreed import agrees, stand_ins
from buildsys.plan.companions import files_of
from buildsys.plan.judge import Wishes
from buildsys.plan.step import Plan, Step
from buildsys.session import Session
from buildsys.staged import sources
from buildsys.staged.index import Index
from buildsys.staged.world import StagedWorld
from buildsys.store.nowhere import default_store
from buildsys.witness import Witness


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found to differ."""

    plan: Plan
    differing: tuple[Step, ...]
    placeholders: tuple[AssetName, ...]
    """Stand-ins that would be committed."""
    undecided: tuple[AssetName, ...]
    """Conflicts of the lock over assets that the manifest does not have."""
    asked: frozenset[str]
    """Every path that decided, relative to the project."""
    concerned: bool
    """Whether any of them is changed by the next commit."""

    @property
    def agree(self) -> bool:
        """Whether nothing differs."""
        return not (self.differing or self.plan.orphans or self.placeholders or self.undecided)


def examine(index: Index, profile: str | None) -> tuple[Session, Found]:
    """What differs in what is staged. Raises `ManifestError`, `LockError`, `GitError`.

    Where nothing does, and the checkout is what is staged, that is remembered for the next time.
    """
    began = time.time_ns()
    manifest, texts = sources.manifest(index, profile)
    lock = sources.lock(index)
    session = Session(index.root, manifest, lock, default_store())
    index.disk = session.index
    recorded = {path: file for record in lock.records.values() for path, file in files_of(record).items()}
    world = StagedWorld(index, session.checkout, frozenset(recorded.values()), manifest.project.out)
    plan = session.plan(wishes=Wishes(retry_refused=True), world=world)
    asked = frozenset({*texts, MANIFEST, LOCK, *world.files, *recorded})
    inside = f"{manifest.project.out}/"
    found = Found(
        plan=plan,
        differing=tuple(step for step in plan.steps.values() if not agrees(step, manifest.project.outputs)),
        placeholders=stand_ins(plan, lock.placeholders),
        undecided=tuple(name for name in lock.conflicts if name not in plan.steps),
        asked=asked,
        concerned=any(path in asked or path.startswith(inside) for path in index.changed),
    )
    if found.agree and not (world.beyond or lock.marked) and index.is_checkout(world.files, texts):
        agreement.remember(
            session.root,
            began,
            profile=profile,
            texts=texts,
            globs=manifest.project.include,
            out=manifest.project.out,
            seen=world,
            keep=lambda: recollection.keep(session.root, manifest, lock),
            assets=len(manifest.assets),
        )
    return session, found


class Lying(msgspec.Struct, frozen=True, kw_only=True):
    """The checkout, where at most files that hands changed keep it from agreeing with itself."""

    session: Session
    edited: tuple[Step, ...]
    """A build keeps these."""
    unstaged: tuple[str, ...]
    """What is otherwise than it is staged, of all that decides."""


def lying(index: Index, profile: str | None, differing: Collection[AssetName] = ()) -> Lying | None:
    """What could be staged, or has to be decided; None where a build, or more, is wanted first.

    Work on a picture that is staged as the lock has it, so none of those `differing`, is no matter.
    """
    try:
        session = Session.open(index.root, profile)
        witness = Witness(session.checkout)
        plan = session.plan(wishes=Wishes(retry_refused=True), world=witness, trusting=True)
    except ArtlockError:
        return None
    lock = session.lock
    found = [step for step in plan.steps.values() if not agrees(step, session.manifest.project.outputs)]
    if plan.orphans or lock.conflicts or lock.marked or stand_ins(plan, lock.placeholders):
        return None
    hands = undecided(found, session.manifest.assets)
    edited = tuple(step for step in hands if step.name in differing or step.recorded is None)
    if len(hands) < len(found) and not edited:
        return None
    aside = {
        path
        for step in found
        if step not in edited and step.recorded is not None
        for path in files_of(step.recorded)
    }
    own = [
        engine.card.name for engine in session.manifest.engines.values() if engine.card.name.endswith(".py")
    ]
    cards = [adapter.removesuffix(".py") + ".toml" for adapter in own]
    seen = (path for path in witness.files if not Path(path).is_absolute())
    # What the manifest comes from first: so a person would stage them.
    told = dict.fromkeys((*session.manifest.files, *own, *cards, LOCK))
    wanted = told | dict.fromkeys(sorted(seen))
    there = [path for path in wanted if not index.same(path) and (index.root / path).exists()]
    needless = _needless(index, session.manifest.project, [path for path in there if path not in told])
    gone = sorted(path for path in index.deleted if path in wanted)
    paths = (*(path for path in there if path not in needless), *gone)
    return Lying(session=session, edited=edited, unstaged=tuple(path for path in paths if path not in aside))


def _needless(index: Index, project: Project, paths: Collection[str]) -> frozenset[str]:
    """Those of `paths` that a commit does without: the same that a `StagedWorld` has nothing against.

    To stage one would not mend the commit, and may publish what somebody keeps out of git on purpose.
    """
    inside = f"{project.out}/"
    made = frozenset(path for path in paths if path.startswith(inside))
    private = [path for path in paths if path not in made]
    needless = index.ignored(private) if private else frozenset[str]()
    return needless | (made - index.entries.keys()) if project.outputs == "store" else needless
