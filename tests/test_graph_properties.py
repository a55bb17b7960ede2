"""Any graph of assets: the same outputs in any order, with any number of jobs, and no more work than due.

Graphs hold all that makes an edge: `from`, `source`, files and assets as inputs, gates and palettes, atlases
by name and by glob, several scales and formats, candidates. What is due is told by an oracle that knows the
manifest's data and the bytes that lie there, and nothing of the planner (`graph_kit.tickets`).

`HYPOTHESIS_PROFILE=thorough` tries far more examples, for some minutes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import graph_kit
import graph_noise
import pytest
from graph_kit import Graph, drawings, places, tickets, write
from graph_moves import edits, graphs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quick_pool import QUICK_DISK, QuickPool

from buildsys.lock.read import load
from buildsys.make import schedule
from buildsys.make.build import Outcome
from buildsys.make.pool import Pool
from buildsys.manifest.model import AssetName, Engine
from buildsys.plan.record import Record
from buildsys.session import LOCK, Session
from buildsys.workbench import Workbench
from engines.protocol import Request

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def examples(usual: int, thorough: int) -> settings:
    """Each example is some builds."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=thorough if THOROUGH else usual, deadline=None, suppress_health_check=slow)


class Project:
    """A project in a folder of its own, with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "game"
        self.root.mkdir()
        kit = Path(graph_noise.__file__)
        shutil.copy(kit, self.root / "noise.py")
        shutil.copy(kit.with_suffix(".toml"), self.root / "noise.toml")
        self.drawn: list[graph_kit.Ticket] = []
        """Each picture that the engine drew."""
        self.order = 0

    def build(self, *names: str, jobs: int = 2, quick: bool = True) -> Outcome:
        """Build `names`, or everything; all of it must come out."""
        self.order += 1
        hire = partial(QuickPool, order=self.order, asked=self._note) if quick else Pool
        wanted = [AssetName(name) for name in names] or None
        with Workbench(Session.open(self.root), wanted, jobs=jobs, hire=hire) as bench:
            outcome = bench.build.run(schedule.threads_for(jobs), bench.pool.stop)
        assert outcome.failed == outcome.blocked == ()
        assert outcome.edited == (), "what artlock made passes for a person's work"
        return outcome

    def _note(self, engine: Engine, request: Request) -> None:
        if engine.name == "noise":
            read = {field: _digest(Path(path).read_bytes()) for field, path in request.inputs.items()}
            assert request.size is not None
            effort = request.parameters["effort"]
            given = tuple(sorted(read.items()))
            self.drawn.append((request.prompt, request.seed, effort, request.size[0], given))

    def outputs(self, graph: Graph) -> dict[str, bytes]:
        """Each file of an asset, by the name that a build calls it."""
        return {name: (self.root / "out" / path).read_bytes() for name, path in places(graph).items()}

    def companions(self, graph: Graph) -> dict[str, bytes]:
        """The files beside the atlases."""
        paths = [
            self.root / "out" / f"{node.name}{suffix}"
            for node in graph.nodes
            if node.kind == "atlas"
            for suffix in (".json", ".css")
        ]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in paths}

    def records(self, graph: Graph) -> dict[str, Record]:
        """The lock's tables of all that is in `graph`."""
        records = load(self.root / LOCK).records
        return {name: records[AssetName(name)] for name in places(graph)}

    def look(self, graph: Graph) -> graph_kit.Look:
        """What lies there now."""
        bytes_of = self.outputs(graph) | {path: picture.data() for path, picture in graph.pictures.items()}
        return lambda name: _digest(bytes_of[name])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def project() -> Iterator[Project]:
    """An empty project."""
    with tempfile.TemporaryDirectory(dir=QUICK_DISK) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARTLOCK_CACHE_DIR", str(Path(folder) / "cache"))
        yield Project(Path(folder))


