"""Serves gate requests: a finished picture in, what each gate found of it out.

Knows nothing of how a gate measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from engines import parameters, png, protocol
from engines.gate.finding import finding
from engines.gate.gates import GATES, Subject
from engines.parameters import Parameter, unknown
from engines.protocol import Done, EngineError, ErrorKind, Json, Report, Request, Result

_MOST: Final = 64
_NOTHING: Final = np.zeros((1, 1, 4), np.uint8)
"""The picture that comes of judging one: the protocol wants a file."""


def declared(folder: Path) -> dict[str, dict[str, Parameter]]:
    """The parameters of each gate that the card in `folder` declares."""
    steps = parameters.card(folder)["steps"]
    return {name: parameters.declared(step["parameters"]) for name, step in steps.items()}


DECLARED: Final = declared(Path(__file__).parent)


class Gate:
    """A warm gate engine; requests share nothing."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)

    def environment(self) -> Mapping[str, str]:
        """What measures come out of."""
        return {"numpy": version("numpy"), "pillow": version("pillow")}

    def render(self, requests: Sequence[Request], _report: Report) -> Iterable[Result]:
        """Judge each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, self._judge)

    def _judge(self, request: Request) -> Done:
        path = picture_of(request)
        gates = list(asked(request, DECLARED))
        subject = Subject(png.rgba(png.decode(path, name="the picture")), Path(path).stat().st_size)
        found = [_found(name, subject, values) for name, values in gates]
        return judged(request, self._staging, found)


def picture_of(request: Request) -> str:
    """The path of the picture that `request` is about."""
    if "image" not in request.inputs:
        raise EngineError(ErrorKind.INTERNAL, "the request has no input `image`")
    return request.inputs["image"]


def asked(
    request: Request, known: Mapping[str, Mapping[str, Parameter]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each gate in `request` with every parameter that is `known`; files are `gates.NAME.PARAMETER`."""
    gates = request.parameters.get("gates")
    if set(request.parameters) - {"gates"} or not isinstance(gates, list) or not 1 <= len(gates) <= _MOST:
        raise EngineError(ErrorKind.INTERNAL, f"the parameters are not a list of 1 to {_MOST} `gates`")
    for number, item in enumerate(gates):
        match item:
            case [str(name), dict(given)]:
                pass
            case _:
                raise EngineError(ErrorKind.INTERNAL, f"gate {number} is not a name and its parameters")
        if name not in known:
            raise unknown("gate", name, known)
        prefix = f"gates.{name}."
        files = {
            key.removeprefix(prefix): path for key, path in request.inputs.items() if key.startswith(prefix)
        }
        yield name, parameters.checked(known[name], given, files, f"gate `{name}`: ")


def judged(request: Request, staging: Path, found: Sequence[Mapping[str, Json]]) -> Done:
    """The answer to `request`: `facts["gates"]`, in the order in which they were asked."""
    if Path(request.output).name != request.output:
        raise EngineError(ErrorKind.INTERNAL, f"the output `{request.output}` is not a plain file name")
    (staging / request.output).write_bytes(png.encode(_NOTHING))
    return Done(id=request.id, output=request.output, facts={"gates": [dict(item) for item in found]})


def _found(name: str, subject: Subject, values: Mapping[str, Any]) -> dict[str, Json]:
    try:
        return finding(name, GATES[name](subject, **values))
    except EngineError as error:
        raise EngineError(error.kind, f"gate `{name}`: {error.message}", hint=error.hint) from error
