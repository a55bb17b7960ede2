"""The same wish for engines that take different things: what one doesn't have is left out, and noted.

Pure: values in, an asset of a single engine out. Knows nothing of how it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.comparison.model import Subject
from buildsys.errors import ArtlockError
from buildsys.manifest import needs, shapes, values
from buildsys.manifest.cards import FINISH
from buildsys.manifest.finish import inputs_of
from buildsys.manifest.model import Asset, AssetName, Card, Engine, Input, Manifest, Need
from buildsys.manifest.source import Fault

Json: TypeAlias = Any

_STEP: Final = "finish."


def of_asset(manifest: Manifest, name: AssetName) -> Subject:
    """What the asset `name` asks for, whatever engine it has. Raises `ArtlockError` if none draws it."""
    asset = manifest.assets[name]
    if asset.engine == FINISH:
        image = asset.inputs["image"]
        hint = f"compare `{image.asset}`" if image.asset else "compare an asset that an engine draws"
        fact = f"no engine draws `{name}`: it is made from `{image.asset or image.path}`"
        raise ArtlockError(fact, hint)
    if asset.pack:
        raise ArtlockError(f"no engine draws `{name}`: it is an atlas", "compare what it packs")
    engine = manifest.engines[asset.engine] if asset.engine else None
    own = engine.parameters if engine else {}
    own_files = _inputs(engine.card, own) if engine else {}
    return Subject(
        name=name,
        prompt=asset.prompt,
        negative=asset.negative,
        text=asset.text,
        size=asset.size,
        # What its engine has anyway was not chosen for it: another engine has its own.
        parameters={key: value for key, value in asset.parameters.items() if own.get(key) != value},
        files={
            key: item
            for key, item in asset.inputs.items()
            if not key.startswith(_STEP) and own_files.get(key) != item
        },
        finish=asset.finish,
        finish_files={key: item for key, item in asset.inputs.items() if key.startswith(_STEP)},
        format=asset.format,
    )


def adapted(subject: Subject, engine: Engine, seed: int, name: AssetName) -> tuple[Asset, tuple[str, ...]]:
    """`subject` as an asset of `engine`, and what had to be left out or changed.

    Raises `ArtlockError` where the engine needs what the subject doesn't have.
    """
    card = engine.card
    notes: list[str] = []
    _check_needs(subject, engine)
    size = None
    if subject.size is not None and card.size is not Need.NONE:
        size = shapes.nearest(card, engine.model, subject.size)
    prompt = _taken("prompt", subject.prompt, card.prompt, notes)
    takes = card.negative if shapes.takes_negative(engine) else Need.NONE
    negative = _taken("negative prompt", subject.negative, takes, notes)
    # Where the prompt says it, the engine is told it, and a look at the picture may find it.
    is_told = needs.is_told(card, subject.text, prompt)
    text = subject.text if is_told else _taken("text", subject.text, card.text, notes)
    if card.seed is Need.NONE:
        notes.append("takes no seed")
    if subject.size is not None and size != subject.size:
        asked = _by(subject.size)
        notes.append(f"makes no {asked}: asked for {_by(size)}" if size else "chooses the size itself")
    parameters, files = _parameters(subject, engine, notes)
    asset = Asset(
        name=name,
        role="",
        engine=engine.name,
        prompt=prompt,
        negative=negative,
        text=text,
        seed=None if card.seed is Need.NONE else seed,
        size=size,
        parameters=parameters,
        finish=subject.finish,
        inputs={**files, **subject.finish_files},
        format=subject.format,
    )
    return asset, tuple(notes)


def _check_needs(subject: Subject, engine: Engine) -> None:
    options = {"prompt": "--prompt TEXT", "negative": "--negative TEXT", "text": "--text TEXT"}
    for key, option in {**options, "size": "--size WxH"}.items():
        if getattr(engine.card, key) is Need.REQUIRED and not getattr(subject, key):
            mend = f"give `{subject.name}` a `{key}`" if subject.name else f"add `{option}`"
            raise ArtlockError(f"engine `{engine.name}` needs a {key}", mend)
    tables = {key.partition(".")[0] for key in subject.files}
    known = {*engine.parameters, *subject.parameters, *subject.files, *tables}
    for name, declared in engine.card.parameters.items():
        if declared.required and name not in known:
            fact = f"engine `{engine.name}` needs the parameter `{name}`"
            raise ArtlockError(fact, f"set `{name}` in `[engines.{engine.name}]`")


def _taken(what: str, value: str, need: Need, notes: list[str]) -> str:
    if not value or need is not Need.NONE:
        return value
    notes.append(f"takes no {what}")
    return ""


def _parameters(
    subject: Subject, engine: Engine, notes: list[str]
) -> tuple[Mapping[str, Json], Mapping[str, Input]]:
    declared = engine.card.parameters
    chosen: dict[str, Json] = dict(engine.parameters)
    for name, value in subject.parameters.items():
        if name not in declared:
            notes.append(f"has no parameter `{name}`")
            continue
        try:
            settled = values.settle(declared[name], value)
        except Fault as fault:
            notes.append(f"its {fault.fact}")
            continue
        try:
            shapes.check_choices(engine, {name: settled})
        except Fault as fault:
            notes.append(fault.fact)
        else:
            chosen[name] = settled
    files = _inputs(engine.card, chosen)
    chosen = {name: value for name, value in chosen.items() if declared[name].type not in values.FILES}
    for key, item in subject.files.items():
        name, dot, _ = key.partition(".")
        if shapes.takes_files(engine, name) and declared[name].type == ("files" if dot else "file"):
            files[key] = item
        else:
            notes.append(f"has no parameter `{key}`")
    return chosen, files


def _inputs(card: Card, chosen: Mapping[str, Json]) -> dict[str, Input]:
    """The files among the values `chosen` of the parameters of `card`."""
    files: dict[str, Input] = {}
    for name, parameter in card.parameters.items():
        if parameter.type in values.FILES and name in chosen:
            files.update(inputs_of(parameter, chosen[name]))
    return files


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
