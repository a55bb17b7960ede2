"""Variables: each a text that may use others, resolved once where no asset can change it.

Knows nothing of where variables are used.
"""

from __future__ import annotations

from collections.abc import Mapping

from buildsys.manifest import template
from buildsys.manifest.circles import untangled
from buildsys.manifest.source import Fault, Problems
from buildsys.manifest.structure import Entry
from buildsys.manifest.syntax import Wildcard, parse
from buildsys.manifest.template import Value, Variable


def resolve(entries: Mapping[str, Entry], problems: Problems) -> dict[str, Value]:
    """The values of `entries`; what is wrong with one goes to `problems`, at its own place."""
    sound: dict[str, tuple[str, ...]] = {}
    for name, entry in entries.items():
        try:
            template.check(entry.value, entries)
        except Fault as fault:
            problems.add(entry.source, fault.under("variables", name))
        else:
            sound[name] = tuple(template.names(entry.value))
    order, circles = untangled(sound)
    for circle in circles:
        fact = f"variables use one another in a circle: `{' → '.join([*circle, circle[0]])}`"
        wrong = Fault(fact, "take one of them out of the circle", ("variables", circle[0]))
        problems.add(entries[circle[0]].source, wrong)
    values: dict[str, Value] = {}
    for name in order:
        text = entries[name].value
        # Where another one is wrong, so is this one; that is told already.
        if all(used in values for used in sound[name]):
            values[name] = _value(text, {used: values[used] for used in sound[name]})
    return values


def _value(text: str, used: Mapping[str, Value]) -> Value:
    drawn = any(isinstance(part, Wildcard) for part in parse(text))
    if drawn or any(isinstance(value, Variable) for value in used.values()):
        return Variable(text)
    return template.expand(text, used)
