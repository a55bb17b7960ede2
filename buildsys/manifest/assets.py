"""Assets: each resolved for one profile, with its engine, its styles and its own keys.

Knows nothing of files, of matrices, and of what the assets refer to among themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import finish, template
from buildsys.manifest.cards import FINISH
from buildsys.manifest.engines import Scopes, chosen
from buildsys.manifest.finish import Finish, Finisher
from buildsys.manifest.gates import LETTERING, Gates
from buildsys.manifest.matrix import Declared
from buildsys.manifest.model import Asset, AssetName, Engine, Input, Need
from buildsys.manifest.source import COMMAND_LINE, Fault, Path, at
from buildsys.manifest.styles import Layer, Styles, takes_no
from buildsys.manifest.template import Value
from buildsys.manifest.wildcards import Draw

Json: TypeAlias = Any

_DERIVED: frozenset[str] = frozenset({"from", "finish", "gates", "tile", "matrix", "format", "profiles"})

_OPTIONS: Final = {"seed": "N", "size": "WxH"}
"""What follows `--seed` and `--size` on the command line; text follows the others."""


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


def resolve(asset: Declared, rules: Rules, standin: Engine | None = None) -> Asset | None:
    """`asset` for the profile of `rules`; None where its style is wrong, which is told. Raises `Fault`.

    `standin`: the engine to resolve it for, whatever engine it names.
    """
    if "from" in asset.table:
        return _derived(asset, rules)
    role: str = asset.table.get("role", "")
    engine, blocked = (standin, "") if standin else _engine(asset, role, rules)
    layer = _layer(asset, engine, rules)
    if layer is None:
        return None
    finished = _finish(asset, rules, layer.finish)
    parameters, inputs = _parameters(asset, engine, layer, rules)
    text, apart = _lettering(asset, engine, rules)
    return Asset(
        name=asset.name,
        role=role,
        engine=engine.name if engine else "",
        blocked=blocked,
        prompt=_prompt(asset, engine, layer, rules),
        negative=_negative(asset, engine, layer, rules),
        text="" if apart else text,
        seed=_seed(asset, engine),
        size=_size(asset, engine, layer, rules),
        parameters=parameters,
        finish=finished.steps,
        inputs={**inputs, **finished.inputs} if inputs or finished.inputs else {},
        format=asset.table.get("format", "png"),
        gates=rules.gates.of(asset, layer.gates, text),
        location=asset.location,
    )


def _derived(asset: Declared, rules: Rules) -> Asset:
    for key in asset.table:
        if key not in _DERIVED:
            fact = f"asset `{asset.name}` is made from another one and takes no `{key}`"
            raise Fault(fact, f"remove `{key}`, or remove `from`", (key,), at_key=True)
    with at("from"):
        origin = template.expand(asset.table["from"], asset.values)
    finished = _finish(asset, rules, Finish())
    return Asset(
        name=asset.name,
        role="",
        engine=FINISH,
        finish=finished.steps,
        inputs={"image": Input(asset=AssetName(origin)), **finished.inputs},
        format=asset.table.get("format", "png"),
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
        raise Fault(f"asset `{asset.name}` has no `role`, `engine` or `from`", hint)
    if not name:
        fact = f"role `{role}` has no engine in profile `{rules.profile}`"
        return None, f"{fact}\n\nhint: add `{rules.profile}` to `{role}` under `[roles]`"
    with at(key):
        return chosen(name, rules.engines), ""


def _layer(asset: Declared, engine: Engine | None, rules: Rules) -> Layer | None:
    style = asset.table.get("style", ())
    names = (style,) if isinstance(style, str) else tuple(style)
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
    finish.check_format(made, asset.table.get("format", "png"), path)
    return made


def _lettering(asset: Declared, engine: Engine | None, rules: Rules) -> tuple[str, bool]:
    """The asset's text, and whether only its gate reads it: the engine has no use for it."""
    draw = _draw(asset, "text")
    if engine is not None and engine.card.text is Need.NONE and LETTERING in asset.table.get("gates", {}):
        return _text(asset, "text", engine, rules, draw), True
    return _own(asset, "text", engine, rules, draw), False


def _draw(asset: Declared, key: str) -> Draw:
    """The lots of the text `key`. The seed is drawn by even where the engine is not sent it."""
    return Draw(asset.table.get("seed"), asset.axes, key)


def _text(asset: Declared, key: str, engine: Engine | None, rules: Rules, draw: Draw) -> str:
    """What the asset itself says under `key` to `engine`."""
    written = asset.table.get(key)
    if written is None:
        return ""
    with at(key):
        if isinstance(written, dict):
            # What it says to other engines too, so a typo there shows in every profile.
            template.check(written, asset.values)
        return template.expand(rules.scopes.pick(written, engine) or "", asset.values, draw)


