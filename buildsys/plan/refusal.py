"""A refusal: what an engine, or a check, turned down, kept so that nobody pays for the same answer twice.

Knows nothing of where it is kept, nor of what a person does about it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from buildsys.plan.step import Reason, Why

GATE: Final = "gate"
"""The kind of a refusal by which a finished picture failed its asset's gates."""

HINT: Final = "change its prompt, or run `artlock build --retry-refused`"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One recipe that was turned down."""

    engine: str
    """The engine's name in the manifest at that time; of the recipe only its adapter and model are part."""
    kind: str
    """Of the error, as in `engines.protocol.ErrorKind`; or `gate`."""
    message: str
    hint: str = ""
    dated: str
    """ISO date, UTC."""
    cost: float | None = None
    """US dollars that were taken for it all the same; None: nobody knows."""

    def text(self) -> str:
        """One line for a person."""
        if self.kind == GATE:
            return f"{self.message.partition(chr(10))[0]} (on {self.dated})"
        return f"`{self.engine}` refused it on {self.dated}: {self.message.partition(chr(10))[0]}"

    def reason(self, name: str) -> Reason:
        """Why the plan does not ask again for what the asset `name` needs."""
        if self.kind != GATE:
            return Reason(why=Why.REFUSED, field=self.engine, new=self.text(), hint=HINT)
        return Reason(
            why=Why.REJECTED,
            field=self.engine,
            old=self.message.partition("\n")[2],
            new=self.text(),
            hint=self.hint,
            more=f"artlock explain {name}",
        )
