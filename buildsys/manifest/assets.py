"""Assets: each resolved for one profile, with its engine, its styles and its own keys.

Knows nothing of files, of matrices, and of what the assets refer to among themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import (
    candidates,
    finish,
    needs,
    outputs,
    packing,
    profiles,
    shapes,
    sources,
    template,
    values,
)
from buildsys.manifest.able import Sieve
from buildsys.manifest.cards import FINISH, PACK
from buildsys.manifest.engines import Scopes, chosen
from buildsys.manifest.finish import Finish, Finisher
from buildsys.manifest.gates import Gates
from buildsys.manifest.matrix import Declared
from buildsys.manifest.model import Asset, AssetName, Engine, Input, Need
from buildsys.manifest.needs import Unmet
from buildsys.manifest.source import COMMAND_LINE, Fault, Path, at
from buildsys.manifest.styles import Layer, Styles
from buildsys.manifest.template import Value
from buildsys.manifest.wording import Wording, lacks, refused

Json: TypeAlias = Any

_FINISHED: Final = frozenset({"finish", "gates", "tile", "matrix", "format", "formats", "scales", "profiles"})
_TAKEN: Final = {"source": _FINISHED | {"source", *sources.CREDITS}, "from": _FINISHED | {"from"}}
"""Keys of assets that no engine draws, by the key that tells what they are made of."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All that assets are resolved with."""

    profile: str
    variables: Mapping[str, Value]
    roles: Mapping[str, Mapping[str, str]]
    engines: Mapping[str, Engine]
    scopes: Scopes
    styles: Styles
    finisher: Finisher
    gates: Gates
    out: str = "out"
    """The output folder."""


def resolve(asset: Declared, rules: Rules, standin: Engine | None = None) -> Asset | None:
    """`asset` for the profile of `rules`; None where its style is wrong, which is told. Raises `Fault`.

    `standin`: the engine to resolve it for, whatever engine it names.
    """
    if "pack" in asset.table:
        return packing.resolve(asset, rules.engines[PACK])
    packing.check_no_atlas(asset)
    for key in _TAKEN:
        if key in asset.table:
            return _derived(asset, key, rules)
    sources.check_credits(asset.name, asset.table)
    role: str = asset.table.get("role", "")
    engine, blocked = (standin, "") if standin else _engine(asset, role, rules)
    layer = _layer(asset, engine, rules)
    if layer is None:
        return None
    try:
        return _drawn(asset, role, engine, blocked, layer, rules)
    except Unmet as unmet:
        raise unmet if engine is None else unmet.naming(_able(asset, role, engine, rules)) from None


def _able(asset: Declared, role: str, engine: Engine, rules: Rules) -> list[str]:
    """The engines, best first, that could make what `engine` can't."""
    # Where they are laid on matters to nobody here: only which of them are files.
    given = {**asset.table.get("parameters", {}), **asset.over.get("parameters", {})}
    sieve = Sieve({**asset.table, "parameters": given}, _styles(asset), engine, rules.scopes, rules.styles)
    return needs.ranked(sieve.keep(rules.finisher), role, rules.roles.get(role, {}).values())


def _drawn(
    asset: Declared, role: str, engine: Engine | None, blocked: str, layer: Layer, rules: Rules
) -> Asset:
    finished = _finish(asset, rules, layer.finish)
    parameters, inputs = _parameters(asset, engine, layer, rules)
    words = Wording(asset, engine, layer, rules.scopes, rules.variables)
    text = words.text()
    prompt = words.prompt(text)
    words.check(text, prompt)
    made = Asset(
        name=asset.name,
        role=role,
        engine=engine.name if engine else "",
        blocked=blocked,
        prompt=prompt,
        negative=words.negative(),
        text=text,
        seed=_seed(asset, engine),
        size=_size(asset, engine, layer, rules),
        needs=needs.left(needs.wanted(asset.table), (step.name for step in finished.steps), rules.finisher),
        parameters=parameters,
        finish=finished.steps,
        inputs={**inputs, **finished.inputs} if inputs or finished.inputs else {},
        format=outputs.own_format(asset.table),
        gates=rules.gates.of(asset, layer.gates, text),
        location=asset.location,
    )
    if engine is not None:
        needs.check(made, engine, asset.table.get("needs", ()), rules.finisher)
    return candidates.resolve(made, asset.table, engine)


def _derived(asset: Declared, taken: str, rules: Rules) -> Asset:
    """An asset that is made of a picture: another asset's or, where `taken` is `source`, the project's."""
    for key in (*asset.table, *asset.over):
        if key not in _TAKEN[taken]:
            what = "another one" if taken == "from" else "a picture of yours"
            fact = f"asset `{asset.name}` is made from {what} and takes no `{key}`"
            path = (key,) if key in asset.table else (profiles.KEY, rules.profile, key)
            raise Fault(fact, f"remove `{key}`, or remove `{taken}`", path, at_key=True)
    with at(taken):
        origin = template.expand(asset.table[taken], asset.values)
        if taken == "source":
            sources.check(origin, rules.out)
    image = Input(asset=AssetName(origin)) if taken == "from" else Input(path=origin)
    finished = _finish(asset, rules, Finish())
    return Asset(
        name=asset.name,
        role="",
        engine=FINISH,
        finish=finished.steps,
        inputs={"image": image, **finished.inputs},
        format=outputs.own_format(asset.table),
        author=asset.table.get("author", ""),
        licence=asset.table.get("licence", ""),
        source_type=asset.table.get("source_type", ""),
        gates=rules.gates.of(asset, {}, ""),
        location=asset.location,
    )