def _own(asset: Declared, key: str, engine: Engine | None, rules: Rules, draw: Draw) -> str:
    """The same, held against what the engine needs: `prompt` and `text` have equal rules."""
    text = _text(asset, key, engine, rules, draw)
    if engine is not None:
        need: Need = getattr(engine.card, key)
        if text and need is Need.NONE:
            raise _refused(asset, key, engine)
        if not text and need is Need.REQUIRED:
            raise _lacks(asset, key, engine)
    return text


def _prompt(asset: Declared, engine: Engine | None, layer: Layer, rules: Rules) -> str:
    # One draw for all, the asset's own wildcards first: a style that is put on changes none of them.
    draw = _draw(asset, "prompt")
    prompt = _own(asset, "prompt", engine, rules, draw)
    if prompt:
        with at("style"):
            for wrapper in layer.prompts:
                prompt = template.expand(wrapper, {**rules.variables, "prompt": prompt}, draw)
    return prompt


def _negative(asset: Declared, engine: Engine | None, layer: Layer, rules: Rules) -> str:
    draw = _draw(asset, "negative")
    own = _text(asset, "negative", engine, rules, draw)
    if own and engine is not None and engine.card.negative is Need.NONE:
        raise _refused(asset, "negative", engine)
    negative = own
    if layer.negatives:
        with at("style"):
            styled = [template.expand(text, rules.variables, draw) for text in layer.negatives]
        negative = ", ".join(filter(None, [own, *styled]))
    if not negative and engine is not None and engine.card.negative is Need.REQUIRED:
        raise _lacks(asset, "negative", engine)
    return negative


def _seed(asset: Declared, engine: Engine | None) -> int | None:
    seed: int | None = asset.table.get("seed")
    if engine is None:
        return seed
    if seed is None and engine.card.seed is Need.REQUIRED:
        raise _lacks(asset, "seed", engine)
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
            raise _lacks(asset, "size", engine)
        return None
    key = "size" if own else "style"
    if engine.card.size is Need.NONE:
        refused = _refused(asset, "size", engine)
        raise Fault(refused.fact, refused.hint, (key,))
    card = engine.card
    for side in size:
        if not card.minimum <= side <= card.maximum or side % card.multiple:
            step = f" in steps of {card.multiple}" if card.multiple > 1 else ""
            fact = f"engine `{engine.name}` can't make {size[0]} × {size[1]} pixels"  # noqa: RUF001 - the sign for "by"
            hint = f"use sides from {card.minimum} to {card.maximum}{step}, and `finish` for the rest"
            raise Fault(fact, hint, (key,))
    return size[0], size[1]


def _parameters(
    asset: Declared, engine: Engine | None, layer: Layer, rules: Rules
) -> tuple[Mapping[str, Json], dict[str, Input]]:
    """Every parameter with a value, and apart from them those that are files."""
    if engine is None:
        return {}, {}
    parameters = layer.parameters
    if given := asset.table.get("parameters"):
        with at("parameters"):
            own = rules.scopes.parameters(template.expand_all(given, asset.values), engine)
        parameters = {**parameters, **own}
    inputs: dict[str, Input] = {}
    for name, declared in engine.card.parameters.items():
        if declared.required and name not in parameters:
            raise _lacks_parameter(asset, name, engine)
        if declared.type == "file" and name in parameters:
            inputs[name] = finish.as_input(parameters[name])
    if inputs:
        parameters = {name: value for name, value in parameters.items() if name not in inputs}
    return parameters, inputs


def _lacks(asset: Declared, key: str, engine: Engine) -> Fault:
    if asset.location.file == COMMAND_LINE:
        return Fault(f"engine `{engine.name}` needs a {key}", f"add `--{key} {_OPTIONS.get(key, 'TEXT')}`")
    fact = f"asset `{asset.name}` lacks a `{key}`, which engine `{engine.name}` needs"
    return Fault(fact, f"add `{key} = …`")


def _lacks_parameter(asset: Declared, name: str, engine: Engine) -> Fault:
    if asset.location.file == COMMAND_LINE:
        return Fault(f"engine `{engine.name}` needs the parameter `{name}`", f"add `-p {name}=VALUE`")
    fact = f"asset `{asset.name}` lacks the parameter `{name}`, which engine `{engine.name}` needs"
    return Fault(fact, f"add `parameters.{name} = …`")


def _refused(asset: Declared, key: str, engine: Engine) -> Fault:
    if asset.location.file == COMMAND_LINE:
        return Fault(f"engine `{engine.name}` takes no {key}", f"leave `--{key}` out")
    return takes_no(key, engine, f"asset `{asset.name}`")
