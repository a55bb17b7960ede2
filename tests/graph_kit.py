"""Graphs of assets as data: how they are written as a manifest, and what a build of one owes to another.

`tickets` is the oracle: it tells from the data alone what each file is made of, and asks no planner.
"""

from __future__ import annotations

import fnmatch
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from PIL import Image

from buildsys.manifest.candidates import seeds

Look: TypeAlias = Callable[[str], str]
"""The digest of the bytes of a reference: an asset's name, or the path of a file."""

Ticket: TypeAlias = tuple[Any, ...]
"""All that a file is made of; where two are equal, nothing may be made. The last item says how one of several
candidates is chosen: where nothing else differs, the choice may fall on the picture that lies there."""

STEPS = {
    "small": "{ resize = [4, 4] }",
    "large": '{ resize = { size = [16, 16], filter = "nearest" } }',
    "grey": "{ grayscale = {} }",
    # Noise is opaque, so all silhouettes of it are one picture: what is made from one stays as it is.
    "shape": '{ silhouette = "#203040" }',
    "few": "{ quantize = 4 }",
}

FILES = ("art/ink.png", "art/leaf.png", "art/moth.png")
PACKED = ("a/*", "b/*")


@dataclass(frozen=True)
class Picture:
    """A hand-made picture: its pixels by a number, and how hard its file is pressed, which is no pixel."""

    shade: int
    pressed: int = 6

    def data(self) -> bytes:
        file = io.BytesIO()
        pixels = bytes((self.shade * 37 + place * 11) % 256 for place in range(8 * 8 * 3))
        Image.frombytes("RGB", (8, 8), pixels).save(file, "PNG", compress_level=self.pressed)
        return file.getvalue()


@dataclass(frozen=True)
class Node:
    """An asset. A reference is another asset's name, or the path of a file under `art`."""

    name: str
    kind: str
    """`drawn`, `derived`, `source` or `atlas`."""
    prompt: str = ""
    seed: int = 0
    effort: int = 1
    side: int = 8
    inputs: tuple[tuple[str, str], ...] = ()
    """Of one that is drawn: `image`, or `more.NAME`, and a reference."""
    origin: str = ""
    """Of one that is derived, or hand-made."""
    steps: tuple[str, ...] = ()
    palette: str = ""
    formats: tuple[str, ...] = ("png",)
    scaled: bool = False
    candidates: int = 0
    choose: str = "sharpness"
    pick: int = 0
    gate: str = ""
    """`bytes`, or what it is held against; neither ever fails."""
    globs: tuple[str, ...] = ()
    padding: int = 1

    def references(self) -> tuple[str, ...]:
        """What it names, globs apart."""
        named = (*(item for _, item in self.inputs), self.origin, self.palette, self.gate)
        return tuple(item for item in named if item not in ("", "bytes"))

    def renamed(self, old: str, new: str) -> Node:
        """With `new` wherever it names `old`, itself included."""

        def told(text: str) -> str:
            return new if text == old else text

        return replace(
            self,
            name=told(self.name),
            inputs=tuple((field, told(item)) for field, item in self.inputs),
            origin=told(self.origin),
            palette=told(self.palette),
            gate=told(self.gate),
            globs=tuple(told(item) for item in self.globs),
        )


@dataclass(frozen=True)
class Graph:
    """A project: assets, each after those that it is made from, and hand-made pictures."""

    nodes: tuple[Node, ...]
    pictures: Mapping[str, Picture]
    keep: bool = False
    """Whether pictures tell their recipe."""

    def sprites(self, atlas: Node) -> tuple[str, ...]:
        """What an atlas packs."""
        plain = [node.name for node in self.nodes if node.kind != "atlas"]
        return tuple(
            sorted(name for name in plain if any(fnmatch.fnmatchcase(name, glob) for glob in atlas.globs))
        )

    def upstream(self, node: Node) -> tuple[str, ...]:
        """The assets that it is made from, or held against."""
        return (
            *(item for item in node.references() if item not in self.pictures),
            *(self.sprites(node) if node.kind == "atlas" else ()),
        )

    def leaves(self) -> tuple[Node, ...]:
        """The assets that no other one names."""
        named = {item for node in self.nodes for item in (*node.references(), *node.globs)}
        return tuple(node for node in self.nodes if node.name not in named)

    def sound(self) -> bool:
        """Whether every glob matches something, and no asset is made from itself."""
        before: set[str] = set()
        for node in self.nodes:
            if not before.issuperset(self.upstream(node)):
                return False
            if node.kind == "atlas" and not all(
                any(fnmatch.fnmatchcase(name, glob) for name in self.sprites(node)) for glob in node.globs
            ):
                return False
            before.add(node.name)
        return len(before) == len(self.nodes)


