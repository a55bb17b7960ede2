"""Draws docs/images/log.png: `python docs/versions.py`, where artlock and Chromium are installed.

An asset of the demo, as it might have come about: a repository in a temporary folder, a commit for each
change of its prompt, its seed and its looks, and the page that `artlock log` makes of them.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from PIL import Image

from buildsys.lock.model import Approval
from buildsys.lock.read import load
from buildsys.lock.write import save
from buildsys.manifest.model import AssetName

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "docs" / "images" / "log.png"
WIDTH: Final = 1280
HEIGHT: Final = 1330
COLOURS: Final = 128
"""Enough for a page of flat colours, and a third of the bytes."""

APPROVED: Final = "The moon's own sword"
HEAD: Final = '[project]\nname = "moonlit-keep"\n\n[roles]\nitem = "stock"\n'
PAINTED: Final = "size = [96, 96]"
EMBLEM: Final = 'size = [96, 96]\nparameters.stock = { style = "emblem" }'

COMMITS: Final = (
    ("Ada Lovelace", "A sword for the knight", "items/blade", "sword", 4, PAINTED),
    ("Ada Lovelace", "Broader, as the first boss has it", "items/blade", "broad sword", 4, PAINTED),
    ("Bo Bitwright", "Another seed: the hilt was lost", "items/blade", "broad sword", 9, PAINTED),
    ("Bo Bitwright", "Items are named as the inventory calls them", "items/sword", "broad sword", 9, PAINTED),
    ("Cleo Canvas", APPROVED, "items/sword", "broad moon sword with runes", 9, PAINTED),
    (
        "Ada Lovelace",
        "On a badge, to stand on the map",
        "items/sword",
        "broad moon sword with runes",
        9,
        EMBLEM,
    ),
)


def run(folder: Path, *words: str, environ: Mapping[str, str] | None = None) -> None:
    """Run a command there."""
    subprocess.run(  # noqa: S603 - the words of this file
        words, cwd=folder, env={**os.environ, **(environ or {})}, check=True
    )


def commit(folder: Path, number: int, author: str, subject: str) -> None:
    """Commit what lies there, a week after the last."""
    mail = f"{author.split(maxsplit=1)[0].lower()}@example.org"
    day = f"2026-{9 + number // 4:02}-{1 + 7 * (number % 4):02}T10:00:00+00:00"
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", author), ("EMAIL", mail), ("DATE", day))
    }
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", f"--message={subject}", environ=who)


def make(folder: Path) -> None:
    """The repository."""
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    (folder / ".gitignore").write_text(".artlock/\n", encoding="utf-8")
    for number, (author, subject, name, prompt, seed, looks) in enumerate(COMMITS):
        asset = f'\n[assets."{name}"]\nrole = "item"\nprompt = "{prompt}"\nseed = {seed}\n{looks}\n'
        (folder / "assets.toml").write_text(HEAD + asset, encoding="utf-8")
        run(folder, sys.executable, "-m", "buildsys", "build")
        run(folder, sys.executable, "-m", "buildsys", "clean", "--yes")
        commit(folder, number, author, subject)
        if subject == APPROVED:
            approve(folder, name)
            commit(folder, number, "Ada Lovelace", f"Approve {name}")


def approve(folder: Path, name: str) -> None:
    """Note in the lock that the picture is accepted."""
    lock = load(folder / "assets.lock")
    asset = AssetName(name)
    said = Approval(pixels=lock.records[asset].picture.pixels, by="Ada Lovelace <ada@example.org>")
    save(folder / "assets.lock", msgspec.structs.replace(lock, approvals={asset: said}))


def main() -> None:
    """Draw it."""
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "game"
        folder.mkdir()
        os.environ["ARTLOCK_CACHE_DIR"] = str(Path(place) / "store")
        make(folder)
        run(folder, sys.executable, "-m", "buildsys", "log", "items/sword", "--html", "../log.html")
        words = ("--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}")
        run(Path(place), "chromium", *words, "--screenshot=log.png", (Path(place) / "log.html").as_uri())
        shot = Image.open(io.BytesIO((Path(place) / "log.png").read_bytes())).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
