"""A project in git whose pictures were drawn anew: the lock, the pictures, and a commit for each state.

Half of the pictures are other ones, a quarter has a small mark more, a quarter is a little brighter. Knows
nothing of what is measured.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Final

import checkout
import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(checkout.ROOT))

from buildsys import digest
from buildsys.digest import Digest
from buildsys.lock import write
from buildsys.lock.model import Lock
from buildsys.manifest.model import AssetName
from buildsys.plan import recipe
from buildsys.plan.record import Parts, Picture, Record
from engines import png
from engines.finish import facts

_AUTHOR: Final = ("-c", "user.name=Ada", "-c", "user.email=ada@example.invalid", "-c", "gc.auto=0")
_COARSE: Final = 16
"""Patches of colour along a side."""


def write_history(folder: Path, count: int, side: int) -> None:
    """Two commits of a project with `count` pictures of `side` x `side`; the second changes all of them."""
    (folder / "out").mkdir(parents=True)
    (folder / "assets.toml").write_text('[project]\nname = "redrawn"\n', encoding="utf-8")
    (folder / ".gitignore").write_text("/.artlock/\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for state in ("old", "new"):
        records = (_record(folder, number, _drawn(number, side, state), state) for number in range(count))
        write.save(folder / "assets.lock", Lock().updated(records))
        for words in (("add", "--all"), (*_AUTHOR, "commit", "--quiet", f"--message={state}")):
            subprocess.run(["git", *words], cwd=folder, check=True)


def export(folder: Path, revision: str, target: Path) -> None:
    """The pictures of a revision as files, for programs that compare folders."""
    target.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", "--format=tar", revision, "out"], cwd=folder, capture_output=True, check=True
    )
    subprocess.run(["tar", "--extract", "--strip-components=1"], cwd=target, input=archive.stdout, check=True)


def _drawn(number: int, side: int, state: str) -> NDArray[np.uint8]:
    """Patches with a grain, which no compressor makes small, as in painted art."""
    place = number % 4 if state == "new" else -1
    is_other = place in (0, 2)
    random = np.random.default_rng([number, is_other])
    coarse = Image.fromarray(random.integers(0, 256, (_COARSE, _COARSE, 3), dtype=np.uint8))
    grain = random.integers(-3, 4, (side, side, 3), dtype=np.int16)
    picture = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)).astype(np.int16) + grain
    if place == 1:
        picture[side // 4 : side // 3, side // 2 : side // 2 + side // 8] = 250
    if place == 3:  # noqa: PLR2004 - the last quarter
        picture += 6
    return picture.clip(0, 255).astype(np.uint8)


def _record(folder: Path, number: int, picture: NDArray[np.uint8], state: str) -> Record:
    name = f"s{number:05d}"
    # Pillow's, at its quickest: to write two thousand files with the canonical encoder takes minutes.
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", compress_level=1)
    output = f"out/{name}.png"
    (folder / output).write_bytes(data.getvalue())
    file, pixels = digest.of_bytes(data.getvalue()), Digest(facts.pixel_digest(png.rgba(picture)))
    parts = Parts(adapter="stock", adapter_version="1.0.0", prompt=f"{state} picture {number}", seed=number)
    return Record(
        name=AssetName(name),
        recipe=recipe.digest_of(parts),
        parts=parts,
        engine="stock",
        output=output,
        # The hash is none: what a review tells of it comes from the pictures.
        picture=Picture(file=file, pixels=pixels, phash=file[:16], width=len(picture), height=len(picture)),
        raw=file,
    )
