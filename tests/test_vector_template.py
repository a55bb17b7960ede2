"""Templates: slots filled, and nothing let through that reaches beyond the file."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vector_kit import ROOT, drawn, ink, refused

from engines import png

SIGN = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 80">
<!-- a sign -->
<style>.plate {{ fill: {color} }}</style>
<rect class="plate" width="200" height="80"/>
<text x="100" y="50" text-anchor="middle" font-family="{font}" font-size="30" fill="#fff">{text}</text>
</svg>""".replace("{{", "{").replace("}}", "}")


def template(folder: Path, source: str) -> dict[str, str]:
    (folder / "t.svg").write_text(source)
    return {"template": str(folder / "t.svg")}


def body(inner: str) -> str:
    head = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {head} viewBox="0 0 200 80">{inner}</svg>'


def test_template_fills_its_slots(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, "A<B&C", inputs=template(tmp_path, SIGN), slots={"color": "#103050"})
    assert pixels[5, 5].tolist()[:3] == [0x10, 0x30, 0x50]
    assert (pixels[..., :3] == 255).all(axis=2).any()


def test_template_takes_the_size_asked_for(tmp_path: Path) -> None:
    inputs = template(tmp_path, SIGN.replace('viewBox="0 0 200 80"', 'width="200px" height="80"'))
    assert drawn(tmp_path, "A", (400, 160), inputs, slots={"color": "#103050"}).shape[:2] == (160, 400)


def test_template_lines(tmp_path: Path) -> None:
    source = body('<text x="5" y="30">{line1}</text><text x="5" y="60" font-size="9">{line2}</text>')
    assert drawn(tmp_path, "ONE\nTWO", inputs=template(tmp_path, source)).shape == (80, 200, 4)
    message, hint = refused(tmp_path, "ONE", inputs=template(tmp_path, source))
    assert (message, hint) == ("the template has a slot `{line2}`, but nothing fills it", "set `text`")


def test_template_without_text_needs_none(tmp_path: Path) -> None:
    inputs = template(tmp_path, body('<circle cx="40" cy="40" r="30"/>'))
    assert ink(drawn(tmp_path, inputs=inputs))[:2] == (10, 10)
    message = "the template has no slot for the text"
    assert refused(tmp_path, "A", inputs=inputs)[0] == message


def test_template_may_hold_a_picture(tmp_path: Path) -> None:
    data = base64.b64encode(png.encode(np.full((4, 4, 3), 90, np.uint8))).decode()
    inner = f'<image width="200" height="80" preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
    pixels = drawn(tmp_path, inputs=template(tmp_path, body(inner)))
    assert (pixels == 90).all() or pixels[40, 100, 0] == 90


def bomb() -> str:
    buffer = io.BytesIO()
    Image.new("1", (8000, 8000)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


OUTSIDE = "outside of itself"


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ('<image href="/etc/passwd"/>', f"the template links to `/etc/passwd`, {OUTSIDE}"),
        ('<image xlink:href="file:///x.png"/>', f"the template links to `file:///x.png`, {OUTSIDE}"),
        ('<image href="&#47;x.png"/>', f"the template links to `/x.png`, {OUTSIDE}"),
        ('<image href=" #a"/>', f"the template links to ` #a`, {OUTSIDE}"),
        ('<use href="other.svg#a"/>', f"the template links to `other.svg#a`, {OUTSIDE}"),
        (
            '<image href="data:image/svg+xml;base64,PHN2Zy8+"/>',
            f"the template links to `data:image/svg+xml;base64,PHN2Zy8+`, {OUTSIDE}",
        ),
        ('<rect fill="url(x.svg#a)"/>', "the template links to something outside of itself: `url(x.svg#a)`"),
        (
            """<rect style="fill: URL( 'x.svg#a')"/>""",
            "the template links to something outside of itself: `fill: URL( 'x.svg#a')`",
        ),
        (
            "<style>@import 'x.css';</style>",
            "the template has a style with an escape or an at-rule: `@import 'x.css';`",
        ),
        (
            r'<rect style="fill: u\72l(x)"/>',
            r"the template has a style with an escape or an at-rule: `fill: u\72l(x)`",
        ),
        ("<script>1</script>", "the template holds `<script>`, which does more than draw"),
        ("<foreignObject/>", "the template holds `<foreignObject>`, which does more than draw"),
        ('<rect onclick="x"/>', "the template has an attribute `onclick`, which is a script"),
        ('<text style="font: 9px Cinzel">A</text>', "the template sets `font:` in one"),
        (
            '<text style="font-family: Arial">A</text>',
            "the template asks for the font `Arial`, but `font` is `Cinzel`",
        ),
        ("<text>☃</text>", "the font `Cinzel Bold` has no `☃` (U+2603 SNOWMAN)"),
        ('<text x="900" y="9">A</text>', "the template's text is not seen in the drawing"),
        ("<g/>", "the template draws nothing"),
        ("<g>", "the template is not XML: mismatched tag: line 1, column 109"),
        ("{zap}", "the template has a slot `{zap}`, but nothing fills it"),
        (
            '<g id="a"><use href="#b"/></g><use href="#a"/>',
            "the template has a `use` of something that holds a `use`",
        ),
        ('<text font-size="1e12" y="50">A</text>', "the renderer gave up on the drawing"),
        (f"<text>{'A' * 2001}</text>", "the template writes 2001 characters, more than 2000"),
        ("<g/>" * 5000, "the template has 5001 elements, more than 5000"),
    ],
)
def test_template_refuses(inner: str, message: str, tmp_path: Path) -> None:
    assert refused(tmp_path, inputs=template(tmp_path, body(inner)))[0] == message


