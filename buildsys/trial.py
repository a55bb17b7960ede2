"""A trial: pictures made with any engine, outside the manifest and its lock.

It uses the store, so the same trial twice is made once.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import rtoml

from buildsys.errors import ArtlockError, MakeError, ManifestError
from buildsys.files import write_durably
from buildsys.journal.keeper import Journal
from buildsys.lock.model import Lock
from buildsys.make.events import RequestSpent
from buildsys.make.maker import Maker
from buildsys.make.pool import Pool
from buildsys.make.progress import ActionStarted, Event
from buildsys.manifest.model import AssetName, Manifest
from buildsys.manifest.read import MANIFEST, parse, read
from buildsys.plan.judge import Wishes
from buildsys.plan.record import Record
from buildsys.plan.step import Step, Verdict, Why
from buildsys.session import PRIVATE, Session, find_root
from buildsys.store.objects import Store
from buildsys.store.place import default_root
from buildsys.workbench import interruptible, journalled

Json: TypeAlias = Any

NAME: Final = AssetName("artlock-trial")
"""A name that no asset of a project is likely to have."""

HINT: Final = "change the prompt, or add `--retry-refused`"
"""What to do about a picture that its engine refused before."""

COMMAND: Final = "command line"
"""What messages call the text that the options make."""

_ACCOUNT_SECONDS: Final = 20.0
"""How long to wait for the account of a request that is done; it comes when its batch has ended."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial asks for."""

    engine: str
    prompt: str = ""
    negative: str = ""
    text: str = ""
    seed: int | None = None
    size: tuple[int, int] | None = None
    parameters: Mapping[str, Json] = {}
    retry_refused: bool = False
    """Ask again, even where the engine refused this very picture before."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    path: str
    seconds: float
    """From the request to the finished file, loading included."""
    record: Record
    notes: tuple[str, ...]
    spent: RequestSpent | None = None
    """What the engine took; None where the store had the picture."""


class Easel:
    """Makes steps outside the project: nothing of it enters the manifest, the lock or `out/`."""

    def __init__(self, maker: Maker, pool: Pool, journal: Journal, spending: Spending) -> None:
        self.pool = pool
        self._maker = maker
        self._journal = journal
        self._spending = spending

    def make(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        """The record of `step`, and notes for a person. May be called from several threads.

        Raises `ArtlockError`.
        """
        with self._journal.asset(step):
            return self._maker.make(step)

    def spent(self, step: Step) -> RequestSpent | None:
        """What the engine took for `step`, which was made; None where the store had its raw picture."""
        return self._spending.on(step.name, step.asset.engine)


class Spending:
    """What requests took, by asset and engine: told by the pool, and asked for by others."""

    def __init__(self) -> None:
        self._told = threading.Condition()
        self._asked: set[tuple[str, str]] = set()
        self._spent: dict[tuple[str, str], RequestSpent] = {}

    def hear(self, event: Event) -> None:
        """Take in what happens. Called from several threads."""
        with self._told:
            if isinstance(event, ActionStarted):
                self._asked.add((event.name, event.engine))
            elif isinstance(event, RequestSpent):
                self._spent[event.asset, event.engine] = event
                self._told.notify_all()

    def on(self, asset: str, engine: str) -> RequestSpent | None:
        """What was spent on `asset`; waits for what is still to be told."""
        key = asset, engine
        with self._told:
            if key in self._asked:
                self._told.wait_for(lambda: key in self._spent, _ACCOUNT_SECONDS)
            return self._spent.get(key)


@contextmanager
def easel(
    session: Session,
    folder: Path,
    command: str,
    jobs: int,
    tell: Callable[[Event], None],
    *,
    retry_refused: bool = False,
) -> Iterator[Easel]:
    """An easel for `session` that puts finished files into the scratch folder `folder`.

    `command` is what the journal calls the run; `jobs` as for a build; `retry_refused`: ask again for what
    an engine refused before.
    """
    spending = Spending()
    with journalled(session, command, jobs, tell) as journal:

        def hear(event: Event) -> None:
            spending.hear(event)
            journal.before(tell)(event)

        def note(event: Event) -> None:
            spending.hear(event)
            journal.note(event)

        # Logs stay in the project: the message that names one outlives the scratch folder.
        work = session.root / PRIVATE / "trial"
        with Pool(work, root=session.root, jobs=jobs, on_event=hear) as pool:
            maker = Maker(
                root=folder,
                manifest=session.runnable(),
                store=session.store,
                engines=pool,
                inputs=pool.inputs,
                locate=session.checkout.path,
                from_git=session.checkout.from_git,
                retry_refused=retry_refused,
                tell=note,
            )
            yield Easel(maker, pool, journal, spending)


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
        wishes = Wishes(retry_refused=wanted.retry_refused)
        step = ready(session.judge(wishes).plan((NAME,)).steps[NAME])
        started = time.monotonic()
        with easel(session, folder, "generate", 1, tell, retry_refused=wanted.retry_refused) as bench:
            record, notes = bench.make(step)
            spent = bench.spent(step)
        seconds = time.monotonic() - started
        data = session.store.read(record.picture.file)
    if data is None:
        raise ArtlockError("the picture is lost from the store", "run the command again")
    write_durably(target, data)
    return Trial(path=str(target), seconds=seconds, record=record, notes=notes, spent=spent)


def ready(step: Step) -> Step:
    """`step`, which can be taken. Raises `ArtlockError` where the engine can't run."""
    if step.parts is None or step.verdict is Verdict.BLOCKED:
        reason = step.reasons[0]
        if reason.why is Why.REFUSED:
            raise MakeError(reason.text(), HINT)
        raise ArtlockError(reason.text(), reason.hint)
    return step


def open_manifest(start: Path, scratch: Path) -> tuple[Path, Mapping[str, str]]:
    """The folder of the project at `start` and the texts of its manifest; `scratch` where there is none."""
    try:
        root = find_root(start)
    except ManifestError:
        return scratch, {MANIFEST: rtoml.dumps({"project": {"name": "trial"}})}
    return root, {file: (root / file).read_text(encoding="utf-8-sig") for file in read(root).files}


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
    root, texts = open_manifest(start, scratch)
    return root, parse({**texts, COMMAND: rtoml.dumps({"assets": {NAME: given}})}, root=root)
