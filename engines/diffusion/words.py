"""The part of a prompt that a text encoder never sees, in words.

Knows nothing of drawing; works on the tokenizers of any pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_FLOOR: Final = 10**6
"""A tokenizer without a limit says about 10**30."""


def cut(tokenizers: Iterable[Any], prompt: str, name: str, sequence: int | None) -> tuple[str, ...]:
    """A note for each limit that `prompt` passes. `name`: what to call it; `sequence`: the T5's limit.

    The encoders of one limit share a note: both CLIPs of a pipeline cut at the same place.
    """
    notes: dict[str, None] = {}
    for tokenizer in tokenizers:
        is_clip = type(tokenizer).__name__.startswith("CLIP")
        limit = tokenizer.model_max_length if is_clip else sequence
        if limit is None or limit > _FLOOR:
            continue
        tokens = tokenizer(prompt, truncation=False, verbose=False).input_ids
        if len(tokens) <= limit:
            continue
        lost = tokenizer.decode(tokens[limit - 1 :], skip_special_tokens=True).strip()
        reader = "CLIP reads 77 tokens" if is_clip else f"`max_sequence_length` is {limit}"
        kind = "CLIP" if is_clip else "T5"
        notes[f"the {name} is cut for {kind} ({reader}), which does not see: `{lost}`"] = None
    return tuple(notes)
