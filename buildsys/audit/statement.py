"""An audit as an in-toto Statement v1 with SLSA provenance v1: which files were made of what, unsigned.

Nothing in it is made up: no time, no invocation, no machine, for the lock has none. A file that a person
changed since is left out: no recipe gave it. Knows nothing of keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import msgspec

from buildsys.audit.model import Adopted, Audit, Entry, State
from buildsys.digest import LENGTH

Json: TypeAlias = Any

TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "pkg:pypi/artlock#docs/audit.md"
"""What the parameters mean: a page of this package, by its package URL."""

BUILDER: Final = "pkg:pypi/artlock"
"""Who built, where nobody says: the program. Whoever signs should name the platform that it ran on."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_OWN: Final = "artlockModel"
"""A digest that artlock made of a folder of weights, or of a library that an adapter carries: no single
file's, so it may not be called `sha256`."""


def statement(audit: Audit, builder: str = BUILDER) -> dict[str, Json]:
    """The statement over all files of `audit` that are as the lock has them."""
    entries = attested(audit)
    environments = {entry.asset: dict(entry.environment) for entry in entries if entry.environment}
    definition: dict[str, Json] = {
        "buildType": BUILD_TYPE,
        "externalParameters": {"assets": {entry.asset: _recipe(entry) for entry in entries}},
        "internalParameters": {"environments": environments},
        "resolvedDependencies": _dependencies(audit, entries),
    }
    details: dict[str, Json] = {"builder": {"id": builder}, "byproducts": _raws(entries)}
    return {
        "_type": TYPE,
        "subject": _subjects(entries),
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {key: value for key, value in definition.items() if value},
            "runDetails": {key: value for key, value in details.items() if value},
        },
    }


def attested(audit: Audit) -> list[Entry]:
    """The assets whose files are those that the recipe gave."""
    return [entry for entry in audit.entries if entry.state is State.LOCKED]


def _subjects(entries: list[Entry]) -> list[dict[str, Json]]:
    files = {(path, file) for entry in entries for path, file in entry.files.items()}
    return [{"name": path, "digest": {"sha256": file}} for path, file in sorted(files)]


def _recipe(entry: Entry) -> dict[str, Json]:
    """What was asked for, as the lock has it: enough to ask again."""
    told: dict[str, Json] = {
        "engine": entry.engine,
        "adapter": entry.adapter,
        "adapterVersion": entry.adapter_version,
        "model": entry.model,
        "revision": entry.revision,
        "prompt": entry.prompt,
        "negative": entry.negative,
        "text": entry.text,
        "seed": entry.seed,
        "size": None if entry.size is None else list(entry.size),
        "parameters": dict(entry.parameters),
        "inputs": {parameter: item.digest for item in entry.used for parameter in item.parameters},
        "finish": [msgspec.to_builtins(step) for step in entry.finish],
        "recipe": entry.recipe,
    }
    return {key: value for key, value in told.items() if value is not None and value not in ("", {}, [])}


def _dependencies(audit: Audit, entries: list[Entry]) -> list[dict[str, Json]]:
    found: dict[tuple[str, ...], dict[str, Json]] = {}
    for item in _all(audit, entries):
        key = (item.get("name", ""), item.get("uri", ""), *map(str, item.get("digest", {}).values()))
        found[key] = item
    return [found[key] for key in sorted(found)]


def _all(audit: Audit, entries: list[Entry]) -> Iterator[dict[str, Json]]:
    if audit.commit and not audit.working:
        # Of a working tree nobody knows whether it is what the commit has.
        yield {"name": "source", "digest": {"gitCommit": audit.commit}}
    for entry in entries:
        for item in entry.used:
            name = f"asset:{item.asset}" if item.asset else item.path
            yield {**({"name": name} if name else {}), "digest": {"sha256": item.digest}}
        for maker in (entry, entry.adopted):
            if maker is not None and maker.model:
                yield _model(maker)


def _model(entry: Entry | Adopted) -> dict[str, Json]:
    """The weights: by commit where they are a repository's, by digest where artlock has one."""
    revision = entry.revision
    digest: Mapping[str, str] = {}
    if _COMMIT.fullmatch(revision):
        digest = {"gitCommit": revision}
    elif len(revision) == LENGTH:
        digest = {_OWN: revision}
    named = {"name": f"model:{entry.model}", **({"digest": digest} if digest else {})}
    if "/" in entry.model and _COMMIT.fullmatch(revision):
        return {**named, "uri": f"pkg:huggingface/{quote(entry.model)}@{revision}"}
    return {**named, "uri": f"pkg:generic/{quote(entry.adapter, safe='')}/{quote(entry.model, safe='')}"}


def _raws(entries: list[Entry]) -> list[dict[str, Json]]:
    """What the engines handed over, before it was finished; the store keeps it."""
    files = {file for entry in entries for file in entry.files.values()}
    raws = {(f"raw:{entry.asset}", entry.raw) for entry in entries if entry.raw not in files}
    return [{"name": name, "digest": {"sha256": raw}} for name, raw in sorted(raws)]
