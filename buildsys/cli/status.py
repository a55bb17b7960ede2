"""`artlock status`: every asset's verdict, what drifted, what no asset owns, and which engines retire."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any, Final

from buildsys import leftovers
from buildsys.cli import options as shared
from buildsys.cli.console import COLOUR_OF, columns, count, paint, print_json, tame
from buildsys.cli.plan import as_json, instead_told, summary
from buildsys.cli.retirement import retirement_json, retirement_told
from buildsys.drift import Change, Drift, drifted
from buildsys.errors import Exit
from buildsys.manifest.model import AssetName
from buildsys.plan.radar import endings
from buildsys.plan.step import Step
from buildsys.session import Session

_SHOWN: Final = 3
"""Assets that are named for each package."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the state of the checkout."""
    session = shared.session(options)
    plan = session.plan()
    unowned = leftovers.unowned(session, plan)
    moved = drifted(session)
    ending = endings(session.manifest, dt.datetime.now(tz=dt.UTC).date(), session.checkout.blocked)
    if options.json:
        print_json(
            {
                "profile": session.manifest.profile,
                "assets": [
                    {**as_json(step, plan), "approved_by": _approver(session, step)}
                    for step in plan.steps.values()
                ],
                "elsewhere": list(session.manifest.elsewhere),
                "orphans": list(plan.orphans),
                "unowned": unowned,
                "environments": [_drift_json(item) for item in moved],
                "retirements": [retirement_json(item) for item in ending],
            }
        )
        return Exit.FINE
    manifest = session.manifest
    print(f"{manifest.project.name}, profile {manifest.profile}: {summary(plan.steps.values())}\n")
    rows = sorted(plan.steps.values(), key=lambda step: step.name)
    print(columns(_row(step, _approver(session, step)) for step in rows))
    if session.manifest.elsewhere:
        others = ", ".join(session.manifest.elsewhere)
        print(f"\n{count(len(session.manifest.elsewhere), 'asset')} of other profiles: {others}")
    lasting = leftovers.lasting(session, plan)
    for name, files in lasting.items():
        kept = f"; `artlock clean` keeps {leftovers.quoted(files)}" if files else ""
        held = ", and frozen" if name in session.lock.frozen else ""
        print(f"\norphan: `{name}` is in the lock but not in the manifest{held}{kept}")
    if unowned:
        print(f"\n{count(len(unowned), 'file')} under {session.manifest.project.out}/ that no asset owns:")
        print("\n".join(f"  {path}" for path in unowned))
    if unowned or not all(lasting.values()):
        print("\nhint: `artlock clean` removes those that artlock made")
    elif lasting:
        print(f"\nhint: {leftovers.mend(session, lasting)}")
    if moved:
        print(f"\n{count(len(moved), 'asset')} made with other versions, which makes none stale:")
        print("\n".join(drift_told(moved)))
        print("\nhint: `artlock build --refresh-environment` makes them again")
    for item in ending:
        print(f"\n{retirement_told(item)}")
    return Exit.FINE


def _drift_json(drift: Drift) -> dict[str, Any]:
    changes = {change.package: {"then": change.then, "now": change.now} for change in drift.changes}
    return {"name": drift.name, "changes": changes}


def drift_told(moved: Collection[Drift]) -> Iterator[str]:
    """A line for each change, with the assets that it concerns, the first of them by name."""
    named: dict[Change, list[AssetName]] = {}
    for drift in moved:
        for change in drift.changes:
            named.setdefault(change, []).append(drift.name)
    for change, names in sorted(named.items(), key=lambda item: (item[0].package, item[0].then)):
        others = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        versions = f"{change.package} {tame(change.then)} then, {tame(change.now)} now"
        yield f"  {versions}: {', '.join(names[:_SHOWN])}{others}"


def _approver(session: Session, step: Step) -> str | None:
    """Who accepted the picture that the lock has of it; None where nobody did."""
    return session.lock.approvals[step.name].by if session.lock.is_approved(step.name) else None


def _row(step: Step, approver: str | None) -> tuple[str, str, str, str]:
    word = paint(f"{step.word:<8}", COLOUR_OF[step.word])
    reason = step.reasons[0].text() if step.reasons else instead_told(step)
    told = [reason, f"approved by {approver}" if approver else ""]
    return word, step.name, step.asset.engine, tame("; ".join(filter(None, told)))
