"""How far a job is, counted over all of its nodes from what the server says.

Knows nothing of sockets. The count never goes back, because only a step further is a sign of life.
"""

from __future__ import annotations

from collections.abc import Iterable

from engines.protocol import Json


class Steps:
    """Steps done of steps in all: one for each node, or as many as the node says it has."""

    def __init__(self, nodes: Iterable[str]) -> None:
        self._sizes = dict.fromkeys(nodes, 1)
        self._done = dict.fromkeys(self._sizes, 0)
        self._current = ""
        self._furthest = 0

    def hear(self, kind: str, data: dict[str, Json]) -> tuple[int, int] | None:
        """The step and the number of steps after an event of the server; None where it is no further."""
        if kind == "execution_cached" and isinstance(data.get("nodes"), list):
            for node in data["nodes"]:
                self._finish(str(node))
        elif kind == "executing" and data.get("node") is not None:
            self._at(str(data["node"]))
        elif kind == "progress" and data.get("node") is not None:
            self._reach(str(data["node"]), data.get("value"), data.get("max"))
        elif kind == "progress_state" and isinstance(data.get("nodes"), dict):
            for node, state in data["nodes"].items():
                self._state(node, state)
        elif kind == "executed" and data.get("node") is not None:
            self._finish(str(data["node"]))
        step = sum(self._done.values())
        if step <= self._furthest:
            return None
        self._furthest = step
        return step, sum(self._sizes.values())

    def _at(self, node: str) -> None:
        # A node that another one follows is done; the server says so no other way to an old client.
        if self._current and self._current != node:
            self._finish(self._current)
        self._current = node

    def _state(self, node: str, state: Json) -> None:
        if isinstance(state, dict):
            self._reach(node, state.get("value"), state.get("max"))
            if state.get("state") == "finished":
                self._finish(node)

    def _reach(self, node: str, value: Json, most: Json) -> None:
        if isinstance(value, int | float) and isinstance(most, int | float) and 0 <= value <= most:
            self._sizes[node] = max(self._sizes.get(node, 1), int(most))
            self._done[node] = max(self._done.get(node, 0), int(value))

    def _finish(self, node: str) -> None:
        self._sizes.setdefault(node, 1)
        self._done[node] = self._sizes[node]
