"""A project in a folder, built by the real command in a process of its own.

Knows nothing of what its assets are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkout
import rtoml
import watch


@dataclass(frozen=True, slots=True)
class Built:
    """What one `artlock build` did."""

    outcome: Mapping[str, Any]
    """What `--json` says: names by what became of them."""
    watched: watch.Watched


class Project:
    """A fresh project with a fresh store, so that nothing is known from an earlier run."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self._cache = folder.with_name(f"{folder.name}-store")
        folder.mkdir(parents=True)
        text = rtoml.dumps({"project": {"name": folder.name}, **manifest})
        (folder / "assets.toml").write_text(text, encoding="utf-8")

    @property
    def environ(self) -> dict[str, str]:
        """What `artlock` is started with."""
        return checkout.environment(self._cache)

    def build(self, space: int = 0) -> Built:
        """`artlock build`, from the start of its process to its end.

        `space`: bytes of address space for the builder and for each of its engines; 0 for no limit.
        """
        command = checkout.artlock("build", "--json")
        if space:
            command = limited(space, command)
        log = self.folder / "build.log"
        watched = watch.run(command, cwd=self.folder, environ=self.environ, log=log)
        try:
            outcome = json.loads(log.with_suffix(".out").read_bytes())
        except ValueError:
            outcome = {}
        if "built" not in outcome:
            sys.exit(f"`artlock build` ended with {watched.code} and no outcome:\n{watched.output}")
        return Built(outcome, watched)


def limited(space: int, command: list[str]) -> list[str]:
    """`command` under a limit of address space, which every process that it starts inherits."""
    return [sys.executable, str(checkout.HERE / "limited.py"), str(space), *command]
