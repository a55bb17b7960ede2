"""Every prompt as it would be sent, beside what the lock says was sent, and what CLIP would not read of it.

Knows nothing of how that is printed. Starts no engine: tokens are counted here, by the vocabulary of a
model that lies on this machine, or else estimated.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.manifest.model import Asset, AssetName, Engine
from buildsys.plan import tokens
from buildsys.plan.record import Record
from buildsys.plan.tokens import Vocabulary, Weigh
from buildsys.session import Session

Json: TypeAlias = Any

_CLIP: Final = "CLIPTokenizer"


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A text that is too long for CLIP."""

    field: str
    """`prompt` or `negative`."""
    tokens: int
    exact: bool
    """Whether the model's own vocabulary counted them."""
    limit: int
    unseen: str
    rest: str
    """The parameter by which a longer encoder reads on; empty where there is none."""

    def text(self) -> str:
        """The same as a sentence."""
        name = "negative prompt" if self.field == "negative" else self.field
        about = "" if self.exact else "about "
        fact = f"CLIP reads {self.limit} of the {about}{self.tokens} tokens of the {name}, {about}without"
        on = f"; a T5 reads on, up to `{self.rest}`" if self.rest else ""
        return f"{fact} `{self.unseen}`{on}"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the lock says of the picture that there is."""

    engine: str
    prompt: str
    negative: str
    text: str
    rewritten: str
    """The prompt as the provider changed it; empty where it says nothing of that."""


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of an asset, resolved."""

    name: AssetName
    engine: str
    """Empty where the profile has none for it."""
    prompt: str
    negative: str
    text: str
    locked: Sent | None
    cuts: tuple[Cut, ...]


def collect(session: Session, names: Collection[AssetName] | None = None) -> list[Prompt]:
    """The texts of the assets `names`, or of all; those that have none are left out."""
    encoders = _Encoders(session)
    found = []
    for name in session.manifest.assets if names is None else dict.fromkeys(names):
        asset = session.manifest.assets[name]
        if asset.prompt or asset.negative or asset.text:
            found.append(
                Prompt(
                    name=name,
                    engine=asset.engine,
                    prompt=asset.prompt,
                    negative=asset.negative,
                    text=asset.text,
                    locked=_sent(session.lock.records.get(name)),
                    cuts=tuple(encoders.cuts(asset)),
                )
            )
    return found


def _sent(record: Record | None) -> Sent | None:
    if record is None:
        return None
    parts = record.parts
    rewritten = record.sent.get("prompt", "")
    return Sent(
        engine=record.engine,
        prompt=parts.prompt,
        negative=parts.negative,
        text=parts.text,
        rewritten=rewritten if isinstance(rewritten, str) else "",
    )


class _Encoders:
    """What reads the prompts of each engine, looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, tuple[int, Weigh]] = {}

    def cuts(self, asset: Asset) -> Iterator[Cut]:
        engine = self._session.manifest.engines.get(asset.engine)
        if engine is None or not engine.card.prompt_tokens:
            return
        if engine.name not in self._known:
            self._known[engine.name] = self._encoder(engine)
        limit, weigh = self._known[engine.name]
        for field, text in (("prompt", asset.prompt), ("negative", asset.negative)):
            if limit:
                reading = tokens.read(text, limit, weigh)
                if reading.unseen:
                    yield Cut(
                        field=field,
                        tokens=reading.tokens,
                        exact=weigh is not tokens.estimate,
                        limit=limit,
                        unseen=reading.unseen,
                        rest=engine.card.prompt_rest,
                    )

    def _encoder(self, engine: Engine) -> tuple[int, Weigh]:
        """How much CLIP reads, 0 where the model has none, and how to count it."""
        folder = self._session.checkout.model_folder(engine)
        index = _table(folder / "model_index.json")
        if not index:
            return engine.card.prompt_tokens, tokens.estimate
        for name, entry in index.items():
            if isinstance(entry, list) and entry and str(entry[-1]).startswith(_CLIP):
                limit = _table(folder / name / "tokenizer_config.json").get("model_max_length")
                weigh = _weigh(folder / name / "merges.txt")
                return limit if isinstance(limit, int) and limit > 0 else engine.card.prompt_tokens, weigh
        return 0, tokens.estimate


def _table(path: Path) -> Mapping[str, Json]:
    """The JSON object at `path`; an empty one where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _weigh(path: Path) -> Weigh:
    try:
        return Vocabulary(path.read_text(encoding="utf-8")).weigh
    except (OSError, UnicodeDecodeError):
        return tokens.estimate
