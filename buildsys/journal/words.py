"""Numbers of the journal as a person reads them.

Knows nothing of terminals or pages.
"""

from __future__ import annotations

from typing import Final

NOTHING: Final = "—"
_MINUTE: Final = 60
_HOUR: Final = 3600
_THOUSAND: Final = 1000
_SMALLEST: Final = 0.001
"""US dollars that are told as a number: less would read as nothing."""


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
    """`840 B`, `12 kB`, `612 MB`, `10.2 GB`; a dash where it is unknown."""
    if number <= 0:
        return NOTHING
    if number < _THOUSAND:
        return f"{number} B"
    if round(number / 1e3) < _THOUSAND:
        return f"{number / 1e3:.0f} kB"
    megabytes = number / 1e6
    return f"{megabytes:.0f} MB" if megabytes < _THOUSAND else f"{megabytes / 1000:.1f} GB"


def dollars(amount: float) -> str:
    """`$0.040`, `$12.40`, `< $0.001`; a dash for nothing."""
    if not amount:
        return NOTHING
    if amount < _SMALLEST:
        return f"< ${_SMALLEST:.3f}"
    return f"${amount:.3f}" if amount < 1 else f"${amount:.2f}"


def money(usd: float, unknown: int, nothing: str = NOTHING) -> str:
    """`$0.402`, `at least $0.402, and 2 of unknown price`, `2 of unknown price`; or `nothing`."""
    rest = f"{unknown} of unknown price"
    if not usd:
        return rest if unknown else nothing
    return f"at least {dollars(usd)}, and {rest}" if unknown else dollars(usd)


def spent_tile(usd: float, unknown: int) -> tuple[str, str]:
    """The same as a large number and the words below it."""
    if not usd:
        return "unknown", f"spent: {unknown} of unknown price"
    if not unknown:
        return dollars(usd), "spent"
    return f"at least {dollars(usd)}", f"spent, and {unknown} of unknown price"


def commit_told(revision: str, *, dirty: bool | None) -> str:
    """`1a2b3c4d5e`, `1a2b3c4d5e-dirty` as `git describe` has it, `no commit`."""
    return f"{revision[:10]}{'-dirty' if dirty else ''}" if revision else "no commit"


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
