"""What `artlock check` finds to differ between manifest, lock and files."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, NamedTuple

from buildsys import confirming, leftovers, lfs, recollection
from buildsys.agreement import Recalled
from buildsys.approval import unapproved
from buildsys.cli import options as shared
from buildsys.cli.console import count, paint, pointers_told, print_json, say, tame
from buildsys.errors import Exit
from buildsys.lockwords import chosen
from buildsys.manifest.model import AssetName
from buildsys.plan.agreed import agrees, stand_ins
from buildsys.plan.judge import Wishes
from buildsys.plan.step import Plan, Reason, Step, Verdict, Why
from buildsys.plan.world import World
from buildsys.session import Session, find_root
from buildsys.store.nowhere import default_store
from buildsys.witness import Witness

OF_ENGINES: Final = frozenset({Why.ENGINE, Why.RETIRED, Why.STANDIN})
"""What is said of an engine tells nothing of whether manifest, lock and files agree."""


class Look(NamedTuple):
    """A plan, and what in it is no agreement."""

    session: Session
    plan: Plan
    differing: Sequence[Step]
    placeholders: Collection[AssetName]
    unasked: Collection[AssetName]
    """Conflicts over assets that the manifest does not have."""

    @property
    def agree(self) -> bool:
        """Whether nothing differs."""
        return not (self.differing or self.plan.orphans or self.placeholders or self.unasked)


def _look(session: Session, world: World | None, names: Collection[AssetName] | None = None) -> Look:
    # What an engine refused is remembered on this machine alone: it is no matter of the lock.
    plan = session.plan(names, Wishes(retry_refused=True), world, trusting=True)
    return Look(
        session,
        plan,
        [step for step in plan.steps.values() if not agrees(step, session.manifest.project.outputs)],
        stand_ins(plan, session.lock.placeholders),
        [name for name in session.lock.conflicts if name not in plan.steps],
    )


def _narrow(start: Path, known: Recalled) -> Look | None:
    """What differs since all agreed, where only files changed; None where the whole has to be looked at.

    That is so as well where nothing differs after all: then there is a new agreement to remember.
    """
    root = find_root(start)
    reading = recollection.kept(root, known.reading)
    names = recollection.concerned(reading, known.changed) if reading else None
    if reading is None or names is None:
        return None
    look = _look(Session(root, reading.manifest, reading.lock, default_store()), None, names)
    return None if look.agree else look


def _whole(options: argparse.Namespace) -> Look:
    """What differs; where nothing does, that is remembered."""
    began = time.time_ns()
    session = shared.session(options)
    if options.full:
        session.index.forget()
    witness = Witness(session.checkout)
    look = _look(session, witness)
    if look.agree:
        confirming.remember(session, witness, began, options.profile)
    return look


def tell(options: argparse.Namespace, known: Recalled | None) -> int:
    """Say what differs; `known`: what still holds of the last time that nothing did."""
    look = (_narrow(options.start, known) if known else None) or _whole(options)
    session, plan, differing, placeholders, unasked = look
    agree = look.agree
    unsaid = _unapproved(session, plan, options.names) if options.approved else ()
    checked = len(session.manifest.assets)
    if options.json:
        found = [as_json(step) for step in differing] + [undecided(name) for name in unasked]
        found += [_unsaid(step) for step in unsaid]
        agree = agree and not unsaid
        code = code_of({str(item["kind"]) for item in found} | ({"orphan"} if plan.orphans else set()))
        print_json(
            {
                "agree": agree,
                "kind": code.name.lower() if code >= Exit.RECIPE else "" if agree else "several",
                "code": code,
                "checked": checked,
                "differences": found,
                "orphans": list(plan.orphans),
                "placeholders": list(placeholders),
            }
        )
        return code
    for step in unsaid:
        print(f"{paint('unapproved', 'yellow')}  {step.name}")
    if agree and unsaid:
        sum_ = f"{count(len(unsaid), 'picture')} that nobody has accepted"
        names = " ".join(step.name for step in unsaid)
        say(f"\n{sum_}\n\nhint: look at them, then run `artlock approve {names}`")
        return Exit.FAILED
    if agree:
        whole = (all(item.why is not Why.POINTER for item in step.reasons) for step in plan.steps.values())
        if pointers := list(whole).count(False):
            say(f"note: {pointers_told(pointers)}\n\nhint: {lfs.HINT}\n")
        if not options.quiet:
            print(f"{count(checked, 'asset')} checked: manifest, lock and files agree")
    else:
        _complain(look, options.profile)
    return Exit.FINE if agree else Exit.FAILED


def _unapproved(session: Session, plan: Plan, words: Collection[str]) -> tuple[Step, ...]:
    """The steps whose picture nobody has accepted; of `words` only, where there are any."""
    names = [*chosen(session.lock, words)] if words else [*plan.steps]
    known = session.lock.records.keys() & plan.steps.keys()  # of any other, something else is told
    return tuple(plan.steps[name] for name in unapproved(session.lock, sorted(names)) if name in known)


def as_json(step: Step) -> dict[str, str | int | None]:
    """A difference for a program: `engine` should make the asset, and from `locked` the lock has it."""
    locked = step.recorded.engine if step.recorded else None
    found = kind(step)
    return {
        "name": step.name,
        "kind": found,
        "code": code_of({found}),
        "engine": step.asset.engine,
        "locked": locked,
    }


def undecided(name: AssetName) -> dict[str, str | int | None]:
    """A conflict over an asset that the manifest does not have."""
    return {"name": name, "kind": "conflict", "code": Exit.CONFLICT, "engine": "", "locked": None}


def _unsaid(step: Step) -> dict[str, str | int | None]:
    """A picture that nobody has accepted."""
    return {**as_json(step), "kind": "unapproved", "code": Exit.UNAPPROVED}


def code_of(kinds: AbstractSet[str]) -> Exit:
    """The exit code of differences of these kinds."""
    if "conflict" in kinds:
        return Exit.CONFLICT
    if len(kinds) == 1:
        return Exit[next(iter(kinds)).upper()]
    return Exit.FAILED if kinds else Exit.FINE


def kind(step: Step) -> str:
    """What differs: `recipe`, `missing`, `moved`, `edited`, `foreign`, `new`, `gates`… or `blocked`."""
    order = (
        *(
            Why.CONFLICT,
            Why.EDITED,
            Why.FOREIGN,
            Why.PLACEHOLDER,
            Why.NEW,
            Why.RENAMED,
            Why.PART,
            Why.CANDIDATES,
            Why.UPSTREAM,
        ),
        *(Why.LEFT, Why.MOVED, Why.MISSING, Why.GATES),
    )
    # What else is asked for of what is frozen is no difference: only its first reason is one.
    found = {reason.why for reason in (step.reasons[:1] if step.frozen else step.reasons)}
    # Made from what is not made yet, it tells no more than that; but the lock may not know it either.
    upstream = "recipe" if step.recorded else "new"
    names = {Why.PART: "recipe", Why.CANDIDATES: "recipe", Why.UPSTREAM: upstream, Why.RENAMED: "new"}
    return next((names.get(why, why.value) for why in order if why in found), "blocked")


def _complain(look: Look, profile: str | None) -> None:
    session, plan, differing, _, unasked = look
    for step in differing:
        reasons = [*engines(step), *(item.text() for item in step.reasons if item.why not in OF_ENGINES)]
        told = "; ".join(reasons) or step.reasons[0].text()
        print(f"{paint(kind(step), 'yellow')}  {step.name}: {tame(told)}")
    lasting = leftovers.lasting(session, plan)
    for name, files in lasting.items():
        kept = f"; `artlock clean` keeps {leftovers.quoted(files)}" if files else ""
        held = ", and it is frozen" if name in session.lock.frozen else ""
        print(f"{paint('orphan', 'yellow')}  {name}: the manifest no longer has it{held}{kept}")
    for name in unasked:
        print(f"{paint('conflict', 'yellow')}  {name}: {Reason(why=Why.CONFLICT).text()}")
    differences = count(len(differing) + len(plan.orphans) + len(unasked), "difference")
    if unasked:
        mend = "run `artlock resolve`"
    else:
        by_orphans = lasting and not differing
        mend = _mend_orphans(session, lasting) if by_orphans else _mend(session, differing, profile)
    say(f"\n{differences} in {count(len(session.manifest.assets), 'asset')}\n\nhint: {mend}")


def engines(step: Step) -> list[str]:
    """That the lock has another engine's picture, such as a draft where a final is asked for.

    Not where only the name differs: `twin` may make the same pictures by the same recipe.
    """
    locked, engine = step.recorded, step.asset.engine
    if locked is None or not engine or locked.engine == engine or locked.recipe == step.recipe:
        return []
    return [f"made with `{locked.engine}`, not `{engine}`"]


def _build(profile: str | None) -> str:
    """The command that builds what was checked: that of another profile would change it for nothing."""
    return f"artlock build --profile {profile}" if profile else "artlock build"


def _mend(session: Session, differing: Sequence[Step], profile: str | None) -> str:
    """One action: a build mends everything but what a hand changed, and what a person must decide."""
    if any(kind(step) == "conflict" for step in differing):
        return "run `artlock resolve`"
    if any(step.verdict is Verdict.EDITED for step in differing):
        from buildsys.cli import edited  # noqa: PLC0415 - it loads what looks into pictures
        from buildsys.handwork import undecided as by_hand  # noqa: PLC0415 - as above

        if steps := by_hand(differing, session.manifest.assets):
            return edited.mend(session, steps, profile)
    return f"run `{_build(profile)}`, and commit what it changes"


def _mend_orphans(session: Session, lasting: Mapping[AssetName, Collection[str]]) -> str:
    """One action, where nothing but orphans differs: a build keeps them as long as their files lie there."""
    if all(lasting.values()):
        # Changed by hand, or where another profile's asset goes: a person says what becomes of them.
        return leftovers.mend(session, lasting)
    return "run `artlock clean`, and commit what it changes"