def _engine(asset: Declared, role: str, rules: Rules) -> tuple[Engine | None, str]:
    """The engine that makes `asset`; or None, and why."""
    table = asset.table
    if role and role not in rules.roles:
        hint = did_you_mean(role, rules.roles) or f'add `{role} = "ENGINE"` under `[roles]`'
        raise Fault(f"unknown role `{role}`", hint, ("role",))
    if "engine" in table:
        name, key = table["engine"], "engine"
    elif role:
        choices = rules.roles[role]
        name, key = choices.get("*") or choices.get(rules.profile, ""), "role"
    else:
        hint = "add `role = …`"
        raise Fault(f"asset `{asset.name}` has no `role`, `engine`, `from` or `source`", hint)
    if not name:
        fact = f"role `{role}` has no engine in profile `{rules.profile}`"
        return None, f"{fact}\n\nhint: add `{rules.profile}` to `{role}` under `[roles]`"
    with at(key):
        return chosen(name, rules.engines), ""


def _styles(asset: Declared) -> tuple[str, ...]:
    style = asset.table.get("style", ())
    return (style,) if isinstance(style, str) else tuple(style)


def _layer(asset: Declared, engine: Engine | None, rules: Rules) -> Layer | None:
    names = _styles(asset)
    for name in names:
        if name not in rules.styles:
            hint = did_you_mean(name, rules.styles.names()) or f"declare it: `[styles.{name}]`"
            raise Fault(f"unknown style `{name}`", hint, ("style",))
    return rules.styles.layer(names, engine)


def _finish(asset: Declared, rules: Rules, styled: Finish) -> Finish:
    """The asset's own finish; without one, `styled`."""
    steps = asset.table.get("finish")
    path: Path
    if steps is None:
        made, path = styled, ("style",)
    else:
        with at("finish"):
            made = rules.finisher.resolve(template.expand_all(steps, asset.values))
        path = ("finish", len(steps) - 1)
    finish.check_format(made, outputs.own_format(asset.table), path)
    return made


def _seed(asset: Declared, engine: Engine | None) -> int | None:
    seed: int | None = asset.table.get("seed")
    if engine is None:
        return seed
    if seed is None and engine.card.seed is Need.REQUIRED:
        raise lacks(asset, "seed", engine)
    # A role may map to an engine with seeds in one profile and to one without in another.
    return None if engine.card.seed is Need.NONE else seed


def _size(asset: Declared, engine: Engine | None, layer: Layer, rules: Rules) -> tuple[int, int] | None:
    with at("size"):
        own = rules.scopes.pick(asset.table.get("size"), engine)
    size = own or layer.size
    if engine is None:
        return (size[0], size[1]) if size else None
    if size is None:
        if engine.card.size is Need.REQUIRED:
            raise lacks(asset, "size", engine)
        return None
    made = size[0], size[1]
    key = "size" if own else "style"
    if engine.card.size is Need.NONE:
        wrong = refused(asset, "size", engine)
        raise Unmet(wrong.fact, wrong.hint, (key,))
    with at(key):
        shapes.check_size(engine, made)
    return made


def _parameters(
    asset: Declared, engine: Engine | None, layer: Layer, rules: Rules
) -> tuple[Mapping[str, Json], dict[str, Input]]:
    """Every parameter with a value, and apart from them those that are files."""
    if engine is None:
        return {}, {}
    parameters = layer.parameters
    for path, given in profiles.parameters(asset.table, asset.over, rules.profile):
        with at(*path):
            own = rules.scopes.parameters(template.expand_all(given, asset.values), engine)
        parameters = {**parameters, **own}
    shapes.check_choices(engine, parameters)
    _check_company(asset, engine, parameters)
    inputs: dict[str, Input] = {}
    for name, declared in engine.card.parameters.items():
        if declared.required and name not in parameters:
            raise _lacks_parameter(asset, name, engine)
        if declared.type in values.FILES and name in parameters:
            inputs.update(finish.inputs_of(declared, parameters[name]))
            parameters = {key: value for key, value in parameters.items() if key != name}
    return parameters, inputs


def _check_company(asset: Declared, engine: Engine, parameters: Mapping[str, Json]) -> None:
    """Raise `Fault` where a parameter stands without another that it says nothing without."""
    for name in parameters:
        for other in engine.card.parameters[name].needs:
            if other not in parameters:
                fact = f"asset `{asset.name}` gives engine `{engine.name}` `{name}` without `{other}`"
                hint = f"add `parameters.{other} = …`, or leave `{name}` out"
                raise Fault(fact, hint, ("parameters",))


def _lacks_parameter(asset: Declared, name: str, engine: Engine) -> Fault:
    if asset.location.file == COMMAND_LINE:
        return Fault(f"engine `{engine.name}` needs the parameter `{name}`", f"add `-p {name}=VALUE`")
    fact = f"asset `{asset.name}` lacks the parameter `{name}`, which engine `{engine.name}` needs"
    return Fault(fact, f"add `parameters.{name} = …`")
