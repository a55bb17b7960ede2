"""The devices that an engine may work on, from what its table says and its card declares.

Knows nothing of which devices a machine has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.manifest import values
from buildsys.manifest.model import Card
from buildsys.manifest.source import Fault, at

Json: TypeAlias = Any

SETTING: Final = "device"
"""The setting by which an adapter is told its device; one without it works on none."""


def normal(device: str) -> str:
    """The one name of `device`: two engines that call it differently must not share it."""
    return "cuda:0" if device == "cuda" else device


def settle(card: Card, given: Mapping[str, Json], settings: Mapping[str, Json]) -> tuple[str, ...]:
    """The devices of an engine, in the order in which they are written; () where its adapter has none.

    Args:
        card: of its adapter.
        given: its table, as it is written.
        settings: its settings, checked, with defaults.

    Raises `Fault`.
    """
    declared = card.settings.get(SETTING)
    if "devices" not in given:
        return (normal(settings[SETTING]),) if settings.get(SETTING) else ()
    if declared is None:
        fact = f"adapter `{card.name}` has no setting `{SETTING}`, so it works on none"
        raise Fault(fact, "remove it", ("devices",), at_key=True)
    if SETTING in given:
        fact = f"`{SETTING}` and `devices` both say where it works"
        raise Fault(fact, f"remove `{SETTING}`: `devices` takes one or several", (SETTING,), at_key=True)
    found: list[str] = []
    for number, written in enumerate(given["devices"]):
        with at("devices", number):
            device = normal(values.settle(declared, written))
            if device in found:
                raise Fault(f"`{device}` stands in `devices` twice", "keep one of the two")
            found.append(device)
    return tuple(found)
