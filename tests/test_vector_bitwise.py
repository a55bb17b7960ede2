"""Lettering has the same bytes on every CPU: golden digests, made again with the CPU's extras turned off."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import old_cpu
import pytest

from engines import vector
from engines.protocol import Done, Open, Request

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden" / "vector-bitwise.json"

GOLD = ["#fff7d1", "#f6cf6b", "#b9781f", "#7a4312"]
BUTTON = {"gradient": ["#ffffff", "#e0c080"], "shadow_offset": [0, 2], "shadow_blur": 3, "outline_width": 1}

CASES: dict[str, tuple[str, str, tuple[int, int], dict[str, Any]]] = {
    "logo": (
        "MOONLIT KEEP",
        "cinzel-decorative-black",
        (300, 90),
        {"gradient": GOLD, "bevel": 2, "outline_width": 3, "outline2_width": 2, "shadow_blur": 5},
    ),
    "lines": ("Moonlit\nKeep", "grenze-gotisch-bold", (150, 110), {"line_sizes": [1, 0.7], "glow": 8}),
    "arch": ("MOONLIT", "cinzel-bold", (200, 120), {"arch": 100, "outline_width": 2}),
    "plaque": ("PLAY", "cinzel-bold", (160, 48), {"panel": "plaque", "panel_shadow": "#000000a0", **BUTTON}),
    "pill": ("Options", "uncial-antiqua", (160, 48), {"panel": "pill", **BUTTON}),
    "cut": ("Quit", "pirata-one", (160, 48), {"panel": "cut", **BUTTON}),
    "rounded": ("Hold", "pixelify-sans", (160, 48), {"panel": "rounded", "background": "#203040"}),
    "hard": ("GAME OVER", "press-start-2p", (96, 24), {"smooth": False, "outline_width": 1}),
    "large": ("K", "cinzel-bold", (1100, 1000), {"bevel": 12}),
    "template": ("KEEP", "cinzel-bold", (240, 100), {}),
}

TEMPLATE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 100">
<defs><radialGradient id="sky"><stop offset="0" stop-color="#5870c0"/><stop offset="1"/></radialGradient>
<filter id="soft"><feGaussianBlur stdDeviation="3.3"/></filter>
<filter id="rough"><feTurbulence baseFrequency="0.05" numOctaves="3"/>
<feComposite in2="SourceGraphic" operator="in"/></filter></defs>
<ellipse cx="120" cy="50" rx="118" ry="48" fill="url(#sky)"/>
<path d="M20,80 A40,25 20 0 1 90,70" stroke="#fff" fill="none" stroke-width="3" stroke-dasharray="5 2"/>
<g transform="rotate(-7 120 50)" font-size="50" text-anchor="middle">
<text x="124" y="66" filter="url(#soft)">{text}</text>
<text x="120" y="62" fill="#ffd97a">{text}</text></g>
<rect x="180" y="5" width="50" height="30" filter="url(#rough)"/></svg>
"""


def digests(staging: Path) -> dict[str, str]:
    """SHA-256 of the PNG of every case."""
    (staging / "t.svg").write_text(TEMPLATE)
    opening = Open(
        protocol=1, adapter="vector", engine="", model="", revision="", staging=str(staging), settings={}
    )
    requests = []
    for name, (text, font, size, parameters) in CASES.items():
        inputs = {"font": str(ROOT / "engines" / "fonts" / f"{font}.ttf")}
        if name == "template":
            inputs["template"] = str(staging / "t.svg")
        requests.append(
            Request(
                id=name,
                asset=name,
                output=f"{name}.png",
                text=text,
                size=size,
                parameters=parameters,
                inputs=inputs,
            )
        )
    found = {}
    for result in vector.load(opening).render(requests, lambda *_: None):
        assert isinstance(result, Done), result
        found[result.id] = hashlib.sha256((staging / result.output).read_bytes()).hexdigest()
    return found


def test_golden_digests(tmp_path: Path) -> None:
    assert digests(tmp_path) == json.loads(GOLDEN.read_text())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switches are those of x86-64")
def test_golden_digests_on_an_old_cpu(tmp_path: Path) -> None:
    assert old_cpu.rerun(__file__, tmp_path) == json.loads(GOLDEN.read_text())


if __name__ == "__main__":  # the child of the test above
    old_cpu.show(digests(Path(sys.argv[1])))
