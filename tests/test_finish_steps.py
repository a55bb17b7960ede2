"""The card, the page and the code list the same steps and parameters."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from engines.finish import steps


@pytest.mark.parametrize("name", steps.STEPS)
def test_a_step_takes_what_its_card_declares(name: str) -> None:
    keywords = list(inspect.signature(steps.STEPS[name]).parameters)[1:]
    assert set(keywords) == set(steps.DECLARED[name])


def test_every_step_of_the_card_runs() -> None:
    assert set(steps.DECLARED) == {*steps.STEPS, "encode"}


def test_the_page_names_every_parameter_and_default() -> None:
    page = (Path(__file__).parent.parent / "docs" / "finish-steps.md").read_text()
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}
    assert list(sections) == list(steps.DECLARED)
    for name, parameters in steps.DECLARED.items():
        for parameter in parameters.values():
            row = next(
                line for line in sections[name].splitlines() if line.startswith(f"| `{parameter.name}`")
            )
            shown = (
                parameter.default if isinstance(parameter.default, str) else str(parameter.default).lower()
            )
            assert parameter.default is None or shown in row, row
            assert all(f"`{choice}`" in row for choice in parameter.choices) or "as for" in row, row
