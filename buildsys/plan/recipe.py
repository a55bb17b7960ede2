"""Recipes: one walk over the parts gives the digest and what changed, so the two can't disagree.

Knows nothing of files; the digests of the inputs come in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeAlias

from buildsys.digest import Digest, canonical, of_value
from buildsys.manifest.model import Asset, AssetName, Card, Engine, Need
from buildsys.plan import provenance
from buildsys.plan.record import Parts

Json: TypeAlias = Any

SALT: Final = 1
"""Schema of the recipe. Raising it makes every asset of every project stale, so it is never raised
for a new part: a part that is empty is left out, and old digests stay."""

ABSENT: Final = "—"
"""Shown for a part that one side lacks; no JSON looks like it."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")


def tree(parts: Parts) -> dict[str, Json]:
    """The recipe as JSON, without what is empty: the one thing that is digested, shown and compared."""
    values: dict[str, Json] = {
        "adapter": parts.adapter,
        "adapter_version": parts.adapter_version,
        "model": parts.model,
        "revision": parts.revision,
        "prompt": parts.prompt,
        "negative": parts.negative,
        "text": parts.text,
        "seed": parts.seed,
        "candidate": parts.candidate,
        "size": None if parts.size is None else list(parts.size),
        "parameters": dict(parts.parameters),
        "inputs": dict(parts.inputs),
        "finish": [
            {"name": step.name, "version": step.version, "parameters": dict(step.parameters)}
            for step in parts.finish
        ],
        "finish_version": parts.finish_version,
        "format": parts.format,
        "metadata": parts.metadata,
    }
    # 0 is a seed: only what says nothing is left out.
    return {key: value for key, value in values.items() if value or value == 0}


def digest_of(parts: Parts) -> Digest:
    """The recipe digest."""
    return of_value({"artlock": SALT, "recipe": tree(parts)})


def generate_key(parts: Parts) -> Digest:
    """The digest of the generate action: the recipe without its finishing.

    A new crop has the same one, so it never pays for a new picture.
    """
    return of_value({"artlock": SALT, "generate": _generated(parts)})


def refusal_key(parts: Parts) -> Digest:
    """What the store keeps a refusal of the generate action under: its finishing changes no answer."""
    return of_value({"artlock": SALT, "refused": _generated(parts)})


def _generated(parts: Parts) -> dict[str, Json]:
    """The recipe without its finishing."""
    walked = tree(parts)
    for key in ("finish", "finish_version", "format", "metadata"):
        walked.pop(key, None)
    walked["inputs"] = {
        key: value for key, value in walked.get("inputs", {}).items() if not key.startswith("finish.")
    }
    return walked


def finish_key(parts: Parts, raw: Digest, size: tuple[int, int] | None = None) -> Digest:
    """The digest of the finish action on the raw picture `raw`: whatever made it, the result is the same.

    `size`: what it is brought to before the first step; None where it has its size.
    """
    walked = tree(parts)
    files = {key: value for key, value in walked.get("inputs", {}).items() if key.startswith("finish.")}
    steps = {key: walked[key] for key in ("finish", "finish_version", "format") if key in walked}
    first = {} if size is None else {"size": list(size)}
    told = {"metadata": marks} if (marks := provenance.marks(parts)) else {}
    return of_value({"artlock": SALT, "finish": steps, "inputs": files, "raw": raw, **first, **told})


def leaves(parts: Parts) -> dict[str, str]:
    """Each part by its path (`seed`, `parameters.style`, `finish.0.resize.size`), as canonical JSON.

    JSON, not bare text: the string `4` and the number 4 are different recipes.
    """
    walked = tree(parts)
    if "finish" in walked:
        walked["finish"] = {
            str(number): {step["name"]: {"version": step["version"], **step["parameters"]}}
            for number, step in enumerate(walked["finish"])
        }
    return dict(_flatten("", walked))


def _flatten(path: str, value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            # Quoted, or `b` under `x.a` and `a.b` under `x` would be one leaf.
            name = key if _PLAIN.fullmatch(key) else canonical(key).decode()
            yield from _flatten(f"{path}.{name}" if path else name, value[key])
    else:
        yield path, canonical(value).decode()


def parts_of(
    asset: Asset,
    engine: Engine,
    finish: Card,
    digests: Mapping[str, Digest],
    revision: str,
    drawn: Collection[AssetName] = (),
) -> Parts:
    """The recipe of `asset`, made by `engine` and finished by the adapter `finish`.

    Args:
        asset: what is asked for, resolved.
        engine: the engine that its role maps to.
        finish: card of the finish adapter.
        digests: parameter name to the digest of its bytes, for every input.
        revision: of the model; for a local folder, the digest of its weights.
        drawn: the assets that a trained model had a part in, where pictures are to tell; see `provenance`.
    """
    card = engine.card
    local = is_folder(engine.model)
    return Parts(
        adapter=card.name,
        adapter_version=card.version,
        # A folder's path is where the weights lie, not what they are: its digest is the identity.
        model=FOLDER if local else engine.model or card.model,
        revision=revision or card.revision,
        prompt=asset.prompt,
        negative=asset.negative,
        # Elsewhere it is only what the picture must show: the engine is told by the prompt, if at all.
        text=asset.text if card.text is not Need.NONE else "",
        seed=asset.seed,
        candidate=asset.candidate,
        size=asset.size,
        parameters=asset.parameters,
        inputs=digests,
        finish=asset.finish,
        # An atlas is packed of what was finished, and passes no finish itself.
        finish_version="" if asset.pack else finish.version,
        format=asset.format,
        metadata=provenance.source_type(asset, engine, drawn),
    )


FOLDER: Final = "folder"
"""What a recipe calls a model that lies in a local folder; its revision is the digest of its weights."""


def is_folder(model: str) -> bool:
    """Whether `model` names a local folder rather than a repository on a model hub."""
    return model.startswith((".", "/", "~"))
