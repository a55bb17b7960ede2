"""A trial: one picture made with any engine, outside the manifest and its lock.

It uses the store, so the same trial twice is made once.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import rtoml

from buildsys.errors import ArtlockError, ManifestError
from buildsys.files import write_durably
from buildsys.lock.model import Lock
from buildsys.make.maker import Maker
from buildsys.make.pool import Pool
from buildsys.make.progress import Event
from buildsys.manifest.model import AssetName, Manifest
from buildsys.manifest.read import parse, read
from buildsys.plan.judge import Wishes
from buildsys.plan.record import Record
from buildsys.plan.step import Step, Verdict
from buildsys.session import PRIVATE, Session, find_root
from buildsys.store.objects import Store
from buildsys.store.place import default_root
from buildsys.workbench import interruptible, journalled

Json: TypeAlias = Any

NAME: Final = AssetName("artlock-trial")
"""A name that no asset of a project is likely to have."""

COMMAND: Final = "command line"
"""What messages call the text that the options make."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial asks for."""

    engine: str
    prompt: str = ""
    negative: str = ""
    text: str = ""
    seed: int | None = None
    size: tuple[int, int] | None = None
    parameters: Mapping[str, Json] = {}


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    path: str
    seconds: float
    """From the request to the finished file, loading included."""
    record: Record
    notes: tuple[str, ...]


def run(start: Path, wanted: Wanted, target: Path, tell: Callable[[Event], None]) -> Trial:
    """Make one picture and put it at `target`. Engines of the project at `start` count, if there is one.

    Raises `ArtlockError`; a file at `target` is never overwritten.
    """
    if target.exists():
        raise ArtlockError(f"`{target}` is there already", "give another file name with `-o`")
    if target.suffix not in (".png", ".webp"):
        raise ArtlockError(f"`{target}` is neither a .png nor a .webp", "give a file name with `-o`")
    with interruptible(), tempfile.TemporaryDirectory(prefix="artlock-trial-") as scratch:
        folder = Path(scratch)
        root, manifest = _manifest(start, folder, wanted, target.suffix[1:])
        session = Session(root, manifest, Lock(), Store(default_root()))
        step = _ready(session)
        started = time.monotonic()
        # Logs stay in the project: the message that names one outlives the scratch folder.
        with (
            journalled(session, "generate", 1, tell) as journal,
            Pool(root / PRIVATE / "trial", root=root, jobs=1, on_event=journal.before(tell)) as pool,
            journal.asset(step),
        ):
            maker = Maker(
                root=folder,
                manifest=session.runnable(),
                store=session.store,
                engines=pool,
                inputs=pool.inputs,
                locate=session.checkout.path,
                from_git=session.checkout.from_git,
                tell=journal.note,
            )
            record, notes = maker.make(step)
        seconds = time.monotonic() - started
        data = session.store.read(record.picture.file)
    if data is None:
        raise ArtlockError("the picture is lost from the store", "run the command again")
    write_durably(target, data)
    return Trial(path=str(target), seconds=seconds, record=record, notes=notes)


def _manifest(start: Path, scratch: Path, wanted: Wanted, suffix: str) -> tuple[Path, Manifest]:
    """The manifest of the project at `start`, if there is one, with one asset more.

    Written as text and read like any other: what is asked for on the command line is checked by the
    same rules, and told in the same words.
    """
    asset = {
        "engine": wanted.engine,
        "prompt": wanted.prompt,
        "negative": wanted.negative,
        "text": wanted.text,
        "seed": wanted.seed,
        "size": list(wanted.size) if wanted.size else None,
        "parameters": dict(wanted.parameters),
        "format": suffix,
    }
    given = {key: value for key, value in asset.items() if value not in (None, "", {})}
    table: dict[str, Json] = {"assets": {NAME: given}}
    try:
        root = find_root(start)
    except ManifestError:
        return scratch, parse({COMMAND: rtoml.dumps({"project": {"name": "trial"}, **table})}, root=scratch)
    texts = {file: (root / file).read_text(encoding="utf-8-sig") for file in read(root).files}
    return root, parse({**texts, COMMAND: rtoml.dumps(table)}, root=root)


def _ready(session: Session) -> Step:
    """The step to take. Raises `ArtlockError` where the engine can't run."""
    step = session.judge(Wishes()).plan((NAME,)).steps[NAME]
    if step.parts is None or step.verdict is Verdict.BLOCKED:
        raise ArtlockError(step.reasons[0].text(), step.reasons[0].hint)
    return step
