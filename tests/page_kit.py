"""Reviews to show: believable ones of the demo's art, large ones, and hostile ones. Nothing here asks git."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from buildsys import digest
from buildsys.digest import Digest
from buildsys.lock.model import Approval
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Parts, Picture, Record
from buildsys.review.model import Cause, Change, Field, Kind, Measure, Review, Revision, Side, Word
from engines import png
from engines.finish import facts
from engines.measure import likeness
from engines.png import Pixels

OUT = Path(__file__).resolve().parent.parent / "out"
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">\u2028<b>&amp;@everyone | `x`\x1b[31m"
BEFORE = Revision(asked="main", commit="1a2b3c4d5e" * 4, subject="Night falls over the keep")
AFTER = Revision(asked="HEAD", commit="9f8e7d6c5b" * 4, subject="Colder gems, a new wolf")


class Shelf:
    """Pictures by their digest, in memory; it notes which were asked for."""

    def __init__(self) -> None:
        self.files: dict[Digest, bytes] = {}
        self.asked: list[Digest] = []

    def read(self, file: Digest) -> bytes | None:
        self.asked.append(file)
        return self.files.get(file)

    def put(self, pixels: Pixels) -> Picture:
        data = png.encode(np.ascontiguousarray(pixels))
        file = digest.of_bytes(data)
        self.files[file] = data
        said = facts.measure(png.rgba(pixels))
        return Picture(
            file=file,
            pixels=Digest(str(said["pixels"])),
            phash=str(said["phash"]),
            width=pixels.shape[1],
            height=pixels.shape[0],
        )


def demo(name: str) -> Pixels:
    return png.rgba(png.decode(OUT / f"{name}.png"))


def tinted(pixels: Pixels, red: float, green: float, blue: float) -> Pixels:
    colors = np.clip(pixels[..., :3] * np.array([red, green, blue]), 0, 255).astype(np.uint8)
    return np.dstack([colors, pixels[..., 3]])


def spotted(pixels: Pixels, box: tuple[int, int, int, int], color: tuple[int, int, int]) -> Pixels:
    left, top, width, height = box
    done = pixels.copy()
    done[top : top + height, left : left + width] = (*color, 255)
    return done


def scaled(pixels: Pixels, times: int) -> Pixels:
    picture = Image.fromarray(pixels).resize(
        (pixels.shape[1] * times, pixels.shape[0] * times), Image.Resampling.LANCZOS
    )
    return np.asarray(picture)


def side(shelf: Shelf, name: str, pixels: Pixels, **values: Any) -> Side:
    """A side whose picture lies on the shelf; `values` are parts of its recipe, or fields of the side."""
    own = {key: values.pop(key) for key in list(values) if key in Side.__struct_fields__}
    engine = values.pop("engine", "stock")
    picture = shelf.put(pixels)
    parts = Parts(adapter=engine, adapter_version="1.0.0", **values)
    record = Record(
        name=AssetName(name),
        recipe=digest.of_value(msgspec.to_builtins(parts)),
        parts=parts,
        engine=engine,
        output=f"out/{name}.png",
        picture=picture,
        raw=picture.file,
    )
    plain: dict[str, Any] = {"record": record, "file_bytes": len(shelf.files[picture.file])}
    return Side(**plain | own)


def words(before: str, after: str) -> tuple[Word, ...]:
    old, new = (re.findall(r"\S+\s*", text) for text in (before, after))
    found: list[Word] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Word("".join(old[a:b]), "same"))
            continue
        found += [Word("".join(old[a:b]), "gone")] if b > a else []
        found += [Word("".join(new[c:d]), "new")] if d > c else []
    return tuple(found)


def text(name: str, before: str, after: str) -> Field:
    return Field(name=name, cause=Cause.RECIPE, before=before, after=after, words=words(before, after))


def measured(shelf: Shelf, before: Side, after: Side) -> Measure:
    old, new = (png.rgba(png.decode_bytes(shelf.files[one.shown], "it")) for one in (before, after))
    said = likeness.compare(new, old)
    opaque = None if old.shape != new.shape else float((old[..., 3] != new[..., 3]).mean())
    box = said["box"]
    return Measure(
        likeness=said["likeness"],
        hash_bits=said["hash_bits"],
        psnr=said["psnr"],
        ssim=said["ssim"],
        changed=said["changed"],
        largest=said["largest"],
        alpha=opaque,
        box=None if box is None else tuple(box),
    )


def changed(shelf: Shelf, before: Side, after: Side, *fields: Field, **values: Any) -> Change:
    found = measured(shelf, before, after)
    causes = tuple(cause for cause in Cause if cause in {field.cause for field in fields})
    plain: dict[str, Any] = {
        "kind": Kind.CHANGED,
        "attention": min(1.0, (1 - found.ssim) + (found.changed or 1) / 4),
    }
    return Change(before=before, after=after, fields=fields, causes=causes, measure=found, **plain | values)


def review(*changes: Change, **values: Any) -> Review:
    ordered = tuple(sorted(changes, key=lambda change: (-change.attention, change.name)))
    counts = Counter(change.kind for change in ordered)
    plain: dict[str, Any] = {
        "before": BEFORE,
        "after": AFTER,
        "changes": ordered,
        "counts": dict(counts),
        "project": "moonlit-keep",
    }
    return Review(**plain | values)


def simple(shelf: Shelf, name: str, before: Pixels, after: Pixels, **values: Any) -> Change:
    """A changed asset whose seed is another."""
    field = Field(name="seed", cause=Cause.RECIPE, before=7, after=8)
    return changed(
        shelf,
        side(shelf, name, before, prompt=name, seed=7),
        side(shelf, name, after, prompt=name, seed=8),
        field,
        **values,
    )


def believable(shelf: Shelf) -> Review:
    """One of each kind, as a pull request on the demo would have them."""
    files, found = _believable()
    shelf.files.update(files)
    return found


@cache
def _believable() -> tuple[dict[Digest, bytes], Review]:
    """Once for all tests: the smallest PNGs take their time."""
    shelf = Shelf()
    return shelf.files, review(*_changed(shelf), *_others(shelf), unchanged=53, cost=0.12, notes=(NOTE,))


NOTE = "The clone is shallow: pictures of older commits may be missing. Run `git fetch --unshallow`."


def _changed(shelf: Shelf) -> list[Change]:
    gem, wolf, title = demo("items/gem-ruby"), demo("creatures/wolf"), demo("ui/title-card")
    old, new = "ruby gem, cut like a tear", "ruby gem, cut like a star, cold rim light"
    asked, told = "The Drowned Castle, moonlit, painterly", "The Drowned Castle at dawn, painterly, fog"
    logo = demo("ui/logo")
    return [
        changed(
            shelf,
            side(shelf, "items/gem-ruby", gem, prompt=old, seed=7),
            side(shelf, "items/gem-ruby", tinted(gem, 0.5, 0.7, 1.8), prompt=new, seed=8),
            text("prompt", old, new),
            Field(name="seed", cause=Cause.RECIPE, before=7, after=8),
            attention=0.82,
        ),
        changed(
            shelf,
            side(shelf, "creatures/wolf", wolf, prompt="grey wolf", size=(32, 32)),
            side(shelf, "creatures/wolf", spotted(wolf, (20, 8, 3, 2), (255, 40, 60)), prompt="grey wolf"),
            Field(name="parameters.style", cause=Cause.RECIPE, before="pixel", after="pixel-lit"),
            attention=0.41,
        ),
        changed(
            shelf,
            side(shelf, "ui/title-card", scaled(title, 2), prompt=asked, engine="sd35-medium", seed=12),
            side(
                shelf,
                "ui/title-card",
                spotted(tinted(scaled(title, 2), 1.5, 1.15, 0.8), (180, 60, 120, 90), (240, 190, 90)),
                prompt=told,
                engine="sd35-turbo",
                seed=12,
                cost=0.12,
            ),
            text("prompt", asked, told),
            Field(name="engine", cause=Cause.ENGINE, before="sd35-medium", after="sd35-turbo"),
            attention=0.93,
            notes=("The engine gave a picture of its own size, which was cut.",),
        ),
        changed(
            shelf,
            side(shelf, "ui/logo", logo, engine="vector", text="Moonlit Keep"),
            side(shelf, "ui/logo", np.ascontiguousarray(logo[24:264, 36:476]), engine="vector"),
            Field(name="size", cause=Cause.RECIPE, before=[512, 288], after=[440, 240]),
            attention=0.55,
        ),
        changed(
            shelf,
            side(shelf, "tiles/wall", demo("tiles/wall")),
            side(shelf, "tiles/wall", tinted(demo("tiles/wall"), 1.02, 1.0, 1.0)),
            Field(name="environment.numpy", cause=Cause.ENVIRONMENT, before="2.4.5", after="2.4.6"),
            attention=0.12,
        ),
    ]


def _others(shelf: Shelf) -> list[Change]:
    crown, key, axe = demo("items/crown"), demo("items/key"), demo("items/axe")
    held = Approval(pixels=Digest("0" * 64), by="Ada Painter <ada@example.org>")
    lost = side(shelf, "items/bow", demo("items/bow"), lost="neither git nor the store has it any more")
    shield = side(shelf, "items/shield", demo("items/shield"), prompt="iron shield", approval=held)
    return [
        Change(
            kind=Kind.ADDED, after=side(shelf, "items/crown", crown, prompt="golden crown"), attention=0.5
        ),
        Change(kind=Kind.REMOVED, before=side(shelf, "items/key", key, prompt="rusty key"), attention=0.3),
        Change(
            kind=Kind.RENAMED,
            before=side(shelf, "items/axe", axe, prompt="axe"),
            after=side(shelf, "weapons/axe", axe, prompt="axe"),
            attention=0.05,
        ),
        Change(kind=Kind.ENCODING, before=shield, after=shield, attention=0.02),
        Change(
            kind=Kind.RECORD,
            before=shield,
            after=side(shelf, "items/staff", demo("items/staff"), prompt="staff", frozen=True),
            attention=0.01,
        ),
        Change(
            kind=Kind.CHANGED,
            before=lost,
            after=side(shelf, "items/bow", demo("items/bow")[:, ::-1], prompt="longbow"),
            fields=(text("prompt", "bow", "longbow"),),
            causes=(Cause.RECIPE,),
            attention=0.6,
        ),
    ]


def many(shelf: Shelf, number: int, side_pixels: int = 16) -> Review:
    """So many changed assets, each with pictures of its own."""
    dice = np.random.default_rng(7)
    noise = dice.integers(0, 256, (number, 2, side_pixels, side_pixels, 3), dtype=np.uint8)
    found = Measure(
        likeness="different", hash_bits=30, psnr=9.5, ssim=0.1, changed=1.0, largest=255, alpha=0.0,
        box=(0, 0, side_pixels, side_pixels),
    )  # fmt: skip
    changes = []
    for place in range(number):
        name = f"noise/tile-{place:04}"
        field = Field(name="seed", cause=Cause.RECIPE, before=place, after=place + 1)
        changes.append(
            Change(
                kind=Kind.CHANGED,
                before=_quick(shelf, name, noise[place, 0]),
                after=_quick(shelf, name, noise[place, 1]),
                fields=(field,),
                causes=(Cause.RECIPE,),
                measure=found,
                attention=1 - place / number,
            )
        )
    return review(*changes)


def _quick(shelf: Shelf, name: str, pixels: Pixels) -> Side:
    """As `side`, by an encoder that does not look for the smallest file."""
    import io  # noqa: PLC0415 - only this one writes with Pillow

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data = file.getvalue()
    name_of = digest.of_bytes(data)
    shelf.files[name_of] = data
    picture = Picture(
        file=name_of,
        pixels=digest.of_bytes(pixels.tobytes()),
        phash="0" * 16,
        width=pixels.shape[1],
        height=pixels.shape[0],
    )
    record = Record(
        name=AssetName(name),
        recipe=name_of,
        parts=Parts(adapter="stock", adapter_version="1.0.0", prompt=name),
        engine="stock",
        output=f"out/{name}.png",
        picture=picture,
        raw=name_of,
    )
    return Side(record=record, file_bytes=len(data))
