"""The messages between the builder and an engine process. See `PROTOCOL.md`.

Knows nothing of pictures, pipes or adapters; standard library only, because both sides import it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

PROTOCOL: Final = 1
"""Raised when a peer that speaks the old version could not understand the new one."""

MAX_LINE: Final = 4 * 1024 * 1024
"""Bytes in one message, newline included. Pixels never travel here, so 4 MiB is already generous."""

LONGEST_WAIT: Final = 86_400.0
"""Seconds. The most that `retry_after` may ask for."""

MOST_COST: Final = 1e6
"""US dollars. The most that one picture may have taken: more is no price."""

MOST_BYTES: Final = 2**60
"""The most memory that a process may say it had."""

DEEPEST: Final = 100
"""Lists and objects within each other in one message. The builder writes them into its lock, and what walks
them there calls itself."""

_MOST: Final = 1e300
"""Of any other number of seconds or bytes: what is larger overflows in the first sum."""

_MOST_STEPS: Final = 2**53
"""The largest whole number below which a float has them all."""

Json: TypeAlias = Any
"""A value that JSON can carry. `Any`, because a recursive alias would be cast away at every use."""


class ErrorKind(StrEnum):
    """Why a request failed, in the terms on which the builder decides what to do next."""

    BAD_REQUEST = "bad_request"
    """The request can never work as it stands: mend the manifest."""
    REFUSED = "refused"
    """The engine's safety rules refused it."""
    AUTH = "auth"
    QUOTA = "quota"
    RATE_LIMITED = "rate_limited"
    RETIRED = "retired"
    MISSING = "missing"
    """Weights, an extra or a program that the engine needs is not on this machine."""
    OUT_OF_MEMORY = "out_of_memory"
    TRANSIENT = "transient"
    """Nothing was made and nothing billed; it may well work the next time."""
    UNCERTAIN = "uncertain"
    """The provider took the request and its answer was lost: it may have been made, and billed."""
    INTERNAL = "internal"


class Determinism(StrEnum):
    """How close two makings of one recipe come; declared by an adapter's card, held to it by tests."""

    BITWISE = "bitwise"
    """The same bytes on any machine."""
    ENVIRONMENT = "environment"
    """The same bytes in the same environment."""
    SEEDED = "seeded"
    """Close, but not equal."""
    NONE = "none"


class ProtocolError(Exception):
    """A line that is not a message of this protocol."""


