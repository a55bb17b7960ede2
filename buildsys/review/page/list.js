// The list of changes and the contact sheet: a button for each, one of which is the one that is open.

const rows = new Map(), cells = new Map();
let visible = [...changes];
let current = null;
let stop = null;

function build() {
  for (const change of changes) {
    rows.set(change, row(change));
    cells.set(change, cell(change));
  }
  arrange();
}

function row(change) {
  const slash = change.name.lastIndexOf("/") + 1;
  const heed = el("span", {className: "heed", "aria-hidden": "true"});
  heed.style.setProperty("--heed", String(0.12 + change.attention * 0.88));
  const button = el("button", {type: "button", className: "row", tabIndex: -1, title: plain(change.name), data: {kind: change.kind}},
    heed,
    el("span", {className: "pair", "aria-hidden": "true"}, thumb(change.before), thumb(change.after)),
    el("span", {},
      el("span", {className: "name"}, el("span", {className: "path"}, plain(change.name.slice(0, slash))), plain(change.name.slice(slash))),
      el("span", {className: "says"}, el("span", {className: "kind"}, change.told), ` ${change.headline}`)),
    el("span", {className: "mark"}));
  button.onclick = () => choose(change);
  return el("li", {}, button);
}

function cell(change) {
  const words = `${plain(change.name)}, ${change.told}`;
  const button = el("button", {type: "button", className: "cell", tabIndex: -1, title: words, "aria-label": words, data: {kind: change.kind}},
    thumb(change.after ?? change.before), el("span", {className: "mark"}));
  button.onclick = () => { choose(change); by("work").scrollIntoView(); };
  return button;
}

/** Those that are visible, in their order. */
function arrange() {
  by("list").replaceChildren(...visible.map(change => rows.get(change)));
  by("sheet").replaceChildren(...visible.map(change => cells.get(change)));
  by("none").hidden = visible.length > 0;
  by("shown").textContent = visible.length === changes.length ? count(changes.length, "change") : `${visible.length} of ${changes.length}`;
  reachable();
}

/** One stop of the tab key for each of the two, not a thousand. */
function reachable() {
  const next = visible.includes(current) ? current : visible[0];
  for (const [change, index] of [[stop, -1], [next, 0]]) {
    if (!change) continue;
    rows.get(change).firstChild.tabIndex = index;
    cells.get(change).tabIndex = index;
  }
  stop = next;
}

function choose(change, {focus = false, keepAddress = false} = {}) {
  for (const held of [current, change]) {
    if (!held) continue;
    for (const button of [rows.get(held).firstChild, cells.get(held)]) {
      if (held === change) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
  current = change;
  reachable();
  const button = rows.get(change).firstChild;
  scrollWithin(by("list"), rows.get(change));
  if (focus) button.focus({preventScroll: true});
  by("name").textContent = plain(change.name);
  by("what").replaceChildren(el("span", {className: "kind", data: {kind: change.kind}}, change.told));
  showMark(change);
  showFacts(change);
  showStage(change);
  if (!keepAddress) history.replaceState(null, "", `#${encodeURIComponent(change.name)}`);
  const place = visible.indexOf(change);
  say(`${place + 1} of ${visible.length}: ${plain(change.name)}, ${change.told}, ${change.headline}`);
}

/** Only inside the list: the page itself stays where it is. */
function scrollWithin(list, item) {
  const top = item.offsetTop - list.offsetTop;
  if (top < list.scrollTop) list.scrollTop = top - 6;
  else if (top + item.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + item.offsetHeight - list.clientHeight + 6;
}

function step(by_) {
  if (!visible.length) return;
  const at = visible.indexOf(current);
  const next = at < 0 ? 0 : Math.min(visible.length - 1, Math.max(0, at + by_));
  const inside = by("list").contains(document.activeElement);
  if (visible[next] !== current) choose(visible[next], {focus: inside});
  else say(by_ > 0 ? "That was the last one" : "That was the first one");
}

/** The next without a mark, from here on and then from the start. */
function stepUnmarked() {
  const at = visible.indexOf(current);
  const order = [...visible.slice(at + 1), ...visible.slice(0, at + 1)];
  const found = order.find(change => change.mark && !markOf(change).mark);
  if (found) choose(found);
  else say("All have a mark");
}

function showMark(change) {
  const {mark} = markOf(change);
  for (const holder of [rows.get(change), cells.get(change)]) {
    const sign = holder.querySelector(".mark");
    sign.className = `mark ${mark}`;
    sign.replaceChildren(...(mark ? [el("span", {className: "sr"}, mark)] : []));
  }
  if (change !== current) return;
  for (const [id, value] of [["approve", "approved"], ["reject", "rejected"]]) {
    by(id).setAttribute("aria-pressed", String(mark === value));
    by(id).disabled = !change.mark;
  }
}
