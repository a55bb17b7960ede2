"""How a build looks while it runs: live rows on a terminal, plain lines elsewhere.

Knows nothing of how things are made: it is told. Told from several threads, so it takes a lock.
"""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from buildsys.cli import streams
from buildsys.cli.console import COLOUR_OF, colourful, paint, say, tame
from buildsys.cli.moving import remote_told
from buildsys.cli.rows import EngineRow, again, fitting
from buildsys.make.events import (
    RequestDone,
    RequestFailed,
    RequestPutOff,
    RequestStarted,
    StepMade,
    WorkerLoading,
    WorkerLost,
    WorkerStarted,
)
from buildsys.make.progress import (
    AssetDone,
    AssetFailed,
    AssetHandedOn,
    Event,
    JournalTrouble,
    KeptNowhere,
    RemoteAsked,
    RemotePoisoned,
    RemoteTrouble,
)
from buildsys.plan.step import Plan, Verdict
from engines.protocol import ErrorKind

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

_WORDS: Final = {
    Verdict.BUILD: "built",
    Verdict.RESTORE: "restored",
    Verdict.FRESH: "fresh",
    # Found only when its input was made: the plan could not know yet.
    Verdict.EDITED: "edited",
}


WHY: Final = {
    ErrorKind.INTERNAL: "its engine broke down",
    ErrorKind.TRANSIENT: "what failed may pass",
    ErrorKind.RATE_LIMITED: "the provider asks to wait",
    ErrorKind.OUT_OF_MEMORY: "its engine ran out of memory",
}
"""Why something is tried again."""

_BELOW: Final = 3
"""Lines that the rows leave free: the bar, and where the next line comes in above them."""


