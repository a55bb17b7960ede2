"""What other profiles put over assets and styles, tried out: a typo there shows in every profile.

Knows nothing of what is made of it: the assets that come out are thrown away.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from buildsys.manifest import matrix, outputs, profiles, references, standins
from buildsys.manifest.assets import Rules
from buildsys.manifest.model import AssetName, Location
from buildsys.manifest.source import Fault, Problems
from buildsys.manifest.structure import Document, Entry
from buildsys.manifest.styles import Styles

_SECTION: Final = "assets"


def rehearse(document: Document, rules: Rules, names: Collection[AssetName], problems: Problems) -> None:
    """Resolve for each other profile what it changes; what is wrong there goes to `problems`.

    `names`: all assets. Nothing is wrong in the profile of `rules`, so what is found comes from another.
    """
    for profile in profiles.overridden(document):
        if profile == rules.profile:
            continue
        found = Problems()
        entries = document.sections["styles"]
        styles = Styles(entries, rules.variables, rules.scopes, rules.finisher, rules.gates, found, profile)
        other = msgspec.structs.replace(rules, profile=profile, styles=styles)
        for key, entry in document.sections[_SECTION].items():
            if _concerned(entry, other):
                _try(key, entry, other, names, found)
        problems.take(found)


def _concerned(entry: Entry, rules: Rules) -> bool:
    """Whether the profile of `rules` has the asset, and changes it or one of its styles."""
    table = entry.value
    if rules.profile not in table.get("profiles", (rules.profile,)):
        return False
    if rules.profile in table.get(profiles.KEY, ()):
        return True
    style = table.get("style", ())
    return rules.styles.changes((style,) if isinstance(style, str) else tuple(style))


def _try(key: str, entry: Entry, rules: Rules, names: Collection[AssetName], found: Problems) -> None:
    # One asset of a matrix tells: they differ in texts alone, which may say anything.
    declared = next(
        matrix.expand(key, entry.value, rules.variables, Location(entry.source.file), rules.profile)
    )
    try:
        asset = standins.resolve(declared, rules)
        if asset is None:
            return  # its style is wrong, which is told
        files = outputs.planned(asset.name, entry.value)
        for one in outputs.spread(asset, entry.value, files, rules.finisher):
            for wrong in references.lost(one, names):
                raise wrong
    except Fault as fault:
        wrong = profiles.placed(fault, declared.over, rules.profile)
        if wrong.path[:1] != (profiles.KEY,):
            # What it is held against is written elsewhere, and true of other profiles as well.
            wrong = Fault(
                f"in profile `{rules.profile}`, {wrong.fact}", wrong.hint, wrong.path, at_key=wrong.at_key
            )
        found.add(entry.source, wrong.under(_SECTION, key))
