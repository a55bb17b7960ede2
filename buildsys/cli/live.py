"""How a build looks while it runs: live rows on a terminal, plain lines elsewhere.

Knows nothing of how things are made: it is told. Told from several threads, so it takes a lock.
"""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from buildsys.cli.console import COLOUR_OF, colourful, paint, tame
from buildsys.make.events import (
    RequestDone,
    RequestFailed,
    RequestStarted,
    StepMade,
    WorkerLost,
    WorkerStarted,
)
from buildsys.make.progress import AssetDone, AssetFailed, Event, JournalTrouble
from buildsys.plan.step import Plan, Verdict

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


class PlainLines:
    """A line for each asset, on stderr."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
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
                print(line, file=sys.stderr, flush=True)

    def _line(self, event: Event) -> str:
        match event:
            case AssetDone():
                self._done += 1
                notes = "".join(f"\n        note: {tame(note)}" for note in event.notes)
                place = f"[{self._done}/{self._total}]"
                return f"{place} {_WORDS[event.verdict]} {event.name} in {event.seconds:.2f} s{notes}"
            case AssetFailed(blocked=False):
                self._done += 1
                return f"[{self._done}/{self._total}] failed {event.name}: {_first(event.message)}"
            case WorkerStarted():
                return f"engine {event.engine} is ready after {event.seconds:.1f} s"
            case WorkerLost():
                return f"engine {event.engine} was lost: {_first(event.reason)}"
            case JournalTrouble():
                return f"note: {_first(event.message)}"
            case _:
                return ""

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
        self._total = 0
        self._done = 0
        self._started = time.monotonic()
        self._engines: dict[str, dict[str, str]] = {}
        self._counts: dict[str, int] = {}
        self._live: Live = Live(
            console=Console(stderr=True), refresh_per_second=8, transient=True, get_renderable=self.draw
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
            self._live.console.print(Text.from_ansi(line))

    def _note(self, event: Event) -> None:
        match event:
            case RequestStarted():
                self._engines.setdefault(event.engine, {})[event.asset] = ""
            case StepMade():
                self._engines.setdefault(event.engine, {})[event.asset] = (
                    f" step {event.step} of {event.steps}"
                )
            case RequestDone() | RequestFailed():
                self._engines.get(event.engine, {}).pop(event.asset, None)
                self._counts[event.engine] = self._counts.get(event.engine, 0) + 1
            case WorkerStarted():
                self._engines.setdefault(event.engine, {})
            case AssetDone() | AssetFailed(blocked=False):
                self._done += 1
            case _:
                pass

    def _lines(self, event: Event) -> list[str]:
        """What goes above the rows, and stays."""
        match event:
            case AssetDone():
                word = paint(f"{_WORDS[event.verdict]:<8}", COLOUR_OF[event.verdict], sys.stderr)
                line = f"{word} {event.name}  {paint(f'{event.seconds:.2f} s', 'grey', sys.stderr)}"
                return [line, *(f"{'':<8} note: {tame(note)}" for note in event.notes)]
            case AssetFailed(blocked=False):
                word = paint("failed  ", "red", sys.stderr)
                return [f"{word} {event.name}: {_first(event.message)}"]
            case WorkerLost():
                return [f"engine {event.engine} was lost: {_first(event.reason)}"]
            case JournalTrouble():
                return [f"note: {_first(event.message)}"]
            case _:
                return []

    def draw(self) -> Group:
        """The rows as they are now, for rich to show."""
        from rich.console import Group  # noqa: PLC0415 - see __init__
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        with self._guard:
            rows = Table.grid(padding=(0, 2))
            for engine, current in self._engines.items():
                doing = ", ".join(f"{asset}{step}" for asset, step in current.items()) or "idle"
                rows.add_row(f"[cyan]{engine}", str(self._counts.get(engine, 0)), doing)
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
        self._live.stop()


def _first(text: str) -> str:
    """The first line; the whole text comes at the end."""
    return tame(text.partition("\n")[0])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
