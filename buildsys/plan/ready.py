"""Whether an engine can run here and now: extras, keys, retirement, a pinned model.

Knows nothing of the engine's code: what is installed and what the date is come in.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from buildsys.manifest.model import Engine
from buildsys.plan.recipe import is_folder
from buildsys.plan.step import Reason, Why


def obstacle(
    engine: Engine,
    *,
    installed: Callable[[str], bool],
    variables: Container[str],
    today: str,
    weights: Callable[[Engine], str],
) -> Reason | None:
    """Why `engine` can't run, or None.

    Args:
        engine: the engine asked about.
        installed: whether a module can be imported in the engine's interpreter, without importing it.
        variables: names of the environment variables that are set.
        today: ISO date.
        weights: what is missing of a local model, or an empty string.
    """
    card = engine.card
    if engine.retired and engine.retired <= today:
        successor = f"use `{engine.successor}` instead" if engine.successor else "choose another engine"
        fact = f"engine `{engine.name}` was retired on {engine.retired}"
        return Reason(why=Why.RETIRED, field=engine.name, new=fact, hint=successor)
    missing = [module for module in card.requires if not engine.python and not installed(module)]
    if missing:
        install = f"pip install 'artlock[{card.extra}]'" if card.extra else f"pip install {' '.join(missing)}"
        return _blocked(f"engine `{engine.name}` needs `{'`, `'.join(missing)}`", f"run `{install}`")
    absent = [key for key in card.keys if key not in variables and command_of(key) not in variables]
    if absent:
        return _blocked(
            f"engine `{engine.name}` needs the key `{absent[0]}`",
            f"set the environment variable `{absent[0]}`",
        )
    if card.pinned:
        return _unpinned(engine) or _weightless(engine, weights(engine))
    return None


def command_of(key: str) -> str:
    """The variable that holds a command which prints `key`, such as a password manager's."""
    return f"{key}_COMMAND"


def _unpinned(engine: Engine) -> Reason | None:
    table = f"[engines.{engine.name}]"
    if not engine.model:
        return _blocked(f"engine `{engine.name}` has no model", f"set `model` in `{table}`")
    if not is_folder(engine.model) and not engine.revision:
        return _blocked(
            f"engine `{engine.name}` does not pin a revision of `{engine.model}`",
            f'add `revision = "<commit>"` to `{table}`; the model\'s page lists its commits',
        )
    return None


def _weightless(engine: Engine, missing: str) -> Reason | None:
    if not missing:
        return None
    fact = f"engine `{engine.name}` has no weights: {missing}"
    if is_folder(engine.model):
        return _blocked(fact, f"correct `model` in `[engines.{engine.name}]`")
    command = engine.card.fetch.format(model=engine.model, revision=engine.revision)
    # One action, but what comes before it is a person's decision; the fact says what it is about.
    terms = (
        f". Licence: {engine.licence or 'on its page'}. "
        f"Gate: log in at https://huggingface.co/{engine.model} "
        "and accept the conditions, if it has any. Login on this machine: `hf auth login`, or a read token "
        "in `HF_TOKEN`"
    )
    return _blocked(fact + terms, f"then run `{command}`")


def _blocked(fact: str, hint: str) -> Reason:
    return Reason(why=Why.ENGINE, new=fact, hint=hint)
