"""What a request may ask of a hosted model, checked once more before money is spent.

The plan has refused all of it before; but an adapter that ignored a wish would sell another picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engines import parameters
from engines.hosted.account import Account
from engines.protocol import EngineError, ErrorKind, Request


def check(request: Request, account: Account, *, negative: bool, seeds: range | None) -> dict[str, Any]:
    """A value for each of the adapter's parameters. Raises `EngineError` (`bad_request`).

    `negative`: whether the model takes a negative prompt. `seeds`: those that it takes, None for no seed.
    """
    model = account.model
    if Path(request.output).name != request.output:
        message = f"the output `{request.output}` is not a plain file name"
        raise EngineError(ErrorKind.INTERNAL, message)
    if not request.prompt.strip():
        raise parameters.bad("the request has no prompt", "set `prompt`")
    if request.negative and not negative:
        raise parameters.bad(f"`{model}` takes no negative prompt", "leave `negative` out")
    if request.text:
        raise parameters.bad(f"`{model}` takes no exact lettering", "put it into the prompt, in quotes")
    if request.seed is not None:
        _check_seed(request.seed, model, seeds)
    return parameters.checked(account.declared, request.parameters, request.inputs)


def _check_seed(seed: int, model: str, seeds: range | None) -> None:
    if seeds is None:
        raise parameters.bad(f"`{model}` takes no seed", "leave `seed` out")
    if seed not in seeds:
        hint = f"use a seed from {seeds.start} to {seeds.stop - 1}"
        if seed == 0:
            raise parameters.bad(f"to `{model}`, seed 0 means any seed", hint)
        raise parameters.bad(f"`{model}` takes no seed {seed}", hint)
