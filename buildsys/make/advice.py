"""What a person can do about an engine that failed: one action, chosen by what is known of the failure.

Knows nothing of processes and channels, and reads no file: it is given the last lines of the log.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from buildsys.manifest.model import Engine
from engines.protocol import ErrorKind, Failure

_COMPLAINT: Final = re.compile(r"error|exception|traceback|fatal|failed|refused|denied", re.IGNORECASE)

BILLED: Final = ". The provider may have made it, and billed it"
"""Said of a process that is lost after it was told what to make by a provider who is paid."""

LOOK: Final = "look at the account's usage before you build it again"

_STARVED: Final = "the engine ran out of memory"
"""How `engines/serve.py` says it, which knows neither the engine's name nor the asset's."""


def raise_limit(engine: Engine, limit: str) -> str:
    """To raise a limit of `engine`, as its table in the manifest spells it."""
    return f"raise `limits.{limit}` of `[engines.{engine.name}]`"


def on_silence(engine: Engine, limit: str, tail: str, *, alive: bool = False) -> str:
    """What to do where `limit` passed; empty where the log tells of an error: more time would not help.

    `alive`: it had come further, so it is slow rather than stuck, whatever it complains of.
    """
    return raise_limit(engine, limit) if alive or not _COMPLAINT.search(tail) else ""


def on_want_of_memory(engine: Engine, own: str = "", *, killed: bool = False) -> str:
    """What to do where memory ran out; `own` is what the engine itself advises.

    `killed`: by the kernel, so it was the machine that had none left, not a limit.
    """
    if killed:
        return "close other programs"
    if engine.limits.memory:
        return raise_limit(engine, "memory")
    on_gpu = engine.settings.get("device", "cpu") != "cpu"
    return own or ("choose an engine with a smaller model" if on_gpu else "close other programs")


def named(engine: Engine, failure: Failure, when: str) -> Failure:
    """`failure`; where memory ran out, with the engine's name, what it was at, and one action."""
    if failure.kind is not ErrorKind.OUT_OF_MEMORY:
        return failure
    said = failure.message.removeprefix(_STARVED).removeprefix(": ")
    message = f"the engine `{engine.name}` ran out of memory {when}"
    message = f"{message}: {said}" if said else message
    return dataclasses.replace(failure, message=message, hint=on_want_of_memory(engine, failure.hint))
