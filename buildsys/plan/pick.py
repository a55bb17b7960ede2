"""Which engines suit a role, best first, and which role a person could mean.

Knows nothing of a single asset: what one asks of an engine is judged when the manifest is expanded.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from buildsys.errors import ManifestError, did_you_mean
from buildsys.manifest.cards import OWN
from buildsys.manifest.model import Engine, Manifest
from buildsys.plan.step import Reason, Why


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An engine that may make the assets of a role."""

    engine: Engine
    profiles: tuple[str, ...] = ()
    """Those in which the role maps to it; `*` stands for all. Empty: its card lists the role."""
    obstacle: Reason | None = None
    """Why it can't run here and now."""


def rank(manifest: Manifest, role: str, obstacle: Callable[[Engine], Reason | None]) -> tuple[Candidate, ...]:
    """The engines for `role`: those that it maps to, then those that suit it.

    Of each, what is ready comes first, and what has ended last. Raises `ManifestError` where neither the
    manifest nor any engine knows the role.
    """
    mapped = manifest.roles.get(role, {})
    found: list[tuple[tuple[bool, int, bool, int, str], Candidate]] = []
    for name, engine in manifest.engines.items():
        roles = engine.card.roles
        profiles = tuple(profile for profile, chosen in mapped.items() if chosen == name)
        if name in OWN or not (profiles or role in roles):
            continue
        missing = obstacle(engine)
        elsewhere = not {"*", manifest.profile} & {*profiles}
        place = roles.index(role) if role in roles else len(roles)
        candidate = Candidate(engine=engine, profiles=profiles, obstacle=missing)
        found.append(((not profiles, _distance(missing), elsewhere, place, name), candidate))
    if not found:
        known = sorted(
            {*manifest.roles, *(role for engine in manifest.engines.values() for role in engine.card.roles)}
        )
        hint = did_you_mean(role, known) or f"use one of {', '.join(f'`{name}`' for name in known)}"
        raise ManifestError(f"no engine knows a role `{role}`", hint)
    return tuple(candidate for _, candidate in sorted(found, key=lambda item: item[0]))


def _distance(missing: Reason | None) -> int:
    """How far an engine is from being of use: ready, to be set up, ended."""
    if missing is None:
        return 0
    return 2 if missing.why is Why.RETIRED else 1
