"""Canonical JSON: the quick way gives the bytes of the definition, whatever JSON holds."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from buildsys import digest

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner)
)


def defined(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(), VALUES))
@example({"a": 0.00005, "b": [1e16, -0.0, 5e-324]})
@example({"a": {"n": None, "x": [None]}, "b": "a:1.5,null"})
@example({"a": 2**64, "b": -(2**200)})
@example({"\uffff": 1, "\U0001f600": 2, "é": 3, "\x7f": "\x00\x1f\x7f\u2028\\/"})
def test_the_quick_way_gives_the_bytes_of_the_definition(value: dict[str, Any]) -> None:
    assert digest.canonical(value) == defined(value)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_not_finite_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        digest.canonical({"a": [1, {"b": odd}]})


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        digest.canonical({"a": "\ud800"})


def test_a_known_digest() -> None:
    value = {"b": [1, 2.5, "é"], "a": {"z": None, "y": True}}
    assert digest.canonical(value) == '{"a":{"y":true,"z":null},"b":[1,2.5,"é"]}'.encode()
