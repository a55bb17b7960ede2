"""What ComfyUI writes: `prompt`, the graph that its server ran, and `workflow`, the one that a person drew.

A graph is of any shape, and of nodes that nobody has heard of. So it is walked from the picture backwards: to
the node that samples, and from there along the inputs that every sampler has. Knows nothing of files.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.imports import drawing, found
from buildsys.imports.found import Found

Json: TypeAlias = Any
Nodes: TypeAlias = Mapping[str, Mapping[str, Json]]
"""Node number to its inputs, `class_type` among them."""

_MOST: Final = 10_000
"""Nodes that are looked at."""
_SEEDS: Final = ("seed", "noise_seed")
_TEXTS: Final = ("text", "prompt", "text_g", "t5xxl", "clip_l", "text_l", "string", "value", "text_positive")
"""Inputs that hold a prompt, the fullest first."""
_MODELS: Final = ("ckpt_name", "unet_name", "model_name")


class Place(msgspec.Struct, frozen=True):
    """An input of a node, and what stands in it."""

    node: str
    input: str
    value: Json


def read(graph: str) -> Found | None:
    """What `prompt` says; None where it is no graph, or one without a node that samples."""
    return _walked(_nodes(_json(graph)), graph)


def drawn(workflow: str) -> Found | None:
    """What `workflow` says; None as for `read`.

    It is not handed on as a graph to run: of nodes that nobody has heard of, a part may be missing.
    """
    body = _json(workflow)
    if not drawing.is_drawing(body) or len(body["nodes"]) > _MOST:
        return None
    made = _walked(_nodes(drawing.graph(body)), "")
    if made is None:
        return None
    lacking = "" if made.prompt else "its prompt stands in a node that artlock can't read"
    return msgspec.structs.replace(made, slots={}, unread=lacking)


def unread(graph: str) -> Found | None:
    """That ComfyUI made a picture whose `graph`, of either form, can't be understood; None if it is none."""
    body = _json(graph)
    if drawing.is_drawing(body):
        where = " outside of subgraphs" if drawing.has_subgraphs(body) else ""
    elif _nodes(body):
        where = ""
    else:
        return None
    return Found(tool="ComfyUI", unread=f"its workflow has no sampler{where} that artlock can read")


def _walked(nodes: Nodes, graph: str) -> Found | None:
    sampler = _sampler(nodes)
    if sampler is None:
        return None
    seed = _first(nodes, sampler, _SEEDS)
    prompt = _prompt(nodes, sampler, ("positive", "conditioning"))
    negative = _prompt(nodes, sampler, ("negative",))
    if negative == prompt:
        negative = None  # a graph without one leads both ways to the same text
    size = _size(nodes, sampler)
    steps, guidance = _first(nodes, sampler, ("steps",)), _first(nodes, sampler, ("cfg", "guidance"))
    others = {
        "model": _anywhere(nodes, sampler, _MODELS),
        "sampler": _first(nodes, sampler, ("sampler_name",)),
        "scheduler": _first(nodes, sampler, ("scheduler",)),
        "denoise": _first(nodes, sampler, ("denoise",)),
    }
    slots = {"prompt": prompt, "negative": negative, "seed": seed}
    return Found(
        tool="ComfyUI",
        prompt=found.text(prompt.value) if prompt else "",
        negative=found.text(negative.value) if negative else "",
        seed=found.seed(seed.value) if seed else None,
        size=size[1] if size else None,
        steps=found.steps(steps.value) if steps else None,
        guidance=found.guidance(guidance.value) if guidance else None,
        others=found.noted({key: place.value for key, place in others.items() if place}),
        workflow=graph,
        slots={
            **{name: f"{place.node}.{place.input}" for name, place in slots.items() if place},
            **({"size": size[0]} if size else {}),
        },
    )


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _nodes(body: Json) -> Nodes:
    if not isinstance(body, dict) or len(body) > _MOST:
        return {}
    return {
        number: {**node["inputs"], "class_type": node.get("class_type")}
        for number, node in body.items()
        # JSON may hold half a surrogate pair, which no manifest could name.
        if isinstance(node, dict) and isinstance(node.get("inputs"), dict) and number.isprintable()
    }


