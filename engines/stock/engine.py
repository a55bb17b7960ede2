"""The engine itself: a request in, a picture with its credit out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from engines import png
from engines.protocol import Credit, Done, EngineError, ErrorKind, Report, Request, Result, one_by_one
from engines.stock.choose import choose
from engines.stock.draw import draw
from engines.stock.library import Library
from engines.stock.search import Searcher


class Stock:
    """See `protocol.Engine`."""

    def __init__(self, library: Library | None = None) -> None:
        self.library = library or Library()
        self.searcher = Searcher(self.library)

    def environment(self) -> Mapping[str, str]:
        """What has a part in the pixels, with its version."""
        return {name: version(name) for name in ("numpy", "pillow", "pyoxipng", "resvg-py")}

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each request; one that can't be made does not stop the others."""
        return one_by_one(requests, lambda request: self._make(request, report))

    def _make(self, request: Request, report: Report) -> Done:
        report(request.id, 0, 1)
        if request.size is None:
            raise EngineError(ErrorKind.BAD_REQUEST, "the request has no size", hint="set `size`")
        choice = choose(self.searcher, self.library.icons, request)
        icon = choice.icon
        pixels = draw(icon, self.library.body(icon), choice.look, request.size)
        Path(request.output).write_bytes(png.encode(pixels))
        credit = Credit(title=icon.title, author=icon.author, licence=icon.licence, source=icon.source)
        return Done(
            id=request.id,
            output=request.output,
            sent={"icon": icon.key},
            credits=(credit,),
            notes=choice.notes,
        )
