"""Every message about a manifest, whole, as a person sees it.

The cases and the messages are in `test_manifest_messages.txt`. To accept what the code says now, run
this file with Python from the repository's root and read the difference in git.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from buildsys.errors import ManifestError
from buildsys.manifest.model import Manifest
from buildsys.manifest.read import parse

HERE = Path(__file__).parent
BUNDLE = HERE / "test_manifest_bundle"
GOLDEN = HERE / "test_manifest_messages.txt"

PROJECT = '\n[project]\nname = "game"\n'
ROLES = """
[roles]
sprite = "stock"
portrait = { draft = "sd35-turbo", final = "sd35-medium" }
lettering = "vector"
sky = "clouds"

[engines.clouds]
adapter = "cloud"
"""


def cases() -> list[tuple[str, str, str]]:
    """Name, manifest and message of each case."""
    found = []
    for block in GOLDEN.read_text(encoding="utf-8").split("\n=== ")[1:]:
        name, _, rest = block.partition("\n")
        text, _, message = rest.partition("\n---\n")
        found.append((name, text, message.rstrip("\n")))
    return found


def made(text: str) -> Manifest:
    """The manifest of a case. `#: FILE` starts an included file; what a case does not speak of is added."""
    main, *others = text.split("#: ")
    main += "" if "project" in main else PROJECT
    main += "" if "[roles" in main else ROLES
    texts = {"assets.toml": main}
    for other in others:
        file, _, rest = other.partition("\n")
        texts[file] = rest
    return parse(texts, root=BUNDLE, bundled=BUNDLE)


def said(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        made(text)
    return str(caught.value)


@pytest.mark.parametrize(("text", "message"), [pytest.param(*case[1:], id=case[0]) for case in cases()])
def test_message(text: str, message: str) -> None:
    assert said(text) == message, f"to accept it, run `python {GOLDEN.with_suffix('.py').name}`"


@pytest.mark.parametrize("text", [pytest.param(case[1], id=case[0]) for case in cases()])
def test_every_message_has_a_place_and_a_hint(text: str) -> None:
    lines = said(text).splitlines()
    assert lines[0].split(" ")[0].endswith(":")
    assert any(line.startswith("hint: ") and len(line) > len("hint: ") for line in lines)


def accept() -> None:
    """Write the golden file anew from what the code says."""
    head = GOLDEN.read_text(encoding="utf-8").split("\n=== ")[0]
    blocks = [f"{name}\n{text}\n---\n{said(text)}\n" for name, text, _ in cases()]
    GOLDEN.write_text("\n=== ".join([head, *blocks]), encoding="utf-8")


if __name__ == "__main__":
    accept()
