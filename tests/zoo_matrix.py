"""The engine zoo as a table: who misbehaves how, and what a person reads of it.

Knows nothing of how a build of it is started or ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engines.protocol import ErrorKind

TRANSIENT, INTERNAL, OOM = ErrorKind.TRANSIENT, ErrorKind.INTERNAL, ErrorKind.OUT_OF_MEMORY

PATIENCE: Final = 3
"""Seconds that an engine of the zoo has, where its end is the deadline."""

SILENT: Final = "the engine `{me}` gave no sign of life for 3 s while making `bad/{me}`"
UNLOADED: Final = "the engine `{me}` did not load within 3 s"
UNFIT: Final = "the engine `{me}` made no usable picture of `bad/{me}`: "
ENDED: Final = "while making `bad/{me}`"
BROKE: Final = "the engine `{me}` broke the protocol: "

LOG: Final = "read its log, `.artlock/logs/{me}.log`"
ROOM: Final = "close other programs"
TIME: Final = "raise `limits.render_seconds` of `[engines.{me}]`"
LOADTIME: Final = "raise `limits.load_seconds` of `[engines.{me}]`"
VERSION: Final = "use one version of artlock on both sides"


@dataclass(frozen=True, slots=True)
class Row:
    """One misdeed; `{me}` in a text is its name."""

    me: str
    """The engine's name; its assets are `bad/ME`, and `well/ME`, for which it behaves."""
    animal: str
    """The adapter: `tests/zoo/ANIMAL.py`."""
    act: str
    kind: ErrorKind | None
    """Of the failure; None where there is none."""
    told: str
    """The failure, where the misdeed itself is one. Empty: the picture is made all the same."""
    stuck: str = ""
    """The failure where the engine hangs after its misdeed; empty: what `told` says."""
    hint: str = LOG
    last: str = ""
    """A line that the failure shows of the log."""
    loads: bool = False
    """It misbehaves while it loads, not on a request."""
    memory: str = ""
    """What it may take, as its card says it; empty for no limit."""
    lost: str = ""
    """Why the engine is replaced, where its picture is made all the same."""

    def failure(self, *, stuck: bool) -> str:
        """What is said of `bad/ME`; empty where it is made."""
        return ((stuck and self.stuck) or self.told).format(me=self.me)


ZOO: Final = (
    # It is loud.
    Row("prints", "noisy", "print", TRANSIENT, "", SILENT, TIME, last="noise while rendering"),
    Row("floods", "noisy", "flood", TRANSIENT, "", SILENT, TIME, last="x" * 99),
    # It dies.
    Row("exits", "mortal", "exit", TRANSIENT, "the engine `{me}` ended with exit code 3 " + ENDED),
    Row(
        "segfaults",
        "mortal",
        "segfault",
        TRANSIENT,
        "the engine `{me}` was ended by SIGSEGV " + ENDED,
        last="Fatal Python error: Segmentation fault",
    ),
    Row(
        "allocates",
        "mortal",
        "eat",
        OOM,
        "the engine `{me}` ran out of memory " + ENDED + ": it may take 1 GB",
        hint="raise `limits.memory` of `[engines.{me}]`",
        memory="1 GB",
    ),
    Row(
        "killed",
        "mortal",
        "killed",
        OOM,
        "the engine `{me}` was killed by SIGKILL " + ENDED + ": perhaps the machine ran out of memory",
        hint=ROOM,
        last="about to killed",
    ),
    # It does not end.
    Row("hangs", "stubborn", "hang", TRANSIENT, "", SILENT, TIME, last="making bad/hangs"),
    Row("holds-gil", "stubborn", "hold", TRANSIENT, "", SILENT, TIME, last="making bad/holds-gil"),
    Row("ignores-term", "stubborn", "deaf", TRANSIENT, "", SILENT, TIME, last="making bad/ignores-term"),
    Row("forks", "stubborn", "escape", TRANSIENT, "", SILENT, TIME, last="making bad/forks"),
    # It never says hello, or the wrong one.
    Row("never-hello", "stubborn", "hang", TRANSIENT, "", UNLOADED, LOADTIME, loads=True),
    Row("loads-in-c", "stubborn", "hold", TRANSIENT, "", UNLOADED, LOADTIME, loads=True),
    Row(
        "protocol-99",
        "babbler",
        "protocol",
        INTERNAL,
        "the engine `{me}` speaks protocol 99, artlock speaks 1",
        hint=VERSION,
        loads=True,
    ),
    # It can't speak.
    Row(
        "answers-twice", "babbler", "twice", None, "", lost="broke the protocol: it spoke without being asked"
    ),
    Row("stranger", "babbler", "other", INTERNAL, BROKE + "there is no request `a stranger`"),
    Row("long-line", "babbler", "line", INTERNAL, BROKE + "a line is longer than 4194304 bytes"),
    Row(
        "not-utf8",
        "babbler",
        "utf8",
        INTERNAL,
        BROKE + 'not UTF-8: b\'{{"type":"done","id":"\\xff\\xfe"}}\\n\'',
    ),
    # It hands over something else.
    Row(
        "outside",
        "liar",
        "outside",
        INTERNAL,
        UNFIT + "it handed over `../tmp/outside.png`, not the file that it was asked for",
    ),
    Row("folder", "liar", "folder", INTERNAL, UNFIT + "it handed over a folder"),
    Row("symlink", "liar", "link", INTERNAL, UNFIT + "it handed over a symbolic link"),
    Row("empty", "liar", "empty", INTERNAL, UNFIT + "its file is empty"),
    Row("truncated", "liar", "cut", INTERNAL, UNFIT + "its file is cut short"),
    Row(
        "huge",
        "liar",
        "huge",
        INTERNAL,
        UNFIT + "its file says it is 100000x100000 pixels; a side has 1 to 16384",
    ),
    Row("wrong-size", "liar", "other size", INTERNAL, UNFIT + "it is 9x6 pixels, not 8x6 as asked"),
)
