"""What `artlock check` finds to differ between manifest, lock and files, looked at as a whole."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from buildsys import confirming, keeping, leftovers, lfs
from buildsys.approval import unapproved
from buildsys.cli import options as shared
from buildsys.cli.console import count, paint, pointers_told, print_json, say, tame
from buildsys.errors import Exit
from buildsys.lockwords import chosen
from buildsys.manifest.model import AssetName
from buildsys.plan.agreed import agrees, stand_ins
from buildsys.plan.judge import Wishes
from buildsys.plan.step import Plan, Reason, Step, Verdict, Why
from buildsys.session import Session
from buildsys.witness import Witness

OF_ENGINES: Final = frozenset({Why.ENGINE, Why.RETIRED, Why.STANDIN})
"""What is said of an engine tells nothing of whether manifest, lock and files agree."""


def tell(options: argparse.Namespace) -> int:
    """Say what differs; where nothing does, that is remembered for the next time."""
    began = time.time_ns()
    session = shared.session(options)
    if options.full:
        session.index.forget()
    # What an engine refused is remembered on this machine alone: it is no matter of the lock.
    witness = Witness(session.checkout)
    plan = session.plan(wishes=Wishes(retry_refused=True), world=witness, trusting=True)
    differing = [step for step in plan.steps.values() if not agrees(step, session.manifest.project.outputs)]
    placeholders = list(stand_ins(plan, session.lock.placeholders))
    unasked = [name for name in session.lock.conflicts if name not in plan.steps]
    agree = not (differing or plan.orphans or placeholders or unasked)
    unsaid = _unapproved(session, plan, options.names) if options.approved else ()
    if agree:
        confirming.remember(session, witness, began, options.profile)
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
                "checked": len(plan.steps),
                "differences": found,
                "orphans": list(plan.orphans),
                "placeholders": placeholders,
            }
        )
        return code
    for step in unsaid:
        print(f"{paint('unapproved', 'yellow')}  {step.name}")
    if agree and unsaid:
        sum_ = f"{count(len(unsaid), 'picture')} that nobody has accepted"
        say(f"\n{sum_}\n\nhint: look at them, then run `artlock approve {unsaid[0].name}`")
        return Exit.FAILED
    if agree:
        whole = (all(item.why is not Why.POINTER for item in step.reasons) for step in plan.steps.values())
        if pointers := list(whole).count(False):
            say(f"note: {pointers_told(pointers)}\n\nhint: {lfs.HINT}\n")
        if not options.quiet:
            print(f"{count(len(plan.steps), 'asset')} checked: manifest, lock and files agree")
    else:
        _complain(session, plan, differing, _build(options.profile))
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


def _complain(session: Session, plan: Plan, differing: list[Step], build: str) -> None:
    unasked = [name for name in session.lock.conflicts if name not in plan.steps]
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
        mend = _mend(differing, build) if differing or not lasting else _mend_orphans(session, lasting)
    say(f"\n{differences} in {count(len(plan.steps), 'asset')}\n\nhint: {mend}")


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


def _mend(differing: list[Step], build: str) -> str:
    """One action: a build mends everything but what a hand changed, and what a person must decide."""
    if any(kind(step) == "conflict" for step in differing):
        return "run `artlock resolve`"
    edited = [step for step in differing if step.verdict is Verdict.EDITED]
    if differing and len(edited) == len(differing):
        if edited[0].frozen:
            return keeping.edited(edited[0].output)
        return f"run `{build} --force {edited[0].name}` to make it anew"
    return f"run `{build}`, and commit what it changes"


def _mend_orphans(session: Session, lasting: Mapping[AssetName, Collection[str]]) -> str:
    """One action, where nothing but orphans differs: a build keeps them as long as their files lie there."""
    if all(lasting.values()):
        # Changed by hand, or where another profile's asset goes: a person says what becomes of them.
        return leftovers.mend(session, lasting)
    return "run `artlock clean`, and commit what it changes"