class EngineError(Exception):
    """What an adapter raises when it can't load, or can't serve a request."""

    def __init__(
        self, kind: ErrorKind, message: str, *, hint: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Whom a picture owes a mention: one work that went into it."""

    title: str
    author: str
    licence: str
    """SPDX identifier, such as `CC-BY-3.0`."""
    source: str
    """Where the work comes from: a project's address or package name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Builder to engine, first: which engine to be. Answered by `Hello` or `Failure`."""

    protocol: int
    adapter: str
    engine: str
    """The engine's name in the manifest, for messages."""
    model: str
    """Name of the model, or a local folder; empty where the adapter has none to choose."""
    revision: str
    staging: str
    """Absolute path of a folder that the builder owns: the only place to write in."""
    settings: Mapping[str, Json]
    """How to run, not what to make: device, dtype, offload, base address. Never part of a recipe."""
    memory: float = 0.0
    """The most of the device's memory to take, in bytes, or up to 1 as a share of it; 0: no limit."""
    ahead: bool = False
    """Sent ahead of time: import libraries, touch neither weights nor the device. Not answered; the same
    message without it follows once the device is free."""
    parameters: Mapping[str, Json] = field(default_factory=dict)
    """Those of every request that hold for the whole process: the card's with `process`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Engine to builder: loaded, and who I am. The builder holds it against the adapter's card."""

    protocol: int
    adapter: str
    version: str
    determinism: Determinism
    environment: Mapping[str, str]
    """What pictures are made with: library versions, device, dtype. Recorded, never in a recipe."""
    batch: int = 1
    """The most requests of one `Render` that share work."""
    confined: tuple[str, ...] = ()
    """What holds this process: `files` (can't write elsewhere), `network` (has none) or `tcp` (no TCP),
    `memory`, `signals`, `ipc` (shares no memory with others)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One picture to make."""

    id: str
    asset: str
    """The asset's name, for messages only: no pixel may depend on it, for it is no part of a recipe."""
    output: str
    """Name of the file to write, inside the staging folder. Its suffix is the format asked for."""
    prompt: str = ""
    negative: str = ""
    text: str = ""
    """Exact lettering, where the adapter draws any."""
    seed: int | None = None
    size: tuple[int, int] | None = None
    """Width and height in pixels; None where the input decides."""
    parameters: Mapping[str, Json] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Parameter name to absolute path of a private copy; of a table of files, `PARAMETER.NAME`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """Builder to engine: make these, in any order."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Engine to builder: step `step` of `steps`; extends the request's deadline."""

    id: str
    step: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Engine to builder: the file is written and closed. The builder checks it before it adopts it."""

    id: str
    output: str
    sent: Mapping[str, Json] = field(default_factory=dict)
    """What the provider says it really used, where it differs or is returned: `prompt`, `seed`, `model`."""
    credits: tuple[Credit, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know: a word not understood, a prompt cut at 77 tokens."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Measurements of the picture; the finish adapter reports width, height, pixels, phash."""
    host_bytes: int = 0
    """The most main memory that the process has had so far; 0: unknown."""
    device_bytes: int = 0
    """The most of the device's memory that this request, or its batch, had; 0: none or unknown."""
    cost: float | None = None
    """US dollars, where the provider says what it took."""
    companions: Mapping[str, str] = field(default_factory=dict)
    """Further files of an atlas: what stands in place of the output's suffix (`-1.png`, `.json`) to the
    file's name in the staging folder. Only artlock's own adapter `pack` is asked for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Engine to builder: a request failed, or, with no id, the engine did."""

    id: str | None
    kind: ErrorKind
    message: str
    hint: str = ""
    retry_after: float | None = None
    """Seconds that the provider asked to wait, at most `LONGEST_WAIT`."""
    host_bytes: int = 0
    """The most main memory that the process has had so far; 0: unknown."""


Message: TypeAlias = Open | Hello | Render | Progress | Done | Failure
Result: TypeAlias = Done | Failure

_TYPES: Final[dict[str, type[Message]]] = {
    "open": Open,
    "hello": Hello,
    "render": Render,
    "progress": Progress,
    "done": Done,
    "error": Failure,
}
_NAMES: Final = {kind: name for name, kind in _TYPES.items()}


class Report(Protocol):
    """Tells the builder how far a request is: `report(request.id, step, steps)`."""

    def __call__(self, request_id: str, step: int, steps: int) -> None:
        """Step `step` of `steps`, counted from 1."""


class Engine(Protocol):
    """What an adapter's `load(open)` returns: a loaded engine, warm until its input ends.

    It may have an attribute `batch`: the most requests that it makes together as it is set up now. Without
    one, that is the `batch` of its card, which stays the most of all.
    """

    def environment(self) -> Mapping[str, str]:
        """Library versions, device and dtype that pictures are made with."""
        ...

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each request, yielding its result as soon as it is finished.

        Raising `EngineError` fails every request that has no result yet.
        """
        ...


def failure(error: EngineError, request_id: str | None) -> Failure:
    """The message that carries `error`.

    A provider that asks for longer than the protocol has room for is said to ask for that.
    """
    wait = error.retry_after
    return Failure(
        id=request_id,
        kind=error.kind,
        message=_whole(error.message),
        hint=_whole(error.hint),
        retry_after=None if wait is None else min(wait, LONGEST_WAIT),
    )


def _whole(text: str) -> str:
    """`text` as UTF-8 can carry it.

    A provider's JSON may hold half a surrogate pair, and its refusal must not become a bug of ours.
    """
    return text.encode(errors="backslashreplace").decode()


def _plain(value: Json) -> Json:
    """What JSON has no word for: our own values, and mappings that are no `dict`."""
    if is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    detail = f"a `{type(value).__name__}`"
    raise TypeError(detail)


def one_by_one(requests: Iterable[Request], make: Callable[[Request], Done]) -> Iterator[Result]:
    """What `make` gives for each request; one that raises `EngineError` leaves the others alone."""
    for request in requests:
        try:
            yield make(request)
        except EngineError as error:
            yield failure(error, request.id)


def encode(message: Message) -> bytes:
    """One line of UTF-8 JSON, newline included.

    Raises `ProtocolError` where the line would be too long or a value is none that JSON can carry.
    """
    name = _NAMES[type(message)]
    body = {"type": name, **_plain(message)}
    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)
        line = text.encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        detail = f"a `{name}` message holds what JSON can't carry: {error}"
        raise ProtocolError(detail) from error
    if len(line) > MAX_LINE:
        detail = f"a `{name}` message of {len(line)} bytes is longer than {MAX_LINE}"
        raise ProtocolError(detail)
    return line


def _parse(line: bytes) -> Json:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        detail = f"not UTF-8: {line[:80]!r}"
        raise ProtocolError(detail) from error
    try:
        body = json.loads(text)
        # Python reads NaN and half a surrogate pair without a word; neither could be written again.
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        detail = f"not JSON: {line[:80]!r}"
        raise ProtocolError(detail) from error
    if text.count("[") + text.count("{") > DEEPEST and isinstance(body, dict) and _is_deep(body):
        detail = f"nested more than {DEEPEST} deep: {line[:80]!r}"
        raise ProtocolError(detail)
    return body


def _is_deep(body: Json) -> bool:
    level = [body]
    for _ in range(DEEPEST):
        inside = (item.values() if isinstance(item, dict) else item for item in level)
        level = [item for items in inside for item in items if isinstance(item, dict | list)]
    return bool(level)


def decode(line: bytes) -> Message:
    """The message in `line`. Raises `ProtocolError` with what is wrong: the peer can't be trusted."""
    body = _parse(line)
    if not isinstance(body, dict):
        detail = f"not an object: {line[:80]!r}"
        raise ProtocolError(detail)
    name = body.pop("type", None)
    kind = _TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        detail = f"unknown message type {str(name)[:80]!r}"
        raise ProtocolError(detail)
    message: Message = _build(kind, body, str(name))
    return message


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: Json) -> int:
    # bool is an int to Python but not to the protocol.
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _boolean(value: Json) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _amount(most: float) -> Callable[[Json], float]:
    def check(value: Json) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise TypeError
        return float(value)

    return check


