"""Stability AI's contract for Stable Diffusion 3.5, written from its documentation; fields of a form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.kit import KEY, Provider, Script
from contracts.server import Reply, Route
from contracts.shared import SPECS, schema

FORM: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    # The provider would take a request without a model, and draw with its dearest.
    "required": ["prompt", "model"],
    "properties": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 10000},
        "mode": {"enum": ["text-to-image", "image-to-image"]},
        "image": {"type": "string", "minLength": 1, "maxLength": 10 * 2**20},
        "strength": {"pattern": "^(0(\\.[0-9]+)?|1(\\.0)?)$"},
        "model": {"enum": ["sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash"]},
        "aspect_ratio": {"enum": ["21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21"]},
        "seed": {"pattern": "^[1-9][0-9]{0,9}$"},
        "output_format": {"enum": ["png", "jpeg", "webp"]},
        "negative_prompt": {"type": "string", "maxLength": 10000},
        "cfg_scale": {"pattern": "^([1-9](\\.[0-9]+)?|10)$"},
        "style_preset": {"type": "string", "pattern": "^[a-z0-9-]+$"},
    },
    "if": {"required": ["mode"], "properties": {"mode": {"const": "image-to-image"}}},
    "then": {"required": ["image", "strength"], "not": {"required": ["aspect_ratio"]}},
    "else": {"not": {"anyOf": [{"required": ["image"]}, {"required": ["strength"]}]}},
}


NUMBER: Mapping[str, Any] = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$"}


def theirs() -> tuple[Mapping[str, Any], ...]:
    """The provider's own schema as it holds for a form, with the model that only its text has."""
    if not SPECS.is_dir():
        return ()
    (found,) = schema("stability-sd3.json", "Sd3Request")
    whole: dict[str, Any] = json.loads(json.dumps(found))
    properties = whole["components"]["schemas"]["Sd3Request"]["properties"]
    for name, item in properties.items():
        if item["type"] == "number":
            properties[name] = NUMBER
    properties["model"]["enum"].append("sd3.5-flash")
    return (whole,)


def routes(_model: str) -> Mapping[str, Route]:
    schemas = (FORM, *theirs())
    route = Route(schemas, header="authorization", key=f"Bearer {KEY}", form=True)
    return {"/v2beta/stable-image/generate/sd3": route}


def good(data: bytes, mime: str, **headers: str) -> Script:
    told = {"seed": "12345", "finish-reason": "SUCCESS", "x-request-id": "stab-1"}
    return (Reply(body=data, headers={"Content-Type": mime, **told, **headers}),)


PROVIDER = Provider(
    adapter="stability",
    name="Stability AI",
    variable="STABILITY_API_KEY",
    model="sd3.5-medium",
    route=routes,
    good=good,
    request={"seed": 12345},
    takes={"parameters": {"strength": 0.5}},
    pictures=("image",),
)
