"""Ideogram's models: how a request to each is written. What each takes, the card says.

Sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engines import parameters
from engines.hosted import ratio, shapes
from engines.hosted.shapes import Shapes
from engines.protocol import Json, Request

SEEDS: Final = range(2**31)


@dataclass(frozen=True, slots=True)
class Model:
    """One model, and what the card says that it takes."""

    name: str
    takes: Shapes

    @property
    def is_third(self) -> bool:
        """Whether it has the address of its own, which writes everything in another way."""
        return self.name == "V_3"

    @property
    def path(self) -> str:
        """Where a request goes."""
        return "/v1/ideogram-v3/generate" if self.is_third else "/generate"

    def body(self, request: Request, values: Mapping[str, Any]) -> dict[str, Json]:
        """The JSON of a `request` with these parameters. Raises `EngineError` for what it can't take."""
        shape = self._shape(request.size, values["aspect_ratio"])
        body: dict[str, Json] = {"prompt": request.prompt, "num_images": 1, **shape}
        if request.negative:
            body["negative_prompt"] = request.negative
        if request.seed is not None:
            body["seed"] = request.seed
        if values["reference"] and not self.is_third:
            raise parameters.bad(f"`{self.name}` takes no `reference`", "leave `reference` out")
        if style := values["style_type"]:
            body["style_type"] = self._style(style)
        magic, speed = values["magic_prompt"].upper(), values["rendering_speed"]
        if self.is_third:
            return {**body, "magic_prompt": magic, "rendering_speed": (speed or "default").upper()}
        if speed:
            raise parameters.bad(f"`{self.name}` takes no `rendering_speed`", "leave `rendering_speed` out")
        return {"image_request": {**body, "model": self.name, "magic_prompt_option": magic}}

    def _style(self, style: str) -> str:
        styles = self.takes.choices["style_type"]
        if style not in styles:
            fact = f"`{self.name}` has no `style_type` `{style}`"
            choices = f"use one of {parameters.listed(styles)}" if styles else "leave it out"
            raise parameters.bad(fact, choices)
        return style.upper()

    def _shape(self, size: tuple[int, int] | None, named: str | None) -> dict[str, Json]:
        if size is not None and named:
            raise parameters.bad("both `size` and `aspect_ratio` are set", "leave `aspect_ratio` out")
        if size is not None and self.takes.sizes:
            # Rather a size than a ratio: it is known before money is spent whether it is large enough.
            width, height = ratio.covering(size, self.takes.sizes, self.name)
            return {"resolution": f"{width}x{height}" if self.is_third else f"RESOLUTION_{width}_{height}"}
        if size is not None:
            ratio.within(size, self.takes.pixels, self.name)
        chosen = ratio.fitting(size, self.takes.ratios, self.name) if size else named or "1:1"
        if chosen not in self.takes.ratios:
            raise parameters.bad(
                f"`{self.name}` has no aspect ratio {chosen}",
                f"use one of {parameters.listed(self.takes.ratios)}",
            )
        if self.is_third:
            return {"aspect_ratio": chosen.replace(":", "x")}
        return {"aspect_ratio": f"ASPECT_{chosen.replace(':', '_')}"}


MODELS: Final = {
    name: Model(name, entry) for entry in shapes.read(Path(__file__).parent) for name in entry.models
}
