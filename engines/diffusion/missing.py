"""Models of the Hugging Face Hub: where they lie in its cache, and what to do when they don't.

Never downloads: fetching 16 GB under somebody's licence is a person's decision, one command away.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from engines.protocol import EngineError, ErrorKind

_STABILITY: Final = (
    "Licence: Stability AI Community License, free of charge up to US$1M of yearly revenue; commercial use "
    "has to be registered at stability.ai/community-license; who passes on the model or something built on "
    "it shows `Powered by Stability AI`. Gate: log in at https://huggingface.co/{model} and accept the "
    "conditions, once for each model. Login on this machine: `hf auth login`, or a read token in `HF_TOKEN`."
)
_OTHER: Final = (
    "Licence, and conditions to accept where it has any: https://huggingface.co/{model}. Login on this "
    "machine, if it is gated: `hf auth login`, or a read token in `HF_TOKEN`."
)
_INCLUDE: Final = ("model_index.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors", "LICENSE*")
_EXCLUDE: Final = ("*.fp16*", "* copy/*")
"""What the repositories hold twice: half-precision duplicates, and a stray `vae copy` in SD 3.5 Medium."""


def snapshot(model: str, revision: str, cache: str) -> Path:
    """The folder of `model` at `revision` in the Hub's cache. Raises `EngineError` where it is not there."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - the adapter's own import stays light
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        found = snapshot_download(
            model,
            revision=revision,
            cache_dir=str(Path(cache, "hub")) if cache else None,
            local_files_only=True,
        )
    except LocalEntryNotFoundError:
        found = ""
    # A snapshot folder appears with the first file that arrives, whichever it is.
    if not found or not Path(found, "model_index.json").exists():
        raise EngineError(
            ErrorKind.MISSING,
            f"`{model}` at `{revision}` is not on this machine. {_terms(model)}",
            hint=f"then run `{command(model, revision, cache)}`",
        )
    return Path(found)


def files(model: str, revision: str, cache: str, component: str) -> EngineError:
    """The error for a `component` whose files are not all there."""
    if revision:
        return EngineError(
            ErrorKind.MISSING,
            f"`{component}` of `{model}` at `{revision}` is not whole on this machine. {_terms(model)}",
            hint=f"then run `{command(model, revision, cache)}`",
        )
    return EngineError(
        ErrorKind.MISSING,
        f"`{model}` has no complete safetensors in `{component}`",
        hint="copy the model again, or save it with `safe_serialization=True`",
    )


def command(model: str, revision: str, cache: str) -> str:
    """The shell command that fetches what a pipeline needs of `model`, and nothing twice."""
    words = ["hf", "download", model, "--revision", revision]
    for pattern in _INCLUDE:
        words += ["--include", pattern]
    for pattern in _EXCLUDE:
        words += ["--exclude", pattern]
    return (f"HF_HOME={shlex.quote(cache)} " if cache else "") + shlex.join(words)


def _terms(model: str) -> str:
    known = model.startswith("stabilityai/stable-diffusion-3.5-")
    return (_STABILITY if known else _OTHER).format(model=model)
