"""A script that uses artlock's engines as a library: each loaded once, one picture after the other.

`python engines_loop.py REQUESTS FOLDER`: draws and finishes what the JSON file says. No store, no
hashes, no lock, no second process: nothing is left out that makes a picture, and nothing is added.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from engines import protocol
from engines.protocol import Done, Engine, Open, Request


def main(requests: Path, folder: Path) -> None:
    """Make every picture. Raises on the first that fails."""
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")  # as artlock starts its engines
    folder.mkdir()
    os.chdir(folder)
    finish = _load("finish", {}, folder)
    engines: dict[str, Engine] = {}
    for item in json.loads(requests.read_text(encoding="utf-8")):
        if item["adapter"] not in engines:
            engines[item["adapter"]] = _load(item["adapter"], item, folder)
        raw = _one(engines[item["adapter"]], _drawing(item))
        finishing = Request(
            id="finish",
            asset=item["name"],
            output=f"{item['name']}.png",
            parameters={"steps": item["steps"]},
            inputs={"image": str(folder / raw.output)},
        )
        _one(finish, finishing)
        Path(raw.output).unlink()


def _load(adapter: str, item: dict[str, Any], folder: Path) -> Engine:
    opening = Open(
        protocol=protocol.PROTOCOL,
        adapter=adapter,
        engine=adapter,
        model=item.get("model", ""),
        revision="",
        staging=str(folder),
        settings=item.get("settings", {}),
    )
    engine: Engine = importlib.import_module(f"engines.{adapter}").load(opening)
    return engine


def _drawing(item: dict[str, Any]) -> Request:
    return Request(
        id="draw",
        asset=item["name"],
        output=f"{item['name']}.raw.png",
        prompt=item["prompt"],
        seed=item["seed"],
        size=tuple(item["size"]),
        parameters=item["parameters"],
    )


def _one(engine: Engine, request: Request) -> Done:
    (answer,) = engine.render([request], lambda *_: None)
    if not isinstance(answer, Done):
        sys.exit(f"`{request.asset}`: {answer.message}")
    return answer


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
