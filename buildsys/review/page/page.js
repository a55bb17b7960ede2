// The page itself: what stands on top, buttons and keys, and which change is open first.

function showTop() {
  by("title").textContent = review.project ? `${review.project}: art review` : "Art review";
  const side = ({told, subject}) => subject ? `${told} “${subject}”` : told;
  by("sides").textContent = `${side(review.before)} → ${side(review.after)}`;
  by("notes").replaceChildren(...review.notes.map(note => el("li", {}, note)));
  by("tiles").replaceChildren(
    ...review.counts.map(([kind, told, number]) => tile(String(number), told, kind)),
    tile(String(review.unchanged), "unchanged"),
    ...(review.cost ? [tile(review.cost, "known cost of the new")] : []),
    tile("", "marked", "marked"),
  );
  by("contact").hidden = !changes.length;
  by("end").textContent = `Written by artlock ${review.version}. This page loads nothing and sends nothing; marks stay in this browser until you export them.`;
}

const tile = (number, words, kind = "") => el("div", {className: `tile ${kind}`}, el("b", {}, number), words);

function showProgress() {
  const those = changes.filter(change => change.mark);
  const found = those.map(change => markOf(change).mark);
  const approved = found.filter(mark => mark === "approved").length, rejected = found.filter(mark => mark === "rejected").length;
  document.querySelector(".tile.marked b").textContent = `${approved + rejected} of ${those.length}`;
  by("progress").textContent = `${approved} approved, ${rejected} rejected${kept ? "" : "; not kept: export them"}`;
  by("export").disabled = !(approved + rejected);
}

function mark(value) {
  if (!current?.mark) return;
  const next = markOf(current).mark === value ? "" : value;
  setMark(current, {mark: next});
  showMark(current);
  showProgress();
  showChips();
  say(next ? `${plain(current.name)} ${next}` : `${plain(current.name)}: mark taken back`);
}

function choices(group, values, set) {
  by(group).replaceChildren(...values.map(([value, words, title]) => {
    const button = el("button", {type: "button", value: String(value), title: title ?? "", "aria-pressed": "false"}, words);
    if (!button.textContent) button.setAttribute("aria-label", title);
    button.onclick = () => set(value);
    return button;
  }));
}

function setMode(mode) { look.mode = mode; if (open && hasBoth(open)) draw(); }
function setGround(ground) { look.ground = ground; if (open) lay(); }
function toggleFrame() { look.framed = !look.framed; if (open) draw(); }

const KEYS = {
  j: () => step(1), k: () => step(-1), n: stepUnmarked,
  a: () => mark("approved"), r: () => mark("rejected"),
  "+": () => zoomBy(1), "=": () => zoomBy(1), "-": () => zoomBy(-1), 0: () => zoomTo("fit"),
  g: () => setGround(GROUNDS[(GROUNDS.indexOf(look.ground) + 1) % GROUNDS.length]),
  f: () => { by("top").hidden = !by("top").hidden; }, b: toggleFrame, "[": () => moveCut(-5), "]": () => moveCut(5),
  "?": () => by("help").showModal(),
  "/": () => by("search").focus(),
  " ": () => by("turn")?.click(),
};
MODES.forEach(([mode], number) => { KEYS[number + 1] = () => setMode(mode); });

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || by("help").open) return;
  const at = event.target;
  if (event.key === "Escape" && at === by("search")) { at.blur(); return; }
  if (at.matches?.("input:not([type=range]), textarea, select")) return;
  if (event.key === " " && (at.matches?.("button, summary") || !by("turn"))) return;
  if (arrows(event, at)) return;
  const does = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (!does) return;
  event.preventDefault();
  does();
}

/** In the list and on the sheet, arrows go from one to the next. */
function arrows(event, at) {
  const by_ = {ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1}[event.key];
  const sheet = at.matches?.(".cell"), list = at.matches?.(".row");
  if (!by_ || !(sheet || list)) return false;
  event.preventDefault();
  step(by_);
  if (sheet) cells.get(current).focus();
  return true;
}

function linked() {
  let name = "";
  try { name = decodeURIComponent(location.hash.slice(1)); } catch { /* no name of ours */ }
  return changes.find(change => change.name === name);
}

function wire() {
  choices("modes", MODES.map(([mode, words], number) => [mode, words, `Key ${number + 1}`]), setMode);
  choices("zooms", ZOOMS.map(zoom => [zoom, zoom === "fit" ? "Fit" : zoom === 1 ? "1:1" : `${zoom}×`]), zoomTo);
  choices("grounds", GROUNDS.map(ground => [ground, el("span", {className: `swatch ${ground}`}), `On ${ground} (g)`]), setGround);
  by("box").onclick = toggleFrame;
  by("align").onclick = () => { look.alike = !alike(open); draw(); };
  by("approve").onclick = () => mark("approved");
  by("reject").onclick = () => mark("rejected");
  by("previous").onclick = () => step(-1);
  by("next").onclick = () => step(1);
  by("keys").onclick = KEYS["?"];
  by("search").oninput = narrow;
  by("sort").onchange = narrow;
  by("clear").onclick = showAll;
  by("export").onclick = download;
  by("import").onclick = () => by("file").click();
  by("file").onchange = async () => {
    const [file] = by("file").files;
    const done = file ? taken(await file.text()) : null;
    by("file").value = "";
    changes.forEach(showMark);
    if (current) choose(current);
    showProgress();
    showChips();
    const words = done ? `${count(done.number, "mark")} of ${done.of} taken over` : "That is no file of marks";
    by("progress").textContent = words;
    say(words);
  };
  addEventListener("keydown", pressed);
  addEventListener("hashchange", () => { const change = linked(); if (change && change !== current) choose(change); });
  new ResizeObserver(() => by("work").style.setProperty("--top", `${by("top").offsetHeight}px`)).observe(by("top"));
  new ResizeObserver(() => { if (open && look.zoom === "fit") lay(); }).observe(by("stage"));
}

function start() {
  showTop();
  prepareHeat();
  wire();
  build();
  changes.forEach(showMark);
  showChips();
  showProgress();
  const first = linked() ?? changes[0];
  if (!first) {
    by("work").replaceChildren(el("section", {className: "wide"}, el("p", {className: "missing"}, "Nothing differs.")));
    return;
  }
  choose(first, {keepAddress: true});
  if (linked()) by("work").scrollIntoView();
}

start();
