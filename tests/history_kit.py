"""A repository whose commits are locks: records made up, git real."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from buildsys import digest
from buildsys.digest import Digest
from buildsys.lock.model import Lock
from buildsys.lock.write import dump
from buildsys.manifest.model import AssetName
from buildsys.plan.recipe import digest_of
from buildsys.plan.record import Parts, Picture, Record


def record(name: str, *, drawn: int = 0, phash: str = "00ff00ff00ff00ff", **parts: Any) -> Record:
    """An asset whose picture is number `drawn`."""
    chosen = Parts(
        **{"adapter": "noise", "adapter_version": "1.0.0", "prompt": "a knight", "seed": 3, **parts}
    )
    file = digest.of_bytes(picture(drawn))
    return Record(
        name=AssetName(name),
        recipe=digest_of(chosen),
        parts=chosen,
        engine="noise",
        output=f"out/{name}.png",
        picture=Picture(file=file, pixels=file, phash=phash, width=2, height=2),
        raw=file,
        environment={"noise": "1"},
    )


def picture(number: int) -> bytes:
    """The bytes of picture `number`: a PNG of its own colour."""
    file = io.BytesIO()
    Image.new("RGB", (2, 2), (number % 256, 40, 200)).save(file, "png")
    return file.getvalue()


def lock_of(records: Iterable[Record], **more: Any) -> Lock:
    return msgspec.structs.replace(Lock().updated(records), **more)


class Repository:
    """A git repository with a project in `below`; each commit is a day, and a person."""

    def __init__(self, folder: Path, below: str = "") -> None:
        self.top = folder
        self.folder = folder / below
        self.folder.mkdir(parents=True)
        self.day = 0
        self.git("init", "--quiet", "--initial-branch=main")
        (self.folder / "assets.toml").write_text('[project]\nname = "test"\n')

    def git(self, *words: str, environ: Mapping[str, str] = {}) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.top,
            env={**os.environ, **environ},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def commit(
        self, *records: Record, subject: str = "art", author: str = "Ada", pictures: bool = False, **more: Any
    ) -> str:
        """Commit a lock with these records."""
        for made in records if pictures else ():
            path = self.folder / made.output
            path.parent.mkdir(parents=True, exist_ok=True)
            number = next(n for n in range(256) if digest.of_bytes(picture(n)) == made.picture.file)
            path.write_bytes(picture(number))
        return self.commit_text(dump(lock_of(records, **more)), subject=subject, author=author)

    def commit_text(self, text: str, *, subject: str = "art", author: str = "Ada") -> str:
        """Commit a lock of this text."""
        (self.folder / "assets.lock").write_bytes(text.encode())
        return self.save(subject, author)

    def save(self, subject: str = "art", author: str = "Ada") -> str:
        """Commit what lies there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={subject}", environ=self.who(author))
        return self.git("rev-parse", "HEAD").strip()

    def who(self, author: str = "Ada") -> dict[str, str]:
        """The next day, and who works then."""
        self.day += 1
        day = f"2026-{1 + self.day // 28:02}-{1 + self.day % 28:02}T12:00:00+01:00"
        return {
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": f"{author.lower()}@example.org",
            "GIT_AUTHOR_DATE": day,
            "GIT_COMMITTER_DATE": day,
        }


def digest_of_picture(number: int) -> Digest:
    return digest.of_bytes(picture(number))
