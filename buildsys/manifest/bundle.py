"""Paths of files, held against the files that come with artlock.

Knows nothing of the project's own files: one that is missing is told when its bytes are wanted.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from buildsys.errors import did_you_mean
from buildsys.manifest.kinds import written
from buildsys.manifest.model import Parameter
from buildsys.manifest.names import BUNDLED
from buildsys.manifest.source import Fault


class Bundle:
    """The files under the folder of the bundled adapters; each of its folders is listed once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listed: dict[str, list[str]] = {}

    def check(self, parameter: Parameter, path: str) -> None:
        """Raise `Fault` where `path`, meant for `parameter`, is a missing bundled file, or no path."""
        if path.startswith(BUNDLED):
            folder, _, name = path.removeprefix(BUNDLED).rpartition("/")
            # The listing, not `is_file`: a disk that ignores case would let a wrong one pass.
            if name not in self._names(folder):
                fact = f"there is no `{path}` among the files that come with artlock"
                raise Fault(fact, self._nearest(name, folder) or self._hint(parameter))
        elif "/" not in path and "." not in path:
            fact = f"`{parameter.name}` must be the path of a file, not {written(path)}"
            folder = _home(parameter)[0]
            raise Fault(fact, self._nearest(path, folder) or self._hint(parameter))

    def _names(self, folder: str) -> list[str]:
        if folder not in self._listed:
            there = self._root / folder
            files = there.iterdir() if there.is_dir() else ()
            self._listed[folder] = sorted(file.name for file in files if file.is_file())
        return self._listed[folder]

    def _nearest(self, name: str, folder: str) -> str:
        """`did you mean …` for the file of `folder` with the nearest name, if one is near."""
        # Names alone are compared: the folder that all share would make any two of them near.
        near = did_you_mean(name, self._names(folder)) if folder else ""
        return near.replace("`", f"`{BUNDLED}{folder}/", 1)

    def _hint(self, parameter: Parameter) -> str:
        """The bundled files that `parameter` may be: those like its default."""
        folder, suffix = _home(parameter)
        names = [name for name in self._names(folder) if name.endswith(suffix)] if folder else []
        listed = ", ".join(f"`{BUNDLED}{folder}/{name}`" for name in names)
        return f"use one of {listed}" if listed else "give its path in the project, with its suffix"


def _home(parameter: Parameter) -> tuple[str, str]:
    """Folder and suffix of the bundled file that is the default of `parameter`; empty without one."""
    default = parameter.default
    if not isinstance(default, str) or not default.startswith(BUNDLED):
        return "", ""
    path = PurePosixPath(default.removeprefix(BUNDLED))
    return path.parent.as_posix(), path.suffix
