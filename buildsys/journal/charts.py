"""Bars as SVG that stands in a page: drawn by pygal, coloured by the page, without a script.

Knows nothing of what the bars mean. pygal's own dressing is left out: its script, its links, its fixed
colours; what its tooltips would show becomes `<title>`, which a browser shows by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

import msgspec
import pygal
from pygal.style import Style

_WIDTH: Final = 560
_ROW: Final = 26
"""Height of a horizontal bar."""
_FEWEST: Final = 6
"""Places along the axis of runs: a single run must not become a bar as wide as the page."""
_FONT: Final = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of one colour."""

    name: str
    colour: str
    """A colour of the page's style sheet."""
    values: Sequence[float | None]
    """One for each label; None for no bar."""


def lying(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    axis: str,
    told: Callable[[float], str],
    ticks: Callable[[float], str],
    stacked: bool = False,
) -> str:
    """Bars from left to right, the first label at the top; `axis` names what they show."""
    kind = pygal.HorizontalStackedBar if stacked else pygal.HorizontalBar
    bars = len(labels) * (1 if stacked else len(series))
    chart = kind(
        **_settings(series, told, ticks),
        height=(112 if len(series) > 1 else 82) + max(bars, 2) * _ROW,
        margin_bottom=20 if len(series) > 1 else 4,
        print_values=not stacked,
        print_values_position="top",
        x_title=axis,
    )
    if not stacked:
        # Room for the number behind the longest bar.
        chart.range = (0, 1.15 * max((value or 0.0 for item in series for value in item.values), default=1.0))
    # pygal draws from the bottom up.
    chart.x_labels = [_short(label, 28) for label in reversed(labels)]
    for item in series:
        chart.add(item.name, [value or None for value in reversed(item.values)])
    return _stripped(chart.render(is_unicode=True), series, list(reversed(labels)))


def standing(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    axis: str,
    told: Callable[[float], str],
    ticks: Callable[[float], str],
) -> str:
    """Stacked bars side by side, oldest to the left; `axis` names what they show."""
    spare = max(0, _FEWEST - len(labels))
    turn = 0 if len(labels) <= _FEWEST else 60
    chart = pygal.StackedBar(
        **_settings(series, told, ticks), height=300, y_title=axis, x_label_rotation=turn
    )
    chart.x_labels = [*labels, *[""] * spare]
    for item in series:
        chart.add(item.name, [*(value or None for value in item.values), *[None] * spare])
    return _stripped(chart.render(is_unicode=True), series, labels)


def _settings(
    series: Sequence[Series], told: Callable[[float], str], ticks: Callable[[float], str]
) -> dict[str, object]:
    colours = tuple(f"var(--{item.colour})" for item in series)
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--ink)",
        foreground_strong="var(--ink)",
        foreground_subtle="var(--faint)",
        guide_stroke_color="var(--line)",
        major_guide_stroke_color="var(--line)",
        guide_stroke_dasharray="0",
        major_guide_stroke_dasharray="0",
        colors=colours,
        value_colors=("var(--ink)",) * len(colours),
        opacity="1",
        stroke_opacity="0",
        font_family=_FONT,
        label_font_size=11,
        major_label_font_size=11,
        value_font_size=11,
        title_font_size=11,
        legend_font_size=12,
    )
    return {
        "js": [],
        "style": style,
        "width": _WIDTH,
        "formatter": lambda value: told(value) if value else "",
        "value_formatter": lambda value: ticks(value) if value else "0",
        "show_legend": len(series) > 1,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": len(series),
        "legend_box_size": 11,
        "min_scale": 3,
        "max_scale": 6,
        "include_x_axis": True,
        "zero": 0,
        "margin": 4,
        "spacing": 8,
        "truncate_label": -1,
        "truncate_legend": -1,
    }


def _stripped(svg: str, series: Sequence[Series], labels: Sequence[str]) -> str:
    """The drawing alone, as HTML takes it: no namespace, no script, no title but those of the bars."""
    root = ET.fromstring(re.sub(r"^<\?xml.*?\?>", "", svg))  # noqa: S314 - pygal's own text, of cleaned words
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    for node in list(root.iter()):
        for child in [*node.findall("script"), *node.findall("title")]:
            node.remove(child)
    for node in root.iter():
        for number, item in enumerate(series):
            if f"serie-{number}" in node.get("class", "").split():
                _entitle(node, item, labels)
        if node.tag == "text" and node.get("class") == "value":
            # pygal centres it on the end of the bar, half of it on the colour.
            node.set("text-anchor", "start")
    # The table beside it says the same, to everyone.
    root.set("aria-hidden", "true")
    root.set("class", "chart")
    return ET.tostring(root, encoding="unicode")


def _entitle(group: ET.Element, series: Series, labels: Sequence[str]) -> None:
    """Let each bar say what it is when a pointer rests on it."""
    for bar in [node for node in group.iter("g") if node.get("class") == "bar"]:
        told = {str(node.get("class")): node.text or "" for node in bar.findall("desc")}
        for node in bar.findall("desc"):
            bar.remove(node)
        if not told.get("value"):
            continue
        whole = next((label for label in labels if _short(label, 28) == told.get("x_label")), "")
        words = [whole or told.get("x_label", ""), f"{series.name} {told.get('value', '')}"]
        ET.SubElement(bar, "title").text = ": ".join(filter(None, words))


def _short(text: str, width: int) -> str:
    """The end tells two names apart more often than the beginning: names are paths."""
    return text if len(text) <= width else f"…{text[1 - width :]}"