def test_template_refuses_a_bomb_in_a_picture(tmp_path: Path) -> None:
    inner = f'<image width="9" height="9" href="data:image/png;base64,{bomb()}"/>'
    message = "`picture in the template` is 8000 x 8000 pixels; at most 4096 on a side are decoded"
    assert refused(tmp_path, inputs=template(tmp_path, body(inner)))[0] == message


def test_template_refuses_a_document_type(tmp_path: Path) -> None:
    source = '<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + body("<text>&a;</text>")
    message = "the template has a document type, which may define entities"
    assert refused(tmp_path, inputs=template(tmp_path, source))[0] == message


def test_template_refuses_what_is_no_svg(tmp_path: Path) -> None:
    message = 'the template is not an SVG: its root is not `<svg xmlns="http://www.w3.org/2000/svg">`'
    assert refused(tmp_path, inputs=template(tmp_path, "<svg/>"))[0] == message


def test_template_names_an_unknown_slot(tmp_path: Path) -> None:
    asked = {"colour": "#103050", "color": "#000000"}
    message, hint = refused(tmp_path, "A", inputs=template(tmp_path, SIGN), slots=asked)
    assert (message, hint) == ("the template's slot `colour` is unknown", "did you mean `color`?")
    message = "`slots.color` is `['x']`, not a text or a number"
    assert refused(tmp_path, "A", inputs=template(tmp_path, SIGN), slots={"color": ["x"]})[0] == message


def test_a_slot_can_not_reach_outside(tmp_path: Path) -> None:
    message, _ = refused(tmp_path, "A", inputs=template(tmp_path, SIGN), slots={"color": "url(x.svg)"})
    assert message.startswith("the template links to something outside of itself")


def test_a_system_font_is_never_used(tmp_path: Path) -> None:
    inputs = template(tmp_path, body('<text font-family="sans-serif">{text}</text>'))
    message, hint = refused(tmp_path, "A", inputs=inputs)
    assert message == "the template asks for the font `sans-serif`, but `font` is `Cinzel`"
    assert hint == "write `{font}` as the `font-family`, or leave it out"


@pytest.mark.parametrize(
    ("inner", "where"),
    [
        (
            '<text x="100" y="50" text-anchor="middle" font-size="30">The Drowned Gate</text>',
            "left and the right",
        ),
        ('<text x="150" y="50" font-size="20">GATE</text>', "right"),
        ('<text x="50%" y="12" font-size="30">GATE</text>', "top"),
        ('<text y="30" font-size="20">GATE<tspan x="0" y="84">Q</tspan></text>', "bottom"),
        ('<g transform="translate(-4)"><text y="30" font-size="20">GATE</text></g>', "left"),
    ],
)
def test_text_that_leaves_the_picture_is_refused(inner: str, where: str, tmp_path: Path) -> None:
    message, hint = refused(tmp_path, size=(400, 160), inputs=template(tmp_path, body(inner)))
    assert message == f"the template's text leaves the picture at the {where}"
    assert hint == "make its `font-size` smaller"


@pytest.mark.parametrize(
    "inner",
    [
        (
            '<circle r="90"/><rect x="-50" y="60" width="300" height="90"/>'
            '<text x="50%" y="50%" text-anchor="middle" font-size="17" fill="#fff">The Drowned Gate</text>'
        ),
        (
            '<filter id="f" x="-1" y="-2" width="3" height="5"><feGaussianBlur stdDeviation="4"/></filter>'
            '<text x="2" y="30" font-size="20" filter="url(#f)">GATE</text>'
        ),
    ],
)
def test_shapes_and_glows_may_leave_the_picture(inner: str, tmp_path: Path) -> None:
    for size in ((400, 160), (300, 300), (40, 16)):
        assert drawn(tmp_path, size=size, inputs=template(tmp_path, body(inner))).any()


def test_the_manual_s_template_draws_well(tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "engine-vector.md").read_text()
    source = manual.split("```svg\n")[1].split("```")[0]
    pixels = drawn(
        tmp_path, "The Drowned Gate", (400, 160), template(tmp_path, source), slots={"color": "#103050"}
    )
    assert (pixels[..., :3] == 255).all(axis=2).sum() > 1000
