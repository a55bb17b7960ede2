"""Lookups: what a build asks the remote for, first all at once, and then as recipes become known.

Knows nothing of how bytes are moved. A remote that can't be asked is told of once, and the build goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Final, TypeVar

from buildsys.digest import Digest
from buildsys.errors import RemoteError
from buildsys.holdings import named
from buildsys.make.progress import Event, KeptNowhere, RemoteAsked, RemotePoisoned, RemoteTrouble
from buildsys.manifest.cards import FINISH, PACK
from buildsys.manifest.model import AssetName
from buildsys.plan import candidates, recipe
from buildsys.plan.companions import files_of, restorable
from buildsys.plan.judge import Wishes
from buildsys.plan.step import Plan, Step, Verdict
from buildsys.remote import Pulled, Remote
from buildsys.remote.model import Patience
from buildsys.session import Session

PATIENCE: Final = Patience(
    connect=timedelta(seconds=5),
    silence=timedelta(seconds=20),
    retries=2,
    give_up=timedelta(seconds=15),
)
"""Less than `pull` has: a build can do without."""

_Judge = TypeVar("_Judge")

_MISSING: Final = (Verdict.BUILD, Verdict.BLOCKED)


class Lookup:
    """What one build asks the remote. `bring` and `brought` are called from several threads at once.

    Args:
        session: the checkout.
        wishes: what was asked for; what is to be made again is not looked up.
        tell: given what came, and what went wrong.
        remote: whether to ask it, where the manifest names one.
    """

    def __init__(
        self, session: Session, wishes: Wishes, tell: Callable[[Event], None], *, remote: bool
    ) -> None:
        self._session = session
        self._wishes = wishes
        self._tell = tell
        self._settings = session.manifest.remote if remote else None
        self._remote: Remote | None = None
        self._guard = threading.Lock()
        self._asked: set[Digest] = set()
        self._brought: set[Digest] = set()
        self._refused: dict[Digest, str] = {}
        """What the remote has with wrong bytes, and where: it is asked for once, and told once."""

    def plan(self, draw: Callable[[], tuple[_Judge, Plan]]) -> tuple[_Judge, Plan]:
        """The judge and the plan that `draw` gives once the remote was asked for what they lacked.

        In rounds: what an asset is made from may have to come first, for its recipe to be known.
        """
        checkout = self._session.checkout
        kept = self._session.lock_files()
        while True:
            # What the lock names, the remote should have: so nearly all is asked for in the first round.
            checkout.expect(kept - self._asked if self._settings else ())
            judge, plan = draw()
            relied = checkout.relied
            missing = [step for step in plan.steps.values() if step.verdict in _MISSING]
            came = self._in_bulk(relied, {key for step in missing for key in self._recipes(step)})
            if not came and not relied:
                break
        checkout.expect(())
        self._tell_of_loss(plan)
        self._in_bulk((), {key for step in plan.having(Verdict.BUILD) for key in self._halves(step)})
        return judge, plan

    def _tell_of_loss(self, plan: Plan) -> None:
        """Say what would not be made again if the project had a remote: it may cost money, and hours."""
        manifest = self._session.manifest
        if manifest.project.outputs != "store" or manifest.remote is not None:
            return
        lost: dict[AssetName, None] = {}
        # Upstream first, as a plan has them.
        for step in plan.having(Verdict.BUILD):
            if step.name not in self._wishes.rebuild and self._is_lost(step, lost):
                lost[step.name] = None
        if lost:
            self._tell(KeptNowhere(names=tuple(lost)))

    def _is_lost(self, step: Step, lost: Collection[AssetName]) -> bool:
        """Whether `step` makes again what the lock has, since its files are gone; `lost`: those before it."""
        record = step.recorded
        if record is None or step.recipe not in (record.recipe, None):
            return False
        # Made from what is made first: its recipe stays the lock's only if all of that does.
        if step.recipe is None and any(reason.field not in lost for reason in step.reasons):
            return False
        return not restorable(record, step.output, self._session.checkout)

    def bring(self, step: Step) -> bool:
        """Ask for what is known of `step`; whether anything came, so that it is to be judged again."""
        if self._settings is None:
            return False
        objects: set[Digest] = set()
        for record in (step.known, step.recorded):
            if record is not None and record.recipe == step.recipe:
                objects |= {file for file in files_of(record).values() if not self._session.store.has(file)}
        wanted = step.verdict in (Verdict.RESTORE, *_MISSING)
        if wanted and self._ask(objects, self._recipes(step)) is not None and self._came(objects, step):
            return True
        if step.verdict is Verdict.BUILD:
            self._ask((), self._halves(step))
        return False

    def brought(self, file: Digest) -> bool:
        """Whether these bytes came from there in this build."""
        return file in self._brought

    def refused(self) -> Mapping[Digest, str]:
        """What the remote had with other bytes than those of its name, and where, by its digest."""
        with self._guard:
            return dict(sorted(self._refused.items()))

    def _came(self, objects: Collection[Digest], step: Step) -> bool:
        known = self._session.checkout.known(step.recipe) if step.recipe else None
        return bool(self._brought.intersection(objects)) or (
            known is not None and self.brought(known.picture.file)
        )

    def _recipes(self, step: Step) -> set[Digest]:
        """The action of a step's recipe, or of the choice among its candidates."""
        if step.name in self._wishes.rebuild or step.recipe is None:
            return set()
        return {step.recipe}

    def _halves(self, step: Step) -> set[Digest]:
        """Actions that leave less to be made: the raw picture, and that of each candidate."""
        if step.name in self._wishes.rebuild:
            return set()
        found = set()
        for one in candidates.each(step):
            if one.parts is not None and one.recipe is not None:
                found.add(one.recipe)
                if one.asset.engine not in (FINISH, PACK) or "image" not in one.parts.inputs:
                    found.add(recipe.generate_key(one.parts))
        return found

    def _in_bulk(self, objects: Collection[Digest], actions: Collection[Digest]) -> bool:
        """Ask before anything is made, and tell what came; whether anything did."""
        started = time.monotonic()
        pulled = self._ask(objects, actions)
        if pulled is None:
            return False
        # What was refused is there, and told by itself.
        missing = [digest for digest in objects if not self._session.store.has(digest)]
        lacking = {*missing} - self.refused().keys()
        self._tell(
            RemoteAsked(
                objects=pulled.objects,
                actions=pulled.actions,
                bytes=pulled.bytes,
                seconds=time.monotonic() - started,
                wanted=len(objects),
                lacking=len(lacking),
            )
        )
        return bool(pulled.objects or pulled.actions)

    def _ask(self, objects: Collection[Digest], actions: Collection[Digest]) -> Pulled | None:
        """What came of what was not asked for before; None where nothing was asked."""
        store = self._session.store
        with self._guard:
            if self._settings is None:
                return None
            new = {digest for digest in objects if digest not in self._asked}
            keys = {key for key in actions if key not in self._asked and store.action(key) is None}
            self._asked |= {*new, *actions}
            if not new and not keys:
                return None
            try:
                self._remote = self._remote or Remote.open(self._settings, patience=PATIENCE)
            except RemoteError as error:
                self._give_up(error)
                return None
            remote, refused = self._remote, {*self._refused}
        try:
            # A further round may find an action that names what an earlier one refused.
            pulled = remote.pull(store, new, keys, without=refused)
        except RemoteError as error:
            with self._guard:
                self._give_up(error)
            return None
        results = (store.action(key) for key in keys)
        came = {digest for digest in new if store.has(digest)}
        with self._guard:
            self._brought |= came.union(*(named(result) for result in results if result is not None))
            poisoned = {
                item.digest: item.place for item in pulled.poisoned if item.digest not in self._refused
            }
            self._refused |= poisoned
        if poisoned:
            self._tell(RemotePoisoned(places=tuple(poisoned.values())))
        return pulled

    def _give_up(self, error: RemoteError) -> None:
        """Ask no more, and say so once."""
        if self._settings is not None:
            self._settings = None
            self._tell(RemoteTrouble(message=error.message, hint=error.hint))
