"""Serves requests with a program: fills in its arguments, runs it, looks at the picture it wrote.

Knows nothing of how a process is run (`process`) or a placeholder filled in (`arguments`).
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engines import parameters, png, protocol
from engines.command.arguments import Filler
from engines.command.process import Run, first_line
from engines.parameters import bad
from engines.protocol import Done, EngineError, ErrorKind, Json, Report, Request, Result

_SEEN: Final = ("PATH", "HOME", "TMPDIR", "TZ", "LANG")
_LOCALE: Final = "LC_"
_TABLE: Final = "inputs"
"""The parameter that names files of the user's own."""
_STARTS: Final = {"png": b"\x89PNG", "jpg": b"\xff\xd8\xff", "webp": b"RIFF"}
_NAMED: Final = 3
_SCRIPT: Final = "script"
_RENAME: Final = f"rename the one under `{_TABLE}`"


class Command:
    """The engine; every picture is a process of its own."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)
        self._card = parameters.card(Path(__file__).parent)
        self._declared = parameters.declared(self._card["parameters"])
        passed = [str(name) for name in opening.settings.get("pass") or ()]
        self._environ = {
            name: value
            for name, value in os.environ.items()
            if name in _SEEN or name in passed or name.startswith(_LOCALE)
        }
        probe = [str(word) for word in opening.settings.get("probe") or ()]
        self._version = first_line(probe, self._environ, self._staging) if probe else ""

    def environment(self) -> Mapping[str, str]:
        """The system, and what `probe` printed."""
        found = {"system": f"{platform.system()} {platform.machine()}"}
        return {**found, "program": self._version} if self._version else found

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, lambda request: self._make(request, report))

    def _make(self, request: Request, report: Report) -> Done:
        if Path(request.output).name != request.output:
            raise EngineError(ErrorKind.INTERNAL, f"the output `{request.output}` is not a plain file name")
        values = parameters.checked(self._declared, request.parameters, request.inputs)
        name = Path(request.output).with_suffix(f".{values['format']}").name
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self._staging))
        try:
            filler = Filler(_placeholders(request, values, str(folder / name)))
            words = filler.command(values["run"])
            environ = {**self._environ, **_variables(values["variables"], filler)}
            notes = _unused(request, filler)
            run = Run(words, environ, folder)
            run.check(run.listen(lambda step, steps: report(request.id, step, steps)))
            _look(folder / name, run, request.size)
            (folder / name).replace(self._staging / name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Done(id=request.id, output=name, notes=notes)


def _placeholders(request: Request, values: Mapping[str, Any], output: str) -> dict[str, str | None]:
    """What each placeholder stands for; None where the asset has no such thing."""
    width, height = request.size or (None, None)
    found: dict[str, str | None] = {
        "output": output,
        "prompt": request.prompt or None,
        "negative": request.negative or None,
        "text": request.text or None,
        "seed": None if request.seed is None else str(request.seed),
        "width": None if width is None else str(width),
        "height": None if height is None else str(height),
        _SCRIPT: values[_SCRIPT],
    }
    for field, path in request.inputs.items():
        if field != _SCRIPT:
            name = _placeholder(field)
            if name in found:
                own = field.removeprefix(f"{_TABLE}.")
                raise bad(f"the asset has `{own}` and `{_TABLE}.{own}`, both of them `{{{name}}}`", _RENAME)
            found[name] = path
    return found


def _placeholder(field: str) -> str:
    """What an input is called in `run`."""
    return field if field == _SCRIPT else f"input.{field.removeprefix(f'{_TABLE}.')}"


def _variables(table: Mapping[str, Json] | None, filler: Filler) -> dict[str, str]:
    variables: dict[str, str] = {}
    for name, value in (table or {}).items():
        if not name or "=" in name or "\0" in name:
            raise bad(f"`variables` has `{name}`, which can't be the name of a variable", "rename it")
        if not isinstance(value, str):
            raise bad(f"`variables.{name}` is `{value}`, not a string", f'write it as `"{value}"`')
        variables[name] = filler.fill(value)
    return variables


def _unused(request: Request, filler: Filler) -> tuple[str, ...]:
    """Refuse what the asset says and the program is never told; notes on what does no harm."""
    if "output" not in filler.used:
        raise bad("`run` has no `{output}`, so the program can't know where to write", "add `{output}`")
    given = {"prompt": request.prompt, "negative": request.negative, "text": request.text}
    said = [name for name, value in given.items() if value]
    said += [_placeholder(field) for field in request.inputs]
    for name in said:
        if name not in filler.used:
            raise bad(
                f"the asset has a `{name}`, but `run` has no `{{{name}}}`",
                f"add `{{{name}}}` to `run`, or leave it out of the asset",
            )
    # A role may map to an engine with seeds in one profile and to a program without in another.
    idle = request.seed is not None and "seed" not in filler.used
    return ("the seed changes nothing: `run` has no `{seed}`",) if idle else ()


def _look(path: Path, run: Run, size: tuple[int, int] | None) -> None:
    """Raise `EngineError` unless the picture at `path` is one, whole, of its format and of `size`."""
    if path.is_symlink() or not path.is_file():
        others = sorted(item.name for item in path.parent.iterdir() if item.is_file() and item != path)
        wrote = f" (it wrote {parameters.listed(others[:_NAMED])} instead)" if others else ""
        raise EngineError(
            ErrorKind.INTERNAL,
            f"`{run.name}` ended well but wrote no file at `{{output}}`{wrote}{run.told()}",
            hint="make it write its picture exactly to `{output}`",
        )
    kind = path.suffix.removeprefix(".")
    with path.open("rb") as file:
        start = file.read(len(_STARTS[kind]))
    if start and start != _STARTS[kind]:
        hint = f'make it write `{kind}`, or set `format` to what it writes (`"png"`, `"jpg"`, `"webp"`)'
        raise EngineError(ErrorKind.INTERNAL, f"`{run.name}` wrote a file that is not `{kind}`", hint=hint)
    try:
        height, width = png.decode(path, name="its picture").shape[:2]
    except EngineError as error:
        message = f"`{run.name}` wrote no usable picture: {error.message}{run.told()}"
        raise EngineError(ErrorKind.INTERNAL, message) from error
    if size is not None and (width, height) != tuple(size):
        raise EngineError(
            ErrorKind.INTERNAL,
            f"`{run.name}` made {width}x{height} pixels, not {size[0]}x{size[1]} as asked",
            hint="use `{width}` and `{height}` in `run`, or leave `size` out of the asset",
        )
