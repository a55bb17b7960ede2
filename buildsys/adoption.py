"""Adopting: an output that a person changed becomes the source of its asset.

The order is what keeps everything: first the copy, then the manifest, then the build, which alone writes over
the output. Whatever ends it in between, the same command goes on from there. Knows nothing of terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from buildsys import art, files, lfs
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, ManifestError
from buildsys.make.inspection import Unfit, inspect
from buildsys.make.progress import Event
from buildsys.manifest import template
from buildsys.manifest.edit import Draft
from buildsys.manifest.gates import LETTERING
from buildsys.manifest.model import Asset, AssetName
from buildsys.plan import handmade
from buildsys.plan.judge import Wishes
from buildsys.plan.step import Plan, Step, Verdict, Why
from buildsys.session import Session

if TYPE_CHECKING:
    from buildsys.make.build import Outcome  # as above

KEPT: Final = ("source", "format", "formats", "scales", "gates", "tile", "profiles")
"""Keys of the asset that stay as they are; what the old recipe had else becomes a comment."""

NOTE: Final = "Before it was adopted:"


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """One output on its way to be a source."""

    name: AssetName
    output: str
    picture: str
    """Where the copy goes; relative to the project, with `/`."""
    digest: Digest
    done: bool = False
    """Whether the manifest says so already: an adoption that was interrupted before its build."""


def plan(session: Session, names: Collection[str], folder: str = art.FOLDER) -> tuple[Adoption, ...]:
    """What adopting `names` would do. Writes nothing. Raises `ArtlockError`."""
    chosen = session.names(names)
    steps = session.plan(chosen).steps
    return tuple(_adoption(session, steps[name], folder) for name in chosen or ())


def carry_out(
    session: Session,
    items: Collection[Adoption],
    *,
    tell: Callable[[Event], None] = lambda _: None,
    planned: Callable[[Plan], None] = lambda _: None,
) -> Outcome:
    """Copy the outputs, change the manifest, and build what was adopted. Raises `ArtlockError`."""
    from buildsys.workbench import build  # noqa: PLC0415 - it loads doit, and `check` only asks for the plan

    draft = Draft(session.root)
    for item in items:
        if not item.done:
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


def _adoption(session: Session, step: Step, folder: str) -> Adoption:
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