class Display(Protocol):
    """What a build shows itself on."""

    def planned(self, plan: Plan) -> None:
        """Told once, before anything is made."""
        ...

    def tell(self, event: Event) -> None:
        """Told of everything that happens."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def display() -> Display:
    """Live rows where a person looks, plain lines where a log is kept."""
    return LiveRows() if colourful(sys.stderr) else PlainLines()


class Remarks:
    """What is said of engines by the way. Pool events come from one thread, so it takes no lock."""

    def __init__(self) -> None:
        self._lost: set[str] = set()
        self._loading: dict[str, int] = {}

    def on(self, event: Event) -> str:  # noqa: PLR0911 - one arm for each event
        """What to say of `event`; empty where there is nothing."""
        match event:
            case WorkerLost():
                self._lost.add(event.engine)
                return f"engine {event.engine} was lost: {_first(event.reason)}"
            case WorkerLoading():
                before, self._loading[event.engine] = self._loading.get(event.engine, 0), event.loading
                if event.loading > before and event.engine in self._lost:
                    self._lost.discard(event.engine)
                    return f"engine {event.engine} is started again"
                return ""
            case RequestPutOff():
                return f"{tame(event.asset)} {again(event.seconds, WHY[event.kind])}"
            case AssetHandedOn():
                return tame(
                    f"{event.name}: `{event.engine}` gave up: {_first(event.message)}; `{event.to}` makes it"
                )
            case JournalTrouble():
                return f"note: {_first(event.message)}"
            case RemoteAsked() | RemotePoisoned() | RemoteTrouble() | KeptNowhere():
                return remote_told(event)
            case _:
                return ""


class PlainLines:
    """A line for each asset, on stderr."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._remarks = Remarks()
        self._done = 0
        self._total = 0

    def planned(self, plan: Plan) -> None:
        """Count what there is to do."""
        self._total = len(plan.having(Verdict.BUILD, Verdict.RESTORE))

    def tell(self, event: Event) -> None:
        """Print what a log should hold."""
        with self._guard:
            line = self._line(event)
            if line:
                say(line)

    def _line(self, event: Event) -> str:
        match event:
            case AssetDone():
                self._done += 1
                notes = "".join(f"\n        note: {tame(note)}" for note in event.notes)
                place = f"[{self._done}/{self._total}]"
                return f"{place} {_done(event)} in {event.seconds:.2f} s{notes}"
            case AssetFailed(blocked=False):
                self._done += 1
                return f"[{self._done}/{self._total}] failed {event.name}: {_first(event.message)}"
            case WorkerStarted():
                return f"engine {event.engine} is ready after {event.seconds:.1f} s"
            case _:
                return self._remarks.on(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to take down."""


class LiveRows:
    """A row for each engine, redrawn in place, and a line with what is done and left."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - 60 ms that only a person's terminal needs
        from rich.live import Live  # noqa: PLC0415

        self._guard = threading.Lock()
        self._remarks = Remarks()
        self._total = 0
        self._done = 0
        self._started = time.monotonic()
        self._rows: dict[str, EngineRow] = {}
        self._console = Console(stderr=True)
        self._live: Live = Live(
            console=self._console, refresh_per_second=8, transient=True, get_renderable=self.draw
        )

    def planned(self, plan: Plan) -> None:
        """Count what there is to do."""
        self._total = len(plan.having(Verdict.BUILD, Verdict.RESTORE))

    def tell(self, event: Event) -> None:
        """Take in what happened; the rows are redrawn by the clock."""
        with self._guard:
            self._note(event)
        # Not while the guard is held: the redrawing thread takes rich's lock first and then the guard,
        # and a print takes rich's lock, so the two would wait for each other for ever.
        from rich.text import Text  # noqa: PLC0415 - see __init__

        for line in self._lines(event):
            with streams.outliving(sys.stderr):
                self._console.print(Text.from_ansi(line))

    def _note(self, event: Event) -> None:
        now = time.monotonic()
        match event:
            case WorkerLoading():
                self._row(event.engine).load(event.loading, now)
            case RequestStarted():
                self._row(event.engine).begin(event.asset)
            case StepMade():
                self._row(event.engine).begin(event.asset, f" step {event.step} of {event.steps}")
            case RequestPutOff():
                self._row(event.engine).put_off(event.asset, now + event.seconds, WHY[event.kind])
            case RequestDone() | RequestFailed():
                made = isinstance(event, RequestDone)
                self._row(event.engine).end(event.asset, now, made=made)
            case AssetDone() | AssetFailed(blocked=False):
                self._done += 1
            case _:
                pass

    def _row(self, engine: str) -> EngineRow:
        return self._rows.setdefault(engine, EngineRow(engine))

    def _lines(self, event: Event) -> list[str]:
        """What goes above the rows, and stays."""
        match event:
            case AssetDone():
                word = paint(f"{_WORDS[event.verdict]:<8}", COLOUR_OF[event.verdict], sys.stderr)
                seconds = paint(f"{event.seconds:.2f} s", "grey", sys.stderr)
                line = f"{word} {event.name}{_origin(event)}  {seconds}"
                return [line, *(f"{'':<8} note: {tame(note)}" for note in event.notes)]
            case AssetFailed(blocked=False):
                word = paint("failed  ", "red", sys.stderr)
                return [f"{word} {event.name}: {_first(event.message)}"]
            case _:
                remark = self._remarks.on(event)
                return [remark] if remark else []

    def draw(self) -> Group:
        """The rows as they are now, for rich to show."""
        from rich.console import Group  # noqa: PLC0415 - see __init__
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        with self._guard:
            rows = Table.grid(padding=(0, 2))
            for style in ("cyan", "", "red", ""):
                rows.add_column(style=style, no_wrap=True, overflow="ellipsis")
            most = self._console.size.height - _BELOW
            for cells in fitting(self._rows.values(), time.monotonic(), most):
                rows.add_row(*(Text(tame(cell)) for cell in cells))
            left = self._total - self._done
            elapsed = time.monotonic() - self._started
            bar = Table.grid(padding=(0, 2))
            bar.add_row(
                ProgressBar(total=max(self._total, 1), completed=self._done, width=30),
                f"{self._done} finished, {left} left",
                f"{_clock(elapsed)} elapsed",
                f"about {_clock(elapsed / self._done * left)} left" if self._done and left else "",
            )
            return Group(rows, bar)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with streams.outliving(sys.stderr):
            self._live.stop()


def _done(event: AssetDone) -> str:
    return f"{_WORDS[event.verdict]} {event.name}{_origin(event)}"


def _origin(event: AssetDone) -> str:
    return " from the remote" if event.remote else ""


def _first(text: str) -> str:
    """The first line; the whole text comes at the end."""
    return tame(text.partition("\n")[0])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
