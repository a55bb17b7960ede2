"""The text `parameters` of AUTOMATIC1111's web UI and its many heirs, artlock among them.

Prompt, then `Negative prompt:`, then one line of `Key: value` with commas; a value that holds a comma or a
colon is a JSON string. Knows nothing of files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.imports import found
from buildsys.imports.found import Found

Json: TypeAlias = Any

_NEGATIVE: Final = re.compile(r"^Negative prompt:", re.MULTILINE)
_KEY: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9 _/.-]{0,63}):\s*")
_FEW: Final = 3
"""Pairs that make a line one of settings: fewer may be a sentence of the prompt."""
_READ: Final = {"Steps", "CFG scale", "Seed", "Size"}
_SWARM: Final = "sui_image_params"
_decoder: Final = json.JSONDecoder()


def read(text: str) -> Found | None:
    """What `parameters` says; None where it is no such text."""
    if text.lstrip().startswith("{"):
        return _json(text)
    lines = text.replace("\r\n", "\n").split("\n")
    at, settings = _settings(lines)
    prompt, *negative = _NEGATIVE.split("\n".join(lines[:at]), maxsplit=1)
    if not settings and not negative:
        return None
    width, _, height = settings.get("Size", "").partition("x")
    others = {key: value for key, value in settings.items() if key not in _READ}
    return Found(
        tool="artlock" if others.get("Version") == "artlock" else "A1111",
        prompt=found.text(prompt),
        negative=found.text("".join(negative)),
        seed=found.seed(settings.get("Seed")),
        size=found.size(width, height),
        steps=found.steps(settings.get("Steps")),
        guidance=found.guidance(settings.get("CFG scale")),
        others=found.noted(others),
    )


def _settings(lines: list[str]) -> tuple[int, dict[str, str]]:
    """The number of the last line that holds settings, and these; all lines, and none, without one."""
    for at in range(len(lines) - 1, -1, -1):
        pairs = _pairs(lines[at])
        if len(pairs) >= _FEW and {"Steps", "Seed"} & pairs.keys():
            return at, pairs
    return len(lines), {}


def _pairs(line: str) -> dict[str, str]:
    """`Key: value, Key: "va, lue"` as a table; what is no such pair is passed over."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(line):
        key = _KEY.match(line, at)
        if key is None:
            at = _after_comma(line, at)
            continue
        value, at = _value(line, key.end())
        pairs.setdefault(key[1].strip(), value)
    return pairs


def _value(line: str, at: int) -> tuple[str, int]:
    if line.startswith('"', at):
        try:
            value, end = _decoder.raw_decode(line, at)
        except (ValueError, RecursionError):
            pass
        else:
            return str(value), _after_comma(line, end)
    end = line.find(",", at)
    end = len(line) if end < 0 else end
    return line[at:end].strip(), end + 1


def _after_comma(line: str, at: int) -> int:
    comma = line.find(",", at)
    return len(line) if comma < 0 else comma + 1


def _json(text: str) -> Found | None:
    """SwarmUI writes JSON under the same keyword."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = body.get(_SWARM) if isinstance(body, dict) else None
    if not isinstance(values, Mapping):
        return None
    known = {"prompt", "negativeprompt", "seed", "width", "height", "steps", "cfgscale"}
    return Found(
        tool="SwarmUI",
        prompt=found.text(values.get("prompt")),
        negative=found.text(values.get("negativeprompt")),
        seed=found.seed(values.get("seed")),
        size=found.size(values.get("width"), values.get("height")),
        steps=found.steps(values.get("steps")),
        guidance=found.guidance(values.get("cfgscale")),
        others=found.noted({key: value for key, value in values.items() if key not in known}),
    )
