"""Pictures that an asset gives a provider: read, and held against what it takes before money is spent.

They are sent byte for byte, for it is their bytes that the recipe knows them by. Knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engines import parameters, png
from engines.hosted import picture
from engines.protocol import EngineError, ErrorKind

MEGABYTE: Final = 1_000_000

_MIMES: Final = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Given:
    """One picture, as it will be sent."""

    name: str
    """What it is to the asset: `image`, `mask`, or of a table `reference.pose`."""
    data: bytes
    size: tuple[int, int]
    """Width and height as they are shown: turned as the file says."""
    alpha: bool
    """Whether it has any transparency."""
    clear: bool
    """Whether it has a pixel of which nothing is seen."""

    @property
    def suffix(self) -> str:
        """By its first bytes, whatever the file is called."""
        return picture.kind_of(self.data)

    @property
    def mime(self) -> str:
        """The type that it is sent as."""
        return _MIMES[self.suffix]

    @property
    def file(self) -> tuple[str, bytes, str]:
        """A part of a form. Its file's name tells nothing of where the picture lies."""
        return f"{self.name}{self.suffix}", self.data, self.mime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a provider takes; 0 sets no bound."""

    provider: str
    number: int = 0
    """Of pictures in a request."""
    each: int = 0
    """Bytes of a picture."""
    together: int = 0
    """Bytes of all pictures."""
    side: int = 0
    """Pixels, at least."""


def read(values: Mapping[str, Any], names: Iterable[str], bounds: Bounds) -> tuple[Given, ...]:
    """The pictures that the parameters `names` have in `values`, in that order, those of a table by name.

    Raises `EngineError` (`bad_request`) for what is no picture, or none that fits into `bounds`.
    """
    made = tuple(_one(name, Path(path), bounds) for name, path in _paths(values, names))
    if bounds.number and len(made) > bounds.number:
        fact = f"{len(made)} pictures are given, more than the {bounds.number} that {bounds.provider} takes"
        raise parameters.bad(fact, "leave some out")
    whole = sum(len(item.data) for item in made)
    if bounds.together and whole > bounds.together:
        raise _too_long("the pictures have", whole, bounds.together, bounds.provider)
    return made


def notes(pictures: Iterable[Given], provider: str) -> tuple[str, ...]:
    """That a provider does not say what it makes of transparency, where a picture has any."""
    clear = [item.name for item in pictures if item.alpha]
    if not clear:
        return ()
    return (f"{provider} does not say what it makes of the transparency of {parameters.listed(clear)}",)


def _paths(values: Mapping[str, Any], names: Iterable[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in names:
        value = values[name]
        if isinstance(value, Mapping):
            # Not in the manifest's order, which no recipe knows.
            found += [(f"{name}.{inner}", value[inner]) for inner in sorted(value)]
        elif value is not None:
            found.append((name, value))
    return found


def _one(name: str, path: Path, bounds: Bounds) -> Given:
    try:
        length = path.stat().st_size
        # Before it is read: a wrong file may be of any length.
        if bounds.each and length > bounds.each:
            raise _too_long(f"`{name}` has", length, bounds.each, bounds.provider)
        data = path.read_bytes()
    except OSError as error:
        raise EngineError(ErrorKind.INTERNAL, f"`{name}` can't be read: {error.strerror}") from error
    pixels = png.decode_bytes(data, name)
    height, width, channels = pixels.shape
    if min(width, height) < bounds.side:
        fact = f"`{name}` is {width} x {height} pixels, and {bounds.provider} takes none below {bounds.side}"
        raise parameters.bad(fact, f"make it at least {bounds.side} on each side")
    alpha = channels == 4  # noqa: PLR2004 - RGBA
    return Given(name, data, (width, height), alpha, alpha and bool((pixels[..., 3] == 0).any()))


def _too_long(what: str, length: int, most: int, provider: str) -> EngineError:
    # Rounded up: 10.0 MB would not be more than 10.
    tenths = -(-length * 10 // MEGABYTE)
    fact = (
        f"{what} {tenths // 10}.{tenths % 10} MB, more than the {most // MEGABYTE} MB that {provider} takes"
    )
    return parameters.bad(fact, "make it smaller" if what.startswith("`") else "make them smaller")
