"""Numbers of the journal as a person reads them.

Knows nothing of terminals or pages.
"""

from __future__ import annotations

from typing import Final

NOTHING: Final = "—"
_MINUTE: Final = 60
_HOUR: Final = 3600
_THOUSAND: Final = 1000


def seconds_told(seconds: float | None) -> str:
    """`34 ms`, `1.84 s`, `12.4 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None or seconds == 0:
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if round(seconds * 1000) else "< 1 ms"
    if seconds < _MINUTE:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - three digits
    minutes, rest = divmod(round(seconds), _MINUTE)
    if seconds < _HOUR:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes:02} min"


def seconds_tick(seconds: float) -> str:
    """The same for the ticks of an axis, which are round numbers: `40 s`, `2 min`, `1 h 30 min`."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    if seconds < _MINUTE:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def bytes_told(number: int) -> str:
    """`612 MB`, `10.2 GB`; a dash where it is unknown."""
    if number <= 0:
        return NOTHING
    megabytes = number / 1e6
    return f"{megabytes:.0f} MB" if megabytes < _THOUSAND else f"{megabytes / 1000:.1f} GB"


def dollars(amount: float) -> str:
    """`$0.040`, `$12.40`; a dash for nothing."""
    if not amount:
        return NOTHING
    return f"${amount:.3f}" if amount < 1 else f"${amount:.2f}"


def when(moment: str) -> str:
    """A moment of the journal to the minute."""
    return moment[:16].replace("T", " ")


def printable(text: str) -> str:
    """`text` on one line, with what no page or drawing could hold spelled out."""
    return "".join(
        letter
        if letter.isprintable()
        else " "
        if letter == "\n"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def count(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
