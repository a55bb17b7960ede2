"""Remaking: what a lock entry alone says of how its asset is made, as an engine, inputs and a step.

The manifest, where it can be read, says only how to run an engine. Makes nothing itself.
"""

from __future__ import annotations

import msgspec

from buildsys import digest
from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.manifest import devices, process
from buildsys.manifest.cards import FINISH, Cards
from buildsys.manifest.model import Asset, Engine, Input
from buildsys.manifest.source import Fault
from buildsys.plan import recipe
from buildsys.plan.record import Record, asset_of
from buildsys.plan.step import Step, Verdict
from buildsys.session import Session


def engine_of(session: Session, record: Record) -> Engine:
    """The engine of a lock entry: what to make from its parts, how to run from the manifest, if there.

    Raises `MakeError`.
    """
    parts = record.parts
    try:
        card = Cards(session.root).load(parts.adapter)
    except Fault as fault:
        raise MakeError(fault.fact, fault.hint) from fault
    if card.version != parts.adapter_version:
        own = card.name.endswith(".py")
        raise MakeError(
            f"`{record.name}` was made by adapter `{card.name}` {parts.adapter_version}; "
            f"{'its card says' if own else 'this artlock has'} {card.version}",
            f"check out `{card.name}` and its card as they were then"
            if own
            else "install the version of artlock that the lock was written with",
        )
    _check_finish(session, record)
    current = session.runnable().engines.get(record.engine)
    same = current is not None and current.card.name == card.name
    if parts.model == recipe.FOLDER and not (same and current and current.model):
        raise MakeError(
            f"`{record.name}` was made with a local model, and no engine says where it lies",
            f"declare `[engines.{record.engine}]` with its `model`",
        )
    if parts.model == recipe.FOLDER and current and session.checkout.revision(current) != parts.revision:
        raise MakeError(
            f"the weights of `{record.engine}` are not those that `{record.name}` was made with",
            f"point `model` of `[engines.{record.engine}]` at the weights {parts.revision[:12]}",
        )
    if same and current:
        # How to run it: device, limits, walls, interpreter.
        model = current.model if parts.model == recipe.FOLDER else parts.model
        known = msgspec.structs.replace(current, card=card, model=model, revision=parts.revision)
        return msgspec.structs.replace(known, parameters=process.as_made(known, parts.parameters))
    defaults = {name: item.default for name, item in card.settings.items() if item.default is not None}
    return Engine(
        name=record.engine,
        card=card,
        model=parts.model,
        revision=parts.revision,
        parameters=process.held(card, parts.parameters),
        settings=defaults,
        limits=card.limits,
        devices=devices.settle(card, {}, defaults),
    )


def _check_finish(session: Session, record: Record) -> None:
    """Raise `MakeError` where a picture would be finished otherwise than its lock entry says."""
    finish, parts = session.manifest.engines[FINISH].card, record.parts
    told = [("the adapter `finish`", parts.finish_version, finish.version)] if parts.finish_version else []
    told += [
        (f"the finish step `{step.name}`", str(step.version), str(known.version if known else "no such step"))
        for step in parts.finish
        for known in [finish.steps.get(step.name)]
    ]
    for what, then, now in told:
        if then != now:
            raise MakeError(
                f"`{record.name}` was finished by {what} {then}; this artlock has {now}",
                "install the version of artlock that the lock was written with",
            )


def input_of(session: Session, record: Record, wanted: Digest) -> bytes:
    """The bytes of an input: from the store, from where it lay, or from git. Raises `MakeError`."""
    found = session.store.read(wanted)
    if found is not None:
        return found
    field = next(field for field, item in record.parts.inputs.items() if item == wanted)
    source = origin(session, record, field)
    if source:
        path = session.checkout.path(source)
        for data in (path.read_bytes() if path.is_file() else None, session.checkout.from_git(source)):
            if data is not None and digest.of_bytes(data) == wanted:
                return data
    why = f"`{source}` holds other bytes now" if source else "the lock does not know what it was made from"
    raise MakeError(
        f"input `{field}` of `{record.name}` is gone: {why}",
        f"restore the file whose SHA-256 begins with {wanted[:12]}",
    )


def origin(session: Session, record: Record, field: str) -> str:
    """Where an input lay in the project; empty where the lock does not know the asset that it was."""
    source = record.paths.get(field, "")
    name = asset_of(source)
    if name is None:
        return source
    upstream = session.lock.records.get(name)
    return upstream.output if upstream else ""


def step_of(session: Session, record: Record, engine: Engine) -> Step:
    """The step that makes what a lock entry has, by `engine`."""
    parts = record.parts
    asset = Asset(
        name=record.name,
        role="",
        engine=engine.name,
        finish=parts.finish,
        # A path, also where it was an asset: the manifest may not know that one any more.
        inputs={field: Input(path=origin(session, record, field)) for field in parts.inputs},
        format=parts.format,
    )
    return Step(
        name=record.name,
        asset=asset,
        verdict=Verdict.BUILD,
        reasons=(),
        output=record.output,
        parts=parts,
        recipe=record.recipe,
    )
