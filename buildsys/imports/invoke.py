"""What InvokeAI writes: `invokeai_metadata`, and before it `sd-metadata` and the command line in `Dream`.

Knows nothing of files.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.imports import found
from buildsys.imports.found import Found

Json: TypeAlias = Any

_TOOL: Final = "InvokeAI"
_OPTIONS: Final = {
    "-S": "seed",
    "-s": "steps",
    "-C": "guidance",
    "-W": "width",
    "-H": "height",
    "-A": "sampler",
}
_NEGATIVE: Final = re.compile(r"\[([^\[\]]*)\]")
"""Older versions had what to keep out in brackets, within the prompt."""
_LONGEST: Final = 100_000
"""Characters of a command line; a prompt is a thousandth of it."""


def read(metadata: str) -> Found | None:
    """What `invokeai_metadata` says."""
    values = _table(metadata)
    if values is None:
        return None
    known = ("positive_prompt", "negative_prompt", "seed", "width", "height", "steps", "cfg_scale")
    if not any(key in values for key in known):
        return None
    model = values.get("model")
    others = {key: values.get(key) for key in ("scheduler", "generation_mode", "app_version")}
    return Found(
        tool=_TOOL,
        prompt=found.text(values.get("positive_prompt")),
        negative=found.text(values.get("negative_prompt")),
        seed=found.seed(values.get("seed")),
        size=found.size(values.get("width"), values.get("height")),
        steps=found.steps(values.get("steps")),
        guidance=found.guidance(values.get("cfg_scale")),
        others=found.noted({"model": _model(model), **others}),
    )


def older(metadata: str) -> Found | None:
    """What `sd-metadata` says."""
    values = _table(metadata)
    image = values.get("image") if values else None
    if values is None or not isinstance(image, Mapping):
        return None
    prompt = image.get("prompt")
    if isinstance(prompt, list):
        texts = (item.get("prompt") if isinstance(item, Mapping) else item for item in prompt)
        prompt = ", ".join(filter(None, map(found.text, texts)))
    positive, negative = _apart(found.text(prompt))
    return Found(
        tool=_TOOL,
        prompt=positive,
        negative=negative,
        seed=found.seed(image.get("seed")),
        size=found.size(image.get("width"), image.get("height")),
        steps=found.steps(image.get("steps")),
        guidance=found.guidance(image.get("cfg_scale")),
        others=found.noted({"model": values.get("model_weights"), "sampler": image.get("sampler")}),
    )


def oldest(line: str) -> Found | None:
    """What `Dream` says: `"a knight" -s 50 -S 42 -W 512 -H 512 -C 7.5 -A k_lms`."""
    if len(line) > _LONGEST:
        return None
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    values: dict[str, str] = {}
    prompt: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        # Both `-S 42` and `-S42` were written.
        option = _OPTIONS.get(word[:2])
        if option is None:
            prompt += [] if word.startswith("-") else [word]
        elif len(word) > 2:  # noqa: PLR2004 - a dash and a letter
            values[option] = word[2:]
        elif at + 1 < len(words):
            at += 1
            values[option] = words[at]
        at += 1
    if "seed" not in values:
        return None
    positive, negative = _apart(" ".join(prompt))
    return Found(
        tool=_TOOL,
        prompt=positive,
        negative=negative,
        seed=found.seed(values["seed"]),
        size=found.size(values.get("width"), values.get("height")),
        steps=found.steps(values.get("steps")),
        guidance=found.guidance(values.get("guidance")),
        others=found.noted({"sampler": values.get("sampler")}),
    )


def _table(text: str) -> Mapping[str, Json] | None:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _model(model: Json) -> str:
    if isinstance(model, Mapping):
        model = model.get("name") or model.get("model_name") or model.get("key")
    return found.text(model)


def _apart(prompt: str) -> tuple[str, str]:
    """A prompt of an older version, and what it keeps out."""
    kept_out = ", ".join(filter(None, (match.strip() for match in _NEGATIVE.findall(prompt))))
    return found.text(" ".join(_NEGATIVE.sub("", prompt).split())), found.text(kept_out)