def clean(graph: Graph) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, Record], bytes]:
    """What one build, in one go, in an empty project gives."""
    with project() as fresh:
        write(graph, fresh.root)
        fresh.build(jobs=1)
        lock = (fresh.root / LOCK).read_bytes()
        return fresh.outputs(graph), fresh.companions(graph), fresh.records(graph), lock


JOBS = st.integers(1, 8)


@examples(20, 600)
@given(graph=graphs(), data=st.data(), jobs=JOBS, order=st.integers(0, 99))
def test_any_order_and_any_number_of_jobs_give_the_same(
    graph: Graph, data: st.DataObject, jobs: int, order: int
) -> None:
    shuffled = data.draw(st.permutations(range(len(graph.nodes))), label="order of the manifest")
    asked = data.draw(st.permutations(sorted(places(graph))), label="asked for one by one")
    asked = asked[: data.draw(st.integers(0, min(4, len(asked))), label="of them")]
    outputs, companions, _, lock = clean(graph)
    with project() as game:
        game.order = order * 10
        write(graph, game.root, shuffled)
        for name in asked:
            made = game.build(name, jobs=jobs)
            assert name in {*made.built, *made.fresh, *made.restored}
        game.build(jobs=jobs)
        assert game.outputs(graph) == outputs
        assert game.companions(graph) == companions
        assert (game.root / LOCK).read_bytes() == lock
        assert sorted(game.drawn) == sorted(drawings(graph, game.look(graph))), "each picture is drawn once"


@examples(20, 600)
@given(graph=graphs(), data=st.data(), jobs=JOBS)
def test_edits_make_what_is_made_of_other_bytes_and_nothing_else(
    graph: Graph, data: st.DataObject, jobs: int
) -> None:
    with project() as game:
        write(graph, game.root)
        game.build(jobs=jobs)
        before = tickets(graph, game.look(graph))
        for _ in range(data.draw(st.integers(1, 4), label="edits")):
            graph = data.draw(edits(graph), label="edited")
            write(graph, game.root, data.draw(st.permutations(range(len(graph.nodes))), label="order"))
            outcome = game.build(jobs=jobs)
            after = tickets(graph, game.look(graph))
            due = {name for name, ticket in after.items() if before.get(name) != ticket}
            # An equal recipe of another asset may have made the picture already: then it is restored.
            chosen = {name for name in due if before.get(name, ())[:-1] == after[name][:-1]}
            # Or it lies there already, as where a gate goes that its twin never had: then it is fresh.
            twins = {name for name in due if after[name][1:] in {ticket[1:] for ticket in before.values()}}
            assert due - chosen - twins <= {*outcome.built, *outcome.restored} <= due
            # What is removed stays where it lies, and is known when it comes back.
            taken = {path for path, *_ in after.values()}
            before = {name: ticket for name, ticket in before.items() if ticket[0] not in taken} | after
        wanted = drawings(graph, game.look(graph))
        assert len(set(game.drawn)) == len(game.drawn), "no picture is drawn twice"
        assert wanted <= set(game.drawn)
        drawn, lock = len(game.drawn), (game.root / LOCK).read_bytes()
        again = game.build(jobs=jobs)
        assert set(again.fresh) == set(places(graph))
        assert len(game.drawn) == drawn
        assert (game.root / LOCK).read_bytes() == lock
        outputs, companions, records, _ = clean(graph)
        assert game.outputs(graph) == outputs
        assert game.companions(graph) == companions
        assert game.records(graph) == records


@examples(2, 20)
@given(graph=graphs(), jobs=st.integers(1, 4))
def test_engines_in_processes_of_their_own_give_the_same(graph: Graph, jobs: int) -> None:
    outputs, companions, _, lock = clean(graph)
    with project() as game:
        write(graph, game.root)
        game.build(jobs=jobs, quick=False)
        assert game.outputs(graph) == outputs
        assert game.companions(graph) == companions
        assert (game.root / LOCK).read_bytes() == lock
