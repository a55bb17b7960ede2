"""A provider as one project reaches it: where, with which key, for how long. Opens no connection."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from engines import parameters
from engines.parameters import Parameter
from engines.protocol import EngineError, ErrorKind, Json, Open

_SHOWN: Final = 80
"""Characters of an unexpected answer that a message shows."""

_SENTENCE: Final = 400
"""Characters of a provider's own explanation that a message shows."""


class Account:
    """One provider, as its adapter's card and the manifest's settings describe it.

    Args:
        folder: the adapter's, with its card: the key's name, the default address and wait are said there.
        opening: the model, and settings that change the card's.
        provider: its name, for messages.
    """

    def __init__(self, folder: Path, opening: Open, provider: str) -> None:
        card = parameters.card(folder)
        settings = {name: item["default"] for name, item in card["settings"].items()}
        settings.update(opening.settings)
        self.provider = provider
        self.model = opening.model
        today = dt.datetime.now(tz=dt.UTC).date()
        self.ended = {name: day for name, day in card.get("ends", {}).items() if day <= today}
        """Models that the provider has ended by now, and the days."""
        self.declared: Mapping[str, Parameter] = parameters.declared(card["parameters"])
        self.variable = str(card["keys"][0])
        self.base_url = _address(str(settings["base_url"]))
        self.timeout = _seconds(settings["timeout"])
        self._is_elsewhere = self.base_url != _address(str(card["settings"]["base_url"]["default"]))
        self.key = self._key()

    def _key(self) -> str:
        # A key read from a file often ends with a newline, which no header may hold.
        key = os.environ.get(self.variable, "").strip()
        if not key:
            message = f"{self.provider} needs the key `{self.variable}`"
            raise EngineError(ErrorKind.AUTH, message, hint=f"set `{self.variable}`")
        if not (key.isascii() and key.isprintable()) or " " in key:
            message = f"`{self.variable}` holds a character that no key has"
            raise EngineError(ErrorKind.AUTH, message, hint=f"set `{self.variable}` to the key alone")
        return key

    def conceal(self, text: str) -> str:
        """`text` with the key replaced by its name: a provider may quote what it was sent."""
        return text.replace(self.key, f"${self.variable}")

    def beginning(self, text: str, most: int = _SHOWN) -> str:
        """The first characters of what a provider said, on one line, the key concealed."""
        line = " ".join("".join(mark if mark.isprintable() else " " for mark in self.conceal(text)).split())
        return line if len(line) <= most else f"{line[:most]}…"

    def sentence(self, text: str) -> str:
        """As `beginning`, but as much as a provider needs to explain itself."""
        return self.beginning(text, _SENTENCE)

    def environment(self) -> dict[str, str]:
        """The host, where it is not the provider's own."""
        return {"host": urlsplit(self.base_url).netloc} if self._is_elsewhere else {}

    def one_of(self, models: Sequence[str]) -> str:
        """The model, if it is one of `models`. Raises `EngineError`."""
        if not self.model:
            message = f"no model of {self.provider} is chosen"
            raise EngineError(ErrorKind.BAD_REQUEST, message, hint=f"set `model` to `{models[0]}`")
        if self.model not in models:
            raise parameters.unknown("model", self.model, models)
        return self.model


def require(folder: Path) -> None:
    """Raise `EngineError` (`missing`) unless what the card in `folder` requires is installed."""
    card = parameters.card(folder)
    absent = [name for name in card["requires"] if importlib.util.find_spec(name) is None]
    if absent:
        raise EngineError(
            ErrorKind.MISSING,
            f"the Python module `{absent[0]}` is not installed",
            hint=f"run `pip install 'artlock[{card['extra']}]'`",
        )


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or "@" in parts.netloc:
        # Not shown: somebody may have put a password into it.
        message = "`base_url` is not the address of a server"
        raise EngineError(ErrorKind.BAD_REQUEST, message, hint="write it like `https://api.example.com`")
    return url.rstrip("/")


def _seconds(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        message = f"`timeout` is `{value}`, not a number of seconds"
        raise EngineError(ErrorKind.BAD_REQUEST, message, hint="write a number above 0")
    return float(value)
