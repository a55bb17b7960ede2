"""Entries and audits made by hand."""

from __future__ import annotations

from typing import Any

from buildsys import digest
from buildsys.audit.model import Audit, Entry, Making, State
from buildsys.digest import Digest
from buildsys.manifest.model import AssetName

COMMIT = "4a7b" * 10
REVISION = "b940f670f0eda2d07fbb75229e779da1ad11eb80"
MODEL = "stabilityai/stable-diffusion-3.5-medium"


def sha(text: str) -> Digest:
    return digest.of_bytes(text.encode())


def entry(name: str = "hero", **changes: Any) -> Entry:
    known: dict[str, Any] = {
        "asset": AssetName(name),
        "files": {f"out/{name}.png": sha(name)},
        "output": f"out/{name}.png",
        "state": State.LOCKED,
        "made_by": Making.GENERATIVE,
        "because": "the adapter `diffusion` says `trainedAlgorithmicMedia`",
        "source_type": "trainedAlgorithmicMedia",
        "engine": "sd35-medium",
        "adapter": "diffusion",
        "adapter_version": "1.0.0",
        "model": MODEL,
        "revision": REVISION,
        "licence": "Stability AI Community License",
        "recipe": sha(f"{name} recipe"),
        "prompt": "moon knight",
        "seed": 12345,
        "size": (64, 64),
        "pixels": sha(f"{name} pixels"),
        "raw": sha(f"{name} raw"),
        "phash": "0" * 16,
        "environment": {"torch": "2.13.0"},
    }
    return Entry(**{**known, **changes})


def audit(*entries: Entry, **changes: Any) -> Audit:
    known: dict[str, Any] = {"project": "test", "commit": COMMIT, "working": False}
    return Audit(entries=entries, **{**known, **changes})
