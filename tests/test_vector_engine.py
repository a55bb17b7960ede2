"""The page, the card and the real child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from vector_kit import FONTS, ROOT, opening, request

from engines import parameters, png, protocol
from engines.protocol import Done, Render


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
    read, write = os.pipe()
    messages: list[protocol.Message] = [opening(tmp_path), Render(requests=(request("KEEP"),))]
    child = subprocess.run(
        [sys.executable, "-P", str(ROOT / "engines/__main__.py"), str(read), "vector"],
        input=b"".join(protocol.encode(message) for message in messages),
        stdout=subprocess.PIPE,
        pass_fds=[read],
        cwd=tmp_path,
        timeout=60,
        check=True,
    )
    os.close(read)
    os.close(write)
    hello, done = [protocol.decode(line) for line in child.stdout.splitlines(keepends=True)]
    assert isinstance(hello, protocol.Hello)
    assert (hello.adapter, hello.determinism) == ("vector", protocol.Determinism.BITWISE)
    assert isinstance(done, Done)
    assert png.decode(tmp_path / "a.png").shape == (80, 200, 4)
