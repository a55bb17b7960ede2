"""A workflow in ComfyUI's API format, and the slots that artlock puts values into.

Knows nothing of servers. A slot is named where the workflow is drawn, by a node's title: `artlock:seed`. Node
numbers alone were refused: they change whenever a workflow is exported anew, and nothing would say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from engines.parameters import bad, listed, unknown
from engines.protocol import EngineError, Json

Nodes: TypeAlias = dict[str, dict[str, Json]]
"""Node number to `{class_type, inputs}`."""

OUTPUT: Final = "output"
PICTURES: Final = ("image", "mask", "reference", "control")
"""Slots that take a picture."""
ASKED: Final = ("prompt", "negative", "text", "seed", "width", "height")
"""Slots that take what every engine is asked."""
_SIZE: Final = "size"
_SIDES: Final = ("width", "height")
_TITLE: Final = re.compile(r"artlock:\s*([A-Za-z][A-Za-z0-9_-]*)(?:=([A-Za-z0-9_.-]+))?")
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt": ("text", "prompt"),
    "negative": ("text", "negative_prompt"),
    "seed": ("seed", "noise_seed"),
    **dict.fromkeys(PICTURES, ("image",)),
}
"""Inputs that a titled node most likely means, best first."""
_LOADS: Final = "image"
"""What a node that loads a picture calls its file; older exports have an `upload` beside it."""
_LINK: Final = 2
"""An input that comes from another node is a list of its number and which of its results."""
_SAVES: Final = "SaveImage"
_HOW: Final = (
    'give the node that takes it the title `artlock:{name}`, or set `slots = {{ {name} = "{place}" }}`'
)


@dataclass(frozen=True, slots=True)
class Slot:
    """An input of a node."""

    node: str
    input: str


def read(path: str) -> Nodes:
    """The nodes of the workflow at `path`. Raises `EngineError`."""
    try:
        body = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise bad(
            f"the workflow is not JSON: {error}", "export it again: `Workflow`, `Export (API)`"
        ) from error
    if isinstance(body, dict) and isinstance(body.get("nodes"), list):
        raise bad(
            "the workflow is in the format of ComfyUI's editor, which its server does not run",
            "export it with `Workflow`, `Export (API)`",
        )
    if not isinstance(body, dict) or not body:
        raise bad("the workflow holds no nodes", "export it with `Workflow`, `Export (API)`")
    for number, node in body.items():
        if not (
            isinstance(node, dict)
            and isinstance(node.get("class_type"), str)
            and isinstance(node.get("inputs"), dict)
        ):
            raise bad(
                f"node `{number}` of the workflow has no `class_type` or no `inputs`",
                "export it with `Workflow`, `Export (API)`",
            )
    nodes: Nodes = body
    return nodes


def told(nodes: Nodes, number: str) -> str:
    """Node `number` as a message names it."""
    kind = nodes[number]["class_type"] if number in nodes else "of another node"
    return f"node `{number}` (`{kind}`)"


class Slots:
    """Where in a workflow values go: by the titles of its nodes, or as the asset says."""

    def __init__(self, nodes: Nodes, given: Mapping[str, Json], files: Collection[str] = ()) -> None:
        """Find them. Raises `EngineError`.

        Args:
            nodes: the workflow.
            given: the parameter `slots`, which replaces the titles of that name.
            files: slots that take a file, beside `PICTURES`.
        """
        self._nodes = nodes
        self._files = {*PICTURES, *files}
        self._slots: dict[str, list[Slot]] = {}
        self._outputs: list[str] = []
        self._given(given)
        for number in nodes:
            for name, chosen in _titles(nodes[number]):
                if name not in given:
                    self._titled(number, name, chosen)

    def _given(self, given: Mapping[str, Json]) -> None:
        for name, places in given.items():
            for place in places if isinstance(places, list) else [places]:
                if not isinstance(place, str):
                    raise bad(f"`slots.{name}` is `{place}`, not a string", f'write `{name} = "6.text"`')
                self._placed(name, place)

    def _placed(self, name: str, place: str) -> None:
        if name in {OUTPUT, _SIZE}:
            self._known(name, place)
            self._titled(place, name, None)
            return
        # `6.inputs.text` is how the file itself would be walked, and so how many will write it.
        number, dot, field = place.rpartition(".")
        number = number.removesuffix(".inputs")
        if not dot or not number:
            raise bad(f"`slots.{name}` is `{place}`, not a node and its input", f'write `{name} = "6.text"`')
        self._known(name, number)
        self._add(name, number, field)

    def _known(self, name: str, number: str) -> None:
        if number not in self._nodes:
            raise unknown(f"`slots.{name}`: node", number, self._nodes)

    def _titled(self, number: str, name: str, chosen: str | None) -> None:
        if name == OUTPUT:
            self._outputs.append(number)
        elif name == _SIZE:
            for side in _SIDES:
                self._add(side, number, side)
        else:
            self._add(name, number, chosen or self._meant(number, name))

    def _meant(self, number: str, name: str) -> str:
        inputs = self._nodes[number]["inputs"]
        for usual in (*_USUAL.get(name, ()), name, "value"):
            if usual in inputs:
                return usual
        literal: list[str] = [field for field, value in inputs.items() if not _is_link(value)]
        if _LOADS in literal:
            return _LOADS
        if len(literal) == 1:
            return literal[0]
        has = f"it has {listed(literal)}" if literal else "all it has are links"
        raise bad(
            f"which input of {told(self._nodes, number)} the slot `{name}` means can't be told: {has}",
            f"name it in the title: `artlock:{name}=INPUT`",
        )

    def _add(self, name: str, number: str, field: str) -> None:
        inputs = self._nodes[number]["inputs"]
        if field not in inputs:
            raise unknown(f"the slot `{name}`: on {told(self._nodes, number)}, input", field, inputs)
        value = inputs[field]
        if _is_link(value):
            raise bad(
                f"the slot `{name}` is the input `{field}` of {told(self._nodes, number)}, which is fed by "
                f"{told(self._nodes, str(value[0]))}",
                f"put the slot on node `{value[0]}`, or remove that link",
            )
        self._slots.setdefault(name, []).append(Slot(number, field))

    def fill(self, values: Mapping[str, Json]) -> Nodes:
        """The workflow with `values` in their slots; a slot without a value keeps what the workflow has.

        Raises `EngineError` for a value that has no slot: it would sit in the recipe and change nothing.
        """
        filled: Nodes = json.loads(json.dumps(self._nodes))
        for name, value in values.items():
            if name not in self._slots:
                raise self._homeless(name)
            for slot in self._slots[name]:
                filled[slot.node]["inputs"][slot.input] = value
        return filled

    def _homeless(self, name: str) -> EngineError:
        if name in ASKED or name in self._files:
            what = _SIZE if name in _SIDES else name
            article = "an" if what[0] in "aeiou" else "a"
            fact = f"the asset has {article} `{what}`, but the workflow has no slot `{name}`"
            return bad(fact, _how(what))
        own = [known for known in self._slots if known not in ASKED and known not in self._files]
        if own:
            return unknown("`values`: slot", name, own)
        return bad(f"`values.{name}` has no slot in the workflow", _how(name))

    def output(self) -> str:
        """The node whose picture is taken. Raises `EngineError` where it can't be told."""
        found: list[str] = self._outputs or [
            number for number, node in self._nodes.items() if node["class_type"] == _SAVES
        ]
        if len(found) == 1:
            return found[0]
        if self._outputs:
            fact = f"several nodes have the slot `output`: {listed(found)}"
        elif found:
            fact = f"the workflow has several `{_SAVES}` nodes: {listed(found)}"
        else:
            fact = f"the workflow has no `{_SAVES}` node"
        raise bad(fact, 'give one node the title `artlock:output`, or set `slots = { output = "NODE" }`')


def _how(name: str) -> str:
    return _HOW.format(name=name, place="NODE" if name == _SIZE else "NODE.INPUT")


def _titles(node: Mapping[str, Json]) -> Iterator[tuple[str, str | None]]:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    if isinstance(title, str):
        yield from ((mark[1], mark[2]) for mark in _TITLE.finditer(title))


def _is_link(value: Json) -> bool:
    return isinstance(value, list) and len(value) == _LINK and isinstance(value[1], int)