def write(graph: Graph, root: Path, order: Iterable[int] | None = None) -> None:
    """Write the manifest, its assets in this order, and the pictures."""
    keep = "keep" if graph.keep else "strip"
    head = f'[project]\nname = "game"\nmetadata = "{keep}"\n\n[engines.noise]\nadapter = "noise.py"\n'
    order = range(len(graph.nodes)) if order is None else order
    (root / "assets.toml").write_text("\n".join([head, *(_table(graph.nodes[number]) for number in order)]))
    (root / "art").mkdir(exist_ok=True)
    for path, picture in graph.pictures.items():
        (root / path).write_bytes(picture.data())


def _table(node: Node) -> str:
    return "\n".join([f'[assets."{node.name}"]', *_lines(node)]) + "\n"


def _lines(node: Node) -> Iterator[str]:
    if node.kind == "atlas":
        yield f"pack = [{', '.join(map(_text, node.globs))}]"
        yield f'formats = ["texturepacker", "css"]\npadding = {node.padding}'
        return
    if node.kind == "drawn":
        yield f'engine = "noise"\nprompt = "{node.prompt}"\nseed = {node.seed}'
        yield f"size = [{node.side}, {node.side}]"
        yield f"parameters = {{ {', '.join(_parameters(node))} }}"
        if node.candidates:
            yield f'candidates = {node.candidates}\nchoose = "{node.choose}"'
            yield from [f"pick = {node.pick}"] if node.pick else []
    else:
        yield f'{"source" if node.kind == "source" else "from"} = "{node.origin}"'
    steps = [STEPS[step] for step in node.steps]
    if node.palette:
        steps.append(f"{{ quantize = {{ palette = {_reference(node.palette)} }} }}")
    yield f"finish = [{', '.join(steps)}]"
    yield f"formats = [{', '.join(map(_text, node.formats))}]"
    yield from ["scales = [1, 2]"] if node.scaled else []
    if node.gate == "bytes":
        yield 'gates = { bytes = "1 MB" }'
    elif node.gate:
        yield f"gates = {{ distance = {{ reference = {_reference(node.gate)}, changed = 1.0 }} }}"


def _parameters(node: Node) -> Iterator[str]:
    yield f"effort = {node.effort}"
    more = []
    for field, item in node.inputs:
        if field == "image":
            yield f"image = {_reference(item)}"
        else:
            more.append(f"{field.removeprefix('more.')} = {_reference(item)}")
    if more:
        yield f"more = {{ {', '.join(more)} }}"


def _reference(item: str) -> str:
    return _text(item) if item.startswith("art/") else f"{{ asset = {_text(item)} }}"


def _text(item: str) -> str:
    return f'"{item}"'


def places(graph: Graph) -> dict[str, str]:
    """The path, under the output folder, of each file: by the name that a build calls it."""
    return {name: path for node in graph.nodes for name, path, _, _ in _files(node)}


def _files(node: Node) -> Iterator[tuple[str, str, str, Ticket]]:
    """Each file of an asset: its name, its path, what it is made from, and how."""
    first, *others = node.formats
    largest = f"{node.name}@2x" if node.scaled else node.name
    yield node.name, f"{largest}.{first}", "", ()
    for other in others:
        name = f"{node.name}@2x.{other}" if node.scaled else f"{node.name}@{other}"
        yield name, f"{largest}.{other}", node.name, (other,)
    if node.scaled:
        yield f"{node.name}@1x", f"{node.name}.{first}", node.name, (first, "halved")
        for other in others:
            yield f"{node.name}@1x.{other}", f"{node.name}.{other}", f"{node.name}@1x", (other,)


def tickets(graph: Graph, look: Look) -> dict[str, Ticket]:
    """What each file is made of, by the name that a build calls it."""
    found: dict[str, Ticket] = {}
    for node in graph.nodes:
        for name, path, origin, how in _files(node):
            made = (look(origin), *how, ()) if origin else _recipe(graph, node, look)
            found[name] = (path, graph.keep, *made)
    return found


def _recipe(graph: Graph, node: Node, look: Look) -> Ticket:
    if node.kind == "atlas":
        return "atlas", node.padding, tuple((name, look(name)) for name in graph.sprites(node)), ()
    gate = node.gate and ("bytes" if node.gate == "bytes" else look(node.gate))
    finish = node.steps, node.palette and look(node.palette), node.formats[0], gate
    if node.kind != "drawn":
        return look(node.origin), *finish, ()
    given = tuple(sorted((field, look(item)) for field, item in node.inputs))
    choice = (node.candidates, node.choose, node.pick) if node.candidates else ()
    return node.prompt, node.seed, node.effort, node.side, given, *finish, choice


def drawings(graph: Graph, look: Look) -> set[Ticket]:
    """What the engine must have been asked for, some time or other, for all of this to be there."""
    found = set()
    for node in graph.nodes:
        if node.kind != "drawn":
            continue
        numbers = seeds(node.seed, max(1, node.candidates))
        if node.pick:
            numbers = numbers[node.pick - 1 : node.pick]
        elif node.choose == "first":
            # No gate here turns anything down, so the first one passes.
            numbers = numbers[:1]
        given = tuple(sorted((field, look(item)) for field, item in node.inputs))
        found |= {(node.prompt, seed, node.effort, node.side, given) for seed in numbers}
    return found
