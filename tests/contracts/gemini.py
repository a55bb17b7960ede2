"""Gemini's contract for pictures, written from the description of its version `v1beta`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from contracts.kit import KEY, Provider, Script
from contracts.server import Call, Reply, Route
from contracts.shared import schema


def closed(**properties: Any) -> Mapping[str, Any]:
    """An object with these properties and no others, all but `seed` and `aspectRatio` required."""
    required = [name for name in properties if name not in {"seed", "aspectRatio"}]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }


def one(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": 1}


WORDS = closed(text={"type": "string", "minLength": 1})
PICTURE = closed(
    inlineData=closed(
        mimeType={"enum": ["image/png", "image/jpeg", "image/webp"]},
        data={"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]+=*$"},
    )
)
PARTS = {"type": "array", "minItems": 1, "maxItems": 15, "prefixItems": [WORDS], "items": PICTURE}
RATIOS = ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"]
BODY = closed(
    contents=one(closed(role={"const": "user"}, parts=PARTS)),
    generationConfig=closed(
        responseModalities={"const": ["IMAGE"]},
        seed={"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
        imageConfig=closed(aspectRatio={"enum": RATIOS}, imageSize={"enum": ["1K", "2K", "4K"]}),
    ),
)


def routes(model: str) -> Mapping[str, Route]:
    schemas = (BODY, *schema("gemini-generate-content.json", "GenerateContentRequest"))
    route = Route(schemas, header="x-goog-api-key", key=KEY)
    names = (model, "gemini-3-pro-image-preview", "gemini-9")
    return {f"/v1beta/models/{name}:generateContent": route for name in names}


def candidate(*parts: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    return {"content": {"role": "model", "parts": list(parts)}, "index": 0, "finishReason": "STOP", **more}


def inline(data: bytes, mime: str, **more: Any) -> Mapping[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}, **more}


def reply(*candidates: Mapping[str, Any], **more: Any) -> Reply:
    body = {"candidates": candidates, "responseId": "gem-1", "modelVersion": "gemini-3-pro-image", **more}
    return Reply(body=json.dumps(body).encode(), headers={"Content-Type": "application/json; charset=UTF-8"})


def good(data: bytes, mime: str) -> Script:
    return (reply(candidate(inline(data, mime))),)


def carried(call: Call) -> list[tuple[str, bytes]]:
    """The pictures in a request."""
    blobs = [part["inlineData"] for part in call.body["contents"][0]["parts"][1:]]
    return [(blob["mimeType"], base64.b64decode(blob["data"], validate=True)) for blob in blobs]


PROVIDER = Provider(
    adapter="gemini",
    name="Gemini",
    variable="GEMINI_API_KEY",
    model="gemini-3-pro-image",
    route=routes,
    good=good,
    request={"seed": 42},
    pictures=("image", "reference.a", "reference.b"),
    carried=carried,
)
