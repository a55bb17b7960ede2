"""SVG templates: slots filled in, and everything refused that would reach beyond the file.

The renderer opens any file that an `href` names, and expands whatever it is told to. A template may come
from anywhere, so only drawing is let through; and what was checked is what is rendered, not the source.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from engines import png
from engines.parameters import bad, unknown
from engines.protocol import Json
from engines.vector.font import Font
from engines.vector.svg import quoted

_MAX_BYTES: Final = 1024 * 1024
_MOST_ELEMENTS: Final = 5000
_MOST_MARKS: Final = 2000
_IMAGE_SIDE: Final = 4096
_SLOT: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_URL: Final = re.compile(r"url\(\s*['\"]?(.?)", re.IGNORECASE)
_DATA: Final = re.compile(r"data:image/(?:png|jpeg|webp);base64,([A-Za-z0-9+/=\s]+)")
_FAMILY: Final = re.compile(r"font-family\s*:\s*([^;}]+)")
_SHORTHAND: Final = re.compile(r"(?:^|[;{\s])font\s*:")
_SVG: Final = "http://www.w3.org/2000/svg"
_REFUSED: Final = frozenset({"script", "foreignObject", "iframe", "animate", "set"})

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def fill(path: str, text: str, slots: Mapping[str, Json], font: Font) -> ET.Element:
    """The template at `path` with its slots filled and checked, ready for `sized`."""
    if Path(path).stat().st_size > _MAX_BYTES:
        raise bad(f"the template is larger than {_MAX_BYTES // 1024} KiB")
    source = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    if re.search(r"<!(DOCTYPE|ENTITY)", source, re.IGNORECASE):
        raise bad("the template has a document type, which may define entities", "remove its `<!DOCTYPE …>`")
    try:
        root = ET.fromstring(_filled(source, text, slots, font))  # noqa: S314 - no entities are left
    except ET.ParseError as error:
        raise bad(f"the template is not XML: {error}") from error
    if root.tag != f"{{{_SVG}}}svg":
        raise bad('the template is not an SVG: its root is not `<svg xmlns="http://www.w3.org/2000/svg">`')
    _check(root, font)
    # Text that names no family would fall back to the renderer's default, which is not there.
    root.attrib.setdefault("font-family", f"'{font.family}'")
    return root


def sized(root: ET.Element, width: int, height: int) -> str:
    """The document at `width` x `height` pixels; its own shape decides what is left free."""
    if "viewBox" not in root.attrib:
        try:
            own = [float(root.attrib[side].removesuffix("px")) for side in ("width", "height")]
        except (KeyError, ValueError) as error:
            raise bad(
                "the template has no `viewBox`", 'give its `<svg>` a `viewBox="0 0 WIDTH HEIGHT"`'
            ) from error
        root.attrib["viewBox"] = f"0 0 {own[0]:g} {own[1]:g}"
    root.attrib |= {"width": str(width), "height": str(height)}
    return ET.tostring(root, encoding="unicode")


def framed(root: ET.Element, width: int, height: int) -> str:
    """The document at `width` x `height` in the middle of a canvas three times as large, which cuts nothing.

    An `<svg>` inside another keeps its percentages; a larger `viewBox` would have moved what they place.
    """
    inner = ET.fromstring(sized(root, width, height))  # noqa: S314 - our own
    inner.attrib |= {"x": str(width), "y": str(height), "overflow": "visible"}
    for element in inner.iter():
        # A glow may fade out beyond the border; letters may not.
        element.attrib.pop("filter", None)
    outer = ET.Element(f"{{{_SVG}}}svg", {"width": str(3 * width), "height": str(3 * height)})
    outer.append(inner)
    return ET.tostring(outer, encoding="unicode")


def without_text(root: ET.Element) -> ET.Element:
    """A copy with every word taken out: what the drawing is held against, to see that words were drawn."""
    bare = ET.fromstring(ET.tostring(root))  # noqa: S314 - our own
    for element in _texts(bare):
        for part in element.iter():
            part.text, part.tail = "", ""
    return bare


def words(root: ET.Element) -> str:
    """Everything that the document writes."""
    return "".join("".join(element.itertext()) for element in _texts(root)).strip()


def _texts(root: ET.Element) -> Iterator[ET.Element]:
    return root.iter(f"{{{_SVG}}}text")


def _filled(source: str, text: str, slots: Mapping[str, Json], font: Font) -> str:
    lines = text.split("\n") if text else []
    values = {"font": f"'{font.family}'", **{f"line{at}": line for at, line in enumerate(lines, start=1)}}
    if text:
        values["text"] = " ".join(lines)
    for name, value in slots.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise bad(f"`slots.{name}` is `{value}`, not a text or a number")
        values[name] = str(value)
    wanted = set(_SLOT.findall(source))
    for name in sorted(slots):
        if name not in wanted:
            raise unknown("the template's slot", name, wanted or {"text"})
    for name in sorted(wanted - values.keys()):
        missing = "`text`" if name == "text" or name.startswith("line") else f"`slots.{name}`"
        raise bad(f"the template has a slot `{{{name}}}`, but nothing fills it", f"set {missing}")
    if text and not any(name == "text" or name.startswith("line") for name in wanted):
        raise bad("the template has no slot for the text", "write `{text}` or `{line1}` where it belongs")
    return _SLOT.sub(lambda found: quoted(values[found[1]]), source)


def _check(root: ET.Element, font: Font) -> None:
    elements = list(root.iter())
    if len(elements) > _MOST_ELEMENTS:
        raise bad(f"the template has {len(elements)} elements, more than {_MOST_ELEMENTS}")
    for element in elements:
        name = _local(element.tag)
        if name in _REFUSED:
            raise bad(f"the template holds `<{name}>`, which does more than draw")
        for attribute, value in element.attrib.items():
            _check_attribute(_local(attribute), value, font)
        if name == "style":
            _check_css(element.text or "", font)
    _check_uses(elements)
    text = words(root)
    if len(text) > _MOST_MARKS:
        raise bad(f"the template writes {len(text)} characters, more than {_MOST_MARKS}")
    font.need(text)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _check_attribute(name: str, value: str, font: Font) -> None:
    if name.lower().startswith("on"):
        raise bad(f"the template has an attribute `{name}`, which is a script")
    if name in {"href", "src"}:
        _check_link(value)
    elif name == "font-family":
        _check_family(value, font)
    else:
        _check_css(value, font)


def _check_link(value: str) -> None:
    if value.startswith("#"):
        return
    data = _DATA.fullmatch(value)
    if data is None:
        hint = "put the picture into the template as `data:image/png;base64,…`"
        raise bad(f"the template links to `{value[:60]}`, outside of itself", hint)
    png.decode_bytes(base64.b64decode(data[1]), "picture in the template", _IMAGE_SIDE)


def _check_css(value: str, font: Font) -> None:
    if "\\" in value or "@" in value:
        raise bad(f"the template has a style with an escape or an at-rule: `{value.strip()[:60]}`")
    for first in _URL.findall(value):
        if first != "#":
            raise bad(f"the template links to something outside of itself: `{value.strip()[:60]}`")
    if _SHORTHAND.search(value):
        raise bad("the template sets `font:` in one", "set `font-size`, `font-weight` and so on one by one")
    for family in _FAMILY.findall(value):
        _check_family(family, font)


def _check_family(value: str, font: Font) -> None:
    family = value.split(",", 1)[0].strip().strip("'\"")
    if family != font.family:
        hint = "write `{font}` as the `font-family`, or leave it out"
        raise bad(f"the template asks for the font `{family}`, but `font` is `{font.family}`", hint)


def _check_uses(elements: list[ET.Element]) -> None:
    """Refuse a `use` of what itself holds one: ten levels of ten are ten thousand million elements."""
    deep = {
        element.attrib.get("id")
        for element in elements
        if any(_local(inner.tag) == "use" for inner in element.iter())
    }
    for element in elements:
        if _local(element.tag) == "use":
            links = [value for name, value in element.attrib.items() if _local(name) == "href"]
            if any(link.removeprefix("#") in deep for link in links):
                raise bad("the template has a `use` of something that holds a `use`", "draw one of them out")
