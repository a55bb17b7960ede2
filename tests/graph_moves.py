"""Strategies: graphs of assets, and edits of one that a person might make."""

from __future__ import annotations

from dataclasses import replace

from graph_kit import FILES, PACKED, STEPS, Graph, Node, Picture
from graph_noise import IDLE
from hypothesis import strategies as st

PROMPTS = ("oak", "elm", "oak" + IDLE)
PLACES = [f"{folder}/{word}" for folder in "abc" for word in ("ash", "bee", "cat", "dew")]
"""Few names, so that one that is given up is soon another asset's."""


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Two to eight assets of all kinds, each made from some before it."""
    graph = Graph(
        nodes=(),
        pictures={path: Picture(draw(st.integers(0, 3))) for path in FILES},
        keep=draw(st.sampled_from((False, False, True))),
    )
    for _ in range(draw(st.integers(2, 8))):
        graph = _with_one_more(draw, graph)
    return graph


def _with_one_more(draw: st.DrawFn, graph: Graph) -> Graph:
    taken = {node.name for node in graph.nodes}
    name = draw(st.sampled_from([place for place in PLACES if place not in taken]))
    kinds = ["drawn", "source"]
    if graph.nodes:
        kinds += ["derived", "derived", "drawn", "atlas"]
    made = {"drawn": _drawn, "source": _source, "derived": _derived, "atlas": _atlas}
    node = made[draw(st.sampled_from(kinds))](draw, graph, name)
    more = replace(graph, nodes=(*graph.nodes, node))
    # Such as an atlas that would pack what is made from it.
    return more if more.sound() else graph


def _drawn(draw: st.DrawFn, graph: Graph, name: str) -> Node:
    fields = draw(st.lists(st.sampled_from(("image", "more.a", "more.b")), unique=True, max_size=2))
    node = Node(
        name=name,
        kind="drawn",
        prompt=draw(st.sampled_from(PROMPTS)),
        seed=draw(st.integers(0, 2)),
        side=draw(st.sampled_from((8, 16))),
        inputs=tuple((field, _reference(draw, graph)) for field in sorted(fields)),
    )
    if draw(st.integers(0, 3)) == 0:
        node = _chosen(draw, node)
    return _finished(draw, graph, node)


def _chosen(draw: st.DrawFn, node: Node) -> Node:
    return replace(
        node,
        candidates=draw(st.integers(2, 3)),
        choose=draw(st.sampled_from(("sharpness", "contrast", "first"))),
        pick=draw(st.sampled_from((0, 0, 1, 2))),
    )


def _source(draw: st.DrawFn, graph: Graph, name: str) -> Node:
    return _finished(draw, graph, Node(name=name, kind="source", origin=draw(st.sampled_from(FILES))))


def _derived(draw: st.DrawFn, graph: Graph, name: str) -> Node:
    origin = draw(st.sampled_from(graph.nodes))
    return _finished(draw, graph, Node(name=name, kind="derived", origin=origin.name))


def _atlas(draw: st.DrawFn, graph: Graph, name: str) -> Node:
    plain = [node.name for node in graph.nodes if node.kind != "atlas"]
    choices = [*plain, *(glob for glob in PACKED if any(name.startswith(glob[:2]) for name in plain))]
    if not plain:
        return _source(draw, graph, name)
    globs = draw(st.lists(st.sampled_from(choices), min_size=1, max_size=4, unique=True))
    return Node(name=name, kind="atlas", globs=tuple(globs), padding=draw(st.integers(0, 2)))


def _finished(draw: st.DrawFn, graph: Graph, node: Node) -> Node:
    steps = draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=2))
    # The sides of an atlas are whatever its sprites need: no half of them.
    sized = node.kind != "derived" or bool({"small", "large"} & set(steps))
    return replace(
        node,
        steps=tuple(steps),
        palette=draw(st.sampled_from(("", "", "", *FILES))),
        formats=draw(st.sampled_from((("png",), ("png",), ("webp",), ("png", "webp"), ("webp", "png")))),
        scaled=sized and draw(st.integers(0, 3)) == 0,
        gate=draw(st.sampled_from(("", "", "bytes", _reference(draw, graph)))),
    )


def _reference(draw: st.DrawFn, graph: Graph) -> str:
    return draw(st.sampled_from([*FILES, *(node.name for node in graph.nodes)]))


@st.composite
def edits(draw: st.DrawFn, graph: Graph) -> Graph:
    """`graph` after one edit; now and then after none that is one."""
    edit = draw(
        st.sampled_from(
            (_edit_node, _edit_node, _edit_node, _repaint, _press, _rename, _remove, _add, _toggle, _nothing)
        )
    )
    edited = edit(draw, graph)
    return edited if edited.sound() else graph


def _edit_node(draw: st.DrawFn, graph: Graph) -> Graph:
    number = draw(st.integers(0, len(graph.nodes) - 1))
    node = graph.nodes[number]
    before = replace(graph, nodes=graph.nodes[:number])
    if node.kind == "atlas":
        changed = replace(node, padding=draw(st.integers(0, 2)))
    elif draw(st.booleans()):
        changed = _finished(draw, before, node)
    elif node.kind == "drawn":
        changed = draw(st.sampled_from(_redrawn(node)))
        if draw(st.integers(0, 3)) == 0:
            changed = _chosen(draw, node)
    elif node.kind == "source":
        changed = replace(node, origin=draw(st.sampled_from(FILES)))
    else:
        changed = _derived(draw, before, node.name)
    return replace(graph, nodes=(*graph.nodes[:number], changed, *graph.nodes[number + 1 :]))


def _redrawn(node: Node) -> list[Node]:
    return [
        replace(node, seed=node.seed + 1),
        replace(node, effort=node.effort + 1),
        replace(node, prompt=node.prompt.removesuffix(IDLE) if IDLE in node.prompt else node.prompt + IDLE),
        replace(node, prompt="ivy"),
        replace(node, side=24 - node.side),
        replace(node, inputs=()),
        replace(node, candidates=0, pick=0),
    ]


def _repaint(draw: st.DrawFn, graph: Graph) -> Graph:
    path = draw(st.sampled_from(FILES))
    return replace(graph, pictures={**graph.pictures, path: Picture(draw(st.integers(0, 5)))})


def _press(draw: st.DrawFn, graph: Graph) -> Graph:
    """The same pixels in another file."""
    path = draw(st.sampled_from(FILES))
    return replace(graph, pictures={**graph.pictures, path: replace(graph.pictures[path], pressed=0)})


def _rename(draw: st.DrawFn, graph: Graph) -> Graph:
    taken = {node.name for node in graph.nodes}
    old = draw(st.sampled_from(sorted(taken)))
    new = draw(st.sampled_from([place for place in PLACES if place not in taken]))
    return replace(graph, nodes=tuple(node.renamed(old, new) for node in graph.nodes))


def _remove(draw: st.DrawFn, graph: Graph) -> Graph:
    leaves = graph.leaves()
    if len(graph.nodes) < 2 or not leaves:
        return graph
    gone = draw(st.sampled_from(leaves))
    return replace(graph, nodes=tuple(node for node in graph.nodes if node is not gone))


def _add(draw: st.DrawFn, graph: Graph) -> Graph:
    return _with_one_more(draw, graph) if len(graph.nodes) < 9 else graph


def _toggle(draw: st.DrawFn, graph: Graph) -> Graph:
    return replace(graph, keep=not graph.keep)


def _nothing(draw: st.DrawFn, graph: Graph) -> Graph:
    return graph
