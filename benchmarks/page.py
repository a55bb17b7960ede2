"""Writes the results into the documentation: `python benchmarks/page.py [RESULT.json …]`.

Each JSON file goes to `benchmarks/results/`, and its tables between the marks of its name in
`docs/performance.md`. Without arguments the page is written again from the results that lie there.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import checkout

_PAGE: Final = checkout.ROOT / "docs" / "performance.md"
_RESULTS: Final = checkout.HERE / "results"


def filled(page: str, results: Path) -> str:
    """`page` with the tables of every result in `results` between its marks."""
    for file in sorted(results.glob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        begin, end = (f"<!-- {word} {found['benchmark']} -->" for word in ("begin", "end"))
        if begin not in page or end not in page:
            sys.exit(f"`{_PAGE.name}` has no place for `{file.name}`: it lacks `{begin}` or `{end}`")
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{markdown(found)}\n{end}{rest.partition(end)[2]}"
    return page


def markdown(found: dict[str, Any]) -> str:
    """One result: how it was measured, and its tables."""
    machine, versions = found["machine"], found["versions"]
    cards = ", ".join(machine["gpus"]) or "no GPU"
    how = (
        f"`{found['command']}`, {found['date'][:10]}, {found['minutes']} minutes. {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, {cards}; load average at the start "
        f"{machine['load_average']}. "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + "."
    )
    return "\n\n".join([how, *(_table(table) for table in found["tables"])])


def _table(table: dict[str, Any]) -> str:
    marks = ["---", *("---:" for _ in table["headings"][1:])]
    rows = [table["headings"], marks, *table["rows"]]
    return "\n".join([f"**{table['title']}**", "", *("| " + " | ".join(row) + " |" for row in rows)])


def main() -> None:
    """Take in the results that are named, and write the page."""
    _RESULTS.mkdir(exist_ok=True)
    for name in sys.argv[1:]:
        benchmark = json.loads(Path(name).read_text(encoding="utf-8"))["benchmark"]
        shutil.copyfile(name, _RESULTS / f"{benchmark}.json")
    _PAGE.write_text(filled(_PAGE.read_text(encoding="utf-8"), _RESULTS), encoding="utf-8")


if __name__ == "__main__":
    main()
