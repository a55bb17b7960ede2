"""Ideogram's models: what each takes, and how a request to it is written.

From the provider's specification of 2026-04-27, whose models were the same on 2026-10-07. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engines import parameters
from engines.hosted import ratio
from engines.protocol import Json, Request

_STYLES_2: Final = ("auto", "general", "realistic", "design", "render_3d", "anime")
_STYLES_3: Final = ("auto", "general", "realistic", "design", "fiction", "stylized")

_RATIOS: Final = ratio.parse(
    ("1:1", "16:9", "9:16", "16:10", "10:16", "3:2", "2:3", "4:3", "3:4", "3:1", "1:3")
)
_RATIOS_3: Final = {**_RATIOS, **ratio.parse(("2:1", "1:2", "5:4", "4:5"))}

_WIDE: Final = """
960x832 960x896 1024x832 1024x896 1024x960 1088x768 1088x832 1088x896 1088x960 1120x896 1152x704 1152x832
1152x864 1152x896 1216x704 1216x768 1216x832 1248x832 1280x704 1280x768 1280x800 1312x736 1344x640 1344x704
1344x768 1408x576 1408x640 1408x704 1472x576 1472x640 1472x704 1536x512 1536x576 1536x640
"""
_ONLY_2: Final = "1024x640 1024x768 1152x768 1232x768 1280x720"
_ONLY_3: Final = (800, 1280)

SEEDS: Final = range(2**31)


def _sizes(wide: str) -> tuple[tuple[int, int], ...]:
    """The square, the sizes in `wide`, and the same upright."""
    pairs = [item.partition("x") for item in wide.split()]
    lying = [(int(width), int(height)) for width, _, height in pairs]
    return ((1024, 1024), *lying, *((height, width) for width, height in lying))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model takes."""

    name: str
    negative: bool
    styles: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    """The exact sizes that it takes; empty where it takes a ratio only."""
    ratios: Mapping[str, float] = field(default_factory=lambda: _RATIOS)

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
        if style := values["style_type"]:
            body["style_type"] = self._style(style)
        magic, speed = values["magic_prompt"].upper(), values["rendering_speed"]
        if self.is_third:
            return {**body, "magic_prompt": magic, "rendering_speed": (speed or "default").upper()}
        if speed:
            raise parameters.bad(f"`{self.name}` takes no `rendering_speed`", "leave `rendering_speed` out")
        return {"image_request": {**body, "model": self.name, "magic_prompt_option": magic}}

    def _style(self, style: str) -> str:
        if style not in self.styles:
            fact = f"`{self.name}` has no `style_type` `{style}`"
            choices = f"use one of {parameters.listed(self.styles)}" if self.styles else "leave it out"
            raise parameters.bad(fact, choices)
        return style.upper()

    def _shape(self, size: tuple[int, int] | None, named: str | None) -> dict[str, Json]:
        if size is not None and named:
            raise parameters.bad("both `size` and `aspect_ratio` are set", "leave `aspect_ratio` out")
        if size is not None and self.sizes:
            # Rather a size than a ratio: it is known before money is spent whether it is large enough.
            width, height = ratio.covering(size, self.sizes, self.name)
            return {"resolution": f"{width}x{height}" if self.is_third else f"RESOLUTION_{width}_{height}"}
        chosen = ratio.fitting(size, self.ratios, self.name) if size else named or "1:1"
        if chosen not in self.ratios:
            raise parameters.bad(
                f"`{self.name}` has no aspect ratio {chosen}",
                f"use one of {parameters.listed(self.ratios)}",
            )
        if self.is_third:
            return {"aspect_ratio": chosen.replace(":", "x")}
        return {"aspect_ratio": f"ASPECT_{chosen.replace(':', '_')}"}


_ALL: Final = (
    Model(name="V_1_TURBO", negative=True),
    Model(name="V_1", negative=True),
    Model(
        name="V_2",
        negative=True,
        styles=_STYLES_2,
        sizes=tuple(size for size in _sizes(f"{_WIDE} {_ONLY_2}") if size != _ONLY_3),
    ),
    Model(name="V_2_TURBO", negative=True, styles=_STYLES_2),
    Model(name="V_2A", negative=False, styles=_STYLES_2),
    Model(name="V_2A_TURBO", negative=False, styles=_STYLES_2),
    Model(name="V_3", negative=True, styles=_STYLES_3, sizes=_sizes(_WIDE), ratios=_RATIOS_3),
)
MODELS: Final = {model.name: model for model in _ALL}
