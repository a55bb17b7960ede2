"""Who makes an asset: its engine, and where that gives up, the next one of its fallback.

Knows nothing of which engine is next, which the judge says, nor of what is told of an asset at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from buildsys.digest import Digest
from buildsys.make.failure import EngineFailed
from buildsys.make.progress import AssetHandedOn, Event, taken_up
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record
from buildsys.plan.standins import obstacles
from buildsys.plan.step import Reason, Step, Verdict, Why
from engines.protocol import ErrorKind

HANDED_ON: Final = frozenset(
    {
        ErrorKind.REFUSED,
        ErrorKind.RATE_LIMITED,
        ErrorKind.TRANSIENT,
        ErrorKind.QUOTA,
        ErrorKind.RETIRED,
    }
)
"""Errors by which an engine itself says that it will not make an asset, now or ever, and that nothing is
under way. Not `uncertain`: the picture may have been made and billed, and a second one would be billed
too. Not what is wrong with the manifest, this machine or the engine's code: another engine would hide it."""


class Makes(Protocol):
    """Makes and restores single assets; see `buildsys.make.maker`, and `candidates` beside it."""

    def make(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        """Make an asset: its record, and notes for a person. Raises `MakeError`."""
        ...

    def restore(self, step: Step) -> Record | None:
        """Bring back what is known, or None where the bytes turn out to be lost."""
        ...


class Judges(Protocol):
    """Says what is to be done for single assets; see `buildsys.plan.judge`, and `buildsys.frozen`."""

    def step(self, name: AssetName) -> Step:
        """What is to be done for an asset, as things are now."""
        ...

    def settle(self, step: Step, made: Digest | None = None) -> None:
        """Note what lies in the place of a step that was carried out."""
        ...

    def pass_over(self, name: AssetName, engine: str, reason: Reason) -> None:
        """Ask `engine` no more for an asset in this build."""
        ...


class Succession:
    """Makes and brings back assets, by whichever engine can. Called from several threads at once.

    Args:
        judge: asked again for each asset that an engine gave up on.
        maker: makes and restores.
        lose: told of bytes that were believed to be restorable, and are not.
        supply: asked for what this machine lacks of a step; whether anything came.
        tell: given each event.
        locked: the lock may not change, so that nobody else may make what it has from one engine.
    """

    def __init__(
        self,
        judge: Judges,
        maker: Makes,
        *,
        lose: Callable[[Digest], None],
        supply: Callable[[Step], bool],
        tell: Callable[[Event], None],
        locked: bool,
    ) -> None:
        self._judge = judge
        self._maker = maker
        self._lose = lose
        self._supply = supply
        self._tell = tell
        self._locked = locked

    def carry_out(self, step: Step) -> tuple[Step, Record | None, tuple[str, ...]]:
        """The step as it was carried out, what came of it, and notes for a person.

        No record: nothing was to be made. Raises `MakeError`.
        """
        first: EngineFailed | None = None
        while True:
            step, record = self._restore(step)
            if step.verdict is not Verdict.BUILD:
                return step, record, ()
            try:
                return step, *self._maker.make(step)
            except EngineFailed as error:
                first = first or error
                step = self._handed_on(step, error, first)

    def _restore(self, step: Step) -> tuple[Step, Record | None]:
        """Bring back what is known; a step that is judged again, as often as that turns out to be lost."""
        while step.verdict is Verdict.RESTORE:
            record = self._maker.restore(step)
            if record is not None:
                return step, record
            if step.known is not None and not self._supply(step):
                self._lose(step.known.picture.file)
            step = self._judge.step(step.name)
        return step, None

    def _handed_on(self, step: Step, error: EngineFailed, first: EngineFailed) -> Step:
        """The step of the engine to ask after `error`. Raises `EngineFailed` where there is none.

        `first`: the error of the first engine that was asked in this build.
        """
        if not gives_up(error):
            if step.instead_of:
                raise error.retold(f"{error.message}\n{step.reasons[0].text()}")
            raise error
        if not (step.asset.standins or step.instead_of):
            raise error
        reason = Reason(why=Why.GAVE_UP, field=error.engine, new=error.message, hint=error.hint)
        self._judge.pass_over(step.name, error.engine, reason)
        following = self._judge.step(step.name)
        if self._supply(following):
            following = self._judge.step(step.name)
        if following.verdict is Verdict.BLOCKED:
            raise _defeat(error, first, following)
        if self._locked and (step.recorded is None or following.recipe != step.recorded.recipe):
            raise error
        to = following.asset.engine
        self._tell(AssetHandedOn(name=step.name, engine=error.engine, message=error.message, to=to))
        self._tell(taken_up(following))
        return following


def gives_up(error: EngineFailed) -> bool:
    """Whether another engine may be asked after `error`."""
    return bool(error.engine) and not error.crashed and error.kind in HANDED_ON


def _defeat(error: EngineFailed, first: EngineFailed, blocked: Step) -> EngineFailed:
    """What is told where nobody is left: the words of the first engine, and a line for each other one."""
    told = obstacles(blocked)
    if not told:  # what keeps it from being made by now has nothing to do with engines
        return error
    return first.retold("\n".join([told[0].new, *(reason.text() for reason in told[1:])]))
