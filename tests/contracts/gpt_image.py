"""OpenAI's contract for pictures, written from the SDK's description of November 2026."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_type_hints

from openai.types.image_edit_params import ImageEditParamsNonStreaming

from contracts.kit import KEY, Provider, Script
from contracts.server import Reply, Route
from contracts.shared import SPECS, schema

BODY: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["prompt", "model", "n"],
    "properties": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 32000},
        "model": {"pattern": "^(gpt-image-[0-9].*|dall-e-[23])$"},
        "n": {"const": 1},
        "size": {"pattern": "^(auto|[0-9]{2,4}x[0-9]{2,4})$"},
        "quality": {"enum": ["auto", "low", "medium", "high", "xhigh", "max"]},
        "output_format": {"enum": ["png", "jpeg", "webp"]},
        "background": {"enum": ["transparent", "opaque", "auto"]},
        "moderation": {"enum": ["auto", "low"]},
    },
}


PICTURE = {"type": "string", "minLength": 1, "maxLength": 50_000_000 - 1}
EDIT: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image[]", "prompt", "model", "n"],
    "properties": {
        **{name: item for name, item in BODY["properties"].items() if name != "moderation"},
        "n": {"const": "1"},
        "image[]": {"type": "array", "items": PICTURE, "minItems": 1, "maxItems": 16},
        "mask": {"type": "string", "minLength": 1, "maxLength": 4_000_000 - 1},
    },
}


def described() -> Mapping[str, Any]:
    """The fields of an edit that the SDK knows, as a form calls them."""
    names = {*get_type_hints(ImageEditParamsNonStreaming)} - {"image"} | {"image[]"}
    return {"propertyNames": {"enum": sorted(names)}}


def theirs() -> tuple[Mapping[str, Any], ...]:
    """The provider's own schema of 2026-08-21, with the two qualities that came in September."""
    if not SPECS.is_dir():
        return ()
    (found,) = schema("openai-images.json", "CreateImageRequest")
    text = json.dumps(found).replace('"high", "auto"', '"high", "xhigh", "max", "auto"')
    whole: Mapping[str, Any] = json.loads(text)
    return (whole,)


def routes(_model: str) -> Mapping[str, Route]:
    route = Route((BODY, *theirs()), header="authorization", key=f"Bearer {KEY}")
    edit = replace(route, schemas=(EDIT, described()), form=True, lists=("image[]",))
    return {"/images/generations": route, "/images/edits": edit}


def good(data: bytes, mime: str, **more: Any) -> Script:
    body = {
        "created": 1763900000,
        "data": [{"b64_json": base64.b64encode(data).decode()}],
        "background": "opaque",
        "output_format": mime.removeprefix("image/"),
        "quality": "medium",
        "size": "1024x1024",
        **more,
    }
    headers = {"Content-Type": "application/json", "x-request-id": "oai-1"}
    return (Reply(body=json.dumps(body).encode(), headers=headers),)


PROVIDER = Provider(
    adapter="gpt_image",
    name="OpenAI",
    variable="OPENAI_API_KEY",
    model="gpt-image-2-2026-04-21",
    route=routes,
    good=good,
    pictures=("image", "reference.a", "reference.b", "mask"),
)
