"""`artlock init`: a manifest to start from, dodo.py, and git's settings. Overwrites nothing."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

from buildsys.cli.console import paint, say
from buildsys.errors import ArtlockError, Exit
from buildsys.files import write_durably
from buildsys.files.durable import disk_error

MANIFEST: Final = """\
# The game's art. `artlock build` makes what is stale; `artlock plan` shows what that would be.
# Every key: `artlock schema`, or docs/manifest.md.

[project]
name = "{name}"
{outputs}
[roles]
sprite    = "stock"     # free icons, found by prompt: needs no weights, key or GPU
lettering = "vector"    # exact text in a font

[styles.pixel]
parameters.stock = {{ style = "pixel" }}

[assets."gems/{{color}}"]     # one asset per value
role   = "sprite"
prompt = "{{color}} gem"
seed   = 7
size   = [64, 64]
matrix = {{ color = ["red", "green", "blue"] }}

[assets.hero]
role   = "sprite"
style  = "pixel"
prompt = "knight helmet"
seed   = 1
size   = [64, 64]

[assets.hero-icon]          # made from another asset, rebuilt when its picture changes
from   = "hero"
finish = [{{ resize = {{ size = [32, 32], filter = "nearest" }} }}]

[assets.title]
role   = "lettering"
text   = "{title}"
size   = [512, 128]

[assets.title.parameters]
gradient      = ["#fff3c4", "#d9a441", "#8a5a1c"]
outline_width = 5
outline_color = "#1a1430"
"""

DODO: Final = '''\
"""The same tasks for people who know doit: `doit list`, `doit`, `doit build:NAME`."""

from buildsys.tasks import DOIT_CONFIG, task_build

__all__ = ["DOIT_CONFIG", "task_build"]
'''

IGNORED: Final = (".artlock/",)
OUT: Final = "out"
"""Where a new game's assets go; ignored as well, where finished assets are not in git."""
LOCKED: Final = "assets.lock text eol=lf linguist-generated"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="where; here by default")
    parser.add_argument(
        "--outputs",
        choices=("git", "store"),
        default="git",
        help="where finished assets are kept: in git (the default), or in the store and its remote alone",
    )
    parser.add_argument(
        "--git",
        action="store_true",
        help="install the hook and git's settings as well, as `artlock hooks install` does",
    )
    parser.add_argument("--name", help="the game's name; the folder's by default")


def run(options: argparse.Namespace) -> int:
    """Write what is missing; of a game that is there already, what git lacks alone."""
    folder: Path = options.folder
    manifest = folder / "assets.toml"
    if manifest.exists():
        if not options.git:
            raise ArtlockError(f"`{manifest}` is there already", "run `artlock build`")
        from buildsys.manifest.read import read  # noqa: PLC0415 - only `--git` needs it

        project = read(folder.resolve()).project
        _tell_git(folder, project.out, away=project.outputs == "store", whole=True)
        return Exit.FINE
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error("make", folder, error) from error
    name = options.name or folder.resolve().name or "game"
    away = options.outputs == "store"
    outputs = 'outputs = "store"\n' if away else ""
    _write(manifest, MANIFEST.format(name=_slug(name), title=_title(name), outputs=outputs))
    if not (folder / "dodo.py").exists():
        _write(folder / "dodo.py", DODO)
    _tell_git(folder, OUT, away=away, whole=options.git)
    commit = "commit `assets.lock`" if away else "commit it with `assets.lock`"
    say(f"\nnext: `artlock build`, look at `out/`, then {commit}")
    return Exit.FINE


def _tell_git(folder: Path, out: str, *, away: bool, whole: bool) -> None:
    """What git is to ignore, and to leave as it is; `whole`: repository, hook and settings as well."""
    _append(folder / ".gitignore", (*IGNORED, f"/{out}/") if away else IGNORED)
    attributes: tuple[str, ...] = (LOCKED,) if away else (LOCKED, f"/{out}/** -text")
    if whole:
        from buildsys.githooks import words  # noqa: PLC0415 - only `--git` needs them

        # At once, or the file would be written, and told of, twice.
        attributes += words.attributes(out)
    _append(folder / ".gitattributes", attributes)
    if whole:
        _introduce(folder)


def _introduce(folder: Path) -> None:
    """Have git know of artlock; where there is no repository yet, there is one then."""
    from buildsys import git  # noqa: PLC0415 - only `--git` needs them
    from buildsys.cli import hooks  # noqa: PLC0415

    if not git.is_repository(folder):
        git.run(folder, "init", "--quiet")
        print(f"{paint('made', 'green')} a git repository in {folder.resolve()}")
    hooks.add(folder.resolve())


def _slug(name: str) -> str:
    """The name as a manifest takes it: nothing that would need escaping in TOML."""
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "game"


def _title(name: str) -> str:
    words = re.sub(r"[^\w]+|_", " ", name, flags=re.ASCII).strip()
    return words.title() or "Game"


def _write(path: Path, text: str) -> None:
    write_durably(path, text.encode(errors="surrogateescape"))
    print(f"{paint('wrote', 'green')} {path}")


def _append(path: Path, lines: tuple[str, ...]) -> None:
    """Add the lines that are not there yet; what a person wrote stays."""
    try:
        # Git takes any bytes there, so we do too, and give them back as they were.
        old = path.read_bytes().decode(errors="surrogateescape") if path.exists() else ""
    except OSError as error:
        raise disk_error("read", path, error) from error
    new = [line for line in lines if line not in old.splitlines()]
    if new:
        joint = "" if not old or old.endswith("\n") else "\n"
        _write(path, f"{old}{joint}" + "".join(f"{line}\n" for line in new))
