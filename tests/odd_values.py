"""Values and texts that nobody writes on purpose, and trees of data with one in some place."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any, Final

from hypothesis import strategies as st

_DEEP: Final = 60
"""Lists within each other; TOML's reader takes some 80."""

_TEXTS: Final = (
    *("", " ", "\0", "\x1b[2J", "a\nb", "\r", "\u202e", "\ufeff", "é", "e\u0301", "🂡", "a" * 5000),
    *(
        "..",
        "../x",
        "/etc/passwd",
        "a/../b",
        "C:\\x",
        ".git/config",
        "out",
        "bundled:fonts/x.ttf",
        "asset:hero",
    ),
    *(
        "{",
        "}",
        "{x}",
        "{one of:",
        "{one of: a|b}",
        "{{",
        "|",
        "__proto__",
        "__class__",
        "*",
        "**",
        "[",
        "[a-",
    ),
    *(
        "2026-02-30",
        "nan",
        "1e999",
        "0" * 64,
        "f" * 64,
        "F" * 64,
        "'",
        '"',
        "\\",
        '"""',
        "<<<<<<< a",
        "#",
        "%s",
    ),
)


def _nested(value: Any, deep: int) -> Any:
    for _ in range(deep):
        value = [value]
    return value


TEXTS: Final = st.sampled_from(_TEXTS) | st.text(max_size=8)
NUMBERS: Final = st.sampled_from(
    [0, -1, 1, 2**31, 2**53, 2**63 - 1, -(2**63), 10**30, 0.0, -0.0, 0.1, 1e308, 5e-324, math.inf, math.nan]
)
LEAVES: Final = st.one_of(st.booleans(), NUMBERS, TEXTS)
VALUES: Final = st.one_of(
    LEAVES,
    st.lists(LEAVES, max_size=3),
    st.dictionaries(TEXTS, LEAVES, max_size=2),
    st.sampled_from(
        [{}, [], [{}], [[]], {"json": "[NaN]"}, {"json": "null"}, {"asset": "hero"}, _nested(1, _DEEP)]
    ),
)
DATES: Final = st.sampled_from([dt.date(1, 1, 1), dt.time(23, 59), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)])


@st.composite
def changed(draw: st.DrawFn, tree: Any, values: st.SearchStrategy[Any]) -> Any:
    """`tree` with one to three of its parts replaced, taken out, doubled under another key, or exchanged."""
    for _ in range(draw(st.integers(1, 3))):
        tree = draw(_changed(tree, values))
    return tree


@st.composite
def _changed(draw: st.DrawFn, tree: Any, values: st.SearchStrategy[Any]) -> Any:
    inner = isinstance(tree, dict | list) and bool(tree)
    if not inner or draw(st.integers(0, 9)) == 0:
        return draw(values)
    whole = dict(tree) if isinstance(tree, dict) else dict(enumerate(tree))
    key = draw(st.sampled_from(list(whole)))
    match draw(st.integers(0, 5)):
        case 0:
            del whole[key]
        case 1:
            other = draw(st.sampled_from(list(whole)))
            whole[key], whole[other] = whole[other], whole[key]
        case 2 if isinstance(tree, dict):
            whole[draw(TEXTS)] = whole[key]
        case _:
            whole[key] = draw(_changed(whole[key], values))
    return whole if isinstance(tree, dict) else list(whole.values())


def written(tree: dict[str, Any]) -> str:
    """`tree` as TOML, whatever is in it; a table's own table is a table of its own."""
    return "".join(f"{_key(key)} = {_inline(value)}\n" for key, value in tree.items())


def _inline(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _key(value)
        case dict():
            return "{" + ", ".join(f"{_key(key)} = {_inline(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case dt.date() | dt.time():
            return value.isoformat()
    return str(value)


def _key(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
