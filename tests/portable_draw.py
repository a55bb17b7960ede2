"""Draws portable pictures with small models, and prints their digests: a program for CPUs, emulated ones too.

It is given a folder to work in, and on its standard input what to draw: the fields of `Work`. Where nothing
can be drawn here, it prints why.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from engines import diffusion, protocol
from engines.protocol import Done, EngineError, Open, Request

PROMPTS = ("a moon knight", "red gem", "castle at night")


def load(model: str, staging: Path, batch: int) -> protocol.Engine:
    """The engine, portable."""
    opening = Open(
        protocol=protocol.PROTOCOL,
        adapter="diffusion",
        engine="small",
        model=model,
        revision="",
        staging=str(staging),
        settings={"batch": batch},
        parameters={"portable": True},
    )
    return diffusion.load(opening)


def requests(parameters: dict[str, Any], size: int) -> list[Request]:
    """One for each prompt."""
    return [
        Request(
            id=str(seed),
            asset="hero",
            output=f"{seed}.png",
            prompt=prompt,
            seed=seed,
            size=(size, size),
            parameters={"steps": 2, "guidance": 4.5, "portable": True, **parameters},
        )
        for seed, prompt in enumerate(PROMPTS)
    ]


def drawn(engine: protocol.Engine, staging: Path, wanted: list[Request]) -> dict[str, str]:
    """The digest of each picture's file, by its prompt."""
    results = list(engine.render(wanted, lambda *_: None))
    assert all(isinstance(result, Done) for result in results), results
    return {
        one.prompt: hashlib.sha256((staging / one.output).read_bytes()).hexdigest()
        for one in sorted(wanted, key=lambda one: one.prompt)
    }


def ways(wanted: list[Request]) -> dict[str, list[Request]]:
    """What to ask for together."""
    return {"together": wanted, "backward": wanted[::-1], "fewer": [wanted[-1], wanted[0]]}


def mathematics() -> dict[str, str]:
    """Digests of what numpy, and under it the C library, makes of functions that schedulers use."""
    import numpy as np  # noqa: PLC0415 - it reads, when it is loaded, what the engine has set by now

    values = np.linspace(0.01, 5, 1001)
    return {
        f"{function.__name__} of {kind}": hashlib.sha256(function(values.astype(kind)).tobytes()).hexdigest()
        for function in (np.exp, np.log, np.sin, np.cos, np.tanh)
        for kind in ("float32", "float64")
    }


def main() -> None:
    """Draw, and print."""
    staging = Path(sys.argv[1])
    found: dict[str, Any] = {}
    for model in json.load(sys.stdin):
        wanted = requests(model["parameters"], model["size"])
        try:
            engine = load(model["folder"], staging, 1)
        except EngineError as error:
            found["error"] = [error.kind, error.message, error.hint]
            break
        made = found[model["name"]] = {"alone": {}}
        for one in wanted[: model["pictures"]]:
            made["alone"] |= drawn(engine, staging, [one])
        if model["together"]:
            engine = load(model["folder"], staging, 4)
            for way, some in ways(wanted).items():
                made[way] = drawn(engine, staging, some)
        found["environment"] = dict(engine.environment())
    else:
        found["mathematics"] = mathematics()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
