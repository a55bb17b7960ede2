"""A command line with placeholders, and the words that come of it.

Knows nothing of processes: placeholder values in, a list of arguments out. Nothing is ever split, joined
or unquoted, so a prompt with a blank or a quote stays one argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from engines.parameters import bad, listed, unknown

_MARK: Final = re.compile(r"\{\{|\}\}|\{([A-Za-z][A-Za-z0-9_.-]*)\}|[{}]")
_FREE: Final = ("prompt", "negative", "text")
"""Placeholders whose value is free text, and so may begin with a dash."""


class Filler:
    """Fills placeholders, and remembers which were used."""

    def __init__(self, values: Mapping[str, str | None]) -> None:
        """`values`: what each placeholder stands for; None where the asset has no such thing."""
        self._values = values
        self.used: set[str] = set()

    def fill(self, template: str) -> str:
        """`template` with its placeholders filled in, `{{` and `}}` as braces. Raises `EngineError`."""
        filled = _MARK.sub(lambda mark: self._one(mark, template), template)
        if "\0" in filled:
            raise bad(f"`{template}` holds a NUL character, which no program can be given", "take it out")
        return filled

    def _one(self, mark: re.Match[str], template: str) -> str:
        if mark[0] in {"{{", "}}"}:
            return mark[0][0]
        name = mark[1]
        if name is None:
            raise bad(f"`{template}` has a lone `{mark[0]}`", f"write `{mark[0] * 2}` for a brace")
        if name not in self._values:
            if name.startswith("input."):
                given = [known for known in self._values if known.startswith("input.")]
                own = name.removeprefix("input.")
                add = f'add `inputs = {{ {own} = "PATH" }}` to its parameters'
                hint = f"it has {listed(given)}" if given else add
                raise bad(f"`{{{name}}}` is used, but the asset has no such input", hint)
            raise unknown("placeholder", name, self._values)
        value = self._values[name]
        if value is None:
            raise bad(f"`{{{name}}}` is used, but the asset has no `{_whence(name)}`", _supply(name))
        self.used.add(name)
        return value

    def command(self, run: Sequence[str]) -> list[str]:
        """The arguments of `run`, the program first. Raises `EngineError`."""
        if not run or not run[0]:
            raise bad("`run` is empty", "give the program and its arguments")
        if "{" in run[0]:
            raise bad(
                f"`run` begins with `{run[0]}`, and a program can't come from a placeholder",
                'name the interpreter first: `run = ["python3", "{script}", "{output}"]`',
            )
        filled = [self.fill(template) for template in run]
        for place, (template, word) in enumerate(zip(run, filled, strict=True)):
            mark = _MARK.match(template)
            if mark and mark[1] in _FREE and word.startswith("-") and "--" not in run[:place]:
                raise bad(
                    f"the {mark[1]} begins with `-`, and the program would take it for an option",
                    f"put `--` before `{template}` in `run`, or write it as `--option={template}`",
                )
        return filled


def _whence(name: str) -> str:
    return "size" if name in {"width", "height"} else name


def _supply(name: str) -> str:
    if name == "script":
        return "set the parameter `script` to a file"
    return f"give the asset a `{_whence(name)}`"
