"""ComfyUI's `workflow`, a graph as its editor draws it, turned into the form that its server runs.

A drawing keeps the values of a node's widgets in a row, often without their names: what is not named there,
and no node known here, is left out. Knows nothing of what a node does, nor of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

Json: TypeAlias = Any
Node: TypeAlias = Mapping[str, Json]

_MUTED: Final = 2
_BYPASSED: Final = 4
_PRIMITIVE: Final = "PrimitiveNode"
"""A node of the editor alone: the server gets its value in the place of the link."""
_REROUTE: Final = "Reroute"
_NEXT_SEED: Final = ("fixed", "increment", "decrement", "randomize")
"""What the editor does with a number after each run: its value stands behind the number's own."""
_COUNTED: Final = ("seed", "noise_seed", "value")

_WIDGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl", "empty_padding"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "FluxGuidance": ("guidance",),
    "KSampler": ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler"),
    "KSamplerSelect": ("sampler_name",),
    "PrimitiveInt": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
    "RandomNoise": ("noise_seed",),
    "SamplerCustom": ("add_noise", "noise_seed", "cfg"),
    "UNETLoader": ("unet_name", "weight_dtype"),
}
"""ComfyUI's own nodes to the widgets that they begin with, in their order: older editors name none."""


class Wire(msgspec.Struct, frozen=True):
    """Where a link comes from."""

    node: str
    slot: int


def is_drawing(body: Json) -> bool:
    """Whether `body` is a graph as the editor draws it."""
    return isinstance(body, dict) and isinstance(body.get("nodes"), list) and "links" in body


def has_subgraphs(body: Mapping[str, Json]) -> bool:
    """Whether nodes of the drawing `body` stand for graphs of their own."""
    definitions = body.get("definitions")
    return isinstance(definitions, dict) and bool(definitions.get("subgraphs"))


def graph(body: Mapping[str, Json]) -> dict[str, Json]:
    """The drawing `body` as the server would get it, as far as it can be told."""
    nodes = {
        str(node["id"]): node
        for node in body["nodes"]
        if isinstance(node, dict) and isinstance(node.get("id"), int | str)
    }
    wires = dict(_wires(body["links"]))
    return {
        number: {"class_type": node.get("type"), "inputs": {**_widgets(node), **_linked(node, nodes, wires)}}
        for number, node in nodes.items()
        if node.get("mode") not in (_MUTED, _BYPASSED) and node.get("type") not in (_PRIMITIVE, _REROUTE)
    }


def _wires(links: Json) -> Iterator[tuple[int, Wire]]:
    """The number of each link and where it comes from; a row in older drawings, a table in newer ones."""
    for link in links if isinstance(links, list) else ():
        match link:
            case [int(number), int() | str() as node, int(slot), *_]:
                yield number, Wire(str(node), slot)
            case {"id": int(number), "origin_id": int() | str() as node, "origin_slot": int(slot)}:
                yield number, Wire(str(node), slot)


def _sockets(node: Node) -> list[Mapping[str, Json]]:
    inputs = node.get("inputs")
    given = inputs if isinstance(inputs, list) else []
    return [each for each in given if isinstance(each, dict) and isinstance(each.get("name"), str)]


def _linked(node: Node, nodes: Mapping[str, Node], wires: Mapping[int, Wire]) -> dict[str, Json]:
    """The inputs of `node` that come from other nodes."""
    found = {each["name"]: _source(_wire(each, wires), nodes, wires) for each in _sockets(node)}
    return {name: value for name, value in found.items() if value is not None}


def _wire(socket: Mapping[str, Json], wires: Mapping[int, Wire]) -> Wire | None:
    number = socket.get("link")
    return wires.get(number) if isinstance(number, int) else None


def _source(wire: Wire | None, nodes: Mapping[str, Node], wires: Mapping[int, Wire]) -> Json:
    """What `wire` brings: a node's output, past those that only pass it on; a value; None for nothing."""
    seen = set()
    while wire is not None and wire not in seen:
        seen.add(wire)
        node = nodes.get(wire.node, {})
        if not node or node.get("mode") == _MUTED:
            return None
        if node.get("type") == _PRIMITIVE:
            values = node.get("widgets_values")
            return values[0] if isinstance(values, list) and values else None
        if node.get("mode") != _BYPASSED and node.get("type") != _REROUTE:
            return [wire.node, wire.slot]
        wire = _passed_on(node, wire.slot, wires)
    return None


def _passed_on(node: Node, slot: int, wires: Mapping[int, Wire]) -> Wire | None:
    """What a bypassed node, or a bend of a line, hands on at `slot`: its first input of that kind."""
    sockets = _sockets(node)
    if node.get("type") == _REROUTE:
        return _wire(sockets[0], wires) if sockets else None
    outputs = node.get("outputs")
    output = outputs[slot] if isinstance(outputs, list) and 0 <= slot < len(outputs) else None
    kind = output.get("type") if isinstance(output, dict) else None
    alike = [each for each in sockets if each.get("type") == kind and "widget" not in each]
    return _wire(alike[0], wires) if kind is not None and alike else None


def _widgets(node: Node) -> dict[str, Json]:
    """What stands in the widgets of `node`, by their names; empty where these can't be told."""
    values = node.get("widgets_values")
    if isinstance(values, dict):
        return dict(values)
    if not isinstance(values, list):
        return {}
    kind = node.get("type")
    if isinstance(kind, str) and kind in _WIDGETS:
        return _named(_WIDGETS[kind], values)[0]
    sockets = [each["widget"] for each in _sockets(node) if isinstance(each.get("widget"), dict)]
    named, left = _named([str(widget.get("name")) for widget in sockets], values)
    # Older editors name a widget only once a link goes to it, which says nothing of where it stands.
    return {} if left else named


def _named(names: Sequence[str], values: Sequence[Json]) -> tuple[dict[str, Json], int]:
    """`values` by their names, and how many of either are left over."""
    found: dict[str, Json] = {}
    at = 0
    for name in names:
        if at == len(values):
            break
        found[name] = values[at]
        at += 1
        if (
            name in _COUNTED
            and isinstance(found[name], int)
            and at < len(values)
            and values[at] in _NEXT_SEED
        ):
            at += 1
    return found, len(names) - len(found) + len(values) - at