def _sampler(nodes: Nodes) -> str | None:
    """The node that samples and is nearest to a saved picture; of several, the first by number."""
    ends = [number for number, node in nodes.items() if "Save" in str(node["class_type"])]
    seen: set[str] = set()
    for end in [*ends, *nodes]:
        # What an earlier walk has seen leads to no sampler. Without this a hostile chain takes minutes.
        for number in _upstream(nodes, end, seen=seen):
            if _samples(nodes[number]):
                return number
    return None


def _samples(node: Mapping[str, Json]) -> bool:
    return ("positive" in node and any(key in node for key in _SEEDS)) or {"guider", "noise"} <= node.keys()


def _upstream(
    nodes: Nodes, start: str, through: tuple[str, ...] = (), seen: set[str] | None = None
) -> Iterator[str]:
    """Each node from `start` backwards, the nearest first; with `through`, first by these inputs only.

    Those in `seen` are left out, and the others put into it.
    """
    seen = set() if seen is None else seen
    waiting = deque([] if start in seen else [start])
    seen.add(start)
    while waiting:
        number = waiting.popleft()
        yield number
        inputs = nodes[number]
        keys = [key for key in through if _linked(nodes, inputs.get(key))] if number == start else []
        for key in keys or ([] if through and number == start else inputs):
            source = _linked(nodes, inputs.get(key))
            if source is not None and source not in seen:
                seen.add(source)
                waiting.append(source)


def _linked(nodes: Nodes, value: Json) -> str | None:
    """The node that an input comes from; None where it holds a value of its own."""
    match value:
        case [str(number), int()] if number in nodes:
            return number
    return None


def _first(nodes: Nodes, sampler: str, keys: tuple[str, ...]) -> Place | None:
    """What stands in the first of `keys` at the sampler, or before it where it leaves that to others."""
    place = _place(nodes, sampler, keys)
    if place is not None or "guider" not in nodes[sampler]:
        return place
    before = _upstream(nodes, sampler, ("guider", "noise", "sigmas", "sampler"))
    return next((place for number in before if (place := _place(nodes, number, keys))), None)


def _anywhere(nodes: Nodes, sampler: str, keys: tuple[str, ...]) -> Place | None:
    return next(
        (place for number in _upstream(nodes, sampler) if (place := _place(nodes, number, keys))), None
    )


def _place(nodes: Nodes, number: str, keys: tuple[str, ...]) -> Place | None:
    """The first of `keys` that node `number` has, with the value behind it if it is linked to one."""
    for key in keys:
        value = nodes[number].get(key)
        source = _linked(nodes, value)
        if source is not None and source != number:
            for inner in (*keys, "value", "text", "string", "seed", "int", "float"):
                if inner in nodes[source] and _linked(nodes, nodes[source][inner]) is None:
                    return Place(source, inner, nodes[source][inner])
        elif value is not None and not isinstance(value, list | dict):
            return Place(number, key, value)
    return None


def _prompt(nodes: Nodes, sampler: str, ways: tuple[str, ...]) -> Place | None:
    """The text at the end of one of `ways` from the sampler, or from the guider that it leaves them to."""
    start = sampler
    if not any(way in nodes[sampler] for way in ways):
        guider = _linked(nodes, nodes[sampler].get("guider"))
        if guider is None:
            return None
        start = guider
    for number in _upstream(nodes, start, ways):
        if number != start:
            place = _place(nodes, number, _TEXTS)
            if place is not None and isinstance(place.value, str):
                return place
    return None


def _size(nodes: Nodes, sampler: str) -> tuple[str, tuple[int, int]] | None:
    """The node that says how large the empty picture is, and what it says."""
    for number in _upstream(nodes, sampler, ("latent_image", "latent", "samples")):
        node = nodes[number]
        if number != sampler and (size := found.size(node.get("width"), node.get("height"))):
            return number, size
    return None