def _bytes(value: Json) -> int:
    if not 0 <= _integer(value) <= MOST_BYTES:
        raise ValueError
    return _integer(value)


def _step(value: Json) -> int:
    # A bar that shows how far a request is will divide them.
    if abs(_integer(value)) > _MOST_STEPS:
        raise ValueError
    return _integer(value)


def _table(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(_text(item) for item in _list(value))


def _text_table(value: Json) -> dict[str, str]:
    return {key: _text(item) for key, item in _table(value).items()}


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _size(value: Json) -> tuple[int, int]:
    width, height = (_integer(item) for item in _list(value))
    return width, height


def _optional(check: Callable[[Json], Any]) -> Callable[[Json], Any]:
    return lambda value: None if value is None else check(value)


def _nested(kind: type[Any]) -> Callable[[Json], tuple[Any, ...]]:
    return lambda value: tuple(_build(kind, dict(_table(item)), kind.__name__) for item in _list(value))


_CHECKS: Final[dict[str, Callable[[Json], Any]]] = {
    "str": _text,
    "str | None": _optional(_text),
    "int": _integer,
    "int | None": _optional(_integer),
    "float": _amount(_MOST),
    "float | None": _optional(_amount(_MOST)),
    "bool": _boolean,
    "tuple[int, int] | None": _optional(_size),
    "tuple[str, ...]": _texts,
    "tuple[Credit, ...]": _nested(Credit),
    "tuple[Request, ...]": _nested(Request),
    "Mapping[str, str]": _text_table,
    "Mapping[str, Json]": _table,
    "Determinism": Determinism,
    "ErrorKind": ErrorKind,
}
"""How to check a field, by its annotation as written; a test holds that none is missing."""

_BOUNDS: Final[dict[str, Callable[[Json], Any]]] = {
    "step": _step,
    "steps": _step,
    "host_bytes": _bytes,
    "device_bytes": _bytes,
    "cost": _optional(_amount(MOST_COST)),
    "retry_after": _optional(_amount(LONGEST_WAIT)),
}
"""Fields of which the builder makes sums: Python's numbers have no end, those of a clock or database do."""


def _build(kind: type[Any], body: dict[str, Json], name: str) -> Any:  # noqa: ANN401 - one of six
    values: dict[str, Any] = {}
    for item in fields(kind):
        if item.name in body:
            value = body.pop(item.name)
            try:
                check = _BOUNDS.get(item.name) or _CHECKS[str(item.type)]
                values[item.name] = check(value)
            except (TypeError, ValueError, OverflowError) as error:
                detail = f"`{name}` has a bad `{item.name}`: {str(value)[:80]!r}"
                raise ProtocolError(detail) from error
        elif item.default is MISSING and item.default_factory is MISSING:
            detail = f"`{name}` lacks `{item.name}`"
            raise ProtocolError(detail)
    if body:
        # Refused rather than ignored: a field that one side does not know is a promise it won't keep.
        detail = f"`{name}` has an unknown field `{min(body)[:80]}`"
        raise ProtocolError(detail)
    return kind(**values)
