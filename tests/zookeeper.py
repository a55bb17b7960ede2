"""Engines of the zoo, requests to them, and a look at which of their processes are left."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import psutil

from buildsys.manifest.allowance import Limits
from buildsys.manifest.model import Card, Engine
from engines.protocol import Request

ROOT = Path(__file__).resolve().parent.parent
MARK = "ARTLOCK_TEST_MARK"


def engine(animal: str, *, name: str = "", python: str = "", **changes: Any) -> Engine:
    """The engine of `tests/zoo/ANIMAL.py`; `changes` to its card or its limits, `settings` to itself.

    `sandbox=False` is for one that notes in a file of the test's that it was there.
    """
    settings = changes.pop("settings", {})
    sandbox = changes.pop("sandbox", True)
    devices = changes.pop("devices", (settings["device"],) if "device" in settings else ())
    limits = {key: changes.pop(key) for key in Limits.__struct_fields__ if key in changes}
    text = (ROOT / "tests" / "zoo" / f"{animal}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    for table in ("parameters", "settings"):
        for key, value in data.get(table, {}).items():
            value["name"] = key
    card = msgspec.convert({**data, **changes, "name": f"tests/zoo/{animal}.py"}, Card)
    own = msgspec.structs.replace(card.limits, **limits)
    return Engine(
        name=name or animal,
        card=card,
        settings=settings,
        python=python,
        limits=own,
        devices=devices,
        sandbox=sandbox,
    )


def request(asset: str = "hero", act: str = "", **parameters: Any) -> Request:
    if act:
        parameters["act"] = act
    return Request(id=asset, asset=asset, output=f"{asset}.png", seed=1, size=(8, 6), parameters=parameters)


def marked(mark: str) -> list[psutil.Process]:
    """Every living process that was started with `mark` in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def left_after(mark: str, seconds: float) -> list[psutil.Process]:
    """What of `marked` is still there after `seconds`; returns early once nothing is."""
    deadline = time.monotonic() + seconds
    while (found := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
