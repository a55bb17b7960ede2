"""The page, the card and the real child process."""

from __future__ import annotations

import json
from pathlib import Path

from engine_child import converse
from vector_kit import FONTS, ROOT, opening, request

from engines import parameters, png, protocol
from engines.protocol import Done


def test_the_page_names_every_parameter_and_font() -> None:
    page = (ROOT / "docs" / "engine-vector.md").read_text()
    declared = parameters.declared(parameters.card(ROOT / "engines" / "vector")["parameters"])
    for parameter in declared.values():
        row = next(line for line in page.splitlines() if line[:2] == "| " and f"`{parameter.name}`" in line)
        shown = parameter.default if isinstance(parameter.default, str) else json.dumps(parameter.default)
        assert parameter.default is None or shown in row, row
        assert all(f"`{choice}`" in row for choice in parameter.choices), row
    for path in FONTS.glob("*.ttf"):
        assert f"| `bundled:fonts/{path.name}` |" in page


def test_through_a_real_child(tmp_path: Path) -> None:
    hello, (done,) = converse(opening(tmp_path), request("KEEP"), tmp_path)
    assert (hello.adapter, hello.determinism) == ("vector", protocol.Determinism.BITWISE)
    assert isinstance(done, Done)
    assert png.decode(tmp_path / "a.png").shape == (80, 200, 4)
