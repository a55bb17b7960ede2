"""An asset's texts as one engine gets them: prompt, negative, and the words to be seen.

Knows nothing of an asset's other keys, but for the seed and the axes that wildcards are drawn by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from buildsys.manifest import needs, shapes, template
from buildsys.manifest.engines import Scopes
from buildsys.manifest.matrix import Declared
from buildsys.manifest.model import Engine, Need
from buildsys.manifest.needs import Unmet
from buildsys.manifest.source import COMMAND_LINE, Fault, at
from buildsys.manifest.styles import Layer, takes_no
from buildsys.manifest.template import Value
from buildsys.manifest.wildcards import Draw

_OPTIONS: Final = {"seed": "N", "size": "WxH"}
"""What follows `--seed` and `--size` on the command line; text follows the others."""


class Wording:
    """The texts of one asset. Every method raises `Fault`.

    Args:
        asset: the asset as it is written.
        engine: the one that makes it; None where the profile has none.
        layer: what the asset's styles say to that engine.
        scopes: the names that a text for one engine alone may stand under.
        variables: those of the manifest.
    """

    def __init__(
        self,
        asset: Declared,
        engine: Engine | None,
        layer: Layer,
        scopes: Scopes,
        variables: Mapping[str, Value],
    ) -> None:
        self._asset = asset
        self._engine = engine
        self._layer = layer
        self._scopes = scopes
        self._variables = variables

    def text(self) -> str:
        """The words to be seen."""
        return self._own("text", self._draw("text"), self._asset.values)

    def prompt(self, text: str) -> str:
        """What to show, with the styles around it. `text` is what it may use as `{text}`."""
        asset, engine = self._asset, self._engine
        # One draw for all, the asset's own wildcards first: a style that is put on changes none of them.
        draw = self._draw("prompt")
        # A variable or an axis of this name is older than this meaning of `{text}`, so it wins.
        known = {"text": text, **asset.values} if "text" in asset.table else asset.values
        prompt = self._own("prompt", draw, known)
        if engine is not None:
            if prompt and engine.card.prompt is Need.NONE:
                raise refused(asset, "prompt", engine)
            if not prompt and engine.card.prompt is Need.REQUIRED:
                raise lacks(asset, "prompt", engine)
        if prompt:
            with at("style"):
                for wrapper in self._layer.prompts:
                    prompt = template.expand(wrapper, {**self._variables, "prompt": prompt}, draw)
        return prompt

    def negative(self) -> str:
        """What to keep out: the asset's own, then the styles'."""
        engine = self._engine
        draw = self._draw("negative")
        own = self._own("negative", draw, self._asset.values)
        if own and engine is not None and not shapes.takes_negative(engine):
            raise refused(self._asset, "negative", engine)
        negative = own
        if self._layer.negatives:
            with at("style"):
                styled = [template.expand(text, self._variables, draw) for text in self._layer.negatives]
            negative = ", ".join(filter(None, [own, *styled]))
        if not negative and engine is not None and engine.card.negative is Need.REQUIRED:
            raise lacks(self._asset, "negative", engine)
        return negative

    def check(self, text: str, prompt: str) -> None:
        """Hold `text` against what the engine needs: if it takes none, it may letter what the prompt says."""
        if self._engine is None:
            return
        card = self._engine.card
        if not text:
            if card.text is Need.REQUIRED:
                raise lacks(self._asset, "text", self._engine)
        elif card.text is Need.NONE:
            if not needs.letters(card):
                raise refused(self._asset, "text", self._engine)
            if text not in prompt:
                fact = f"engine `{self._engine.name}` is told the `text` by the prompt alone, which lacks it"
                path = ("prompt",) if "prompt" in self._asset.table else ()
                raise Fault(fact, "put `{text}` into the prompt, in quotes", path)

    def _own(self, key: str, draw: Draw, known: Mapping[str, Value]) -> str:
        """What the asset itself says under `key`; `known` are the names that it may use."""
        written = self._asset.table.get(key)
        if written is None:
            return ""
        with at(key):
            if isinstance(written, dict):
                # What it says to other engines too, so a typo there shows in every profile.
                template.check(written, known)
            return template.expand(self._scopes.pick(written, self._engine) or "", known, draw)

    def _draw(self, key: str) -> Draw:
        """The lots of the text `key`. The seed is drawn by even where the engine is not sent it."""
        return Draw(self._asset.table.get("seed"), self._asset.axes, key)


def lacks(asset: Declared, key: str, engine: Engine) -> Fault:
    """The fault of a `key` that `engine` needs, and `asset` does not give."""
    if asset.location.file == COMMAND_LINE:
        return Fault(f"engine `{engine.name}` needs a {key}", f"add `--{key} {_OPTIONS.get(key, 'TEXT')}`")
    fact = f"asset `{asset.name}` lacks a `{key}`, which engine `{engine.name}` needs"
    return Fault(fact, f"add `{key} = …`")


def refused(asset: Declared, key: str, engine: Engine) -> Unmet:
    """The fault of a `key` that `asset` gives, and `engine` has no use for."""
    if asset.location.file == COMMAND_LINE:
        return Unmet(f"engine `{engine.name}` takes no {key}", f"leave `--{key}` out")
    return takes_no(key, engine, f"asset `{asset.name}`")
