"""Ideogram's contract, written from its specification of 2026-04-27."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.kit import KEY, Provider, Script
from contracts.server import Reply, Route
from contracts.shared import schema

SEED = {"type": "integer", "minimum": 0, "maximum": 2147483647}
STYLES = ["AUTO", "GENERAL", "FICTION", "REALISTIC", "DESIGN", "RENDER_3D", "ANIME", "STYLIZED"]
LEGACY: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image_request"],
    "properties": {
        "image_request": {
            "type": "object",
            "additionalProperties": False,
            "required": ["prompt", "model"],
            "properties": {
                "prompt": {"type": "string", "minLength": 1},
                "model": {"enum": ["V_1", "V_1_TURBO", "V_2", "V_2_TURBO", "V_2A", "V_2A_TURBO"]},
                "aspect_ratio": {"pattern": "^ASPECT_(10_16|16_10|9_16|16_9|3_2|2_3|4_3|3_4|1_1|1_3|3_1)$"},
                "resolution": {"pattern": "^RESOLUTION_[0-9]{3,4}_[0-9]{3,4}$"},
                "magic_prompt_option": {"enum": ["AUTO", "ON", "OFF"]},
                "seed": SEED,
                "style_type": {"enum": STYLES},
                "negative_prompt": {"type": "string"},
                "num_images": {"const": 1},
            },
            "oneOf": [{"required": ["aspect_ratio"]}, {"required": ["resolution"]}],
            "allOf": [
                {
                    "if": {"properties": {"model": {"enum": ["V_2A", "V_2A_TURBO"]}}},
                    "then": {"not": {"required": ["negative_prompt"]}},
                },
                {
                    "if": {"properties": {"model": {"enum": ["V_1", "V_1_TURBO"]}}},
                    "then": {"not": {"required": ["style_type"]}},
                },
                {"if": {"required": ["resolution"]}, "then": {"properties": {"model": {"const": "V_2"}}}},
            ],
        }
    },
}
THIRD: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string", "minLength": 1},
        "seed": SEED,
        "resolution": {"pattern": "^[0-9]{3,4}x[0-9]{3,4}$"},
        "aspect_ratio": {"pattern": "^[0-9]{1,2}x[0-9]{1,2}$"},
        "rendering_speed": {"enum": ["FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY"]},
        "magic_prompt": {"enum": ["AUTO", "ON", "OFF"]},
        "negative_prompt": {"type": "string"},
        "num_images": {"const": 1},
        "style_type": {"enum": ["AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION", "STYLIZED"]},
    },
    "oneOf": [{"required": ["aspect_ratio"]}, {"required": ["resolution"]}],
}


FORM: Mapping[str, Any] = {
    **THIRD,
    "required": [*THIRD["required"], "style_reference_images"],
    "properties": {
        **THIRD["properties"],
        "num_images": {"const": "1"},
        "seed": {"type": "string", "pattern": "^[0-9]{1,10}$"},
        "style_reference_images": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
        },
    },
}


def as_form(found: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """The provider's own schema as it holds for a form, which has no numbers."""
    whole: list[dict[str, Any]] = json.loads(json.dumps(found))
    for each in whole:
        properties = each["components"]["schemas"]["GenerateImageRequestV3"]["properties"]
        properties["seed"] = properties["num_images"] = {"type": "string", "pattern": "^[0-9]+$"}
    return tuple(whole)


def routes(_model: str) -> Mapping[str, Route]:
    legacy = (LEGACY, *schema("ideogram.json", "GenerateImageRequest"))
    third = (THIRD, *schema("ideogram.json", "GenerateImageRequestV3"))
    form = (FORM, *as_form(schema("ideogram.json", "GenerateImageRequestV3")))
    lists = ("style_reference_images",)
    return {
        "/generate": Route(legacy, header="api-key", key=KEY),
        "/v1/ideogram-v3/generate": Route(third, header="api-key", key=KEY, form_schemas=form, lists=lists),
    }


def made(url: str, **changes: Any) -> Reply:
    """The answer that names where the picture is."""
    data = {
        "url": url,
        "prompt": "a moon knight",
        "resolution": "1024x1024",
        "is_image_safe": True,
        "seed": 12345,
        "style_type": "GENERAL",
        **changes,
    }
    body = {"created": "2026-11-20T10:00:00+00:00", "data": [data]}
    headers = {"Content-Type": "application/json", "x-request-id": "ideo-1"}
    return Reply(body=json.dumps(body).encode(), headers=headers)


def good(data: bytes, mime: str, **changes: Any) -> Script:
    """The two answers: where it is, and the picture."""
    return (
        lambda url: made(f"{url}/ephemeral/x.png?exp=1&sig=2", **changes),
        Reply(body=data, headers={"Content-Type": mime}),
    )


PROVIDER = Provider(
    adapter="ideogram",
    name="Ideogram",
    variable="IDEOGRAM_API_KEY",
    model="V_1_TURBO",
    route=routes,
    good=good,
    request={"seed": 12345},
    takes={"model": "V_3"},
    pictures=("reference.a", "reference.b"),
)
