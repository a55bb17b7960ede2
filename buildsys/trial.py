"""A trial: pictures made with any engine, outside the manifest and its lock.

It uses the store, so the same trial twice is made once.
"""

from __future__ import annotations

import tempfile
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
from buildsys.make.progress import Event
from buildsys.make.purse import Purse
from buildsys.manifest.model import AssetName, Manifest
from buildsys.manifest.read import MANIFEST, parse, read
from buildsys.plan import price
from buildsys.plan.judge import Wishes
from buildsys.plan.price import Bill
from buildsys.plan.record import Record
from buildsys.plan.step import Step, Verdict, Why
from buildsys.session import PRIVATE, Session, find_root
from buildsys.spending import Spending, Till
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
    expected: Bill = Bill()
    """What it should have cost."""
    cost: Bill = Bill()
    """What it did cost."""


class Easel:
    """Makes steps outside the project: nothing of it enters the manifest, the lock or `out/`."""

    def __init__(self, maker: Maker, pool: Pool, journal: Journal, spending: Spending, till: Till) -> None:
        self.pool = pool
        self._maker = maker
        self._journal = journal
        self._spending = spending
        self._till = till

    @property
    def cost(self) -> Bill:
        """What all that was asked for did cost so far."""
        return self._till.bill

    def make(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        """The record of `step`, and notes for a person. May be called from several threads.

        Raises `ArtlockError`.
        """
        with self._journal.asset(step):
            return self._maker.make(step)

    def spent(self, step: Step) -> RequestSpent | None:
        """What the engine took for `step`, which was made; None where the store had its raw picture."""
        return self._spending.on(step.name, step.asset.engine)


@contextmanager
def easel(
    session: Session,
    folder: Path,
    command: str,
    jobs: int,
    tell: Callable[[Event], None],
    *,
    budget: float | None = None,
    retry_refused: bool = False,
) -> Iterator[Easel]:
    """An easel for `session` that puts finished files into the scratch folder `folder`.

    `command` is what the journal calls the run; `jobs` and `budget` as for a build; `retry_refused`: ask
    again for what an engine refused before.
    """
    spending = Spending()
    with session.store.leased(), journalled(session, command, jobs, tell) as journal:

        def hear(event: Event) -> None:
            spending.hear(event)
            journal.before(tell)(event)

        def note(event: Event) -> None:
            spending.hear(event)
            journal.note(event)

        # Logs stay in the project: the message that names one outlives the scratch folder.
        work = session.root / PRIVATE / "trial"
        with Pool(work, root=session.root, jobs=jobs, on_event=hear, on_key=journal.conceal) as pool:
            till = Till(pool)
            maker = Maker(
                root=folder,
                manifest=session.runnable(),
                store=session.store,
                engines=till if budget is None else Purse(till, budget),
                inputs=pool.inputs,
                locate=session.checkout.path,
                from_git=session.checkout.from_git,
                retry_refused=retry_refused,
                tell=note,
            )
            yield Easel(maker, pool, journal, spending, till)


def run(
    start: Path,
    wanted: Wanted,
    target: Path,
    tell: Callable[[Event], None],
    *,
    budget: float | None = None,
    priced: Callable[[Bill], None] = lambda _: None,
) -> Trial:
    """Make one picture and put it at `target`. Engines of the project at `start` count, if there is one.

    Args:
        start: where the project is sought.
        wanted: the picture.
        target: never overwritten.
        tell: given each event; called from several threads.
        budget: US dollars that the engine may take.
        priced: given what the picture should cost, before it is asked for.

    Raises `ArtlockError`.
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
        plan = session.priced(session.judge(wishes).plan((NAME,)), wishes)
        step, expected = ready(plan.steps[NAME]), price.total(plan)
        priced(expected)
        started = time.monotonic()
        with easel(
            session, folder, "generate", 1, tell, budget=budget, retry_refused=wanted.retry_refused
        ) as bench:
            record, notes = bench.make(step)
            spent, cost = bench.spent(step), bench.cost
        seconds = time.monotonic() - started
        data = session.store.read(record.picture.file)
    if data is None:
        raise ArtlockError("the picture is lost from the store", "run the command again")
    write_durably(target, data)
    return Trial(
        path=str(target),
        seconds=seconds,
        record=record,
        notes=notes,
        spent=spent,
        expected=expected,
        cost=cost,
    )


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
