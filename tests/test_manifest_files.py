"""The manifest on disk: what is missing, unreadable or out of bounds, and what is included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from buildsys.errors import ManifestError
from buildsys.manifest.model import Manifest
from buildsys.manifest.read import read

BUNDLE = Path(__file__).parent / "test_manifest_bundle"
ASSET = '[assets.{}]\nengine = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "game"
    root.mkdir()
    write(root / "assets.toml", '[project]\nname = "game"\n')
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def include(root: Path, *globs: str) -> None:
    listed = ", ".join(f"'{glob}'" for glob in globs)
    write(root / "assets.toml", f'[project]\nname = "game"\ninclude = [{listed}]\n')


def made(root: Path) -> Manifest:
    return read(root, bundled=BUNDLE)


def said(root: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        made(root)
    return str(caught.value)


def remove(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_latin(path: Path) -> None:
    path.write_bytes('[project]\nname = "Schlo\xdf"\n'.encode("latin-1"))


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove, "there is no `assets.toml` here\n\nhint: run `artlock init`"),
        (make_folder, "`assets.toml` is a folder, not a file\n\nhint: move it away"),
        (make_latin, "assets.toml:2: not UTF-8\n\nhint: save the file as UTF-8"),
        (
            make_empty,
            (
                'assets.toml: `[project]` is missing\n\nhint: add `[project]` with `name = "my-game"`, '
                "or run `artlock init`"
            ),
        ),
    ],
)
def test_a_file_that_is_no_manifest(project: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(project / "assets.toml")
    assert said(project) == message


def test_a_byte_order_mark_and_windows_line_ends_are_fine(project: Path) -> None:
    (project / "assets.toml").write_bytes(b'\xef\xbb\xbf[project]\r\nname = "game"\r\n')
    assert made(project).project.name == "game"


def test_includes_are_sorted_and_read_once(project: Path) -> None:
    include(project, "art/*.toml", "art/b.toml", "*.toml")
    write(project / "art" / "b.toml", ASSET.format("b"))
    write(project / "art" / "a.toml", ASSET.format("a"))
    manifest = made(project)
    assert manifest.files == ("assets.toml", "art/a.toml", "art/b.toml")
    assert list(manifest.assets) == ["a", "b"]


@pytest.mark.parametrize(
    ("glob", "message"),
    [
        ("art/*.toml", "`art/*.toml` matches no file\n\nhint: correct it, or remove it from `include`"),
        ("../*.toml", "the path `../*.toml` leads out of its folder\n\nhint: name a file inside the project"),
        ("/art/*.toml", "the path `/art/*.toml` is absolute\n\nhint: give it relative to the project"),
        ("art/**x", "`art/**x` matches no file\n\nhint: correct it, or remove it from `include`"),
    ],
)
def test_a_glob_that_leads_nowhere(project: Path, glob: str, message: str) -> None:
    include(project, glob)
    told = said(project)
    assert told.startswith("assets.toml:3:12: ")
    if "**x" not in glob:  # Python 3.11 and 3.13 disagree on whether that is a glob
        assert told == f"assets.toml:3:12: {message}"


def test_a_link_out_of_the_project_is_refused(project: Path) -> None:
    write(project.parent / "secret.toml", ASSET.format("a"))
    (project / "art").mkdir()
    (project / "art" / "a.toml").symlink_to(project.parent / "secret.toml")
    include(project, "art/*.toml")
    assert said(project) == (
        "assets.toml:3:12: `art/a.toml` leads out of the project\n\nhint: copy the file into the project"
    )


def test_a_folder_linked_out_of_the_project_is_refused(project: Path) -> None:
    write(project.parent / "other" / "a.toml", ASSET.format("a"))
    (project / "art").symlink_to(project.parent / "other")
    include(project, "art/a.toml")
    assert "`art/a.toml` leads out of the project" in said(project)


def test_an_output_folder_linked_out_of_the_project_is_refused(project: Path) -> None:
    (project.parent / "other").mkdir()
    (project / "out").symlink_to(project.parent / "other")
    assert said(project) == (
        "assets.toml: the output folder `out` leads out of the project\n\n"
        "hint: make it a folder of the project instead of a link"
    )


def test_a_wrong_include_is_told_by_the_schema(project: Path) -> None:
    write(project / "assets.toml", '[project]\nname = "game"\ninclude = "art/*.toml"\n')
    assert said(project) == (
        'assets.toml:3:11: `include` must be a non-empty array of strings, not `"art/*.toml"`\n\n'
        'hint: write it like `include = ["assets/*.toml"]`'
    )


def test_an_adapter_of_the_project(project: Path) -> None:
    card = 'name = "mine"\nversion = "1.0.0"\nsummary = "Mine"\ndeterminism = "none"\n'
    write(project / "tools" / "mine.py", "")
    write(project / "tools" / "mine.toml", card)
    write(project / "assets.toml", '[project]\nname = "game"\n[engines.mine]\nadapter = "tools/mine.py"\n')
    assert made(project).engines["mine"].card.name == "tools/mine.py"
    (project / "tools" / "mine.toml").unlink()
    assert said(project) == (
        "assets.toml:4:11: the adapter `tools/mine.py` has no card\n\nhint: write `tools/mine.toml` beside it"
    )


def test_an_adapter_linked_out_of_the_project_is_refused(project: Path) -> None:
    write(project.parent / "other" / "mine.py", "")
    write(project.parent / "other" / "mine.toml", "")
    (project / "tools").symlink_to(project.parent / "other")
    write(project / "assets.toml", '[project]\nname = "game"\n[engines.mine]\nadapter = "tools/mine.py"\n')
    assert said(project) == (
        "assets.toml:4:11: the adapter `tools/mine.py` lies outside the project\n\n"
        "hint: copy it into the project"
    )


def test_a_parameter_of_the_projects_own_adapter_among_an_assets_keys(project: Path) -> None:
    write(project / "mine.py", "")
    write(
        project / "mine.toml",
        'name = "mine"\nversion = "1.0.0"\nsummary = "x"\ndeterminism = "bitwise"\n'
        '[parameters.wobble]\ntype = "integer"\n',
    )
    text = '[project]\nname = "game"\n[engines.mine]\nadapter = "mine.py"\n'
    write(project / "assets.toml", text + '[assets.a]\nengine = "mine"\nwobble = 3\n')
    assert said(project) == (
        "assets.toml:7:1: unknown key `wobble` in `[assets.a]`"
        "\n\nhint: put it under `parameters`: `parameters = { wobble = … }`"
    )
    (project / "mine.toml").unlink()
    assert said(project).endswith("hint: did you mean `role`?")
