"""One adapter against its provider's stand-in: what it answers, what it sent, and that it tells no key."""

from __future__ import annotations

import importlib
import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from contracts.server import Call, Reply, Route, Server, serving
from engines import protocol
from engines.hosted.account import Account
from engines.protocol import Done, EngineError, ErrorKind, Failure, Open, Request

KEY = "artlock-secret-5f2c9e"

HOME = Path(__file__).resolve().parent.parent.parent

Script: TypeAlias = Sequence[Reply | Callable[[str], Reply]]


@dataclass(frozen=True)
class Provider:
    """What the tests must know of one provider."""

    adapter: str
    name: str
    variable: str
    model: str
    route: Callable[[str], Mapping[str, Route]]
    """The addresses that take a model."""
    good: Callable[[bytes, str], Script]
    """The answers that bring a picture of a MIME type."""
    request: Mapping[str, Any] = field(default_factory=dict)
    """What a good request has beside its prompt."""
    takes: Mapping[str, Any] = field(default_factory=dict)
    """What a request must have beside a picture that it is given: a model that takes it, parameters."""
    pictures: tuple[str, ...] = ()
    """The pictures that it takes, in the order in which they are sent: `image`, `reference.b`."""
    carried: Callable[[Call], list[tuple[str, bytes]]] = lambda call: [
        (item.mime, item.data) for item in call.files
    ]
    """The pictures in a request, with their MIME types."""


class Bench:
    """A loaded adapter, its server, and a staging folder."""

    def __init__(self, provider: Provider, server: Server, staging: Path) -> None:
        self.provider = provider
        self.server = server
        self.staging = staging
        self.progress: list[tuple[str, int, int]] = []
        self._said: list[bytes] = []

    def opening(self, model: str = "", **settings: Any) -> Open:
        return Open(
            protocol=protocol.PROTOCOL,
            adapter=self.provider.adapter,
            engine=self.provider.adapter,
            model=model or self.provider.model,
            revision="",
            staging=str(self.staging),
            settings={"base_url": self.server.url, "timeout": 10, **settings},
        )

    def request(self, **changes: Any) -> Request:
        asked = {"prompt": "a moon knight", "size": None, **self.provider.request, **changes}
        return Request(id="7", asset="hero", output="7.png", **asked)

    def load(self, model: str = "", **settings: Any) -> protocol.Engine:
        module = importlib.import_module(f"engines.{self.provider.adapter}")
        engine: protocol.Engine = module.load(self.opening(model, **settings))
        return engine

    def render(
        self, *, model: str = "", settings: Mapping[str, Any] | None = None, **changes: Any
    ) -> Done | Failure:
        engine = self.load(model, **(settings or {}))
        (result,) = engine.render([self.request(**changes)], lambda *step: self.progress.append(step))
        self._said.append(protocol.encode(result))
        assert result.id == "7"
        return result

    def make(self, **changes: Any) -> Done:
        """The result of a request that works."""
        result = self.render(**changes)
        assert isinstance(result, Done), result
        return result

    def fail(self, kind: ErrorKind, *, paid: int = 1, **changes: Any) -> Failure:
        """The result of one that must fail so, after `paid` requests, and leave no picture."""
        result = self.render(**changes)
        assert isinstance(result, Failure), result
        assert result.kind is kind, result
        assert len(self.server.paid) == paid
        assert list(self.staging.iterdir()) == []
        return result

    def refuse(self, **changes: Any) -> Failure:
        """The result of one that must be refused before anything is sent."""
        return self.fail(ErrorKind.BAD_REQUEST, paid=0, **changes)

    def fail_to_load(self, kind: ErrorKind, model: str = "", **settings: Any) -> EngineError:
        with pytest.raises(EngineError) as caught:
            self.load(model, **settings)
        assert caught.value.kind is kind
        return caught.value

    def check_secret(self, log: str) -> None:
        """The key is in nothing that anyone could read."""
        assert KEY not in log
        assert not [said for said in self._said if KEY.encode() in said]
        assert not [path for path in self.staging.iterdir() if KEY.encode() in path.read_bytes()]


@contextmanager
def bench_of(provider: Provider, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench for one test; when it ends, every request has kept its contract and no key was told."""
    staging = folder / "staging"
    staging.mkdir()
    patch.setenv(provider.variable, KEY)
    patch.setenv("NO_PROXY", "127.0.0.1")
    log = io.StringIO()
    handler, root = logging.StreamHandler(log), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with serving(provider.route(provider.model)) as server:
            bench = Bench(provider, server, staging)
            yield bench
        bench.check_secret(log.getvalue())
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def account_of(folder: Path, patch: pytest.MonkeyPatch) -> Account:
    """An account at one of the providers, for what all adapters share."""
    patch.setenv("STABILITY_API_KEY", KEY)
    patch.setenv("NO_PROXY", "127.0.0.1")
    opening = Open(
        protocol=protocol.PROTOCOL,
        adapter="stability",
        engine="stability",
        model="sd3.5-medium",
        revision="",
        staging=str(folder),
        settings={},
    )
    return Account(HOME / "engines" / "stability", opening, "Stability AI")
