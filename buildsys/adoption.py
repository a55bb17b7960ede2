"""Adopting: an output that a person changed becomes the source of its asset.

The order is what keeps everything: first the copy, then the manifest, then the build, which alone writes over
the output. Whatever ends it in between, the same command goes on from there. Knows nothing of terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from buildsys import art, files
from buildsys.errors import DiskError
from buildsys.handwork import Adoption, adoptable
from buildsys.make.build import Outcome
from buildsys.make.progress import Event
from buildsys.manifest import template
from buildsys.manifest.edit import Draft
from buildsys.manifest.gates import LETTERING
from buildsys.manifest.model import Asset
from buildsys.plan.judge import Wishes
from buildsys.plan.provenance import COMPOSITE, UNKNOWN, models_of
from buildsys.plan.step import Plan
from buildsys.session import Session
from buildsys.workbench import build

KEPT: Final = ("source", "format", "formats", "scales", "gates", "tile", "profiles", "source_type")
"""Keys of the asset that stay as they are; what the old recipe had else becomes a comment."""

NOTE: Final = "Before it was adopted:"


def plan(session: Session, names: Collection[str], folder: str = art.FOLDER) -> tuple[Adoption, ...]:
    """What adopting `names` would do. Writes nothing. Raises `ArtlockError`."""
    chosen = session.names(names)
    steps = session.plan(chosen).steps
    return tuple(adoptable(session, steps[name], folder) for name in chosen or ())


def carry_out(
    session: Session,
    items: Collection[Adoption],
    *,
    tell: Callable[[Event], None] = lambda _: None,
    planned: Callable[[Plan], None] = lambda _: None,
) -> Outcome:
    """Copy the outputs, change the manifest, and build what was adopted. Raises `ArtlockError`."""
    draft = Draft(session.root)
    # A build asks no git, so the manifest itself must say that a model had a part in it.
    models = models_of(session.manifest)
    for item in items:
        if not item.done:
            word = COMPOSITE if item.name in models else UNKNOWN
            draft.set(item.name, "source_type", word, first=True)
            draft.set(item.name, "source", item.picture, first=True)
            _keep_words(draft, session.manifest.assets[item.name])
            draft.retire(item.name, KEPT, NOTE)
    draft.check()
    for item in items:
        _copy(session.root, item)
    draft.save()
    for item in items:
        # The build is told to write over the output, so what it holds must be what was copied.
        if files.digest_file(session.root / item.output, follow=False) != item.digest:
            raise DiskError(f"`{item.output}` changed while it was adopted", "run the command again")
    opened = Session.open(session.root, session.manifest.profile)
    adopted = frozenset(item.name for item in items)
    # Not forced on its other scales and formats: one of them may be changed by hand, too.
    outcome, _ = build(
        opened, opened.outputs(adopted), wishes=Wishes(force=adopted), tell=tell, planned=planned
    )
    return outcome


def _keep_words(draft: Draft, asset: Asset) -> None:
    """Write the asset's text into the gate that looked for it: a source has no `text`."""
    gate = next((gate for gate in asset.gates if gate.name == LETTERING), None)
    if gate is None or gate.parameters["text"] != asset.text:
        return
    table = draft.table(asset.name)
    own = table.get("gates", {})
    asked = own.get(LETTERING, gate.parameters)  # a style's or the project's is taken over as it was
    if LETTERING in own and (isinstance(asked, str) or (isinstance(asked, Mapping) and asked.get("text"))):
        return
    text = template.escape(asset.text)
    given = {**asked, "text": text} if isinstance(asked, Mapping) else {"text": text}
    if isinstance(own.get(LETTERING), Mapping):
        draft.set(asset.name, "text", text, within=("gates", LETTERING))
    elif "gates" in table:
        draft.set(asset.name, LETTERING, given, within=("gates",))
    else:
        draft.set(asset.name, "gates", {LETTERING: given})


def _copy(root: Path, item: Adoption) -> None:
    elsewhere = "choose another folder with `--to`"
    if not art.copy(root, root / item.output, item.picture, item.digest, elsewhere=elsewhere):
        raise DiskError(f"`{item.output}` changed while it was adopted", "run the command again")
