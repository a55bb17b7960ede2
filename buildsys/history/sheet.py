"""The style sheet of a history's page, beyond that of all pages: a strip of film, and cards below it.

Knows nothing of what it dresses.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  --film: #1b1a1f; --hole: #f6f5f2; --edge: #34323b; --label: #d9d6cf; --dim: #98949f;
  --gone: #fbe1dd; --new: #d9f0df; --check-a: #868c96; --check-b: #767c86;
}
@media (prefers-color-scheme: dark) {
  :root { --film: #08090c; --hole: #2b303a; --edge: #262a33; --gone: #5b2722; --new: #1d4a30; }
}
.store { position: absolute; width: 0; height: 0; }
.strip {
  direction: rtl; overflow-x: auto; margin: 24px 0; border-radius: 8px; background: var(--film);
  scrollbar-color: var(--dim) var(--film);
}
.strip:focus-visible { outline: 2px solid var(--make); outline-offset: 2px; }
.reel {
  display: flex; justify-content: flex-end; width: max-content; min-width: 100%; padding: 34px 18px 36px;
  margin: 0; list-style: none; gap: 14px;
  --holes: repeating-linear-gradient(90deg, transparent 0 8px, var(--hole) 8px 20px, transparent 20px 28px);
  background:
    var(--holes) 0 9px / 100% 13px no-repeat, var(--holes) 0 calc(100% - 11px) / 100% 13px no-repeat;
}
.reel li { direction: ltr; width: 180px; flex: none; position: relative; }
.reel a { color: var(--label); text-decoration: none; display: block; font-size: 12px; line-height: 1.45; }
.reel a:focus-visible { outline: 2px solid var(--label); outline-offset: 4px; }
.reel a:hover .shot { border-color: var(--label); }
.reel b { display: block; font-size: 13px; margin-top: 8px; white-space: nowrap; }
.reel span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.reel .dim { color: var(--dim); }
.reel .yes { color: #7fd6a0; }
.reel .now { color: #e0a030; }
.reel code { font-size: 11px; font-weight: 400; color: var(--dim); }
.shot {
  display: flex; align-items: center; justify-content: center; aspect-ratio: 1; border-radius: 4px;
  border: 2px solid var(--edge); overflow: hidden; background: #121216; padding: 6px;
}
.shot svg { width: 100%; height: 100%; display: block; }
.shot.none { color: #ef9d94; font-size: 12px; text-align: center; padding: 14px; overflow-wrap: anywhere; }
image.small { image-rendering: pixelated; }
.moved { height: 4px; border-radius: 2px; margin-top: 8px; background: var(--edge); }
.moved i { display: block; height: 100%; border-radius: 2px; background: #e0a030; }
.cards.charts { margin: 16px 0; }
.charts h2 { margin-bottom: 2px; }
.versions { display: flex; flex-direction: column; gap: 16px; }
.version { display: grid; grid-template-columns: 188px minmax(0, 1fr); gap: 20px; scroll-margin-top: 16px; }
.version:target { border-color: var(--make); box-shadow: 0 0 0 1px var(--make); }
.version .shot { background: var(--paper); border-color: var(--line); align-self: start; }
.version .shot.none { color: var(--bad); }
.version h2 { overflow-wrap: anywhere; }
.version.gap { display: block; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0; }
.chip {
  font-size: 12px; line-height: 1.6; padding: 1px 9px; border-radius: 99px; border: 1px solid var(--line);
  background: var(--paper); font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.chip.yes { color: var(--good); border-color: currentColor; }
.chip.no { color: var(--bad); border-color: currentColor; }
dl {
  display: grid; grid-template-columns: minmax(7em, max-content) minmax(0, 1fr); gap: 4px 16px;
  margin: 10px 0 0;
}
dt { color: var(--faint); font-size: 13px; padding-top: 1px; }
dd.as-before { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
del { background: var(--gone); color: inherit; text-decoration-color: var(--bad); border-radius: 3px; }
ins { background: var(--new); color: inherit; text-decoration-color: var(--good); border-radius: 3px; }
code { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
@media (max-width: 640px) {
  .version { grid-template-columns: minmax(0, 1fr); } .version .shot { max-width: 240px; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dt { padding-top: 6px; }
}
@media print { .strip { overflow: visible; } .reel { flex-wrap: wrap; width: auto; } }
"""
