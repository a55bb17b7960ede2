"""The style sheet of the report's page: light and dark, and for print.

Knows nothing of what it dresses. Colours tell apart for colour-blind eyes, and by lightness.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #f6f5f2; --card: #ffffff; --ink: #23272e; --faint: #667080; --line: #e3e1dc;
  --queue: #b9bec8; --load: #e0a030; --make: #2f6fc4; --finish: #2a9d8f; --hit: #8fbf8a;
  --median: #2f6fc4; --p95: #a9c6ec; --cost: #9157b8; --good: #1f7a46; --bad: #b3362b; --warn: #96650a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171c; --card: #1d2129; --ink: #e4e7ec; --faint: #98a2b3; --line: #323844;
    --queue: #666f7e; --load: #e3ab4a; --make: #5b9bee; --finish: #43bba9; --hit: #5f9560;
    --median: #5b9bee; --p95: #33557f; --cost: #b98be0; --good: #6cc68f; --bad: #f0857a; --warn: #e3ab4a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
}
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0; }
p { margin: 4px 0; }
.faint, figcaption { color: var(--faint); font-size: 13px; }
.tiles {
  display: grid; gap: 12px; margin: 24px 0; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
}
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 16px; }
.tile b { display: block; font-size: 22px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(520px, 100%), 1fr)); gap: 16px; }
section { padding: 16px 20px; min-width: 0; }
section.wide { margin-top: 16px; }
figure { margin: 0; }
svg.chart { display: block; width: 100%; height: auto; margin: 8px 0 4px; }
details { margin-top: 4px; }
summary { cursor: pointer; color: var(--faint); font-size: 13px; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-size: 13px; }
caption { text-align: left; color: var(--faint); padding-bottom: 4px; }
th, td {
  text-align: right; padding: 5px 10px; border-top: 1px solid var(--line);
  font-variant-numeric: tabular-nums; vertical-align: top; white-space: nowrap;
}
thead th { border-top: 0; color: var(--faint); font-weight: 600; }
.word { text-align: left; }
.long { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 16em; }
.done { color: var(--good); } .failed, .killed { color: var(--bad); }
.interrupted, .running { color: var(--warn); }
.tile.failed b { color: var(--bad); }
@media print { body { background: none; } section, .tile { break-inside: avoid; } }
"""
