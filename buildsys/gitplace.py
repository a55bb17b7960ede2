"""Which of git's own variables count for a folder. Knows no command of git but one.

By variables git tells a hook where it works, and a hook may look anywhere: what would lead git into another
repository than the folder's own is removed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_BESIDE: Final = ("GIT_DIR", "GIT_WORK_TREE")
"""How git tells of a repository that lies beside its work tree: `git --git-dir=… commit`."""
_OBJECTS: Final = ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH")
"""Where what a push brings waits until `pre-receive` took it."""
_PLACES: Final = frozenset(
    {
        *_BESIDE,
        *_OBJECTS,
        "GIT_COMMON_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
    }
)
"""What binds git to one repository: `git rev-parse --local-env-vars`, less configuration, and what
else is set while a hook runs."""
_BARE: Final = ("HEAD", "objects", "refs")
"""What lies at the top of a repository without a work tree."""


def environment(keep: Iterable[str] = (), source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which git is run: bound to no repository, in English, asking nobody.

    `keep` names variables to leave in, such as `GIT_INDEX_FILE` where a hook looks at what is committed.
    """
    dropped = _PLACES.difference(keep)
    kept = {name: value for name, value in source.items() if name not in dropped}
    if tree := kept.get("GIT_WORK_TREE"):
        # Git is run in other folders than ours, from which it would mean another one.
        kept["GIT_WORK_TREE"] = str(Path(tree).absolute())
    # A status must not take the lock of the index away from the user's own git.
    return kept | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def is_repository(folder: Path) -> bool:
    """Whether `folder` is in the work tree of a git repository; also True where git does not trust it."""
    return any((above / ".git").exists() for above in _upwards(folder)) or beside(folder)


def own(folder: Path) -> tuple[str, ...]:
    """Those variables that are of the repository that `folder` is in."""
    kept = _BESIDE if beside(folder) else ()
    return (*kept, *_OBJECTS) if _quarantined(folder, kept) else kept


def beside(folder: Path) -> bool:
    """Whether `GIT_DIR` names the repository of `folder`: only where there is no other one.

    Else a hook of the repository above would show the wrong one to a submodule.
    """
    if not os.path.isabs(os.environ.get("GIT_DIR", "")):  # noqa: PTH117 - a word of the environment
        return False
    tree = os.environ.get("GIT_WORK_TREE")
    if tree is not None and not folder.resolve().is_relative_to(Path(tree).resolve()):
        return False
    return not any(
        (above / ".git").exists() or all((above / name).exists() for name in _BARE)
        for above in _upwards(folder)
    )


def _upwards(folder: Path) -> tuple[Path, ...]:
    return (folder.absolute(), *folder.absolute().parents)


def _quarantined(folder: Path, keep: Iterable[str]) -> bool:
    """Whether `GIT_OBJECT_DIRECTORY` is a folder within the objects of the repository of `folder`."""
    told = os.environ.get("GIT_OBJECT_DIRECTORY", "")
    if not os.path.isabs(told):  # noqa: PTH117 - a word of the environment
        return False
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--git-path", "objects"],  # noqa: S607 - the git that the user has
            cwd=folder,
            env=environment(keep),
            capture_output=True,
            check=False,
        )
    except OSError:
        return False  # the command that asks is told why
    objects = folder / os.fsdecode(done.stdout.removesuffix(b"\n"))
    return done.returncode == 0 and Path(told).resolve().is_relative_to(objects.resolve())
