"""A project without engines in a repository: pictures that a test draws, and the lock that names them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from test_lock import record

from buildsys.digest import Digest, of_bytes
from buildsys.lock.model import Lock
from buildsys.lock.write import dump
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Picture, Record
from buildsys.review.model import Change, Review
from buildsys.review.pictures import Sources
from buildsys.review.run import review
from buildsys.store.objects import Store
from engines import png
from engines.finish import facts
from engines.png import Pixels


def noise(seed: int, height: int = 24, width: int = 24) -> Pixels:
    """An opaque picture that looks like no other."""
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def drawn(name: str, data: bytes, **parts: Any) -> Record:
    """The record of the asset `name` whose file is `data`, a picture."""
    told = facts.measure(png.rgba(png.decode_bytes(data, name)))
    picture = Picture(
        file=of_bytes(data),
        pixels=told["pixels"],
        phash=told["phash"],
        width=told["width"],
        height=told["height"],
    )
    return msgspec.structs.replace(record(name, **parts), picture=picture)


class Project:
    """A project in `folder` of the repository `top`; its pictures lie in `out/`."""

    def __init__(self, top: Path, cache: Path, below: str = "") -> None:
        self.top = top
        self.folder = top / below
        self.store = Store(cache)
        self.records: dict[AssetName, Record] = {}
        self.lock = Lock()
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (top / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main", str(top))
        (self.folder / "assets.toml").write_text('[project]\nname = "test"\n')
        (self.folder / ".gitignore").write_text(".artlock/\n")

    @classmethod
    def lying(cls, top: Path, cache: Path, below: str = "") -> Project:
        """One whose files lie there already: a clone."""
        found = cls.__new__(cls)
        found.top, found.folder, found.store = top, top / below, Store(cache)
        return found

    def git(self, *words: str, **environ: str) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **environ},
        )
        return done.stdout.strip()

    def draw(self, name: str, picture: Pixels | bytes, **parts: Any) -> Digest:
        """Have the asset `name`, in the lock and in `out/`."""
        data = picture if isinstance(picture, bytes) else png.encode(picture)
        made = drawn(name, data, **parts)
        self.put(made, data)
        return made.picture.file

    def put(self, made: Record, data: bytes | None = None) -> None:
        self.records[made.name] = made
        if data is not None:
            path = self.folder / made.output
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def drop(self, name: str) -> None:
        gone = self.records.pop(AssetName(name))
        (self.folder / gone.output).unlink(missing_ok=True)

    def save(self, **more: Any) -> None:
        """Write the lock."""
        lock = Lock(records=dict(sorted(self.records.items())), **more)
        (self.folder / "assets.lock").write_text(dump(lock))

    def commit(self, subject: str = "art") -> str:
        self.save()
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message={subject}")
        return self.git("rev-parse", "HEAD")

    def review(
        self, before: str = "HEAD", after: str | None = None, **more: Any
    ) -> tuple[Review, dict[str, Change], Sources]:
        """The review, its changes by name, and where its pictures are."""
        asked: dict[str, Any] = {"merge_base": False, "staged": False, "store": self.store, **more}
        found, pictures = review(self.folder, before, after, **asked)
        assert isinstance(pictures, Sources)
        return found, {change.name: change for change in found.changes}, pictures
