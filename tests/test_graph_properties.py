"""Any graph of assets: the same outputs in any order, with any number of jobs, and no more work than due."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from game import ADAPTER, CARD
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buildsys.make.build import Outcome
from buildsys.session import Session
from buildsys.workbench import build

FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Each example is two builds or more, with engines in processes of their own."""

STEPS = {
    "small": "{ resize = [4, 4] }",
    "grey": "{ grayscale = {} }",
    # Noise is opaque, so all silhouettes of it are one picture: what is made from one stays as it is.
    "shape": '{ silhouette = "#203040" }',
}


@dataclass(frozen=True)
class Node:
    """An asset: noise of a seed, or made from another one by a step."""

    seed: int = 0
    origin: int = -1
    step: str = ""


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Two to seven assets; each derived one is made from one before it."""
    nodes = [Node(seed=draw(st.integers(0, 3)))]
    for number in range(1, draw(st.integers(2, 7))):
        if draw(st.booleans()) and draw(st.booleans()):
            nodes.append(Node(seed=draw(st.integers(0, 3))))
        else:
            origin = draw(st.integers(0, number - 1))
            nodes.append(Node(origin=origin, step=draw(st.sampled_from(sorted(STEPS)))))
    return nodes


def table(number: int, node: Node) -> str:
    if node.origin < 0:
        return f'[assets.n{number}]\nengine = "noise"\nseed = {node.seed}\nsize = [8, 8]\n'
    return f'[assets.n{number}]\nfrom = "n{node.origin}"\nfinish = [{STEPS[node.step]}]\n'


@contextmanager
def project(cache: str = "cache") -> Iterator[Path]:
    """An empty project, with a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "game"
        root.mkdir()
        (root / "noise.toml").write_text(CARD)
        (root / "noise.py").write_text(f"COUNT = {os.devnull!r}\n{ADAPTER}")
        before = os.environ.get("ARTLOCK_CACHE_DIR")
        os.environ["ARTLOCK_CACHE_DIR"] = str(Path(folder) / cache)
        try:
            yield root
        finally:
            if before is None:
                del os.environ["ARTLOCK_CACHE_DIR"]
            else:
                os.environ["ARTLOCK_CACHE_DIR"] = before


def made(root: Path, nodes: list[Node], order: list[int], jobs: int) -> Outcome:
    """Build `nodes`, declared in this order; all of it must come out."""
    head = '[project]\nname = "game"\n[engines.noise]\nadapter = "noise.py"\n'
    (root / "assets.toml").write_text(head + "".join(table(number, nodes[number]) for number in order))
    outcome, _ = build(Session.open(root), jobs=jobs)
    assert not outcome.failed
    assert not outcome.blocked
    return outcome


def outputs(root: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted((root / "out").iterdir())}


@FEW
@given(nodes=graphs(), data=st.data(), jobs=st.integers(1, 4))
def test_any_order_and_any_number_of_jobs_give_the_same(
    nodes: list[Node], data: st.DataObject, jobs: int
) -> None:
    plain = list(range(len(nodes)))
    shuffled = data.draw(st.permutations(plain))
    with project() as root:
        made(root, nodes, plain, 1)
        first, lock = outputs(root), (root / "assets.lock").read_bytes()
    with project() as root:
        made(root, nodes, shuffled, jobs)
        assert outputs(root) == first
        assert (root / "assets.lock").read_bytes() == lock


@FEW
@given(nodes=graphs(), data=st.data(), jobs=st.integers(1, 4))
def test_a_change_makes_what_depends_on_changed_bytes_and_nothing_else(
    nodes: list[Node], data: st.DataObject, jobs: int
) -> None:
    plain = list(range(len(nodes)))
    drawn = [number for number in plain if nodes[number].origin < 0]
    changed = data.draw(st.sampled_from(drawn))
    with project() as root:
        made(root, nodes, plain, jobs)
        before = outputs(root)
        others = [*nodes]
        others[changed] = Node(seed=nodes[changed].seed + 10)
        outcome = made(root, others, plain, jobs)
        after = outputs(root)
        moved = {name for name in after if after[name] != before[name]}
        due = {f"n{number}" for number in plain if f"n{nodes[number].origin}" in moved} | {f"n{changed}"}
        # An equal recipe of another asset may have made the picture already: then it is restored.
        assert {*outcome.built, *outcome.restored} == due
        again = made(root, others, plain, jobs)
        assert len(again.fresh) == len(nodes)
